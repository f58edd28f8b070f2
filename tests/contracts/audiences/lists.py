"""What owners may rely on about lists and who is on them."""

from collections.abc import Sequence
from datetime import timedelta

import attrs
import pytest

from retail_core.audiences.errors import AlreadyMember, ListNameTaken
from retail_core.audiences.model import (
    AudienceSpec,
    ContactList,
    ContactRange,
    EngagementFact,
    EngagementKind,
    ListDraft,
    ListFilter,
    Segment,
    SyncStep,
)
from retail_core.audiences.segments import read_segment
from retail_core.campaigns.model import Campaign
from retail_core.contacts.model import Contact, Gender
from retail_core.kernel.ids import AccountId, ContactId, ListId
from retail_core.kernel.pages import PageRequest
from tests.contracts.staging import bar, people, rules, written
from tests.contracts.worlds import World

WOMEN = ListFilter(Gender.FEMALE)
GROWN = ListFilter(None, 30, 40)
PAGE = PageRequest(1, 50)


def made(
    world: World, account: AccountId, name: str = "VIP", wanted: ListFilter | None = None
) -> ContactList:
    """A list of an account."""
    draft = ListDraft(name, filter=wanted or ListFilter())
    with world.transactions.begin(account) as uow:
        return uow.lists.add(account, draft, world.clock.now())


def put(world: World, account: AccountId, on: ContactList, *contacts: Contact) -> None:
    """Put contacts on a list by hand."""
    with world.transactions.begin(account) as uow:
        for contact in contacts:
            uow.list_members.add(account, on.id, contact.id, world.clock.now())


def on_it(world: World, account: AccountId, on: ContactList) -> list[int]:
    """Who was put on a list, the latest first."""
    page = world.list_queries.members(account, on.id, None, PAGE)
    return [view.contact.id for view in page.items]


class ListStoreContract:
    def test_a_list_is_found_as_it_was_made(self, world: World) -> None:
        account = world.new_account()
        draft = ListDraft("VIP", "the best", ListFilter(Gender.FEMALE, 18, 30))
        with world.transactions.begin(account) as uow:
            found = uow.lists.add(account, draft, world.clock.now())
            locked = uow.lists.lock(account, found.id)

        assert locked == found == world.list_queries.find(account, found.id)
        assert (found.draft, found.created_at) == (draft, world.clock.now())

    def test_a_name_is_taken_once_in_a_store(self, world: World) -> None:
        mine, theirs = world.new_account(), world.new_account()
        made(world, mine)
        made(world, theirs)

        with world.transactions.begin(mine) as uow:
            with pytest.raises(ListNameTaken):
                uow.lists.add(mine, ListDraft("VIP"), world.clock.now())
            other = uow.lists.add(mine, ListDraft("Other"), world.clock.now())
            renamed = attrs.evolve(other, draft=ListDraft("VIP"))
            with pytest.raises(ListNameTaken):
                uow.lists.save(mine, renamed)

        assert world.list_queries.find(mine, other.id) == other

    def test_a_change_is_kept(self, world: World) -> None:
        account = world.new_account()
        known = made(world, account, wanted=WOMEN)
        later = world.clock.now() + timedelta(hours=1)
        changed = attrs.evolve(known, draft=ListDraft("VIP", "x", GROWN), updated_at=later)

        with world.transactions.begin(account) as uow:
            uow.lists.save(account, changed)

        assert world.list_queries.find(account, known.id) == changed

    def test_a_removed_list_is_gone_and_its_members_stay_contacts(self, world: World) -> None:
        account = world.new_account()
        known, (contact,) = made(world, account), people(world, account, 1)
        put(world, account, known, contact)

        with world.transactions.begin(account) as uow:
            uow.lists.remove(account, known.id)

        assert world.list_queries.find(account, known.id) is None
        assert on_it(world, account, known) == []
        assert world.contact_queries.find(account, contact.id) is not None

    def test_only_lists_that_there_are_can_be_held(self, world: World) -> None:
        account = world.new_account()
        one, other = made(world, account, "a"), made(world, account, "b")

        with world.transactions.begin(account) as uow:
            held = uow.lists.hold(account, [one.id, other.id, ListId(2_000_000_000)])
            nothing = uow.lists.hold(account, [])

        assert held == {one.id: one, other.id: other}
        assert nothing == {}

    def test_a_store_does_not_see_another_accounts_rows(self, world: World) -> None:
        mine, theirs = world.new_account(), world.new_account()
        foreign = made(world, theirs)

        with world.transactions.begin(mine) as uow:
            assert uow.lists.lock(mine, foreign.id) is None
            assert uow.lists.hold(mine, [foreign.id]) == {}
            uow.lists.save(mine, attrs.evolve(foreign, draft=ListDraft("mine")))
            uow.lists.remove(mine, foreign.id)

        assert world.list_queries.find(theirs, foreign.id) == foreign


