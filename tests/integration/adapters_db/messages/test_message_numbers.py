"""Message numbers on real PostgreSQL: nobody waits for a commit, and there is an end."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from adapters_db.connection.connections import Connections
from retail_core.campaigns.use_cases import StartCampaign
from retail_core.kernel.errors import Unavailable
from retail_core.kernel.ids import AccountId
from retail_core.links.codes import CODE_NUMBER_MAX
from tests.contracts.staging import people, policy, shop, written
from tests.contracts.worlds import World

SOON = 10.0


def reserve(world: World, account: AccountId, size: int) -> range:
    with world.transactions.begin(account) as uow:
        first = uow.numbers.reserve_block(size)
    return range(first, first + size)


@pytest.fixture
def others() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as threads:
        yield threads


def test_a_transaction_that_has_numbers_and_goes_on_stops_nobody(
    world: World, others: ThreadPoolExecutor
) -> None:
    one, other = world.new_account(), world.new_account()
    with world.transactions.begin(one) as uow:
        mine = uow.numbers.reserve_block(5)
        theirs = others.submit(reserve, world, other, 5).result(SOON)

    assert set(theirs).isdisjoint(range(mine, mine + 5))


def test_a_start_that_waits_for_its_wallet_stops_no_other_store(
    world: World, others: ThreadPoolExecutor
) -> None:
    waiting, other = shop(world), shop(world)
    campaigns = []
    for account in (waiting, other):
        people(world, account, 3)
        campaigns.append(written(world, account))
    start = StartCampaign(world.transactions, world.clock, policy())
    with world.transactions.begin(waiting) as uow:
        uow.credits.lock(waiting)
        stuck = others.submit(start, waiting, campaigns[0].id)
        while not is_somebody_waiting(world):
            threading.Event().wait(0.01)
        started = others.submit(start, other, campaigns[1].id).result(SOON)
        is_stuck = not stuck.done()

    assert (started.queued, is_stuck) == (3, True)
    assert stuck.result(SOON).queued == 3


def is_somebody_waiting(world: World) -> bool:
    with world.transactions.across_accounts() as uow:
        count = uow.connection.execute(  # type: ignore[attr-defined]
            text(
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid IN ("
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database())"
            )
        )
        return bool(count.scalar_one())


def test_no_lock_is_left_by_whoever_got_numbers_none_or_was_cancelled(
    connections: Connections,
) -> None:
    with connections.sweep() as connection:
        connection.execute(text("SELECT reserve_message_numbers(3)"))
        last = connection.execute(
            text("SELECT reserve_message_numbers(:all)"), {"all": CODE_NUMBER_MAX}
        ).scalar()
        locks = connection.execute(
            text(
                "SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() "
                "AND locktype = 'advisory'"
            )
        ).scalar()

    assert (last, locks) == (None, 0)
    with connections.sweep() as holder:
        holder.execute(text("SELECT pg_advisory_xact_lock(hashtext('message_number'))"))
        with pytest.raises(Unavailable):
            reserve_in_a_hurry(connections)
    assert reserve_in_a_hurry(connections)


def reserve_in_a_hurry(connections: Connections) -> object:
    with connections.sweep() as connection:
        connection.execute(text("SET LOCAL lock_timeout = '200ms'"))
        return connection.execute(text("SELECT reserve_message_numbers(1)")).scalar()


def test_no_block_is_given_twice_to_many_at_once(world: World, others: ThreadPoolExecutor) -> None:
    account = world.new_account()

    sizes = [1, 1_000, 7, 100_000] * 25
    blocks = list(others.map(lambda size: reserve(world, account, size), sizes))

    in_order = sorted(blocks, key=lambda block: block.start)
    assert all(one.stop <= other.start for one, other in pairwise(in_order))


RENUMBER = "UPDATE campaign SET first_number = :beyond WHERE id = :id"
PLAN_SINGLE = """
INSERT INTO single_message (number, account_id, kind, occasion, reason, sender, encoding, parts,
                            credits, holds, state, created_at, updated_at)
SELECT :beyond, account_id, 'test', 'test:1:1', 'sms:test', 'Shop', 0, 1, 1, false, 5, now(), now()
FROM campaign WHERE id = :id
"""


@pytest.mark.parametrize("statement", [RENUMBER, PLAN_SINGLE])
def test_the_database_itself_refuses_a_number_that_no_code_can_carry(
    world: World, connections: Connections, statement: str
) -> None:
    account = shop(world)
    people(world, account, 2)
    campaign = written(world, account)
    StartCampaign(world.transactions, world.clock, policy())(account, campaign.id)
    values = {"beyond": CODE_NUMBER_MAX + 1, "id": campaign.id}

    with pytest.raises(IntegrityError, match="number"), connections.sweep() as connection:
        connection.execute(text(statement), values)
