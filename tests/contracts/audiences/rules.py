"""What campaigns may rely on about lists, exclusions and segments in an audience."""

import itertools

import pytest

from retail_core.audiences.errors import AudienceGone
from retail_core.audiences.model import (
    AudienceSpec,
    Exclusion,
    LeafVerdict,
    ListFilter,
    MatchRule,
)
from retail_core.audiences.segments import read_segment
from retail_core.contacts.model import Gender
from retail_core.kernel.addresses.phones import LineType
from retail_core.kernel.ids import CampaignId, ContactId, ListId
from retail_core.kernel.money import PriceList
from tests.contracts.audiences.lists import WOMEN, made, put
from tests.contracts.people import added, draft
from tests.contracts.staging import bar, freeze, people, phone, rules, written
from tests.contracts.worlds import World

NOBODY = ListId(2_000_000_000)
VIP = read_segment({"field": "tags", "op": "has", "value": "vip"})


class AudienceComposition:
    def test_an_own_list_is_the_base_and_the_others_are_not_matched(self, world: World) -> None:
        account = world.new_account()
        known, (one, _) = made(world, account), people(world, account, 2)
        (gone,) = people(world, account, 1, is_subscribed=False)
        put(world, account, known, one, gone)

        count = world.audience_queries.count(account, AudienceSpec(own_list=known.id), rules(world))

        assert (count.matched, count.recipients) == (2, 1)
        assert count.excluded[Exclusion.NOT_SUBSCRIBED] == 1

    def test_a_filtered_list_is_evaluated_whenever_it_is_used(self, world: World) -> None:
        account = world.new_account()
        known = made(world, account, wanted=WOMEN)
        spec = AudienceSpec(own_list=known.id)
        counts = []
        for fields in ({"gender": Gender.FEMALE}, {"gender": Gender.MALE}, {}):
            people(world, account, 1, **fields)
            counts.append(world.audience_queries.count(account, spec, rules(world)).matched)

        assert counts == [1, 1, 1]
        people(world, account, 1, gender=Gender.FEMALE)
        assert world.audience_queries.count(account, spec, rules(world)).matched == 2

    def test_whoever_is_on_an_excluded_list_is_left_out(self, world: World) -> None:
        account = world.new_account()
        by_hand = made(world, account)
        filtered = made(world, account, "Women", WOMEN)
        one, _ = people(world, account, 2)
        people(world, account, 1, gender=Gender.FEMALE)
        put(world, account, by_hand, one)
        spec = AudienceSpec(exclude_lists=(by_hand.id, filtered.id))

        count = world.audience_queries.count(account, spec, rules(world))

        assert (count.matched, count.recipients) == (3, 1)
        assert count.excluded[Exclusion.EXCLUDED_LISTS] == 2

    def test_list_gender_segment_and_exclusion_hold_at_once(self, world: World) -> None:
        account = world.new_account()
        known, barred = made(world, account), made(world, account, "Barred")
        expected = 0
        for on_it, woman, tagged, out in itertools.product((True, False), repeat=4):
            gender, tags = Gender.FEMALE if woman else None, ("vip",) if tagged else ()
            (person,) = people(world, account, 1, gender=gender, tags=tags)
            if on_it:
                put(world, account, known, person)
            if out:
                put(world, account, barred, person)
            expected += on_it and woman and tagged and not out
        spec = AudienceSpec(None, Gender.FEMALE, None, known.id, (barred.id,), VIP)

        count = world.audience_queries.count(account, spec, rules(world))
        total, _ = world.audience_queries.members(
            account, spec, rules(world), name=None, members_max=10
        )
        frozen = freeze(world, written(world, account, audience=spec))

        assert (count.recipients, total, frozen.recipients) == (expected, expected, expected)
        assert count.matched == 2

    def test_what_is_gone_makes_the_audience_undefined(self, world: World) -> None:
        account = world.new_account()
        people(world, account, 1)
        of_list = read_segment({"field": "lists", "op": "notIn", "value": [NOBODY]})
        of_campaign = read_segment({"field": "clicked", "op": "inCampaign", "value": NOBODY})
        for spec in (
            AudienceSpec(own_list=NOBODY),
            AudienceSpec(exclude_lists=(NOBODY,)),
            AudienceSpec(segment=of_list),
            AudienceSpec(segment=of_campaign),
            AudienceSpec(list_is_gone=True),
        ):
            with pytest.raises(AudienceGone):
                world.audience_queries.count(account, spec, rules(world))
            with pytest.raises(AudienceGone):
                world.audience_queries.explain(account, spec, rules(world), ContactId(1))

    def test_another_accounts_list_and_campaign_are_gone(self, world: World) -> None:
        mine, theirs = world.new_account(), world.new_account()
        foreign = made(world, theirs)
        campaign: CampaignId = written(world, theirs).id
        clicked = read_segment({"field": "clicked", "op": "inCampaign", "value": campaign})
        for spec in (AudienceSpec(own_list=foreign.id), AudienceSpec(segment=clicked)):
            with pytest.raises(AudienceGone):
                world.audience_queries.count(mine, spec, rules(world))


