"""What may be relied on about stored texts."""

from contextlib import suppress
from datetime import timedelta
from uuid import uuid4

import pytest

from retail_core.engagement.model import (
    AppliedText,
    EarlierText,
    InboundCall,
    InboundText,
    Keyword,
    RawInbound,
)
from retail_core.kernel.ids import AccountId, ContactId
from retail_core.kernel.phones import PhoneNumber
from tests.answering import apply_all
from tests.contracts.staging import phone
from tests.contracts.worlds import World

LATER = timedelta(minutes=1)


def told(text: str = "STOP", **changes: str) -> InboundText:
    plain = {"sender": "306900000001", "receiver": "Shop"}
    return InboundText(text=text, **{**plain, **changes})


def stored(world: World, *raws: bytes) -> None:
    with world.transactions.across_accounts() as uow:
        now = world.clock.now()
        uow.inbound_texts.add_across_accounts([InboundCall(raw, now) for raw in raws])


def applied(world: World, text: InboundText, number: PhoneNumber, *scope: AccountId) -> RawInbound:
    """Store a text and mark it as applied."""
    stored(world, b"x")
    with world.transactions.across_accounts() as uow:
        raw = uow.inbound_texts.take_next_across_accounts()
        assert raw is not None
        done = AppliedText(text=text, phone=number, keyword=Keyword.STOP, scope=scope)
        uow.inbound_texts.mark_applied_across_accounts(raw.id, done, world.clock.now())
    return raw


class InboundStoreContract:
    @pytest.fixture(autouse=True)
    def _stage(self, world: World) -> None:
        apply_all(world)

    def test_texts_are_taken_in_their_order_until_they_are_applied(self, world: World) -> None:
        stored(world, b"one", b"two")
        taken = []

        for _ in range(3):
            with world.transactions.across_accounts() as uow:
                raw = uow.inbound_texts.take_next_across_accounts()
                taken.append(raw and raw.raw)
            if len(taken) > 1 and raw is not None:
                with world.transactions.across_accounts() as uow:
                    done = AppliedText(text=told())
                    uow.inbound_texts.mark_applied_across_accounts(raw.id, done, world.clock.now())

        assert taken == [b"one", b"one", b"two"]
        assert apply_all(world) == 0

    def test_what_fails_is_taken_again(self, world: World) -> None:
        stored(world, b"one")
        with suppress(ZeroDivisionError), world.transactions.across_accounts() as uow:
            raw = uow.inbound_texts.take_next_across_accounts()
            assert raw is not None
            done = AppliedText(text=told())
            uow.inbound_texts.mark_applied_across_accounts(raw.id, done, world.clock.now())
            raise ZeroDivisionError

        assert apply_all(world) == 1

    def test_earlier_texts_are_told_the_newest_first(self, world: World) -> None:
        account, message_id = world.new_account(), f"{uuid4()}"
        mine, other = phone(account), phone(account)
        old, late = told("old", message_id=message_id), told("late")
        applied(world, old, mine)
        applied(world, told("other"), other)
        world.clock.advance(LATER)
        since = world.clock.now()
        applied(world, late, mine)
        world.clock.advance(LATER)
        last = told("last", message_id=f"{uuid4()}")
        applied(world, last, mine)
        stored(world, b"not applied yet")

        with world.transactions.across_accounts() as uow:
            of_late = uow.inbound_texts.earlier_across_accounts(mine, None, since)
            by_id = uow.inbound_texts.earlier_across_accounts(mine, message_id, since)
            nobody = uow.inbound_texts.earlier_across_accounts(phone(account), message_id, since)

        new = [EarlierText(each.message_id, each.fingerprint) for each in (last, late)]
        assert list(of_late) == new
        assert list(by_id) == [*new, EarlierText(old.message_id, old.fingerprint)]
        assert list(nobody) == []

    def test_the_countries_of_the_stores_are_told(self, world: World) -> None:
        world.new_account()

        with world.transactions.across_accounts() as uow:
            assert "GR" in uow.inbound_texts.countries_across_accounts()

    def test_a_person_is_forgotten_where_the_text_concerned_the_store(self, world: World) -> None:
        account, stranger = world.new_account(), world.new_account()
        mine, other = phone(account), phone(account)
        text = told()
        for number in (mine, other):
            applied(world, text, number, account)

        with world.transactions.begin(stranger) as uow:
            uow.person_traces.forget(stranger, ContactId(1), mine)
        since = world.clock.now() - LATER
        with world.transactions.across_accounts() as uow:
            before = len(uow.inbound_texts.earlier_across_accounts(mine, None, since))
        with world.transactions.begin(account) as uow:
            uow.person_traces.forget(account, ContactId(1), mine)

        with world.transactions.across_accounts() as uow:
            after = [
                len(uow.inbound_texts.earlier_across_accounts(each, None, since))
                for each in (mine, other)
            ]
        assert (before, after) == (1, [0, 1])
