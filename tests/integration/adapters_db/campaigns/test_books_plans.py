"""How PostgreSQL reads the books of one account, on tables large enough to have a choice."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

import psycopg
import pytest
from sqlalchemy import TextClause

from adapters_db.campaigns import books
from adapters_db.campaigns.recount import OF_ONE
from adapters_db.operations.migrate import upgrade

ACCOUNTS: Final = 2_000
TRANSFERS: Final = 40_000
MESSAGES: Final = 40_000
NOW: Final = datetime(2026, 11, 24, 12, tzinfo=UTC)

_STAGE: Final = f"""
INSERT INTO account (id, email)
SELECT id, 'shop' || id || '@example.com' FROM generate_series(2, {ACCOUNTS}) id;
INSERT INTO wallet (account_id) SELECT id FROM account;
INSERT INTO campaign (id, account_id, name, message_text, include_offer, state, created_at,
                      started_at, updated_at, first_number, plan)
SELECT id, 2 + id % 1000, 'Sale', 'Hello', false, 'completed', '2026-01-01', '2026-01-01',
       '2026-01-01', id * 100, '{{}}'
FROM generate_series(1, 4000) id;
SELECT ensure_message_partition(id) FROM campaign;
INSERT INTO send_batch (campaign_id, no, account_id, size, first_seq, last_seq, turn, state, ref)
SELECT id, no, 2 + id % 1000, 2, no * 2, no * 2 + 1, no, 'settled', gen_random_uuid()
FROM generate_series(1, 4000) id, generate_series(0, 4) no;
INSERT INTO message (campaign_id, seq, account_id, contact_id, phone, state, encoding, parts,
                     credits, updated_at)
SELECT 1 + n % 4000, n / 4000, 2 + (1 + n % 4000) % 1000, n, 306900000000 + n, 3, 0, 1, 1, now()
FROM generate_series(0, {MESSAGES - 1}) n;
INSERT INTO credit_transfer (account_id, key, kind, debit, credit, amount, campaign_id,
                             balance_after)
SELECT 2 + n % 1000, 'hold:' || n, 'hold', 'available', 'held', 1, 1 + n % 4000, 0
FROM generate_series(1, {TRANSFERS}) n;
INSERT INTO message_doubt (campaign_id, seq, account_id, since, credits)
SELECT 1 + n % 4000, n / 4000, 2 + n % 1000, now(), 1 FROM generate_series(0, 19999) n;
INSERT INTO single_message (number, account_id, kind, occasion, reason, sender, encoding, parts,
                            credits, holds, state, created_at, updated_at)
SELECT n, 2 + n % 1000, 'test', 'test:' || n, 'sms:test', 'Shop', 0, 1, 1, n % 500 = 0,
       CASE WHEN n % 500 = 0 THEN 0 ELSE 5 END, now(), now()
FROM generate_series(1, 40000) n;
INSERT INTO ledger_check (account_id, through_id, available, held, debt, checked_at, whole_at)
SELECT id, 1000000, 0, 0, 0, now(), now() FROM account;
"""
STATEMENTS: Final[dict[str, tuple[TextClause, dict[str, Any]]]] = {
    "an account": (books.TRANSFERS, {"account": 7, "after": 39_000, "transfers_max": 50_000}),
    "its holds": (books.HELD, {"account": 7}),
    "its campaigns": (books.CHANGED, {"account": 7, "since": NOW, "started_since": NOW}),
    "one campaign": (OF_ONE, {"campaign": 7, "mismatches_max": 1}),
}


@pytest.fixture(scope="module")
def database(new_database: Callable[[], str]) -> Iterator["psycopg.Connection[tuple[Any, ...]]"]:
    """Thousands of accounts with a history."""
    url = new_database()
    upgrade(url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_STAGE.encode())
        connection.execute("VACUUM ANALYZE")
        connection.execute("SET ROLE retail_sweep")
        yield connection


def plan_of(
    database: "psycopg.Connection[tuple[Any, ...]]", statement: TextClause, values: dict[str, Any]
) -> str:
    plain = re.sub(r"(?<!:):([a-z_]+)", r"%(\1)s", statement.text)
    rows = database.execute(f"EXPLAIN {plain}".encode(), values)
    return "\n".join(row[0] for row in rows)


@pytest.mark.parametrize("name", STATEMENTS)
def test_what_belongs_to_one_is_found_by_indexes_alone(
    database: "psycopg.Connection[tuple[Any, ...]]", name: str
) -> None:
    plan = plan_of(database, *STATEMENTS[name])

    assert "Seq Scan" not in plan, plan


def test_transfers_and_campaigns_of_an_idle_account_are_found_by_indexes(
    database: "psycopg.Connection[tuple[Any, ...]]",
) -> None:
    values = {"after": 0, "whole_before": NOW, "clocks_differ": books.CLOCKS_DIFFER}

    plan = plan_of(database, books.DUE, {**values, "accounts_max": 200})

    for table in ("credit_transfer", "campaign", "message"):
        assert f"Seq Scan on {table}" not in plan, plan
