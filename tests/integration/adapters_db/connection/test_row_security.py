"""The database itself keeps shops apart, even from a statement that is wrong."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from adapters_db.connection.connections import Connections
from adapters_db.connection.reads import Reads
from retail_core.kernel.ids import AccountId
from tests.contracts.worlds import World

UNGUARDED = frozenset({"alembic_version"})
"""Tables without a policy: neither role may touch them."""


@pytest.fixture
def shops(world: World) -> tuple[AccountId, AccountId]:
    """Two shops with credits."""
    accounts = (world.new_account(), world.new_account())
    for account in accounts:
        with world.transactions.begin(account) as uow:
            uow.credits.grant(account, "gift", 5, "test")
    return accounts


Shops = tuple[AccountId, AccountId]


def test_a_wrong_where_still_sees_only_the_bound_account(
    connections: Connections, shops: Shops
) -> None:
    mine, theirs = shops
    with connections.bound(mine) as connection:
        seen = connection.execute(text("SELECT account_id FROM wallet")).scalars().all()
        foreign = connection.execute(
            text("SELECT count(*) FROM wallet WHERE account_id = :theirs"), {"theirs": theirs}
        ).scalar_one()

    assert (list(seen), foreign) == ([mine], 0)


def test_a_wrong_where_changes_nothing_of_others(connections: Connections, shops: Shops) -> None:
    mine, theirs = shops
    with connections.bound(mine) as connection:
        connection.execute(text("UPDATE wallet SET updated_at = 'epoch'"))

    with connections.bound(theirs) as connection:
        changed = text("SELECT count(*) FROM wallet WHERE updated_at = 'epoch'")
        assert connection.execute(changed).scalar_one() == 0


def test_a_row_cannot_be_written_for_another_account(
    connections: Connections, shops: Shops
) -> None:
    mine, theirs = shops
    insert = text(
        "INSERT INTO idempotency_key (account_id, key, fingerprint, effect) "
        "VALUES (:theirs, 'k', '', 1)"
    )

    with (
        pytest.raises(ProgrammingError, match="row-level security"),
        connections.bound(mine) as connection,
    ):
        connection.execute(insert, {"theirs": theirs})


def test_a_statement_outside_of_a_transaction_of_ours_sees_nothing(
    connections: Connections, shops: Shops
) -> None:
    assert shops
    with connections.engine.connect() as connection:
        for table in ("account", "wallet", "credit_transfer", "idempotency_key"):
            rows = connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
            assert (table, rows) == (table, 0)


def test_role_and_account_end_with_their_transaction(
    connections: Connections, shops: Shops
) -> None:
    with connections.bound(shops[0]) as connection:
        connection.execute(text("SELECT 1"))

    with connections.engine.connect() as connection:
        rows = connection.execute(text("SELECT count(*) FROM wallet")).scalar_one()
    assert rows == 0


def test_a_sweep_sees_all(connections: Connections, shops: Shops) -> None:
    with connections.sweep() as connection:
        seen = set(connection.execute(text("SELECT account_id FROM wallet")).scalars())

    assert set(shops) <= seen


def test_a_read_cannot_write(connections: Connections, shops: Shops) -> None:
    with (
        pytest.raises(Exception, match="read-only transaction"),
        Reads(connections).account(shops[0]) as connection,
    ):
        connection.execute(text("UPDATE wallet SET available = 0"))


@pytest.mark.parametrize(
    "statement", ["UPDATE credit_transfer SET amount = 1", "DELETE FROM credit_transfer"]
)
def test_the_ledger_can_only_be_added_to(
    connections: Connections, shops: Shops, statement: str
) -> None:
    for transaction in (connections.bound(shops[0]), connections.sweep()):
        with (
            pytest.raises(ProgrammingError, match="permission denied"),
            transaction as connection,
        ):
            connection.execute(text(statement))


def test_every_table_is_guarded(connections: Connections) -> None:
    with connections.sweep() as connection:
        open_tables = connection.execute(
            text(
                "SELECT relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace "
                "WHERE nspname = 'public' AND relkind IN ('r', 'p') AND NOT relrowsecurity "
                "AND (has_table_privilege('retail_bound', pg_class.oid, 'SELECT') "
                "  OR has_table_privilege('retail_sweep', pg_class.oid, 'SELECT')) "
                "AND NOT relispartition ORDER BY relname"
            )
        ).scalars()

        assert set(open_tables) - UNGUARDED == set()


def test_no_role_may_touch_the_version_of_the_schema(connections: Connections) -> None:
    with (
        pytest.raises(ProgrammingError, match="permission denied"),
        connections.sweep() as connection,
    ):
        connection.execute(text("SELECT version_num FROM alembic_version"))