class ListMembersContract:
    def test_a_contact_is_on_a_list_once(self, world: World) -> None:
        account = world.new_account()
        known, (contact,) = made(world, account), people(world, account, 1)

        with world.transactions.begin(account) as uow:
            member = uow.list_members.add(account, known.id, contact.id, world.clock.now())
            with pytest.raises(AlreadyMember):
                uow.list_members.add(account, known.id, contact.id, world.clock.now())

        assert on_it(world, account, known) == [contact.id]
        assert world.list_queries.membership(account, member.id) == member

    def test_taking_somebody_off_works_whether_or_not_they_are_on_it(self, world: World) -> None:
        account = world.new_account()
        known, (one, other) = made(world, account), people(world, account, 2)
        put(world, account, known, one)

        for _ in range(2):
            with world.transactions.begin(account) as uow:
                uow.list_members.remove(account, known.id, one.id)
                uow.list_members.remove(account, known.id, other.id)

        assert on_it(world, account, known) == []

    def test_a_deleted_contact_is_on_no_list(self, world: World) -> None:
        account = world.new_account()
        known, (contact,) = made(world, account), people(world, account, 1)
        put(world, account, known, contact)

        with world.transactions.begin(account) as uow:
            uow.contacts.remove(account, [contact.id])

        assert world.list_queries.by_hand(account, [known.id]) == {}

    def test_a_sync_writes_down_who_fits_now(self, world: World) -> None:
        account, today = world.new_account(), world.clock.now().date()
        known = made(world, account, wanted=WOMEN)
        (fits,) = people(world, account, 1, gender=Gender.FEMALE)
        (was,) = people(world, account, 1, gender=Gender.MALE)
        people(world, account, 1, gender=Gender.FEMALE, is_subscribed=False)
        people(world, account, 1, gender=Gender.FEMALE, birthday=today)
        (barred,) = people(world, account, 1, gender=Gender.FEMALE)
        bar(world, account, barred.phone)
        put(world, account, known, was)

        now, everybody = world.clock.now(), ContactRange(ContactId(0), 1_000)
        with world.transactions.begin(account) as uow:
            first = uow.list_members.sync(account, known, today, now, everybody)
            again = uow.list_members.sync(account, known, today, now, everybody)

        assert (first, again) == (SyncStep(1, 1, barred.id), SyncStep(0, 0, barred.id))
        assert on_it(world, account, known) == [fits.id]

    def test_a_sync_is_about_so_many_contacts_behind_one_and_no_others(self, world: World) -> None:
        account, now = world.new_account(), world.clock.now()
        known = made(world, account, wanted=WOMEN)
        first, second, third, fourth = people(world, account, 4, gender=Gender.FEMALE)
        (man,) = people(world, account, 1, gender=Gender.MALE)
        put(world, account, known, first, man)

        def step(after: Contact, contacts_max: int) -> SyncStep:
            contacts = ContactRange(after.id, contacts_max)
            with world.transactions.begin(account) as uow:
                return uow.list_members.sync(account, known, now.date(), now, contacts)

        assert step(first, 2) == SyncStep(2, 0, third.id)
        assert sorted(on_it(world, account, known)) == [first.id, second.id, third.id, man.id]
        assert step(third, 2) == SyncStep(1, 1, man.id)
        assert step(man, 2) == SyncStep(0, 0, None)
        assert fourth.id in on_it(world, account, known)

    def test_members_do_not_see_another_accounts_rows(self, world: World) -> None:
        mine, theirs = world.new_account(), world.new_account()
        foreign, (contact,) = made(world, theirs), people(world, theirs, 1)
        put(world, theirs, foreign, contact)

        with world.transactions.begin(mine) as uow:
            uow.list_members.remove(mine, foreign.id, contact.id)

        assert on_it(world, theirs, foreign) == [contact.id]
        assert on_it(world, mine, foreign) == []
        assert world.list_queries.by_hand(mine, [foreign.id]) == {}


