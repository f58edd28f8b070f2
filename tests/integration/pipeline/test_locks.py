"""Workers that meet on the same rows: nobody waits for who hangs, nobody takes the same number."""

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import text

from adapters_db.connections import Connections
from retail_core.messages.model import ClaimedBatch
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


def wait_for_a_waiting_lock(connections: Connections) -> None:
    """Until some transaction waits for another one."""
    waits = text("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
    with connections.sweep() as connection:
        while not connection.execute(waits).scalar_one():
            pass
