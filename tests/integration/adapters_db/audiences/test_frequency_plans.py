"""How PostgreSQL counts messages for a frequency cap, on tables large enough to have a choice."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, Final

import psycopg
import pytest
from sqlalchemy import create_engine

from adapters_db.audiences import frequency_cap
from adapters_db.audiences.facts import FINISH_SLACK
from adapters_db.messages.batches import splitting as batch_splitting
from adapters_db.operations.migrate import upgrade
from retail_core.audiences.model import CapWindow
from retail_core.kernel.ids import AccountId
from retail_core.testing.kernel.clock import NOON

CAMPAIGNS: Final = 40
MESSAGES: Final = 2_000
BATCH: Final = 500
SINGLES: Final = 20_000
CAP: Final = CapWindow(1, NOON - timedelta(days=7))

_STAGE: Final = f"""
INSERT INTO campaign (id, account_id, name, message_text, include_offer, created_at, updated_at,
                      started_at, finished_at, first_number, plan)
SELECT id, 1, 'Sale', 'Hello', false, now(), now(),
       timestamptz '{NOON}' - id * interval '10 days',
       timestamptz '{NOON}' - id * interval '10 days', id * {MESSAGES}, '{{}}'
FROM generate_series(1, {CAMPAIGNS}) id;
SELECT ensure_message_partition(id) FROM campaign;
INSERT INTO message (campaign_id, seq, account_id, contact_id, phone, state, encoding, parts,
                     credits, sent_at, updated_at)
SELECT c, seq, 1, seq, 306900000000 + seq, 3, 0, 1, 1,
       timestamptz '{NOON}' - c * interval '10 days', now()
FROM generate_series(0, {MESSAGES - 1}) seq, generate_series(1, {CAMPAIGNS}) c;
INSERT INTO send_batch (campaign_id, no, account_id, size, first_seq, last_seq, turn, state, ref)
SELECT c, no, 1, {BATCH}, no * {BATCH}, (no + 1) * {BATCH} - 1, no, 'settled', gen_random_uuid()
FROM generate_series(1, {CAMPAIGNS}) c, generate_series(0, 99) no;
INSERT INTO send_batch (campaign_id, no, account_id, size, first_seq, last_seq, turn, state, seqs,
                        contact_ids, phones, credits_per_part)
SELECT 1, 100, 1, {BATCH}, 0, {BATCH - 1}, 1, 'queued', array_agg(n), array_agg(n),
       array_agg(306900000000 + n), array_agg(1::smallint)
FROM generate_series(0, {BATCH - 1}) n;
INSERT INTO single_message (number, account_id, contact_id, kind, occasion, reason, phone, sender,
                            text, encoding, parts, credits, holds, state, created_at, submitted_at,
                            sent_at, updated_at)
SELECT 900000 + n, 1, n, 'automation', 'a-' || n, 'birthday', 306900000000 + n, 'Shop', 'Hello', 0,
       1, 1, false, 3, now(), now(), now(), now()
FROM generate_series(0, {SINGLES - 1}) n;
"""


# As where partitions fill faster than they are analysed, or a PostgreSQL that crashed has forgotten
# how much it was to analyse.
_NEVER_ANALYSE: Final = """
SELECT ensure_message_partition(1);
ALTER TABLE message_from_0 SET (autovacuum_enabled = off);
ALTER TABLE send_batch SET (autovacuum_enabled = off);
ALTER TABLE single_message SET (autovacuum_enabled = off);
"""


@pytest.fixture(scope="module", params=["analysed", "never analysed"])
def database(
    new_database: Callable[[], str], request: pytest.FixtureRequest
) -> Iterator["psycopg.Connection[tuple[Any, ...]]"]:
    url = new_database()
    upgrade(url)
    with psycopg.connect(url, autocommit=True) as connection:
        if request.param == "never analysed":
            connection.execute(_NEVER_ANALYSE.encode())
        connection.execute(_STAGE.encode())
        if request.param == "analysed":
            connection.execute("VACUUM ANALYZE")
        connection.execute("SET ROLE retail_sweep")
        yield connection


def explained(
    database: "psycopg.Connection[tuple[Any, ...]]", statement: str, **parameters: object
) -> str:
    rows = database.execute(f"EXPLAIN {statement}".encode(), parameters)
    return "\n".join(row[0] for row in rows)


def test_a_hand_over_reads_the_messages_of_its_recipients_alone(
    database: "psycopg.Connection[tuple[Any, ...]]",
) -> None:
    plan = explained(
        database,
        frequency_cap._CAPPED,
        account=1,
        campaign=1,
        no=100,
        since=CAP.since,
        slack=FINISH_SLACK,
        messages_max=1,
        campaigns=[2, 3],
    )

    messages = "Index Cond: ((contact_id = r_1.contact_id) AND (campaign_id = ANY"
    singles = "Index Cond: ((account_id = '1'::smallint) AND (contact_id = r_2.contact_id))"
    assert messages in plan, plan
    assert singles in plan, plan
    assert not any(each in plan for each in ("Seq Scan", "Join Filter", "Materialize")), plan
    assert "send_batch_open_idx" in plan


def test_an_audience_is_counted_from_the_campaigns_of_the_span(
    database: "psycopg.Connection[tuple[Any, ...]]",
) -> None:
    statement = frequency_cap.capped(AccountId(1), CAP).compile(
        dialect=create_engine("postgresql+psycopg://").dialect,
        compile_kwargs={"literal_binds": True},
    )

    counted = str(statement).replace("%", "%%")
    plan = explained(database, f"SELECT FROM contact WHERE id NOT IN ({counted})")

    assert "Seq Scan on message" not in plan
    assert "Seq Scan on send_batch" not in plan
    assert "send_batch_open_idx" in plan
    # worked out once, and looked up by hash for each contact
    assert "hashed SubPlan" in plan


def test_what_waits_for_the_morning_is_found_by_its_index(
    database: "psycopg.Connection[tuple[Any, ...]]",
) -> None:
    plan = explained(database, batch_splitting._WAKE, now=NOON, batches_max=100)

    assert "send_batch_deferred_idx" in plan
