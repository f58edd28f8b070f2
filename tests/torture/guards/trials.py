"""Short stories in which a guard matters, each an assertion: what must be true at their end.

Those that take a `Laboratory` have workers of their own, told to die or halt; those that take a
`World` run in this process.
"""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import attrs
import psycopg
import pytest
from sqlalchemy import text

from adapters_db.transactions import SqlTransactions
from adapters_sms.simulator.scenario import Fault, FaultName
from retail_core.campaigns.model import CampaignCounts
from retail_core.campaigns.use_cases import CancelCampaign
from retail_core.kernel.errors import Unavailable
from retail_core.kernel.ids import AccountId, ContactId
from retail_core.messages.errors import LeaseLost
from retail_core.messages.model import ClaimedBatch, MessageState
from tests.contracts.staging import (
    ANN,
    BEN,
    LEASE,
    book,
    claimed,
    intend,
    people,
    results,
    shop,
    started,
    submitting,
)
from tests.contracts.worlds import World
from tests.torture.loops.judge import judge
from tests.torture.loops.owners import Owners
from tests.torture.matrix.forge import End, Task
from tests.torture.matrix.matrix import Cell, Laboratory, run_cell
from workers.dev.crash_points import CrashAt, CrashPoint

HALTED_SECONDS = 2.2
"""Longer than the lease of a laboratory without the time of a call; here time is real."""


def _clean(laboratory: Laboratory, cell: Cell) -> None:
    outcome = run_cell(laboratory, cell)
    assert outcome.is_clean, str(outcome)


def a_worker_dies_after_the_call(laboratory: Laboratory) -> None:
    _clean(laboratory, Cell(CrashAt(CrashPoint.AFTER_SUBMIT), "none"))


def an_answer_gets_lost(laboratory: Laboratory) -> None:
    _clean(laboratory, Cell(None, "taken, then closed"))


def an_answer_has_an_id_too_few(laboratory: Laboratory) -> None:
    _clean(laboratory, Cell(None, "an answer too few"))


def an_answer_repeats_an_id(laboratory: Laboratory) -> None:
    _clean(laboratory, Cell(None, "repeated ids"))


def a_worker_wakes_up_with_a_refusal(laboratory: Laboratory) -> None:
    """It halts after a 429; meanwhile its batch became unknown, and so it must stay."""
    cell = Cell(CrashAt(CrashPoint.AFTER_SUBMIT, stops=True), "429 with Retry-After")
    _clean(laboratory, cell)


def a_worker_wakes_up_when_its_lease_is_over(laboratory: Laboratory) -> None:
    """Its batch was called unknown long ago; by now its people may have left."""
    planned = laboratory.campaign()
    with laboratory.gateway(planned) as gateway:
        at = CrashAt(CrashPoint.BEFORE_SUBMIT, stops=True)
        fate = laboratory.forge.run(laboratory.order(gateway.base_url, Task.DISPATCH, at=at))
        assert fate.end is End.STOPPED
        laboratory.recover(planned, gateway.base_url)
        before = len(gateway.accepted())
        time.sleep(HALTED_SECONDS)
        laboratory.forge.go_on(fate)
        late = len(gateway.accepted()) - before
    assert not late, f"{late} were handed over late"
    verdict = laboratory.judge(planned)
    assert not verdict.complaints, str(verdict)


def the_connection_breaks_at_the_booking(laboratory: Laboratory) -> None:
    """The database comes back at once, so nothing may be in doubt."""
    cell = Cell(CrashAt(CrashPoint.BEFORE_SETTLE_COMMIT, stops=True), "none")
    outcome = run_cell(laboratory, cell)
    assert outcome.is_clean, str(outcome)
    assert outcome.verdict.unknown == 0, str(outcome)


def somebody_opts_out_between_claim_and_hand_over(laboratory: Laboratory) -> None:
    planned = laboratory.campaign()
    owners = Owners.silent(laboratory.shops)
    with laboratory.gateway(planned) as gateway:
        at = CrashAt(CrashPoint.AFTER_CLAIM, stops=True)
        fate = laboratory.forge.run(laboratory.order(gateway.base_url, Task.DISPATCH, at=at))
        assert fate.end is End.STOPPED
        opt_out_everybody(owners, planned.account)
        laboratory.forge.go_on(fate)
        laboratory.recover(planned, gateway.base_url)
    log = laboratory.directory / f"{planned.mark}.jsonl"
    verdict = judge(laboratory.shops, log, [planned], owners.witnessed)
    assert not verdict.complaints, str(verdict)


