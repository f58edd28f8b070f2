"""Old personal data goes, piece by piece, and everything else stays."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from adapters_db.campaigns.recount import SqlCampaignAudit
from adapters_db.connection.connections import Connections
from adapters_db.connection.reads import Reads
from adapters_db.operations import pruning
from adapters_db.operations.pruning import SqlPruning
from adapters_db.operations.retention import KINDS
from retail_core.testing.kernel.clock import FixedClock
from tests.integration.adapters_db.large_shop import stage
from tests.own_database import own_connections
from workers.jobs.cleaning import CleanUp, Lives

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = timedelta(days=1)
PEOPLE = """
INSERT INTO account (id, email)
SELECT id, 'shop' || id || '@example.com' FROM generate_series(2, 10) id;
INSERT INTO contact (id, account_id, phone, country, line_type, is_subscribed, search_text, tags,
                     created_at, updated_at)
SELECT n, 2, 306900000000 + n, 'GR', 1, false, '', '{}', now(), now()
FROM generate_series(1, 4) n;
INSERT INTO consent_event (account_id, contact_id, type, source, occurred_at)
VALUES (2, 1, 'granted', 'manual', %(now)s - interval '2000 days'),
       (2, 1, 'withdrawn', 'manual', %(now)s - interval '1826 days'),
       (2, 2, 'withdrawn', 'manual', %(now)s - interval '1900 days'),
       (2, 2, 'granted', 'manual', %(now)s - interval '1899 days'),
       (2, 3, 'granted', 'manual', %(now)s - interval '2000 days'),
       (2, 3, 'withdrawn', 'manual', %(now)s - interval '1824 days'),
       (2, 8, 'granted', 'manual', %(now)s - interval '3000 days'),
       (2, 9, 'granted', 'manual', %(now)s - interval '3000 days'),
       (2, 4, 'withdrawn', 'manual', %(now)s - interval '1900 days'),
       (2, 4, 'requested', 'nfc', %(now)s - interval '1850 days'),
       (2, 5, 'withdrawn', 'manual', %(now)s - interval '1900 days'),
       (2, 5, 'requested', 'nfc', %(now)s - interval '1 day');
INSERT INTO consent_subject (account_id, contact_id, phone_hash, deleted_at)
VALUES (2, 8, decode(repeat('08', 32), 'hex'), %(now)s - interval '1826 days'),
       (2, 9, decode(repeat('09', 32), 'hex'), %(now)s - interval '1824 days');
INSERT INTO report_inbox (raw, arrived_at, applied_at)
VALUES ('a', %(now)s - interval '91 days', %(now)s),
       ('b', %(now)s - interval '91 days', NULL),
       ('c', %(now)s - interval '89 days', %(now)s);
INSERT INTO inbound_text (raw, arrived_at, applied_at)
VALUES ('a', %(now)s - interval '91 days', %(now)s),
       ('b', %(now)s - interval '91 days', NULL),
       ('c', %(now)s - interval '89 days', %(now)s);
INSERT INTO inbound_scope (account_id, inbound_id) SELECT 2, id FROM inbound_text;
INSERT INTO import_job (id, account_id, status, file_name, kind, encoding, size_bytes, region, mode,
                        dry_run, tags, consent_source, position, total, created, updated, skipped,
                        faults, starts, created_at, touched_at, finished_at)
SELECT days, 2, 'completed', 'x.csv', 'csv', 'utf-8-sig', 1, 'GR', 'skip', false, '{}', 'x',
       0, 0, 0, 0, 0, 0, 0, %(now)s, %(now)s, %(now)s - days * interval '1 day'
