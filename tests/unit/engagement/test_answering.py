"""Leaving by SMS: which shops are meant, and what they do."""

import attrs
import pytest

from retail_core.contacts.model import ConsentSource, ConsentType, ContactChanges, OptOutLink
from retail_core.contacts.use_cases import (
    Client,
    DeleteContact,
    EraseContact,
    Unsubscribe,
    UpdateContact,
)
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import AccountId
from tests.answering import HASH, answer, reasons
from tests.contracts.people import added, draft
from tests.contracts.staging import phone, sent, shop, started
from tests.contracts.worlds import World, memory_world
from tests.pipeline import Pipeline
from tests.unit.engagement.customers import BARE, DAY, NUMBER, customer, facts, now_of, owner


@pytest.fixture
def world() -> World:
    return memory_world()


def rename_sender(world: World, account: AccountId, sender: str) -> None:
    with world.transactions.begin(account) as uow:
        store = uow.accounts.lock(account)
        uow.accounts.save_profile(attrs.evolve(store, sender_name=sender))


class TestLeaving:
    def test_every_store_that_wrote_to_the_number_is_left_and_no_other(self, world: World) -> None:
        first, second, silent = shop(world), shop(world), shop(world)
        customers = {account: customer(world, account) for account in (first, second)}
        [stranger] = added(world, silent, draft(NUMBER))

        answer(world, BARE, "Στοπ!")

        for account, contact in customers.items():
            assert not now_of(world, account, contact).is_subscribed
            assert reasons(world, account, NUMBER) == ["stop"]
            [fact] = facts(world, account, contact)
            assert (fact.type, fact.source) == (ConsentType.WITHDRAWN, ConsentSource.STOP)
        assert now_of(world, silent, stranger).is_subscribed
        assert reasons(world, silent, NUMBER) == []

    def test_the_campaign_of_the_last_week_is_named_as_the_cause(self, world: World) -> None:
        account = shop(world)
        [contact] = added(world, account, draft(NUMBER))
        campaign = started(world, account)
        sent(world)

        answer(world, BARE, "STOP")

        assert facts(world, account, contact)[0].campaign == campaign.id

    def test_a_campaign_of_long_ago_is_not_the_cause(self, world: World) -> None:
        account = shop(world)
        contact = customer(world, account)
        world.clock.advance(8 * DAY)

        answer(world, BARE, "STOP")

        assert facts(world, account, contact)[0].campaign is None

    def test_any_other_text_changes_nothing(self, world: World) -> None:
        account = shop(world)
        contact = customer(world, account)

        for text in ("don't stop", "hello", "", "START"):
            answer(world, BARE, text)

        assert now_of(world, account, contact).is_subscribed
        assert facts(world, account, contact) == []

    @pytest.mark.parametrize(
        "sender",
        [NUMBER, BARE, f"00{BARE}", "+30 698 430 3406", f" {BARE} ", "6984303406", "06984303406"],
    )
    def test_a_number_is_understood_however_it_is_written(self, world: World, sender: str) -> None:
        account = shop(world)
        customer(world, account)

        answer(world, sender, "STOP")

        assert reasons(world, account, NUMBER) == ["stop"]

    @pytest.mark.parametrize("sender", ["", "Shop", "+", "5", "0698430340", "x" * 9_000])
    def test_who_is_no_number_changes_nothing(self, world: World, sender: str) -> None:
        account = shop(world)
        customer(world, account)

        answer(world, sender, "STOP")

        assert reasons(world, account, NUMBER) == []

    def test_what_was_written_more_than_400_days_ago_does_not_count(self, world: World) -> None:
        account = shop(world)
        customer(world, account)
        world.clock.advance(401 * DAY)

        answer(world, BARE, "STOP")

        assert reasons(world, account, NUMBER) == []

    def test_somebody_who_is_out_already_is_barred_once_more_and_stays_out(
        self, world: World
    ) -> None:
        account = shop(world)
        contact = customer(world, account)
        link = OptOutLink(account, contact.id, None)
        Unsubscribe(world.transactions, world.clock, HASH)(link, Client())

        answer(world, BARE, "STOP")

        assert reasons(world, account, NUMBER) == ["stop", "unsubscribe"]
        assert len(facts(world, account, contact)) == 1