def opt_out_everybody(owners: Owners, account: AccountId) -> None:
    contacts = "SELECT id, phone FROM contact WHERE account_id = %s"
    for contact, phone in owners.shops.query(contacts, account):
        owners.opt_out(account, ContactId(contact), phone)


def an_owner_cancels_during_a_call_that_is_refused(laboratory: Laboratory) -> None:
    planned = laboratory.campaign()
    refused = Fault(FaultName.STATUS, status=429, retry_after="1")
    owners = Owners.silent(laboratory.shops)
    with laboratory.gateway(planned, refused) as gateway:
        at = CrashAt(CrashPoint.AFTER_SUBMIT, stops=True)
        fate = laboratory.forge.run(laboratory.order(gateway.base_url, Task.DISPATCH, at=at))
        assert fate.end is End.STOPPED
        owners.cancel(planned)
        laboratory.forge.go_on(fate)
        laboratory.recover(planned, gateway.base_url)
    log = laboratory.directory / f"{planned.mark}.jsonl"
    verdict = judge(laboratory.shops, log, [planned], owners.witnessed)
    assert not verdict.complaints, str(verdict)


def two_book_the_same_batch_at_once(world: World) -> None:
    """The second waits for the first, and then changes nothing."""
    account = shop(world)
    people(world, account, 2)
    started(world, account)
    batch, ref = submitting(world)
    outcome = results(batch, ref, MessageState.SENT)
    with ThreadPoolExecutor(1) as threads:
        with world.transactions.begin(account) as uow:
            assert uow.batches.settle(batch, ref, outcome, world.clock.now()) is not None
            second = threads.submit(book, world, batch, ref, outcome)
            _wait_for_a_waiting_lock(world)
        assert second.result() is False