FROM unnest(ARRAY[0, 2, 91]) days;
INSERT INTO import_chunk (account_id, import_id, no, data)
SELECT 2, id, no, 'x' FROM import_job, generate_series(0, 2) no;
INSERT INTO import_row (account_id, import_id, phone, row_no, applied_at)
SELECT 2, id, 306900000001, 1, %(now)s FROM import_job;
INSERT INTO import_fault (account_id, import_id, row_no, field, code, message, value)
SELECT 2, id, 1, 'phone', 'X', 'x', 'x' FROM import_job;
"""


@pytest.fixture
def connections(
    new_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Connections]:
    """Steps so small that everything takes several."""
    monkeypatch.setattr(pruning, "ROWS_PER_TRANSACTION_MAX", 900)
    with own_connections(new_database) as made:
        yield made


def told(connections: Connections, statement: str) -> list[Any]:
    with psycopg.connect(connections.settings.url, autocommit=True) as connection:
        return [row[0] for row in connection.execute(statement.encode()).fetchall()]


def cleaned(connections: Connections, *, dry_run: bool = False) -> dict[str, int]:
    clean_up = CleanUp(SqlPruning(connections), FixedClock(NOW), Lives(DAY))
    counts = clean_up(dry_run=dry_run)
    return {name: counts[name] for name in (pruning.MESSAGE_TEXTS, *KINDS)}


def test_what_is_old_goes_once_and_the_rest_stays(connections: Connections) -> None:
    with psycopg.connect(connections.settings.url, autocommit=True) as connection:
        for statement in PEOPLE.split(";\n")[:-1]:
            connection.execute(statement.encode(), {"now": NOW})
    expected = {
        "message_texts": 0,
        "single_message_texts": 0,
        "raw_reports": 1,
        "inbound_texts": 1,
        "parked_reports": 0,
        "import_files": 6,
        "imports": 1,
        "consents": 5,
    }

    assert cleaned(connections, dry_run=True) == expected
    assert cleaned(connections) == expected
    assert set(cleaned(connections).values()) == {0}

    assert told(connections, "SELECT raw FROM report_inbox ORDER BY id") == [b"b", b"c"]
    assert told(connections, "SELECT raw FROM inbound_text ORDER BY id") == [b"b", b"c"]
    assert told(connections, "SELECT count(*) FROM inbound_scope") == [2]
    assert told(connections, "SELECT id FROM import_job ORDER BY id") == [0, 2]
    assert told(connections, "SELECT DISTINCT import_id FROM import_chunk") == [0]
    for table in ("import_row", "import_fault"):
        assert sorted(told(connections, f"SELECT import_id FROM {table}")) == [0, 2]
    kept = "SELECT contact_id FROM consent_event ORDER BY id"
    assert told(connections, kept) == [2, 2, 3, 3, 9, 5, 5]
    assert told(connections, "SELECT contact_id FROM consent_subject") == [9]


def test_numbers_and_names_of_old_messages_go_and_their_rows_stay(
    connections: Connections,
) -> None:
    with psycopg.connect(connections.settings.url, autocommit=True) as connection:
        connection.execute(PEOPLE.split(";\n", maxsplit=1)[0].encode())
        connection.execute(stage(messages=3_000, singles=2_000, batch=1_000).encode())
        connection.execute("UPDATE campaign SET finished_at = %s WHERE id = 7", (NOW - 401 * DAY,))
        connection.execute("UPDATE message SET first_name = 'Ana', error = 'x'")
        connection.execute(
            "UPDATE single_message SET created_at = %s WHERE number %% 2 = 0", (NOW - 401 * DAY,)
        )
    reads = Reads(connections)
    before = SqlCampaignAudit(reads).mismatches_across_accounts(10)

    counted = cleaned(connections, dry_run=True)
    removed = cleaned(connections)

    assert counted == removed
    assert (removed["message_texts"], removed["single_message_texts"]) == (3_000, 1_000)
    assert set(cleaned(connections).values()) == {0}
    rows = "SELECT count(*) FROM message WHERE num_nonnulls(phone, first_name, error) {} 0"
    assert told(connections, rows.format("=")) == [3_000]
    assert told(connections, "SELECT count(*) FROM message_doubt WHERE phone IS NULL") == [3]
    assert told(connections, "SELECT count(*) FROM single_message WHERE text IS NULL") == [1_000]
    done = "SELECT id FROM campaign WHERE texts_removed_at IS NOT NULL"
    assert told(connections, done) == [7]
    waiting = "SELECT count(*) FROM send_batch WHERE phones IS NOT NULL"
    assert told(connections, waiting) == [3]
    assert SqlCampaignAudit(reads).mismatches_across_accounts(10) == before


def test_nobody_removes_a_fact_of_consent_who_does_not_prune(connections: Connections) -> None:
    with psycopg.connect(connections.settings.url, autocommit=True) as connection:
        for statement in PEOPLE.split(";\n")[:3]:
            connection.execute(statement.encode(), {"now": NOW})
        connection.execute("SET ROLE retail_sweep")
        with pytest.raises(psycopg.errors.RestrictViolation):
            connection.execute("DELETE FROM consent_event")


def test_what_is_removed_is_passed_once_however_much_there_is(connections: Connections) -> None:
    """No step begins at the first row again: what is gone lies there until it is vacuumed."""
    with psycopg.connect(connections.settings.url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO report_inbox (raw, arrived_at, applied_at) SELECT 'x', %(old)s, "
            "CASE WHEN no %% 10 > 0 THEN %(old)s::timestamptz END FROM generate_series(1, 5000) no",
            {"old": NOW - 91 * DAY},
        )
        connection.execute(
            "INSERT INTO report_inbox (raw, arrived_at, applied_at) VALUES ('y', %(now)s, %(now)s)",
            {"now": NOW},
        )
        connection.execute(
            "INSERT INTO report_parked (state, word, parked_at) SELECT 5, 'd', %(old)s"
            " FROM generate_series(1, 2000)",
            {"old": NOW - 91 * DAY},
        )
        connection.execute(
            "INSERT INTO status_look_up SELECT 1, no, 2, %(old)s FROM generate_series(1, 2000) no",
            {"old": NOW - 91 * DAY},
        )
    removed = CleanUp(SqlPruning(connections), FixedClock(NOW), Lives(DAY))()

    assert removed["raw_reports"] == 4_500
    assert (removed["parked_reports"], removed["status_look_ups"]) == (2_000, 2_000)
    assert told(connections, "SELECT count(*) FROM report_inbox WHERE applied_at IS NULL") == [500]
    assert told(connections, "SELECT count(*) FROM report_inbox WHERE raw = 'y'") == [1]


def test_many_small_campaigns_are_emptied_together_and_a_large_one_in_pieces(
    connections: Connections,
) -> None:
    with psycopg.connect(connections.settings.url, autocommit=True) as connection:
        connection.execute(PEOPLE.split(";\n", maxsplit=1)[0].encode())
        for campaign in range(1, 41):
            rows = 2_500 if campaign == 20 else 50
            values = {"id": campaign, "rows": rows, "at": NOW - (500 - campaign) * DAY}
            connection.execute(
                "INSERT INTO campaign (id, account_id, name, message_text, include_offer, state,"
                " finished_at, created_at, updated_at, total) VALUES (%(id)s, 2, 'x', 'x', false,"
                " 'completed', %(at)s, %(at)s, %(at)s, %(rows)s)",
                values,
            )
            connection.execute(
                "INSERT INTO message (campaign_id, seq, account_id, phone, state, encoding, parts,"
                " credits, updated_at) SELECT %(id)s, no, 2, 306900000000, 3, 0, 1, 1, %(at)s"
                " FROM generate_series(0, %(rows)s - 1) no",
                values,
            )
    removed = cleaned(connections)

    assert removed["message_texts"] == 39 * 50 + 2_500
    assert told(connections, "SELECT count(*) FROM campaign WHERE texts_removed_at IS NULL") == [0]
    assert cleaned(connections)["message_texts"] == 0


def test_facts_of_many_who_left_at_one_moment_go_and_those_who_came_back_hold_nothing_up(
    connections: Connections,
) -> None:
    """More than a step has; and people deleted at one moment, of whom half have no facts."""
    with psycopg.connect(connections.settings.url, autocommit=True) as connection:
        connection.execute(PEOPLE.split(";\n", maxsplit=1)[0].encode())
        connection.execute("SET session_replication_role = replica")
        connection.execute(
            "INSERT INTO consent_event (account_id, contact_id, type, source, occurred_at)"
            " SELECT 2, no, 'withdrawn', 'manual', %(old)s FROM generate_series(1, 1000) no"
            " UNION ALL SELECT 2, no, 'granted', 'manual', %(old)s FROM generate_series(1, 500) no"
            " UNION ALL SELECT 2, no, 'granted', 'manual', %(old)s"
            " FROM generate_series(2001, 2500) no",
            {"old": NOW - 1826 * DAY},
        )
        connection.execute(
            "INSERT INTO consent_subject (account_id, contact_id, phone_hash, deleted_at)"
            " SELECT 2, no, sha256(no::text::bytea), %(old)s FROM generate_series(1501, 2500) no",
            {"old": NOW - 1826 * DAY},
        )

    assert cleaned(connections, dry_run=True)["consents"] == 1_000
    assert cleaned(connections)["consents"] == 1_000

    kept = "SELECT DISTINCT contact_id <= 500 FROM consent_event"
    assert told(connections, kept) == [True]
    assert told(connections, "SELECT count(*) FROM consent_event") == [1_000]
    assert told(connections, "SELECT count(*) FROM consent_subject") == [0]
