"""When the database fails us, it is said in the words of the core."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from adapters_db.connection.connections import Connections
from adapters_db.connection.engine import make_engine
from adapters_db.connection.patience import Remaining, limit_statements, without_end
from adapters_db.settings import DatabaseSettings
from retail_core.kernel.errors import Unavailable
from retail_core.kernel.ids import AccountId
from retail_core.kernel.jobs import Job
from tests.contracts.worlds import World

Pool = Callable[..., Connections]


@pytest.fixture
def pool(migrated_database_url: str, request: pytest.FixtureRequest) -> Pool:
    """A pool of the test's own, with settings of its own."""

    def make(
        url: str = migrated_database_url, remaining: Remaining = without_end, **changes: int
    ) -> Connections:
        settings = DatabaseSettings(url, url, "retail-tests", **changes)
        connections = Connections(make_engine(settings), settings, remaining)
        limit_statements(connections.engine, remaining)
        request.addfinalizer(connections.engine.dispose)
        return connections

    return make


def test_a_database_that_is_not_there_is_unavailable(pool: Pool) -> None:
    nowhere = pool("postgresql://nobody@127.0.0.1:1/nothing", connect_timeout_seconds=2)

    with pytest.raises(Unavailable), nowhere.sweep():
        pass


def test_a_pool_without_a_free_connection_is_unavailable(pool: Pool) -> None:
    narrow = pool(pool_connections=1, pool_overflow_connections_max=0, pool_timeout_seconds=0)

    with narrow.sweep(), pytest.raises(Unavailable), narrow.sweep():
        pass


def test_a_statement_that_takes_too_long_is_unavailable(pool: Pool) -> None:
    hasty = pool(statement_timeout_seconds=1)

    with pytest.raises(Unavailable), hasty.sweep() as connection:
        connection.execute(text("SELECT pg_sleep(30)"))


def test_a_lock_that_takes_too_long_is_unavailable(pool: Pool, world: World) -> None:
    hasty = pool(lock_timeout_seconds=1)
    account = world.new_account()
    lock = text("SELECT 1 FROM account WHERE id = :account FOR UPDATE")

    with hasty.sweep() as holder:
        holder.execute(lock, {"account": account})
        with pytest.raises(Unavailable), hasty.sweep() as waiter:
            waiter.execute(lock, {"account": account})


def test_a_deadlock_is_unavailable_for_one_of_the_two(pool: Pool, world: World) -> None:
    connections = pool()
    accounts = [world.new_account(), world.new_account()]
    both_hold_one = threading.Barrier(2)
    lock = text("SELECT 1 FROM account WHERE id = :account FOR UPDATE")

    def lock_both(order: list[AccountId]) -> str:
        try:
            with connections.sweep() as connection:
                connection.execute(lock, {"account": order[0]})
                both_hold_one.wait()
                connection.execute(lock, {"account": order[1]})
        except Unavailable:
            return "unavailable"
        return "done"

    with ThreadPoolExecutor(2) as threads:
        outcomes = list(threads.map(lock_both, [accounts, accounts[::-1]]))

    assert sorted(outcomes) == ["done", "unavailable"]


def test_a_connection_that_died_in_the_pool_goes_unnoticed(
    pool: Pool, migrated_database_url: str
) -> None:
    connections = pool(pool_connections=2)
    with connections.sweep() as one, connections.sweep() as two:
        pids = [
            connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
            for connection in (one, two)
        ]
    with psycopg.connect(migrated_database_url, autocommit=True) as admin:
        for pid in pids:
            admin.execute("SELECT pg_terminate_backend(%s)", (pid,))

    with connections.sweep() as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1


def test_a_connection_that_dies_in_a_transaction_is_unavailable(
    pool: Pool, migrated_database_url: str
) -> None:
    connections = pool()

    def die_in_the_middle() -> None:
        with connections.sweep() as connection:
            pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
            with psycopg.connect(migrated_database_url, autocommit=True) as admin:
                admin.execute("SELECT pg_terminate_backend(%s)", (pid,))
            connection.execute(text("SELECT 1"))

    with pytest.raises(Unavailable):
        die_in_the_middle()

    with connections.sweep() as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1


def test_a_broken_rule_of_the_database_stays_a_defect(pool: Pool, world: World) -> None:
    """Only what may work later is unavailable; a violated constraint never will."""
    account = world.new_account()

    with pytest.raises(IntegrityError), pool().sweep() as connection:
        connection.execute(
            text("INSERT INTO wallet (account_id, available) VALUES (:account, -1)"),
            {"account": account},
        )


def test_a_failure_leaves_no_connection_with_its_role(pool: Pool) -> None:
    one = pool(pool_connections=1, pool_overflow_connections_max=0)
    with pytest.raises(IntegrityError), one.sweep() as connection:
        connection.execute(text("INSERT INTO account (id, email) VALUES (1, 'x@example.com')"))

    with one.engine.connect() as connection:
        assert connection.execute(text("SELECT current_user")).scalar_one() == "retail_bound"


