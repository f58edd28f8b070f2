"""How PostgreSQL takes texts and reads where people stand, on tables with a choice."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import psycopg
import pytest

from adapters_db.connection.plans import BY_INDEX
from adapters_db.engagement import inbound, standings
from adapters_db.operations.migrate import upgrade

_STAGE: Final = """
INSERT INTO account (id, email)
SELECT id, 'shop' || id || '@example.com' FROM generate_series(2, 2000) id;
INSERT INTO inbound_text (raw, arrived_at, applied_at, phone, fingerprint, is_nobodys)
SELECT 'x', now(), now(), 306900000000 + n % 5000, 'x', n % 100 = 0
FROM generate_series(1, 40000) n;
INSERT INTO inbound_text (raw, arrived_at, sender_end, urgency)
SELECT 'x', now(), n % 5000, (n % 10 <> 0)::int FROM generate_series(1, 20000) n;
WITH person AS (
INSERT INTO contact (account_id, phone, country, line_type, is_subscribed, search_text, tags,
                     created_at, updated_at)
SELECT 2 + n % 100, 306900000000 + n, 'GR', 1, true, '', '{}', now(), now()
FROM generate_series(1, 20000) n
RETURNING account_id, id
)
INSERT INTO consent_event (account_id, contact_id, type, source, occurred_at)
SELECT account_id, id, 'granted', 'manual', now() FROM person;
INSERT INTO suppression (account_id, phone, reason, created_at)
SELECT account_id, phone, 'stop', now() FROM contact WHERE id % 2 = 0;
"""
PEOPLE: Final = {
    "accounts": [2 + n % 100 for n in range(100)],
    "phones": [306900000000 + n for n in range(100)],
    "hashes": [bytes(32)] * 100,
    "contacts": list(range(100)),
}
NEXT: Final = {"texts": 100, "now": "2026-01-01", "ends": [5, 6], "urgencies": [0, 1]}
EARLIER: Final = {"phones": PEOPLE["phones"], "names": ["x"], "since": "2020-01-01"}


@pytest.fixture(scope="module")
def database(new_database: Callable[[], str]) -> Iterator["psycopg.Connection[tuple[Any, ...]]"]:
    """Many texts, of which a third waits, from people of many stores."""
    url = new_database()
    upgrade(url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_STAGE.encode())
        connection.execute("VACUUM ANALYZE")
        connection.execute("SET ROLE retail_sweep")
        yield connection


@pytest.mark.parametrize(
    ("statement", "parameters", "indexes"),
    [
        (inbound._TURNS, NEXT, ["inbound_text_turn_idx", "inbound_text_put_off_idx"]),
        (inbound._OF_NUMBERS, NEXT, ["inbound_text_sender_idx", "inbound_text_put_off_idx"]),
        (inbound._EARLIER, EARLIER, ["inbound_text_phone_idx"]),
        (inbound._COUNTRIES, {}, ["account_default_country_idx"]),
        (standings._CONTACTS, PEOPLE, ["Index Cond: "]),
        (standings._LIFT, PEOPLE, ["suppression_account_id_phone_reason_key"]),
        (
            standings._FACTS,
            PEOPLE,
            [
                "suppression_account_id_phone_reason_key",
                "suppression_account_id_phone_hash_key",
                "consent_event_account_id_contact_id_id_idx",
            ],
        ),
    ],
)
def test_a_set_is_found_by_indexes_alone(
    database: "psycopg.Connection[tuple[Any, ...]]",
    statement: str,
    parameters: Mapping[str, Any],
    indexes: list[str],
) -> None:
    with database.transaction(force_rollback=True):
        database.execute(BY_INDEX)
        rows = database.execute(b"EXPLAIN " + statement.encode(), parameters)
        plan = "\n".join(row[0] for row in rows)

    assert "Seq Scan" not in plan
    for index in indexes:
        assert index in plan
