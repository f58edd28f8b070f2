"""What may be relied on about which stores wrote to a number."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import uuid4

from retail_core.campaigns.model import Campaign
from retail_core.contacts.ports import LastHandOver
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import AccountId, ContactId, MessageNumber
from retail_core.messages.model import MessageState
from tests.answering import HASH, SHOP
from tests.contracts.messages.messages import OnAClearStage
from tests.contracts.messages.singles import stage as single_stage
from tests.contracts.messages.singles.stage import planned, result_of, settle, to_contact
from tests.contracts.people import added, draft
from tests.contracts.staging import (
    LEASE,
    bar,
    book,
    change,
    claimed,
    delete,
    intend,
    people,
    phone,
    results,
    sent,
    shop,
    started,
    submitting,
)
from tests.contracts.worlds import World

EVER = timedelta(days=400)
FAILED, SENT, UNKNOWN = MessageState.FAILED, MessageState.SENT, MessageState.UNKNOWN


def found(
    world: World, number: PhoneNumber, since: datetime | None = None
) -> Sequence[LastHandOver]:
    """The stores that wrote to a number."""
    return found_of(world, [number], since).get(number, [])


def found_of(
    world: World, numbers: Sequence[PhoneNumber], since: datetime | None = None
) -> Mapping[PhoneNumber, Sequence[LastHandOver]]:
    """The stores that wrote to some numbers."""
    hashes = {number: HASH.of(number) for number in numbers}
    since = since or world.clock.now() - EVER
    with world.transactions.across_accounts() as uow:
        return uow.number_traces.last_hand_overs_across_accounts(hashes, since)


def stores(world: World, number: PhoneNumber) -> list[AccountId]:
    return [each.account for each in found(world, number)]


def keep(world: World, account: AccountId, contact: ContactId, number: PhoneNumber) -> None:
    since = world.clock.now() - EVER
    with world.transactions.begin(account) as uow:
        uow.number_traces.keep(account, {contact: HASH.of(number)}, since)


def hashes_of(world: World, campaign: Campaign) -> list[bytes | None]:
    """What is known of the numbers that the messages of a campaign went to, by hash alone."""
    assert campaign.first_number is not None
    origins = [
        world.message_origins.find_across_accounts(MessageNumber(campaign.first_number + seq))
        for seq in range(campaign.total)
    ]
    return [None if each is None else each.phone_hash for each in origins]


class NumberTracesContract(OnAClearStage):
    def test_stores_that_sent_a_campaign_are_found_with_their_sender(self, world: World) -> None:
        first, second, silent = shop(world), shop(world), shop(world)
        number = phone(first)
        for account in (first, second, silent):
            added(world, account, draft(number))
        campaigns = {}
        for account in (second, first):
            campaigns[account] = started(world, account).id
            sent(world)
        started(world, silent)

        at = world.clock.now()
        assert found(world, number) == [
            LastHandOver(
                account=account,
                country="GR",
                at=at,
                sender=SHOP,
                campaign=campaigns[account],
                campaign_at=at,
            )
            for account in (first, second)
        ]

    def test_only_what_may_have_reached_the_gateway_counts(self, world: World) -> None:
        account = shop(world)
        refused, lost, barred = people(world, account, 3)
        bar(world, account, barred.phone)
        started(world, account)
        batch, ref = submitting(world)
        during = [stores(world, each.phone) for each in (refused, lost, barred)]

        book(world, batch, ref, results(batch, ref, FAILED, UNKNOWN, MessageState.CANCELLED))

        after = [stores(world, each.phone) for each in (refused, lost, barred)]
        assert during == [[account], [account], []]
        assert after == [[], [account], []]

    def test_who_was_left_out_of_a_batch_that_is_being_handed_over_is_not_found(
        self, world: World
    ) -> None:
        account = shop(world)
        stays, leaves = people(world, account, 2)
        started(world, account)
        batch = claimed(world)
        bar(world, account, leaves.phone)
        intend(world, batch, uuid4())

        assert stores(world, stays.phone) == [account]
        assert stores(world, leaves.phone) == []

    def test_what_is_long_ago_does_not_count(self, world: World) -> None:
        account = shop(world)
        [contact] = people(world, account, 1)
        started(world, account)
        sent(world)
        at = world.clock.now()

        assert [each.account for each in found(world, contact.phone, at)] == [account]
        assert found(world, contact.phone, at + timedelta(seconds=1)) == []

    def test_many_numbers_are_looked_for_at_once(self, world: World) -> None:
        first, second = shop(world), shop(world)
        both, one, other = phone(first), phone(first), phone(first)
        self.single(world, first, both, SENT)
        self.single(world, second, both, SENT)
        [contact] = added(world, second, draft(one))
        started(world, second)
        sent(world)
        keep(world, second, contact.id, one)
        delete(world, second, contact.id)

        handed = found_of(world, [one, both, other])

        accounts = {number: [each.account for each in stores] for number, stores in handed.items()}
        assert accounts == {both: [first, second], one: [second]}

    def test_a_test_counts_for_a_number_that_is_nobodys_contact(self, world: World) -> None:
        account = shop(world)
        number = phone(account)
        before, at = found(world, number), world.clock.now()

        self.single(world, account, number, SENT)

        assert before == []
        [last] = found(world, number)
        assert last == LastHandOver(account=account, country="GR", at=at, sender=SHOP)

    def test_a_test_that_was_refused_does_not_count(self, world: World) -> None:
        account = shop(world)
        number = phone(account)

        self.single(world, account, number, FAILED)

        assert found(world, number) == []

    def test_a_store_is_found_after_its_contact_was_deleted(self, world: World) -> None:
        account = shop(world)
        [contact] = people(world, account, 1)
        started(world, account)
        sent(world)
        keep(world, account, contact.id, contact.phone)
        delete(world, account, contact.id)

        [trace] = found(world, contact.phone)

        at = world.clock.now()
        assert trace == LastHandOver(account=account, country="GR", at=at, sender=SHOP)
        assert found(world, contact.phone, at + timedelta(seconds=1)) == []

    def test_nothing_is_kept_of_whom_nobody_wrote_to(self, world: World) -> None:
        account = shop(world)
        [contact] = people(world, account, 1)
        started(world, account)
        keep(world, account, contact.id, contact.phone)
        delete(world, account, contact.id)

        assert found(world, contact.phone) == []

    def test_whoever_is_deleted_while_being_handed_over_is_kept(self, world: World) -> None:
        account = shop(world)
        [contact] = people(world, account, 1)
        started(world, account)
        batch, ref = submitting(world)
        keep(world, account, contact.id, contact.phone)
        delete(world, account, contact.id)
        book(world, batch, ref, results(batch, ref, SENT))

        assert stores(world, contact.phone) == [account]

    def test_the_last_hand_over_stays_whatever_is_kept_again(self, world: World) -> None:
        account = shop(world)
        number = phone(account)
        last = world.clock.now()
        for _ in range(2):
            [contact] = added(world, account, draft(number))
            started(world, account)
            sent(world)
            last = world.clock.now()
            world.clock.advance(LEASE)
            keep(world, account, contact.id, number)
            keep(world, account, contact.id, number)
            delete(world, account, contact.id)

        [trace] = found(world, number)
        assert trace.at == last

    def test_a_former_number_is_not_found_by_the_contact_but_by_what_was_kept(
        self, world: World
    ) -> None:
        account = shop(world)
        first, second = people(world, account, 2)
        started(world, account)
        sent(world)
        keep(world, account, first.id, first.phone)
        new = phone(account)
        for each in (first, second):
            change(world, account, each, phone=new if each == first else phone(account))

        assert stores(world, first.phone) == [account]
        assert stores(world, second.phone) == []
        assert stores(world, new) == []

    def test_links_mean_the_number_that_each_text_went_to(self, world: World) -> None:
        account = shop(world)
        [contact] = people(world, account, 1)
        first = started(world, account)
        sent(world)
        keep(world, account, contact.id, contact.phone)
        new = phone(account)
        change(world, account, contact, phone=new)
        second = started(world, account)
        sent(world)
        keep(world, account, contact.id, new)
        delete(world, account, contact.id)

        assert hashes_of(world, first) == [HASH.of(contact.phone)]
        assert hashes_of(world, second) == [HASH.of(new)]

    def test_the_link_of_whoever_is_deleted_while_being_handed_over_is_kept(
        self, world: World
    ) -> None:
        account = shop(world)
        stays, leaves = people(world, account, 2)
        campaign = started(world, account)
        batch, ref = submitting(world)
        keep(world, account, leaves.id, leaves.phone)
        delete(world, account, leaves.id)
        book(world, batch, ref, results(batch, ref, SENT, SENT))

        assert hashes_of(world, campaign) == [None, HASH.of(leaves.phone)]
        assert stores(world, stays.phone) == [account]

    def test_no_link_is_kept_of_what_never_went_out(self, world: World) -> None:
        account = shop(world)
        [contact] = people(world, account, 1)
        campaign = started(world, account)
        keep(world, account, contact.id, contact.phone)
        delete(world, account, contact.id)

        assert hashes_of(world, campaign) == [None]

    def test_the_link_of_a_single_message_is_kept_too(self, world: World) -> None:
        account, ref = shop(world), uuid4()
        [contact] = people(world, account, 1)
        message = to_contact(world, contact, account)
        single_stage.intend(world, account, ref)
        settle(world, account, ref, result_of(message, SENT))
        keep(world, account, contact.id, contact.phone)
        delete(world, account, contact.id)

        origin = world.message_origins.find_across_accounts(message.number)
        assert origin is not None
        assert (origin.phone, origin.phone_hash) == (None, HASH.of(contact.phone))

    def test_a_forgotten_number_leads_to_whoever_was_given_it_last(self, world: World) -> None:
        account = shop(world)
        number, other = phone(account), phone(account)
        assert (self.has_any(world, account), self.holder(world, account, number)) == (False, None)
        ids = []
        for _ in range(2):
            [contact] = added(world, account, draft(number))
            self.recognise(world, account, number, other)
            ids.append((contact.id, self.holder(world, account, number)))
            started(world, account)
            sent(world)
            keep(world, account, contact.id, number)
            delete(world, account, contact.id)

        (_, before), (second, after) = ids
        assert (before, after) == (None, second)
        assert self.has_any(world, account)
        assert self.holder(world, account, other) is None

    def test_whose_number_it_is_again_does_not_see_another_accounts_rows(
        self, world: World
    ) -> None:
        account, mine = shop(world), shop(world)
        [contact] = people(world, account, 1)
        started(world, account)
        sent(world)
        keep(world, account, contact.id, contact.phone)
        added(world, mine, draft(contact.phone))

        with world.transactions.begin(mine) as uow:
            for each in (mine, account):
                uow.number_traces.recognise(each, {contact.phone: HASH.of(contact.phone)})
                assert not uow.number_traces.has_any(each)
                assert uow.number_traces.holder(each, HASH.of(contact.phone)) is None
        assert self.holder(world, account, contact.phone) is None

    def recognise(self, world: World, account: AccountId, *numbers: PhoneNumber) -> None:
        with world.transactions.begin(account) as uow:
            uow.number_traces.recognise(account, {each: HASH.of(each) for each in numbers})

    def holder(self, world: World, account: AccountId, number: PhoneNumber) -> ContactId | None:
        with world.transactions.begin(account) as uow:
            return uow.number_traces.holder(account, HASH.of(number))

    def has_any(self, world: World, account: AccountId) -> bool:
        with world.transactions.begin(account) as uow:
            return uow.number_traces.has_any(account)

    def test_keeping_does_not_see_another_accounts_rows(self, world: World) -> None:
        account, other = shop(world), shop(world)
        [contact] = people(world, account, 1)
        campaign = started(world, account)
        sent(world)
        since = world.clock.now() - EVER
        hashes = {contact.id: HASH.of(contact.phone)}
        with world.transactions.begin(other) as uow:
            uow.number_traces.keep(other, hashes, since)
            uow.number_traces.keep(account, hashes, since)
        delete(world, account, contact.id)

        assert found(world, contact.phone) == []
        assert hashes_of(world, campaign) == [None]

    def test_a_store_that_is_being_erased_is_not_found(self, world: World) -> None:
        account = shop(world)
        [contact] = people(world, account, 1)
        started(world, account)
        sent(world)

        with world.transactions.across_accounts() as uow:
            uow.closings.begin(account, world.clock.now())
        before = stores(world, contact.phone)
        with world.transactions.across_accounts() as uow:
            uow.closings.begin_erasing(account, world.clock.now())

        assert (before, stores(world, contact.phone)) == ([account], [])

    def single(
        self, world: World, account: AccountId, number: PhoneNumber, state: MessageState
    ) -> None:
        """Hand a test message over to a number."""
        message, ref = planned(world, account, phone=number), uuid4()
        assert len(single_stage.intend(world, account, ref)) == 1
        settle(world, account, ref, result_of(message, state))