def _wait_for_a_waiting_lock(world: World) -> None:
    assert isinstance(world.transactions, SqlTransactions), "locks are PostgreSQL's"
    waits = text("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
    with world.transactions.connections.sweep() as connection:
        while not connection.execute(waits).scalar_one():
            pass


def a_cancel_waits_for_an_intent_that_is_being_committed(world: World) -> None:
    """Else it would count as cancelled what is handed over."""
    account = shop(world)
    people(world, account, 5)
    campaign = started(world, account)
    batch = claimed(world)
    cancel = CancelCampaign(world.transactions, world.clock)
    with ThreadPoolExecutor(1) as threads:
        with world.transactions.begin(account) as uow:
            uow.batches.commit_intent(batch, uuid4(), batch.lease_until, batch.lease_until.date())
            cancelling = threads.submit(cancel, account, campaign.id)
            _wait_for_it_to_end_or_to_wait(world, cancelling)
        cancelled = cancelling.result().campaign

    assert cancelled.counts == CampaignCounts(queued=3, cancelled=2)


def an_intent_waits_for_a_cancel_that_is_being_committed(world: World) -> None:
    """And then nothing is handed over."""
    account = shop(world)
    people(world, account, 2)
    campaign = started(world, account)
    batch = claimed(world)
    with ThreadPoolExecutor(1) as threads:
        with world.transactions.begin(account) as uow:
            uow.campaigns.lock(account, campaign.id, wait=True)
            uow.campaigns.cancel(account, campaign.id, 2, 0, world.clock.now())
            intending = threads.submit(intend, world, batch, uuid4())
            _wait_for_it_to_end_or_to_wait(world, intending)
        with pytest.raises(LeaseLost):
            intending.result()


def _wait_for_it_to_end_or_to_wait(world: World, work: "Future[Any]") -> None:
    assert isinstance(world.transactions, SqlTransactions), "locks are PostgreSQL's"
    waits = text("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
    with world.transactions.connections.sweep() as connection:
        while not work.done() and not connection.execute(waits).scalar_one():
            pass


Verb = Callable[[World, ClaimedBatch], bool]


def put_back(world: World, batch: ClaimedBatch) -> bool:
    with world.transactions.begin(batch.key.account) as uow:
        return uow.batches.put_back(batch, None, failed_try=True)


def split(world: World, batch: ClaimedBatch) -> bool:
    with world.transactions.begin(batch.key.account) as uow:
        return uow.batches.split(batch, world.clock.now())


def nobody_else_can(verb: Verb) -> Callable[[World], None]:
    """Not another worker, and not the same one with an older claim."""

    def trial(world: World) -> None:
        account = shop(world)
        people(world, account, 2)
        started(world, account)
        old = claimed(world, ANN)
        world.clock.advance(LEASE + timedelta(seconds=1))
        with world.transactions.across_accounts() as uow:
            uow.batches.free_stale_claims_across_accounts(world.clock.now())
        new = claimed(world, ANN)

        assert not verb(world, old)
        assert not verb(world, attrs.evolve(new, worker=BEN))
        assert verb(world, new)

    trial.__name__ = f"nobody_else_can_{verb.__name__}"
    return trial


def nobody_can_any_more(verb: Verb) -> Callable[[World], None]:
    """Not even the owner, once the outcome is in doubt."""

    def trial(world: World) -> None:
        account = shop(world)
        people(world, account, 2)
        started(world, account)
        batch, ref = submitting(world)
        assert book(world, batch, ref, results(batch, ref, MessageState.UNKNOWN))

        assert not verb(world, batch)

    trial.__name__ = f"nobody_can_{verb.__name__}_any_more"
    return trial


def a_claim_under_lease_is_left_alone(world: World) -> None:
    account = shop(world)
    people(world, account, 2)
    started(world, account)
    batch = claimed(world)

    with world.transactions.across_accounts() as uow:
        uow.batches.free_stale_claims_across_accounts(world.clock.now())

    with world.transactions.begin(account) as uow:
        uow.batches.commit_intent(batch, uuid4(), batch.lease_until, batch.lease_until.date())


def a_call_under_lease_is_left_alone(world: World) -> None:
    account = shop(world)
    people(world, account, 2)
    started(world, account)
    submitting(world)

    with world.transactions.across_accounts() as uow:
        stale = uow.batches.stale_across_accounts(world.clock.now(), 1_000)

    assert account not in [each.key.account for each in stale]


def two_claims_at_once_do_not_wait_for_each_other(world: World) -> None:
    account = shop(world)
    people(world, account, 2)
    started(world, account, batch_messages_max=1)
    now = world.clock.now()

    with world.transactions.across_accounts() as first:
        mine = first.batches.claim_across_accounts(ANN, now, now + LEASE)
        try:
            with world.transactions.across_accounts() as second:
                theirs = second.batches.claim_across_accounts(BEN, now, now + LEASE)
        except Unavailable:
            pytest.fail("it waited")

    assert mine is not None
    assert theirs is not None
    assert mine.key != theirs.key


def two_batches_are_halved_at_once(world: World) -> None:
    """The second waits for the first, and then takes another number."""
    account = shop(world)
    people(world, account, 8)
    started(world, account, batch_messages_max=4)
    (first, _), (second, _) = submitting(world), submitting(world, BEN)
    with ThreadPoolExecutor(1) as threads:
        with world.transactions.begin(account) as uow:
            assert uow.batches.split(first, world.clock.now())
            other = threads.submit(split, world, second)
            _wait_for_a_waiting_lock(world)
        assert other.result()


def a_sweep_meets_a_worker_that_hangs(world: World) -> None:
    """It has its batch locked, and its lease is over."""
    account = shop(world)
    people(world, account, 1)
    started(world, account)
    hanging = claimed(world)
    world.clock.advance(LEASE * 2)
    with world.transactions.begin(account) as uow:
        assert uow.batches.put_back(hanging, None, failed_try=False)
        try:
            with world.transactions.across_accounts() as sweeping:
                sweeping.batches.free_stale_claims_across_accounts(world.clock.now())
        except Unavailable:
            pytest.fail("it waited")


_ROW = """
INSERT INTO message (campaign_id, seq, account_id, contact_id, phone, state, encoding, parts,
                     credits, updated_at)
VALUES (0, %s, 1, %s, 306900000001, 3, 0, 1, 1, now())
"""


Owner = psycopg.Connection[tuple[object, ...]]


def _insert(connection: Owner, *rows: tuple[int, int]) -> None:
    with connection.transaction():
        for row in rows:
            connection.execute(_ROW, row)


def a_contact_has_one_row_in_a_campaign(connection: Owner) -> None:
    with pytest.raises(psycopg.errors.UniqueViolation):
        _insert(connection, (1, 7), (2, 7))


def a_place_in_a_campaign_has_one_row(connection: Owner) -> None:
    with pytest.raises(psycopg.errors.UniqueViolation):
        _insert(connection, (1, 7), (1, 8))