def in_segment(list_id: int) -> Segment:
    return read_segment({"not": {"field": "lists", "op": "in", "value": [list_id]}})


def naming(known: ContactList) -> Sequence[AudienceSpec]:
    """An audience for each place in which a list can be named."""
    return [
        AudienceSpec(own_list=known.id),
        AudienceSpec(exclude_lists=(known.id,)),
        AudienceSpec(segment=in_segment(known.id)),
    ]


def ended(world: World, campaign: Campaign) -> None:
    with world.transactions.begin(campaign.account_id) as uow:
        uow.campaigns.fail(campaign.account_id, campaign.id, "no_recipients", world.clock.now())


class ListUsesContract:
    def test_a_list_is_needed_wherever_an_open_campaign_names_it(self, world: World) -> None:
        account = world.new_account()
        known, other = made(world, account), made(world, account, "Other")
        for audience in naming(known):
            campaign = written(world, account, audience=audience)
            with world.transactions.begin(account) as uow:
                assert uow.list_uses.is_needed(account, known.id)
                assert not uow.list_uses.is_needed(account, other.id)
            ended(world, campaign)
            with world.transactions.begin(account) as uow:
                assert not uow.list_uses.is_needed(account, known.id)

    def test_a_campaign_that_is_over_forgets_which_list_it_was(self, world: World) -> None:
        account = world.new_account()
        known = made(world, account)
        campaign = written(world, account, audience=AudienceSpec(own_list=known.id))
        ended(world, campaign)

        with world.transactions.begin(account) as uow:
            uow.list_uses.let_go(account, known.id)
            uow.lists.remove(account, known.id)

        audience = world.campaign_queries.get(account, campaign.id).content.audience
        assert audience == AudienceSpec(list_is_gone=True)

    def test_uses_do_not_see_another_accounts_rows(self, world: World) -> None:
        mine, theirs = world.new_account(), world.new_account()
        foreign = made(world, theirs)
        campaign = written(world, theirs, audience=AudienceSpec(own_list=foreign.id))

        with world.transactions.begin(mine) as uow:
            assert not uow.list_uses.is_needed(mine, foreign.id)
            uow.list_uses.let_go(mine, foreign.id)

        found = world.campaign_queries.get(theirs, campaign.id)
        assert found.content.audience.own_list == foreign.id


class EngagementFactsContract:
    def clickers(self, world: World, account: AccountId, days: int) -> int:
        clicked = {"field": "clicked", "op": "ever", "withinDays": days}
        spec = AudienceSpec(segment=read_segment(clicked))
        return world.audience_queries.count(account, spec, rules(world)).matched

    def test_the_last_time_of_a_deed_counts(self, world: World) -> None:
        account, now = world.new_account(), world.clock.now()
        (contact,) = people(world, account, 1)
        assert self.clickers(world, account, 3650) == 0

        for days_ago in (20, 10, 30):
            at = now - timedelta(days=days_ago)
            with world.transactions.begin(account) as uow:
                fact = EngagementFact(contact.id, EngagementKind.CLICKED, None, at)
                uow.engagement_facts.record(account, fact)

        assert (self.clickers(world, account, 10), self.clickers(world, account, 9)) == (1, 0)

    def test_a_deleted_contact_did_nothing(self, world: World) -> None:
        account = world.new_account()
        (contact,) = people(world, account, 1)

        with world.transactions.begin(account) as uow:
            fact = EngagementFact(contact.id, EngagementKind.CLICKED, None, world.clock.now())
            uow.engagement_facts.record(account, fact)
            uow.contacts.remove(account, [contact.id])

        assert self.clickers(world, account, 1) == 0

    def test_facts_do_not_see_another_accounts_rows(self, world: World) -> None:
        mine, theirs = world.new_account(), world.new_account()
        people(world, mine, 1)
        (contact,) = people(world, theirs, 1)

        with world.transactions.begin(theirs) as uow:
            fact = EngagementFact(contact.id, EngagementKind.CLICKED, None, world.clock.now())
            uow.engagement_facts.record(theirs, fact)

        assert (self.clickers(world, mine, 1), self.clickers(world, theirs, 1)) == (0, 1)
