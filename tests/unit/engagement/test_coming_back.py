"""Coming back by SMS, and messages that are delivered twice."""

from datetime import timedelta

import pytest

from retail_core.contacts.model import ConsentSource, ConsentType, ContactChanges, OptOutLink
from retail_core.contacts.use_cases import (
    Client,
    DeleteContact,
    Unsubscribe,
    UpdateContact,
)
from tests.answering import HASH, answer, apply_all, reasons, record
from tests.contracts.people import added, draft
from tests.contracts.staging import shop
from tests.contracts.worlds import World, memory_world
from tests.unit.engagement.customers import BARE, DAY, NUMBER, customer, facts, now_of, owner


@pytest.fixture
def world() -> World:
    return memory_world()


class TestComingBack:
    def test_who_left_by_stop_is_back_where_they_left(self, world: World) -> None:
        account = shop(world)
        contact = customer(world, account)
        answer(world, BARE, "STOP")

        answer(world, BARE, "Έναρξη")

        assert now_of(world, account, contact).is_subscribed
        assert reasons(world, account, NUMBER) == []
        [back, _] = facts(world, account, contact)
        assert (back.type, back.source) == (ConsentType.GRANTED, ConsentSource.STOP)

    def test_who_left_by_a_link_stays_out(self, world: World) -> None:
        account = shop(world)
        contact = customer(world, account)
        unsubscribe = Unsubscribe(world.transactions, world.clock, HASH)
        unsubscribe(OptOutLink(account, contact.id, None), Client())
        answer(world, BARE, "STOP")

        answer(world, BARE, "START")

        assert not now_of(world, account, contact).is_subscribed
        assert reasons(world, account, NUMBER) == ["stop", "unsubscribe"]

    def test_who_left_by_stop_and_then_by_a_link_stays_out(self, world: World) -> None:
        account = shop(world)
        contact = customer(world, account)
        answer(world, BARE, "STOP")
        unsubscribe = Unsubscribe(world.transactions, world.clock, HASH)
        unsubscribe(OptOutLink(account, contact.id, None), Client())

        answer(world, BARE, "START")

        assert not now_of(world, account, contact).is_subscribed

    def test_whom_the_store_took_out_stays_out(self, world: World) -> None:
        account = shop(world)
        contact = customer(world, account)
        change = UpdateContact(world.transactions, world.clock, HASH)
        change(owner(account), contact.id, ContactChanges(is_subscribed=False), region="GR")
        answer(world, BARE, "STOP")

        answer(world, BARE, "START")

        assert not now_of(world, account, contact).is_subscribed
        assert reasons(world, account, NUMBER) == ["stop"]

    def test_the_number_of_nobody_is_free_again(self, world: World) -> None:
        account = shop(world)
        contact = customer(world, account)
        DeleteContact(world.transactions, world.clock, HASH)(account, contact.id)
        answer(world, BARE, "STOP")

        answer(world, BARE, "START")

        assert reasons(world, account, NUMBER) == []

    def test_nobody_comes_in_who_was_not_there(self, world: World) -> None:
        account = shop(world)
        [contact] = added(world, account, draft(NUMBER, is_subscribed=False))

        answer(world, BARE, "START")

        assert not now_of(world, account, contact).is_subscribed


class TestRepeats:
    def test_the_same_message_again_has_no_further_effect(self, world: World) -> None:
        account = shop(world)
        contact = customer(world, account)
        answer(world, BARE, "STOP", messageId="a")
        answer(world, BARE, "START", messageId="b")
        world.clock.advance(DAY)

        answer(world, BARE, "STOP", messageId="a")

        assert now_of(world, account, contact).is_subscribed
        assert len(facts(world, account, contact)) == 2

    def test_without_an_id_the_same_text_shortly_after_is_the_same_message(
        self, world: World
    ) -> None:
        account = shop(world)
        contact = customer(world, account)
        for _ in range(2):
            answer(world, BARE, "STOP")

        assert len(facts(world, account, contact)) == 1

    def test_without_an_id_whoever_leaves_again_is_out(self, world: World) -> None:
        account = shop(world)
        contact = customer(world, account)
        for text in ("STOP", "START", "STOP"):
            answer(world, BARE, text)

        assert not now_of(world, account, contact).is_subscribed

    def test_without_an_id_an_old_start_brings_nobody_back(self, world: World) -> None:
        account = shop(world)
        contact = customer(world, account)
        for text in ("STOP", "START", "STOP", "START"):
            answer(world, BARE, text)

        assert not now_of(world, account, contact).is_subscribed

    def test_later_the_same_text_is_a_new_message(self, world: World) -> None:
        account = shop(world)
        contact = customer(world, account)
        for text in ("STOP", "START", "STOP", "START"):
            answer(world, BARE, text)
            world.clock.advance(timedelta(minutes=11))

        assert now_of(world, account, contact).is_subscribed

    def test_texts_are_applied_in_the_order_of_their_arrival(self, world: World) -> None:
        account = shop(world)
        contact = customer(world, account)
        for text in ("STOP", "START"):
            record(world, BARE, text)

        assert apply_all(world) == 2

        assert now_of(world, account, contact).is_subscribed
