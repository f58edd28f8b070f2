"""What campaigns may rely on about audiences."""

import itertools
from datetime import date

import attrs
import pytest

from retail_core.audiences.model import AgeGroup, AudienceCount, AudienceSpec, Exclusion
from retail_core.contacts.model import Gender
from retail_core.kernel.addresses.phones import LineType
from retail_core.kernel.ids import SYSTEM_ACCOUNT
from retail_core.kernel.money import PriceList
from tests.contracts.people import added, draft
from tests.contracts.staging import bar, people, phone, rules
from tests.contracts.worlds import World

EVERYBODY = AudienceSpec()
GROWN_UP, CHILD = date(1990, 5, 17), date(2015, 5, 17)


def excluded(count: AudienceCount) -> dict[Exclusion, int]:
    """Only the reasons that left anybody out."""
    return {reason: number for reason, number in count.excluded.items() if number}


class AudienceQueriesContract:
    def test_everybody_is_a_recipient_if_nothing_speaks_against_it(self, world: World) -> None:
        account = world.new_account()
        people(world, account, 3)

        count = world.audience_queries.count(account, EVERYBODY, rules(world))

        assert (count.matched, count.recipients, excluded(count)) == (3, 3, {})
        assert set(count.excluded) == set(Exclusion)

    def test_an_audience_does_not_see_another_accounts_rows(self, world: World) -> None:
        mine, theirs = world.new_account(), world.new_account()
        number = phone(mine)
        added(world, mine, draft(number))
        added(world, theirs, draft(number))
        bar(world, theirs, number)

        count = world.audience_queries.count(mine, EVERYBODY, rules(world))
        _, members = world.audience_queries.members(
            mine, EVERYBODY, rules(world), name=None, members_max=10
        )

        assert (count.matched, count.recipients) == (1, 1)
        assert [member.phone for member in members] == [number]

    def test_each_contact_counts_once_under_the_first_reason_that_applies(
        self, world: World
    ) -> None:
        account = world.new_account()
        expected: dict[Exclusion | None, int] = dict.fromkeys([None, *Exclusion], 0)
        for subscribed, barred, born, line, country in itertools.product(
            (True, False),
            (True, False),
            (None, GROWN_UP, CHILD),
            (LineType.MOBILE, LineType.LANDLINE, LineType.UNKNOWN),
            ("GR", "FR"),
        ):
            number = phone(account)
            kind = {"birthday": born, "line_type": line, "country": country}
            added(world, account, draft(number, is_subscribed=subscribed, **kind))
            if barred:
                bar(world, account, number)
            reasons = {
                Exclusion.NOT_SUBSCRIBED: not subscribed,
                Exclusion.SUPPRESSED: barred,
                Exclusion.UNDER_AGE: born is CHILD,
                Exclusion.AGE_UNKNOWN: born is None,
                Exclusion.LANDLINE: line is LineType.LANDLINE,
                Exclusion.COUNTRY_NOT_PRICED: country != "GR",
            }
            expected[next((reason for reason, applies in reasons.items() if applies), None)] += 1
        strict = rules(world, adults_only=True, prices=PriceList({"GR": 1}, None))

        count = world.audience_queries.count(account, EVERYBODY, strict)

        assert count.recipients == expected.pop(None) > 0
        assert count.excluded == expected
        assert count.matched == 72

    def test_an_operator_wide_suppression_binds_every_store(self, world: World) -> None:
        account = world.new_account()
        (contact,) = people(world, account, 1)
        bar(world, SYSTEM_ACCOUNT, contact.phone)

        count = world.audience_queries.count(account, EVERYBODY, rules(world))

        assert excluded(count) == {Exclusion.SUPPRESSED: 1}

    def test_a_number_barred_for_several_reasons_counts_once(self, world: World) -> None:
        account = world.new_account()
        (contact,) = people(world, account, 1)
        bar(world, account, contact.phone)
        bar(world, SYSTEM_ACCOUNT, contact.phone)

        count = world.audience_queries.count(account, EVERYBODY, rules(world))

        assert (count.matched, count.recipients) == (1, 0)

    def test_somebody_is_of_age_on_their_eighteenth_birthday(self, world: World) -> None:
        account = world.new_account()
        today = world.clock.now().date()
        people(world, account, 1, birthday=today.replace(year=today.year - 18))
        people(world, account, 1, birthday=today.replace(year=today.year - 18, day=today.day + 1))

        count = world.audience_queries.count(account, EVERYBODY, rules(world))

        assert (count.recipients, excluded(count)) == (1, {Exclusion.UNDER_AGE: 1})

    def test_an_unknown_age_is_left_out_only_where_adults_must_be_known(self, world: World) -> None:
        account = world.new_account()
        people(world, account, 1)

        lenient = world.audience_queries.count(account, EVERYBODY, rules(world))
        strict = world.audience_queries.count(account, EVERYBODY, rules(world, adults_only=True))

        assert lenient.recipients == 1
        assert excluded(strict) == {Exclusion.AGE_UNKNOWN: 1}

    @pytest.mark.parametrize(
        ("group", "ages"),
        [
            (AgeGroup.FROM_18_TO_24, [18, 24]),
            (AgeGroup.FROM_25_TO_39, [25, 39]),
            (AgeGroup.FROM_40, [40, 99]),
        ],
    )
    def test_an_age_group_has_both_its_ends(
        self, world: World, group: AgeGroup, ages: list[int]
    ) -> None:
        account, today = world.new_account(), world.clock.now().date()
        born = [today.replace(year=today.year - age) for age in (17, 18, 24, 25, 39, 40, 99)]
        for birthday in (*born, None):
            people(world, account, 1, birthday=birthday)

        _, members = world.audience_queries.members(
            account, AudienceSpec(age_group=group), rules(world), name=None, members_max=10
        )

        assert [today.year - each.birthday.year for each in members if each.birthday] == ages

    def test_all_conditions_must_hold_at_once(self, world: World) -> None:
        account = world.new_account()
        people(world, account, 1, gender=Gender.FEMALE, birthday=GROWN_UP)
        people(world, account, 1, gender=Gender.FEMALE)
        people(world, account, 1, gender=Gender.MALE, birthday=GROWN_UP)
        women = AudienceSpec("gender_female", age_group=AgeGroup.FROM_25_TO_39)

        found = world.audience_queries.count(account, women, rules(world))
        nobody = world.audience_queries.count(
            account, attrs.evolve(women, gender=Gender.MALE), rules(world)
        )

        assert (found.matched, nobody.matched) == (1, 0)

    def test_the_first_members_come_by_id_and_all_are_counted(self, world: World) -> None:
        account = world.new_account()
        contacts = people(world, account, 4, email="a@example.com", first_name="Ana")

        total, members = world.audience_queries.members(
            account, EVERYBODY, rules(world), name=None, members_max=2
        )

        assert total == 4
        assert [member.id for member in members] == [contact.id for contact in contacts[:2]]
        assert (members[0].email, members[0].first_name) == ("a@example.com", "Ana")

    @pytest.mark.parametrize(
        ("name", "found"), [("αννα", 1), ("ΆΝΝ", 1), ("neil\\", 1), ("0%", 1), ("_", 0), ("x", 0)]
    )
    def test_members_are_searched_by_name_without_case_and_accents(
        self, world: World, name: str, found: int
    ) -> None:
        account = world.new_account()
        people(world, account, 1, first_name="Άννα", last_name="O'Neil\\ 100%", email="x@x.xx")

        total, members = world.audience_queries.members(
            account, EVERYBODY, rules(world), name=name, members_max=10
        )

        assert (total, len(members)) == (found, found)

    def test_whoever_is_left_out_is_no_member(self, world: World) -> None:
        account = world.new_account()
        people(world, account, 1, is_subscribed=False)

        total, members = world.audience_queries.members(
            account, EVERYBODY, rules(world), name=None, members_max=10
        )

        assert (total, list(members)) == (0, [])
