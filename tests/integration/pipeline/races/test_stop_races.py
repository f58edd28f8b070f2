"""A STOP that is committed before the hand-over is honoured, whatever happens at once."""

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from threading import Barrier
from uuid import uuid4

import pytest

from adapters_db.connection.connections import Connections, psycopg_connection
from retail_core.contacts.model import (
    ConsentSource,
    ConsentType,
    Contact,
    SuppressionEntry,
    SuppressionReason,
)
from retail_core.contacts.use_cases import DeleteContact, EraseContact
from retail_core.contacts.use_cases.keeping import Actor
from retail_core.engagement.model import StopConfirmationPolicy
from retail_core.engagement.use_cases.answering import TEXTS_MAX, ApplyInboundTexts
from retail_core.kernel.ids import AccountId
from retail_core.kernel.pages import PageRequest
from retail_core.messages.model import ClaimedBatch, Dropped, MessageKind
from retail_core.messages.queries import MessageFilter
from tests.answering import HASH, SHOP, answer, apply_all, applying, reasons, record
from tests.contracts.messages.singles.stage import intend as intend_single
from tests.contracts.people import added, draft, history, phones
from tests.contracts.staging import claimed, intend, sent, shop, started
from tests.contracts.worlds import World
from tests.integration.pipeline.races.test_side_by_side import HONOURED_MOMENTS, both, intend_late
from tests.pipeline import Pipeline

ROUNDS = 60
STEP_SECONDS = 0.004


def customers(world: World) -> tuple[AccountId, list[Contact]]:
    """Two people who got a campaign, so that their answers mean the shop."""
    account = shop(world)
    contacts = added(world, account, *(draft(number) for number in phones(account)))
    started(world, account)
    sent(world)
    return account, contacts


@pytest.mark.parametrize("moment", HONOURED_MOMENTS)
def test_a_stop_before_the_hand_over_is_honoured(
    world: World, connections: Connections, moment: str
) -> None:
    account, (leaves, _) = customers(world)
    started(world, account)
    stop = partial(answer, world, leaves.phone, "STOP")

    if moment == "before the claim":
        stop()
        dropped = intend(world, claimed(world), uuid4())
    elif moment == "after the claim":
        batch = claimed(world)
        stop()
        dropped = intend(world, batch, uuid4())
    else:
        dropped = intend_late(world, connections, claimed(world), stop)

    assert dropped == {0: Dropped.OPTED_OUT}


def test_at_any_moment_a_stop_is_honoured_or_came_after_the_intent(
    world: World, rng: random.Random
) -> None:
    honoured, stop_seconds = 0, STEP_SECONDS
    for _ in range(ROUNDS):
        account, (leaves, _) = customers(world)
        started(world, account)
        batch = claimed(world)
        record(world, leaves.phone, "STOP")
        barrier = Barrier(2)
        waits = [rng.uniform(0, STEP_SECONDS), rng.uniform(0, 2 * stop_seconds)]

        with ThreadPoolExecutor(2) as threads:
            stopping = threads.submit(stop_at, world, barrier, waits[0])
            handing_over = threads.submit(intend_at, world, barrier, waits[1], batch)
        (stopped_at, stop_seconds), (began_at, dropped) = stopping.result(), handing_over.result()

        assert dropped in ({}, {0: Dropped.OPTED_OUT})
        assert dropped or stopped_at > began_at
        honoured += bool(dropped)
        line = Pipeline.over(world, name=f"{uuid4()}", seed=uuid4().int)
        started(world, account)
        line.dispatch_all()
        assert leaves.phone not in {each.destination for each in line.gateway.accepted}
    assert 0 < honoured < ROUNDS


def stop_at(world: World, barrier: Barrier, wait_seconds: float) -> tuple[float, float]:
    """Apply what waits; when it was committed, and how long that took."""
    barrier.wait()
    began_at = time.monotonic()
    time.sleep(wait_seconds)
    assert apply_all(world) == 1
    ended_at = time.monotonic()
    return ended_at, ended_at - began_at


def intend_at(
    world: World, barrier: Barrier, wait_seconds: float, batch: ClaimedBatch
) -> tuple[float, dict[int, Dropped]]:
    """Commit the intent; when that began, and who is left out."""
    barrier.wait()
    time.sleep(wait_seconds)
    began_at = time.monotonic()
    return began_at, intend(world, batch, uuid4())


def taken_by(apply: ApplyInboundTexts, texts_max: int = TEXTS_MAX) -> Callable[[], int]:
    """A run of the job, which tells how many texts it took."""
    return lambda: apply(texts_max).taken


