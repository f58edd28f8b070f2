"""Workers that meet on the same rows: nobody waits for who hangs, nobody takes the same number."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import attrs
import pytest
from sqlalchemy import text

from adapters_db.connection.connections import Connections
from adapters_db.messages.batches.batches import _CLOSE_CANCELLED
from adapters_db.unit_of_work import SqlUnitOfWork
from retail_core.campaigns.model import CampaignCounts
from retail_core.campaigns.use_cases import CancelCampaign
from retail_core.kernel.idempotency import Once
from retail_core.kernel.ids import AccountId
from retail_core.messages.model import ClaimedBatch
from retail_core.messages.use_cases import CloseCancelledBatches
from tests.contracts.staging import (
    BEN,
    LEASE,
    all_claims,
    claimed,
    people,
    shop,
    started,
    submitting,
)
from tests.contracts.worlds import World


def test_batches_that_are_refused_side_by_side_get_halves_of_their_own(
    world: World, connections: Connections
) -> None:
    account = shop(world)
    people(world, account, 8)
    started(world, account, batch_messages_max=4)
    (first, _), (second, _) = submitting(world), submitting(world, BEN)

    def split(batch: ClaimedBatch) -> bool:
        with world.transactions.begin(account) as uow:
            return uow.batches.split(batch, world.clock.now())

    with ThreadPoolExecutor(1) as threads:
        with world.transactions.begin(account) as uow:
            assert uow.batches.split(first, world.clock.now())
            other = threads.submit(split, second)
            wait_for_a_waiting_lock(connections)
        assert other.result()

    assert [len(batch.recipients) for batch in all_claims(world)] == [2, 2, 2, 2]


def test_a_sweep_does_not_wait_for_a_worker_that_hangs_with_its_batch_locked(world: World) -> None:
    account = shop(world)
    people(world, account, 2)
    started(world, account, batch_messages_max=1)
    hanging, dead = claimed(world), claimed(world, BEN)
    world.clock.advance(LEASE * 2)

    with world.transactions.begin(account) as uow:
        assert uow.batches.put_back(hanging, None, failed_try=False)
        with world.transactions.across_accounts() as sweeping:
            freed = sweeping.batches.free_stale_claims_across_accounts(world.clock.now())
            again = sweeping.batches.claim_across_accounts(
                BEN, world.clock.now(), world.clock.now()
            )

    assert freed >= 1
    assert again is not None
    assert again.key == dead.key


def test_a_cancel_waits_for_nobody_who_holds_a_batch(world: World) -> None:
    account = shop(world)
    (contact, *_) = people(world, account, 20)
    campaign = started(world, account, batch_messages_max=10)
    claimed(world)

    with world.transactions.begin(account) as uow:
        uow.message_traces.forget(account, [contact.id])
        cancelled = CancelCampaign(world.transactions, world.clock)(account, campaign.id)
        close = CloseCancelledBatches(world.transactions)
        meanwhile = [close(), close()]

    assert cancelled.campaign.counts == CampaignCounts(cancelled=20)
    assert (meanwhile, close(), close()) == ([1, 0], 1, 0)


@pytest.mark.parametrize("batches", [1, 50])
def test_a_cancel_writes_as_much_however_many_wait(
    world: World, connections: Connections, batches: int
) -> None:
    account = shop(world)
    people(world, account, 50)
    campaign = started(world, account, batch_messages_max=50 // batches)
    written = text("SELECT sum(n_tup_upd + n_tup_ins) FROM pg_stat_xact_user_tables")

    with connections.bound(account) as connection:
        before = connection.execute(written).scalar_one()
        uow = SqlUnitOfWork(connection)
        CancelCampaign(Joined(uow), world.clock)(account, campaign.id)
        uow.flush()
        writes = connection.execute(written).scalar_one() - before

    # the campaign, the wallet, its transfer, and the nudge unless one is waiting
    assert writes in {3, 4}


def test_batches_of_cancelled_campaigns_are_found_among_those_that_are_open(
    connections: Connections,
) -> None:
    with connections.sweep() as connection:
        # in a table of a few rows every way is as good
        for way in ("seqscan", "bitmapscan", "nestloop"):
            connection.exec_driver_sql(f"SET LOCAL enable_{way} = off")
        explained = connection.exec_driver_sql(f"EXPLAIN {_CLOSE_CANCELLED}", (500,))
        plan = "\n".join(explained.scalars())

    assert "send_batch_open_idx" in plan, plan


@attrs.frozen
class Joined:
    """Transactions that are part of one that is open already."""

    uow: SqlUnitOfWork

    @contextmanager
    def begin(self, account: AccountId, once: Once | None = None) -> Iterator[SqlUnitOfWork]:
        del account, once
        yield self.uow

    across_accounts: Any = None


def wait_for_a_waiting_lock(connections: Connections) -> None:
    """Until some transaction waits for another one."""
    waits = text("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
    with connections.sweep() as connection:
        while not connection.execute(waits).scalar_one():
            pass
