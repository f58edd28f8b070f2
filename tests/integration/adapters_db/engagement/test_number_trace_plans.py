"""How PostgreSQL looks for the stores that wrote to numbers, on tables with a choice."""

import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import psycopg
import pytest

from adapters_db.connection.plans import BY_INDEX
from adapters_db.contacts.suppressions import given
from adapters_db.engagement import number_traces
from adapters_db.operations.migrate import upgrade
from retail_core.contacts.model.number_hash import HASH_BYTES
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import AccountId
from retail_core.messages.model import MessageState

STORES: Final = 5_000
PEOPLE: Final = 40_000
PHONE: Final = 306900000007
SECONDS_MAX: Final = 0.5
BATCH_ROWS: Final = 5_000

_STAGE: Final = f"""
INSERT INTO account (id, email)
SELECT id, 'shop' || id || '@example.com' FROM generate_series(2, {STORES}) id;
WITH person AS (
INSERT INTO contact (id, account_id, phone, country, line_type, is_subscribed, search_text, tags,
                     created_at, updated_at)
SELECT n, 2 + n % 10, 306900000000 + n / 10, 'GR', 1, true, '', '{{}}', now(), now()
FROM generate_series(1, {PEOPLE}) n
RETURNING account_id, id, is_subscribed
)
INSERT INTO consent_event (account_id, contact_id, type, source, occurred_at)
SELECT account_id, id, 'granted', 'manual', now() FROM person WHERE is_subscribed;
INSERT INTO campaign (id, account_id, name, message_text, include_offer, created_at, updated_at)
SELECT id, 2 + id % 10, 'Sale', 'Hello', false, now(), now()
FROM generate_series(1, 10) id;
SELECT ensure_message_partition(1);
INSERT INTO message (campaign_id, seq, account_id, contact_id, phone, state, encoding, parts,
                     credits, sent_at, updated_at)
SELECT 1 + (n + 9) % 10, n, 2 + n % 10, n, 306900000000 + n / 10, {MessageState.SENT:d}, 0, 1, 1,
       now(), now()
FROM generate_series(1, {PEOPLE}) n;
INSERT INTO single_message (number, account_id, kind, occasion, reason, phone, sender, text,
                            encoding, parts, credits, holds, state, created_at, submitted_at,
                            updated_at)
SELECT n, 2, 'test', 'test:' || n, 'sms:test', 306800000000 + n, 'Shop', 'x', 0, 1, 1, false,
       {MessageState.SENT:d}, now(), now(), now()
FROM generate_series(1, {PEOPLE}) n;
INSERT INTO number_trace (account_id, phone_hash, at, sender)
SELECT 2, decode(lpad(to_hex(n), 64, '0'), 'hex'), now(), 'Shop'
FROM generate_series(1, {PEOPLE}) n;
"""


@pytest.fixture(scope="module")
def database(new_database: Callable[[], str]) -> Iterator["psycopg.Connection[tuple[Any, ...]]"]:
    """Thousands of stores, ten of which wrote to the same people."""
    url = new_database()
    upgrade(url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_STAGE.encode())
        connection.execute("VACUUM ANALYZE")
        connection.execute("SET ROLE retail_sweep")
        yield connection


PARAMETERS: Final = {
    "phones": [PHONE],
    "hashes": [bytes(32)],
    "since": "2000-01-01",
    "first_campaign": 0,
}


def test_a_number_leads_to_its_stores_by_indexes_alone(
    database: "psycopg.Connection[tuple[Any, ...]]",
) -> None:
    with database.transaction(force_rollback=True):
        database.execute(BY_INDEX)
        rows = database.execute(b"EXPLAIN " + number_traces._FIND.encode(), PARAMETERS)
        plan = "\n".join(row[0] for row in rows)

    for table in ("contact", "message", "single_message", "number_trace", "send_batch"):
        assert f"Seq Scan on {table}" not in plan
    for index in (
        "contact_phone_idx",
        "single_message_phone_idx",
        "number_trace_phone_hash_idx",
    ):
        assert index in plan


def test_a_batch_of_an_import_is_recognised_by_indexes_and_in_a_moment(
    database: "psycopg.Connection[tuple[Any, ...]]",
) -> None:
    hashes = {
        PhoneNumber(f"+{306900000000 + no}"): no.to_bytes(HASH_BYTES, "big")
        for no in range(BATCH_ROWS)
    }
    asked = given(AccountId(2), hashes)
    with database.transaction(force_rollback=True):
        database.execute(BY_INDEX)
        rows = database.execute(b"EXPLAIN " + number_traces._RECOGNISE.encode(), asked)
        plan = "\n".join(row[0] for row in rows)
        began = time.perf_counter()
        database.execute(number_traces._RECOGNISE.encode(), asked)
        span = time.perf_counter() - began

    print(f"{BATCH_ROWS} numbers recognised: {span * 1000:.1f} ms")  # noqa: T201 - shown with -s
    assert "Seq Scan on contact" not in plan
    assert "Seq Scan on number_trace" not in plan
    assert span < SECONDS_MAX


def test_thousands_of_stores_are_asked_in_a_moment(
    database: "psycopg.Connection[tuple[Any, ...]]",
) -> None:
    spans, found = [], []
    for _ in range(5):
        with database.transaction(force_rollback=True):
            database.execute(BY_INDEX)
            began = time.perf_counter()
            found = database.execute(number_traces._FIND.encode(), PARAMETERS).fetchall()
            spans.append(time.perf_counter() - began)

    print(f"{STORES} stores: {min(spans) * 1000:.1f} ms")  # noqa: T201 - shown with -s
    assert len(found) == 10
    assert min(spans) < SECONDS_MAX