class TestTheNumberAnswered:
    def test_stores_that_last_wrote_from_it_are_meant_alone(self, world: World) -> None:
        own, other = shop(world), shop(world)
        rename_sender(world, own, "+306900009999")
        for account in (own, other):
            customer(world, account)

        answer(world, BARE, "STOP", "306900009999")

        assert (reasons(world, own, NUMBER), reasons(world, other, NUMBER)) == (["stop"], [])

    @pytest.mark.parametrize("receiver", ["6900009999", "+30 690 000 9999", "00306900009999"])
    def test_it_is_understood_however_it_is_written(self, world: World, receiver: str) -> None:
        own, other = shop(world), shop(world)
        rename_sender(world, own, "+306900009999")
        for account in (own, other):
            customer(world, account)

        answer(world, BARE, "STOP", receiver)

        assert (reasons(world, own, NUMBER), reasons(world, other, NUMBER)) == (["stop"], [])

    def test_a_number_that_nobody_writes_from_means_all(self, world: World) -> None:
        own, other = shop(world), shop(world)
        rename_sender(world, own, "+306900009999")
        for account in (own, other):
            customer(world, account)

        answer(world, BARE, "STOP", "54321")

        assert (reasons(world, own, NUMBER), reasons(world, other, NUMBER)) == (["stop"], ["stop"])

    def test_only_the_last_message_of_a_store_counts(self, world: World) -> None:
        changed, other = shop(world), shop(world)
        rename_sender(world, changed, "+306900009999")
        customer(world, changed)
        world.clock.advance(DAY)
        rename_sender(world, changed, "Cafe")
        started(world, changed)
        sent(world)
        rename_sender(world, other, "+306900009999")
        customer(world, other)

        answer(world, BARE, "STOP", "+306900009999")

        assert (reasons(world, changed, NUMBER), reasons(world, other, NUMBER)) == ([], ["stop"])


class TestWhoIsForgotten:
    def test_a_deleted_contact_is_barred_all_the_same(self, world: World) -> None:
        account = shop(world)
        contact = customer(world, account)
        DeleteContact(world.transactions, world.clock, HASH)(account, contact.id)

        answer(world, BARE, "STOP")

        assert reasons(world, account, NUMBER) == ["stop"]

    def test_an_erased_contact_is_not_known_again_by_their_number(self, world: World) -> None:
        account = shop(world)
        contact = customer(world, account)
        EraseContact(world.transactions, world.clock, HASH)(owner(account), contact.id)

        answer(world, BARE, "STOP")

        assert reasons(world, account, NUMBER) == []

    def test_the_former_number_of_a_contact_is_barred_and_they_are_not(self, world: World) -> None:
        account = shop(world)
        contact = customer(world, account)
        change = UpdateContact(world.transactions, world.clock, HASH)
        new = PhoneNumber("+306984303407")
        change(owner(account), contact.id, ContactChanges(phone=new), region="GR")

        answer(world, BARE, "STOP")

        assert reasons(world, account, NUMBER) == ["stop"]
        assert reasons(world, account, new) == []
        assert now_of(world, account, contact).is_subscribed

    def test_the_hash_is_enough_for_400_days(self, world: World) -> None:
        account = shop(world)
        contact = customer(world, account)
        world.clock.advance(300 * DAY)
        DeleteContact(world.transactions, world.clock, HASH)(account, contact.id)
        world.clock.advance(101 * DAY)

        answer(world, BARE, "STOP")

        assert reasons(world, account, NUMBER) == []


def test_what_waits_for_somebody_who_left_is_not_sent(world: World) -> None:
    account = shop(world)
    customer(world, account)
    [other] = added(world, account, draft(phone(account)))
    line = Pipeline.over(world)
    started(world, account)

    answer(world, BARE, "stop")
    line.dispatch_all()

    assert [each.destination for each in line.gateway.accepted] == [other.phone]