def test_two_equal_stops_at_once_have_one_effect(world: World) -> None:
    for _ in range(10):
        account, (leaves, _) = customers(world)
        for _ in range(2):
            record(world, leaves.phone, "STOP")

        assert sorted(both(taken_by(applying(world)))) == [0, 2]
        facts = [event.type for event in history(world, account, leaves.id)]
        assert facts == [ConsentType.WITHDRAWN, ConsentType.GRANTED]
        assert reasons(world, account, leaves.phone) == ["stop"]


def test_of_two_stops_at_once_by_one_person_one_is_answered(world: World) -> None:
    policy = StopConfirmationPolicy(is_on=True, fallback_sender=SHOP)
    for _ in range(10):
        account, (leaves, _) = customers(world)
        for _ in range(2):
            record(world, leaves.phone, "STOP", id=f"{uuid4()}")

        at_once = both(taken_by(applying(world, policy), 1))
        assert sum(at_once) + apply_all(world, policy) == 2

        which = MessageFilter(kind=MessageKind.CONFIRMATION)
        assert world.message_queries.page(account, which, PageRequest(1, 9)).total == 1


@pytest.mark.parametrize("reason", [SuppressionReason.STOP, SuppressionReason.MANUAL])
def test_a_suppression_before_the_hand_over_of_its_confirmation_is_honoured(
    world: World, rng: random.Random, reason: SuppressionReason
) -> None:
    """Also one that is committed while the confirmation is being handed over may come too late."""
    policy = StopConfirmationPolicy(is_on=True, fallback_sender=SHOP)
    honoured = 0
    for _ in range(ROUNDS):
        account, (leaves, _) = customers(world)
        record(world, leaves.phone, "STOP")
        assert apply_all(world, policy) == 1
        barrier = Barrier(2)
        waits = [rng.uniform(0, STEP_SECONDS) for _ in range(2)]

        with ThreadPoolExecutor(2) as threads:
            barring = threads.submit(bar_at, world, barrier, waits[0], account, leaves, reason)
            handing_over = threads.submit(single_intent_at, world, barrier, waits[1], account)
        barred_at, (began_at, dropped) = barring.result(), handing_over.result()

        assert dropped in (None, Dropped.SUPPRESSED)
        assert dropped or barred_at > began_at
        honoured += bool(dropped)
    assert 0 < honoured < ROUNDS


def bar_at(
    world: World,
    barrier: Barrier,
    wait_seconds: float,
    account: AccountId,
    contact: Contact,
    reason: SuppressionReason,
) -> float:
    """Bar a number anew; when it was committed."""
    barrier.wait()
    time.sleep(wait_seconds)
    with world.transactions.begin(account) as uow:
        uow.suppressions.lift(account, contact.phone, frozenset({reason}))
        entry = SuppressionEntry(phone=contact.phone, reason=reason, at=world.clock.now())
        assert uow.suppressions.add(account, entry) is not None
    return time.monotonic()


def single_intent_at(
    world: World, barrier: Barrier, wait_seconds: float, account: AccountId
) -> tuple[float, Dropped | None]:
    """Commit the intent of the one message that waits; when that began, and whether it is out."""
    barrier.wait()
    time.sleep(wait_seconds)
    began_at = time.monotonic()
    [claimed] = intend_single(world, account, uuid4())
    return began_at, claimed.dropped


def test_a_stop_and_the_deletion_of_the_contact_at_once_still_bar_the_number(
    world: World,
) -> None:
    for _ in range(10):
        account, (leaves, _) = customers(world)
        record(world, leaves.phone, "STOP")
        delete = DeleteContact(world.transactions, world.clock, HASH)
        work = [partial(delete, account, leaves.id), applying(world)]

        both(lambda work=work: work.pop()())  # type: ignore[misc]
        world.clock.advance(timedelta(seconds=2))
        apply_all(world)

        barred = reasons(world, account, leaves.phone)
        assert "stop" in barred or "unsubscribe" in barred


@pytest.mark.parametrize("text", ["STOP", "START"])
def test_a_text_that_waits_while_its_sender_is_erased_leaves_no_number(
    world: World, connections: Connections, text: str
) -> None:
    account, (leaves, _) = customers(world)
    record(world, leaves.phone, text)
    EraseContact(world.transactions, world.clock, HASH)(
        Actor(account, ConsentSource.MANUAL), leaves.id
    )

    apply_all(world)

    digits = leaves.phone[1:]
    with connections.sweep() as connection:
        driver = psycopg_connection(connection)
        kept = driver.execute(
            "SELECT id FROM inbound_text WHERE phone = %s OR encode(raw, 'escape') LIKE %s",
            (int(digits), f"%{digits}%"),
        ).fetchall()
    assert kept == []
    assert reasons(world, account, leaves.phone) == []