class AudienceExplaining:
    def test_a_recipient_passes_every_rule(self, world: World) -> None:
        account = world.new_account()
        (person,) = people(world, account, 1, tags=("vip",), gender=Gender.FEMALE)
        spec = AudienceSpec("all", Gender.FEMALE, segment=VIP)

        found = world.audience_queries.explain(account, spec, rules(world), person.id)

        assert found is not None
        assert found.reason is None
        matching = [step for step in found.steps if not step.excludes]
        assert [(step.rule, step.holds) for step in matching] == [
            (MatchRule.LIST, True),
            (MatchRule.GENDER, True),
            (MatchRule.SEGMENT, True),
        ]
        assert matching[-1].leaves == (LeafVerdict("segment", True),)
        assert not any(step.holds for step in found.steps if step.excludes)

    def test_the_leaf_that_decided_is_named(self, world: World) -> None:
        account = world.new_account()
        (person,) = people(world, account, 1, tags=("vip",))
        document = {
            "all": [
                {"field": "tags", "op": "has", "value": "vip"},
                {"not": {"field": "tags", "op": "hasAny", "value": ["vip"]}},
                {"field": "gender", "op": "exists"},
            ]
        }
        spec = AudienceSpec(segment=read_segment(document))

        found = world.audience_queries.explain(account, spec, rules(world), person.id)

        assert found is not None
        assert found.reason is MatchRule.SEGMENT
        assert found.steps[0].leaves == (LeafVerdict("segment.all[1].not", True),)

    def test_reasons_agree_with_the_count_for_everybody(self, world: World) -> None:
        account = world.new_account()
        excluded = made(world, account)
        everybody = []
        for subscribed, barred, out, line, country in itertools.product(
            (True, False),
            (True, False),
            (True, False),
            (LineType.MOBILE, LineType.LANDLINE),
            ("GR", "FR"),
        ):
            kind = {"is_subscribed": subscribed, "line_type": line, "country": country}
            (person,) = added(world, account, draft(phone(account), **kind))
            everybody.append(person)
            if barred:
                bar(world, account, person.phone)
            if out:
                put(world, account, excluded, person)
        spec = AudienceSpec(exclude_lists=(excluded.id,))
        strict = rules(world, prices=PriceList({"GR": 1}, None))

        count = world.audience_queries.count(account, spec, strict)
        reasons = []
        for person in everybody:
            found = world.audience_queries.explain(account, spec, strict, person.id)
            assert found is not None
            reasons.append(found.reason)

        assert reasons.count(None) == count.recipients == 1
        assert {each: reasons.count(each) for each in Exclusion} == count.excluded
        assert count.matched == len(everybody)

    def test_nobody_elses_contact_is_explained(self, world: World) -> None:
        mine, theirs = world.new_account(), world.new_account()
        (foreign,) = people(world, theirs, 1)

        found = world.audience_queries.explain(mine, AudienceSpec(), rules(world), foreign.id)

        assert found is None

    def test_a_member_of_a_filtered_list_is_told_by_its_filter(self, world: World) -> None:
        account = world.new_account()
        known = made(world, account, wanted=ListFilter(None, 18, 30))
        (person,) = people(world, account, 1)
        put(world, account, known, person)

        found = world.audience_queries.explain(
            account, AudienceSpec(own_list=known.id), rules(world), person.id
        )

        assert found is not None
        assert found.reason is MatchRule.LIST
