"""How PostgreSQL finds whom a store removed or erased, beside what all stores ever did."""

from collections.abc import Callable, Iterator
from typing import Any, Final

import psycopg
import pytest

from adapters_db.contacts import suppressions
from adapters_db.messages.batches import batches
from adapters_db.operations.migrate import upgrade
from retail_core.contacts.model.number_hash import HASH_BYTES
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import AccountId

_STAGE: Final = """
INSERT INTO account (id, email)
SELECT id, 'shop' || id || '@example.com' FROM generate_series(2, 501) id;
INSERT INTO consent_subject (account_id, contact_id, phone_hash, deleted_at)
SELECT 2 + n % 500, n, decode(lpad(to_hex(n), 64, '0'), 'hex'), now() - n * interval '3 seconds'
FROM generate_series(1, 60000) n ORDER BY md5(n::text);
INSERT INTO suppression (account_id, phone_hash, reason, created_at)
SELECT account_id, phone_hash, 'erasure', deleted_at FROM consent_subject;
"""
PARAMETERS: Final = {"account": 2, "campaign": 1}


@pytest.fixture(scope="module")
def database(new_database: Callable[[], str]) -> Iterator["psycopg.Connection[tuple[Any, ...]]"]:
    url = new_database()
    upgrade(url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_STAGE.encode())
        connection.execute("VACUUM ANALYZE")
        connection.execute("SET ROLE retail_sweep")
        yield connection


def explained(database: "psycopg.Connection[tuple[Any, ...]]", statement: str) -> str:
    since = "now() - interval '1 day'"
    explain = f"EXPLAIN {statement}".replace("%(since)s", since).encode()
    return "\n".join(row[0] for row in database.execute(explain, PARAMETERS))


def test_departures_of_late_are_found_by_their_index(
    database: "psycopg.Connection[tuple[Any, ...]]",
) -> None:
    plan = explained(database, batches._HAS_DEPARTED)

    assert "consent_subject_account_id_deleted_at_idx" in plan


def test_recipients_are_looked_up_in_a_hash_of_the_departed(
    database: "psycopg.Connection[tuple[Any, ...]]",
) -> None:
    plan = explained(database, batches._DEPARTED)

    assert "hashed SubPlan" in plan
    assert "consent_subject_account_id_deleted_at_idx" in plan


def test_erased_numbers_are_looked_for_among_the_stores_own(
    database: "psycopg.Connection[tuple[Any, ...]]",
) -> None:
    hashes = {PhoneNumber(f"+30698{no:07d}"): bytes(HASH_BYTES) for no in range(5_000)}
    asked = suppressions.given(AccountId(2), hashes)

    rows = database.execute(f"EXPLAIN {suppressions._FIND_ERASED}".encode(), asked)
    plan = "\n".join(row[0] for row in rows)

    assert "suppression_account_id_" in plan
    assert "Seq Scan on suppression" not in plan
