"""What the API may rely on when it reads lists and counts who is on them."""

from datetime import date

from retail_core.audiences.model import (
    SYSTEM_LISTS,
    AudienceSpec,
    ListFilter,
    Reach,
    member_counts,
)
from retail_core.contacts.model import Gender
from retail_core.contacts.queries import ContactFilter
from retail_core.kernel.ids import SYSTEM_ACCOUNT
from retail_core.kernel.pages import PageRequest
from tests.contracts.audiences.lists import PAGE, made, on_it, put
from tests.contracts.staging import bar, freeze, people, rules, shop, started, written
from tests.contracts.worlds import World


class ListQueriesContract:
    def test_lists_come_newest_first_and_are_searched_by_name(self, world: World) -> None:
        account = world.new_account()
        lists = [made(world, account, name) for name in ("Best", "100% sure", "best of all")]

        everything = world.list_queries.page(account, "", PageRequest(1, 2))
        best = world.list_queries.page(account, "BEST", PAGE)
        literal = world.list_queries.page(account, "0%", PAGE)

        assert list(everything.items) == [lists[2], lists[1]]
        assert everything.total == 3
        assert list(best.items) == [lists[2], lists[0]]
        assert list(literal.items) == [lists[1]]

    def test_members_come_in_the_order_in_which_they_were_put_there(self, world: World) -> None:
        account = world.new_account()
        known, (one, two, three) = made(world, account), people(world, account, 3)
        (gone,) = people(world, account, 1, is_subscribed=False)
        put(world, account, known, two, three, gone, one)

        page = world.list_queries.members(account, known.id, True, PageRequest(1, 2))
        unsubscribed = world.list_queries.members(account, known.id, False, PAGE)

        assert on_it(world, account, known) == [one.id, gone.id, three.id, two.id]
        assert ([view.contact for view in page.items], page.total) == ([one, three], 3)
        assert [view.contact for view in unsubscribed.items] == [gone]

    def test_those_put_on_each_list_are_counted_at_once(self, world: World) -> None:
        account = world.new_account()
        one, other, empty = (made(world, account, name) for name in "abc")
        first, second = people(world, account, 2)
        put(world, account, one, first, second)
        put(world, account, other, second)

        counts = world.list_queries.by_hand(account, [one.id, other.id, empty.id])

        assert counts == {one.id: 2, other.id: 1}

    def test_contacts_can_be_narrowed_to_a_list(self, world: World) -> None:
        account = world.new_account()
        known, (one, _) = made(world, account), people(world, account, 2)
        put(world, account, known, one)

        page = world.contact_queries.page(account, ContactFilter(member_of=known.id), PAGE)

        assert ([view.contact for view in page.items], page.total) == ([one], 1)

    def test_reach_counts_whom_the_store_may_write_to_by_gender_and_age(self, world: World) -> None:
        account = world.new_account()
        today = date(2026, 2, 28)
        people(world, account, 2, gender=Gender.FEMALE, birthday=date(2008, 2, 29))
        people(world, account, 1, gender=Gender.FEMALE, birthday=date(2008, 2, 28))
        people(world, account, 1, birthday=date(1926, 3, 1))
        people(world, account, 3, gender=Gender.OTHER)
        people(world, account, 1, is_subscribed=False)
        for barring in (account, SYSTEM_ACCOUNT):
            (barred,) = people(world, account, 1)
            bar(world, barring, barred.phone)

        reach = world.list_queries.reach(account, today)

        assert reach.counts == {
            (Gender.FEMALE, 17): 2,
            (Gender.FEMALE, 18): 1,
            (None, 99): 1,
            (Gender.OTHER, None): 3,
        }

    def test_a_count_is_what_a_campaign_to_the_list_matches(self, world: World) -> None:
        account, today = world.new_account(), world.clock.now().date()
        for years in (17, 18, 24, 25, 39, 40, 99, None):
            born = None if years is None else today.replace(year=today.year - years)
            for gender in (*Gender, None):
                people(world, account, 1, gender=gender, birthday=born)
        lists = [
            made(world, account, str(each), each)
            for each in (
                ListFilter(Gender.MALE),
                ListFilter(None, 18, 24),
                ListFilter(Gender.OTHER, None, 40),
                ListFilter(None, 0, 150),
                ListFilter(None, 25, None),
                ListFilter(None, 3, 17),
            )
        ]
        reach = world.list_queries.reach(account, today)
        counts = member_counts(lists, reach, {})

        for each in lists:
            spec = AudienceSpec(own_list=each.id)
            matched = world.audience_queries.count(account, spec, rules(world)).matched
            assert matched == counts[each.id], each
        for adults_only in (True, False):
            wanted = rules(world, adults_only=adults_only)
            for name in SYSTEM_LISTS:
                matched = world.audience_queries.count(account, AudienceSpec(name), wanted).matched
                assert matched == reach.of_system_list(name, adults_only=adults_only), name

    def test_queries_do_not_see_another_accounts_rows(self, world: World) -> None:
        mine, theirs = world.new_account(), world.new_account()
        foreign, (contact,) = made(world, theirs), people(world, theirs, 1)
        put(world, theirs, foreign, contact)

        assert world.list_queries.find(mine, foreign.id) is None
        assert world.list_queries.by_ids(mine, [foreign.id]) == {}
        assert world.list_queries.page(mine, "", PAGE).total == 0
        assert world.list_queries.by_hand(mine, [foreign.id]) == {}
        assert world.list_queries.members(mine, foreign.id, None, PAGE).total == 0
        assert world.list_queries.reach(mine, world.clock.now().date()) == Reach({})
        narrowed = ContactFilter(member_of=foreign.id)
        assert world.contact_queries.page(mine, narrowed, PAGE).total == 0


class FrozenRecipientsContract:
    def test_whoever_was_frozen_is_included(self, world: World) -> None:
        account = shop(world)
        frozen = people(world, account, 4)
        campaign = started(world, account)
        (late,) = people(world, account, 1)

        included = [
            world.frozen_recipients.includes(account, campaign.id, each.id)
            for each in (*frozen, late)
        ]

        assert included == [True, True, True, True, False]

    def test_another_campaigns_recipients_are_not_included(self, world: World) -> None:
        account = shop(world)
        (contact,) = people(world, account, 1)
        started(world, account)
        other = written(world, account)

        assert not world.frozen_recipients.includes(account, other.id, contact.id)

    def test_recipients_do_not_see_another_accounts_rows(self, world: World) -> None:
        mine, theirs = shop(world), shop(world)
        (contact,) = people(world, theirs, 1)
        campaign = written(world, theirs)
        freeze(world, campaign)

        assert not world.frozen_recipients.includes(mine, campaign.id, contact.id)
        assert world.frozen_recipients.includes(theirs, campaign.id, contact.id)