def test_a_transaction_begins_with_role_account_and_time_outs(pool: Pool) -> None:
    connections = pool()

    with connections.bound(AccountId(2)) as connection:
        row = connection.execute(
            text(
                "SELECT current_user, current_setting('retail.account'), "
                "current_setting('statement_timeout'), current_setting('lock_timeout')"
            )
        ).one()

    assert tuple(row) == ("retail_bound", "2", "1min", "10s")


def test_a_block_of_the_engine_itself_is_a_transaction_too(pool: Pool) -> None:
    engine = pool().engine
    with engine.connect() as connection:
        connection.execute(text("SET LOCAL statement_timeout = '7s'"))
        inside = connection.execute(text("SHOW statement_timeout")).scalar_one()
        connection.rollback()
        after = connection.execute(text("SHOW statement_timeout")).scalar_one()

    assert (inside, after) == ("7s", "0")


def test_added_jobs_wake_the_relay_once(world: World, migrated_database_url: str) -> None:
    account = world.new_account()
    with psycopg.connect(migrated_database_url, autocommit=True) as listener:
        listener.execute("LISTEN retail_outbox")
        with world.transactions.begin(account) as uow:
            for number in range(3):
                uow.jobs.add(Job("kind", f"wake:{account}:{number}", {}, account))

        heard = [note.channel for note in listener.notifies(timeout=1, stop_after=2)]

    assert heard == ["retail_outbox"]


def test_transactions_that_add_the_same_jobs_in_any_order_never_lock_each_other_out(
    world: World,
) -> None:
    account = world.new_account()
    keys = [f"order:{account}:{number}" for number in range(6)]

    def add(attempt: int) -> None:
        with world.transactions.begin(account) as uow:
            for key in keys if attempt % 2 else keys[::-1]:
                uow.jobs.add(Job("kind", key, {}, account))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(add, range(40)))

    with world.transactions.begin(account) as uow:
        assert uow.jobs.waiting_count(account) == len(keys)


def test_a_job_taken_by_one_relay_is_not_seen_by_another(world: World) -> None:
    account = world.new_account()
    with world.transactions.begin(account) as uow:
        uow.jobs.add(Job("kind", f"taken:{account}", {}, account))

    now = world.clock.now()
    with world.transactions.across_accounts() as first:
        taken = {due.job.key for due in first.jobs.take_due_across_accounts(now, 10_000)}
        with world.transactions.across_accounts() as second:
            again = {due.job.key for due in second.jobs.take_due_across_accounts(now, 10_000)}

    assert f"taken:{account}" in taken
    assert taken & again == set()


class Hourglass:
    """Time that is left for a request."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds

    def __call__(self) -> float:
        return self._ends - time.monotonic()


def run(connections: Connections, *statements: str) -> None:
    """All of them in one transaction."""
    with connections.sweep() as connection:
        for statement in statements:
            connection.execute(text(statement))


class TestDeadlines:
    def test_a_statement_ends_with_the_time_of_its_request(self, pool: Pool) -> None:
        began = time.monotonic()

        with pytest.raises(Unavailable), pool(remaining=Hourglass(0.5)).sweep() as connection:
            connection.execute(text("SELECT pg_sleep(30)"))

        assert time.monotonic() - began < 3

    def test_a_later_statement_has_only_what_the_earlier_left(self, pool: Pool) -> None:
        began = time.monotonic()

        with pytest.raises(Unavailable):
            run(pool(remaining=Hourglass(3.0)), "SELECT pg_sleep(1.5)", "SELECT pg_sleep(30)")

        assert time.monotonic() - began < 4

    def test_waiting_for_a_lock_ends_with_it_too(self, pool: Pool, world: World) -> None:
        account = world.new_account()
        lock = text("SELECT 1 FROM account WHERE id = :account FOR UPDATE")
        began = time.monotonic()

        with pool().sweep() as holder:
            holder.execute(lock, {"account": account})
            late = pool(remaining=Hourglass(0.5))
            with pytest.raises(Unavailable), late.sweep() as waiter:
                waiter.execute(lock, {"account": account})

        assert time.monotonic() - began < 3

    def test_nothing_is_begun_when_it_is_over(self, pool: Pool) -> None:
        late = pool(remaining=Hourglass(0.0))

        with pytest.raises(Unavailable), late.sweep():
            pass

    def test_nothing_is_committed_that_was_given_up(self, pool: Pool, world: World) -> None:
        account = world.new_account()

        late = f"UPDATE account SET company = 'late' WHERE id = {account}"

        with pytest.raises(Unavailable):
            run(pool(remaining=Hourglass(1.0)), late, "SELECT pg_sleep(0.9)", "SELECT pg_sleep(9)")

        with pool().sweep() as connection:
            found = connection.execute(
                text("SELECT company FROM account WHERE id = :id"), {"id": account}
            )
            assert found.scalar() != "late"
