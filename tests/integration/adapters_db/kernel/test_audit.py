"""The database itself keeps the audit log as it was written."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from adapters_db.connection.connections import Connections
from adapters_db.operations.pruning import SqlPruning
from retail_core.kernel.ids import AccountId
from tests.contracts.kernel.audit import granted, record, written
from tests.contracts.worlds import sql_world
from workers.jobs.cleaning import AUDIT_LIFE

OLD = (
    "INSERT INTO audit_entry (at, account_id, agent, action, kind, details) "
    "VALUES (now() - interval '{} days', {}, 'system', 'exported', 'contacts', '{{}}')"
)


@pytest.fixture
def account(connections: Connections) -> AccountId:
    """A shop with an entry."""
    world = sql_world(connections)
    account = world.new_account()
    record(world, granted(account))
    return account


@pytest.mark.parametrize("role", ["retail_bound", "retail_sweep", None])
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit_entry SET agent = 'system'",
        "UPDATE audit_entry SET at = now() - interval '3 years'",
        "DELETE FROM audit_entry",
        "TRUNCATE audit_entry",
    ],
)
def test_nobody_changes_or_removes_an_entry_not_even_the_owner_of_the_table(
    migrated_database_url: str,
    account: AccountId,
    change: str,
    role: str | None,
) -> None:
    assert account
    with psycopg.connect(migrated_database_url) as connection:
        if role is not None:
            connection.execute(f"SET LOCAL ROLE {role}")
            connection.execute(f"SET LOCAL retail.account = '{account:d}'")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(change.encode())
        connection.rollback()


def test_only_age_removes_an_entry(
    connections: Connections, migrated_database_url: str, account: AccountId
) -> None:
    days = AUDIT_LIFE // timedelta(days=1)
    with psycopg.connect(migrated_database_url) as connection:
        for age in (days - 2, days):
            connection.execute(OLD.format(age, account).encode())
    hour = timedelta(hours=1)

    SqlPruning(connections).remove_older("audit_entries", datetime.now(UTC) - AUDIT_LIFE + hour)

    world = sql_world(connections)
    assert len(written(world, account)) == 2
    with pytest.raises(DBAPIError):
        SqlPruning(connections).remove_older("audit_entries", datetime.now(UTC) + hour)
    assert len(written(world, account)) == 2
