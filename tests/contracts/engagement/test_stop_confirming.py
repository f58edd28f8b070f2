"""Whoever leaves by STOP may be told so, by one text."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import attrs
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from retail_core.accounts.model import Locale
from retail_core.contacts.model import ConsentType, Contact, SuppressionReason
from retail_core.contacts.use_cases import DeleteContact
from retail_core.kernel.addresses.phones import LineType
from retail_core.kernel.ids import SYSTEM_ACCOUNT, AccountId
from retail_core.kernel.money import PriceList
from retail_core.messages.model import MessageState
from retail_core.testing.messages.gateway import FakeGateway
from tests.answering import HASH, apply_all, reasons
from tests.contracts.billing.billing import subscribed
from tests.contracts.engagement.asking import bar, held
from tests.contracts.engagement.leaving import (
    DAY,
    HOUR,
    MINUTE,
    answer,
    customer,
    phone,
    send,
    told,
    write,
)
from tests.contracts.people import history
from tests.contracts.staging import numbers_given, shop
from tests.contracts.worlds import World, memory_world


@pytest.fixture
def _stage(world: World) -> None:
    apply_all(world)


@pytest.mark.usefixtures("_stage")
class TestTelling:
    def test_whoever_leaves_is_told_so_once_and_it_is_paid_like_any_message(
        self, world: World
    ) -> None:
        account = shop(world, credits=10)
        contact = customer(world, account)

        answer(world, contact.phone)
        planned_as, was_held = told(world, account), held(world, account)
        gateway = FakeGateway(world.clock)
        assert send(world, account, gateway) == 1

        [waiting] = planned_as
        assert (waiting.state, waiting.parts, was_held) == (MessageState.QUEUED, 1, 1)
        assert [(each.destination, each.text) for each in gateway.accepted] == [
            (contact.phone, "You will get no more messages from us.")
        ]
        wallet = world.credit_queries.wallet(account)
        assert (wallet.available, wallet.held) == (9, 0)
        [message] = told(world, account)
        assert message.state is MessageState.SENT

    def test_it_is_no_event_of_consent(self, world: World) -> None:
        account = shop(world)
        contact = customer(world, account)

        answer(world, contact.phone)
        send(world, account)

        kinds = [each.type for each in history(world, account, contact.id)]
        assert kinds == [ConsentType.WITHDRAWN, ConsentType.GRANTED]
        assert reasons(world, account, contact.phone) == ["stop"]

    def test_by_default_nobody_is_told(self, world: World) -> None:
        account = shop(world)
        contact = customer(world, account)

        answer(world, contact.phone, is_on=False)

        assert (told(world, account), held(world, account)) == ((), 0)
        assert reasons(world, account, contact.phone) == ["stop"]

    def test_the_store_that_wrote_last_tells_them_alone(self, world: World) -> None:
        stores = [shop(world) for _ in range(3)]
        number = phone(stores[0])
        for account in (stores[1], stores[2], stores[0]):
            world.clock.advance(MINUTE)
            customer(world, account, number)

        answer(world, number)

        assert [len(told(world, account)) for account in stores] == [1, 0, 0]
        assert all(reasons(world, account, number) == ["stop"] for account in stores)

    def test_a_store_that_they_did_not_leave_tells_them_nothing(self, world: World) -> None:
        left, deleted, out = (shop(world) for _ in range(3))
        number = phone(left)
        customer(world, left, number)
        world.clock.advance(MINUTE)
        gone = customer(world, deleted, number)
        DeleteContact(world.transactions, world.clock, HASH)(deleted, gone.id)
        customer(world, out, number, is_subscribed=False)

        answer(world, number)

        assert [len(told(world, each)) for each in (left, deleted, out)] == [1, 0, 0]

    @pytest.mark.parametrize("text", ["START", "hello", "don't stop"])
    def test_any_other_text_is_not_answered(self, world: World, text: str) -> None:
        account = shop(world)
        contact = customer(world, account)

        answer(world, contact.phone, text)

        assert told(world, account) == ()

    @pytest.mark.parametrize("locale", Locale)
    def test_it_is_in_the_language_of_the_store(self, world: World, locale: Locale) -> None:
        account = shop(world)
        with world.transactions.begin(account) as uow:
            store = attrs.evolve(uow.accounts.lock(account), locale=locale, company="Kafe")
            uow.accounts.save_profile(store)
        contact = customer(world, account)

        answer(world, contact.phone)

        [message] = told(world, account)
        words = "You will" if locale is Locale.EN else "\u0394EN \u0398A"
        assert (message.text or "").startswith(f"Kafe: {words}")


@pytest.mark.usefixtures("_stage")
class TestHindrances:
    """They leave all the same."""

    def assert_out_and_not_told(self, world: World, account: AccountId, contact: Contact) -> None:
        assert (told(world, account), held(world, account)) == ((), 0)
        assert "stop" in reasons(world, account, contact.phone)
        with world.transactions.across_accounts() as uow:
            digest = HASH.of(contact.phone)
            since = world.clock.now() - DAY
            assert not uow.confirmations.is_told_of_stop_across_accounts(digest, since)

    @pytest.mark.parametrize(
        "policy",
        [{"fallback_sender": None}, {"prices": PriceList({"DE": 1})}],
        ids=["no sender", "no price"],
    )
    def test_without_sender_or_price(self, world: World, policy: dict[str, Any]) -> None:
        account = shop(world)
        contact = customer(world, account)

        answer(world, contact.phone, **policy)

        self.assert_out_and_not_told(world, account, contact)

    def test_without_credits(self, world: World) -> None:
        account = subscribed(world)
        contact, before = customer(world, account), numbers_given(world)

        answer(world, contact.phone)

        self.assert_out_and_not_told(world, account, contact)
        assert numbers_given(world) == before

    def test_without_a_subscription(self, world: World) -> None:
        account = world.new_account()
        with world.transactions.begin(account) as uow:
            uow.credits.grant(account, "gift", 5, "test")
        contact = customer(world, account)

        answer(world, contact.phone)

        self.assert_out_and_not_told(world, account, contact)

    def test_a_landline(self, world: World) -> None:
        account = shop(world)
        contact = customer(world, account, line_type=LineType.LANDLINE)

        answer(world, contact.phone)

        self.assert_out_and_not_told(world, account, contact)

    @pytest.mark.parametrize("by_operator", [False, True])
    def test_whoever_is_barred_for_another_reason_too(
        self, world: World, *, by_operator: bool
    ) -> None:
        account = shop(world)
        contact = customer(world, account)
        owner = SYSTEM_ACCOUNT if by_operator else account
        bar(world, owner, contact, SuppressionReason.MANUAL)

        answer(world, contact.phone)

        self.assert_out_and_not_told(world, account, contact)


@pytest.mark.usefixtures("_stage")
class TestOnceADay:
    def test_a_second_stop_is_not_answered(self, world: World) -> None:
        account = shop(world)
        contact = customer(world, account)

        for text in ("STOP", "START", "STOP"):
            answer(world, contact.phone, text)
            world.clock.advance(HOUR)

        assert len(told(world, account)) == 1

    def test_neither_by_another_store_nor_after_they_were_deleted(self, world: World) -> None:
        first, second = shop(world), shop(world)
        contact = customer(world, first)
        answer(world, contact.phone)
        send(world, first)
        customer(world, second, contact.phone)
        DeleteContact(world.transactions, world.clock, HASH)(first, contact.id)
        world.clock.advance(DAY)

        answer(world, contact.phone)

        assert (reasons(world, second, contact.phone), told(world, second)) == (["stop"], ())

    def test_a_day_and_an_hour_later_they_may_be_told_again(self, world: World) -> None:
        account = shop(world)
        contact = customer(world, account)
        answer(world, contact.phone)
        send(world, account)
        world.clock.advance(DAY + HOUR)
        answer(world, contact.phone, "START")

        answer(world, contact.phone)

        assert len(told(world, account)) == 2


PAUSE = st.sampled_from([timedelta(), HOUR - MINUTE, DAY - HOUR / 2, DAY])


@settings(max_examples=60, deadline=None)
@example(rounds=[(0, timedelta(), HOUR - MINUTE), (0, DAY - HOUR / 2, timedelta())])
@given(rounds=st.lists(st.tuples(st.integers(0, 1), PAUSE, PAUSE), max_size=12))
def test_no_two_texts_are_handed_over_within_24_hours(
    rounds: Sequence[tuple[int, timedelta, timedelta]],
) -> None:
    """Of two stores one writes, they leave, and some time later both send."""
    world = memory_world()
    stores = [shop(world), shop(world)]
    number = phone(stores[0])
    for account in stores:
        customer(world, account, number)
    gateway, at = FakeGateway(world.clock), list[datetime]()

    for which, before_leaving, before_sending in rounds:
        world.clock.advance(before_leaving)
        answer(world, number, "START")
        write(world, stores[which], number)
        answer(world, number, "STOP")
        world.clock.advance(before_sending)
        for account in stores:
            sent = len(gateway.accepted)
            send(world, account, gateway)
            at += [world.clock.now()] * (len(gateway.accepted) - sent)

    assert all(later - earlier >= DAY for earlier, later in pairwise(at))
