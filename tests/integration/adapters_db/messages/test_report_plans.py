"""How PostgreSQL looks for what reports are about, on tables large enough to have a choice."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import psycopg
import pytest

from adapters_db.connection.plans import BY_INDEX
from adapters_db.messages import messages
from adapters_db.messages.reports import reports
from adapters_db.operations.migrate import upgrade
from retail_core.kernel.ids import AccountId, CampaignId
from retail_core.testing.kernel.clock import NOON

CAMPAIGN: Final = 7
OTHER_PARTITION: Final = 2_007
SMALL_PARTITION: Final = 12_007
PARTITIONS: Final = (0, 2_000, 12_000)
MESSAGES: Final = 40_000
PARKED: Final = 40_000
CALLS: Final = 40_000
BATCH: Final = 5_000

_STAGE: Final = f"""
INSERT INTO campaign (id, account_id, name, message_text, include_offer, created_at, updated_at)
SELECT id, 1, 'Sale', 'Hello', false, now(), now()
FROM (VALUES ({CAMPAIGN}), ({OTHER_PARTITION}), ({SMALL_PARTITION})) c (id);
SELECT ensure_message_partition({CAMPAIGN}), ensure_message_partition({OTHER_PARTITION}),
       ensure_message_partition({SMALL_PARTITION});
ALTER TABLE message_from_0 SET (autovacuum_enabled = off);
ALTER TABLE message_from_12000 SET (autovacuum_enabled = off);
INSERT INTO send_batch (campaign_id, no, account_id, size, first_seq, last_seq, turn, state,
                        ref)
SELECT {CAMPAIGN}, no, 1, {BATCH}, no * {BATCH}, (no + 1) * {BATCH} - 1, no, 'settled',
       gen_random_uuid()
FROM generate_series(0, {MESSAGES // BATCH - 1}) no;
INSERT INTO message (campaign_id, seq, account_id, contact_id, phone, state, encoding, parts,
                     credits, provider_id, updated_at)
SELECT c, seq, 1, seq, 306900000000 + seq, 3, 0, 1, 1, 'id-' || c || '-' || seq, now()
FROM (VALUES ({CAMPAIGN}, {MESSAGES}), ({OTHER_PARTITION}, {MESSAGES}),
             ({SMALL_PARTITION}, {MESSAGES // 5})) v (c, messages),
     generate_series(0, messages - 1) seq;
INSERT INTO report_parked (provider_id, state, word, parked_at, tries, next_try_at)
SELECT 'stranger-' || no, 5, 'delivered', now(), 3,
       CASE WHEN no % 2 = 0 THEN timestamptz '{NOON}' + no * interval '1 second' END
FROM generate_series(1, {PARKED}) no;
INSERT INTO report_inbox (raw, arrived_at, applied_at)
SELECT '{{}}', now(), CASE WHEN no % 1000 <> 0 THEN now() END FROM generate_series(1, {CALLS}) no;
"""


@pytest.fixture(scope="module", params=["never analysed", "analysed"])
def database(
    new_database: Callable[[], str], request: pytest.FixtureRequest
) -> Iterator["psycopg.Connection[tuple[Any, ...]]"]:
    """Many messages in two partitions, many strangers' reports parked, many applied calls.

    A new partition fills faster than it is analysed, and a PostgreSQL that crashed has forgotten
    how much it was to analyse.
    """
    url = new_database()
    upgrade(url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_STAGE.encode())
        if request.param == "analysed":
            connection.execute("VACUUM ANALYZE")
        connection.execute("SET ROLE retail_sweep")
        yield connection


@pytest.fixture
def plan(
    database: "psycopg.Connection[tuple[Any, ...]]",
) -> Callable[..., str]:
    """Explains a statement of the adapter, as the role that runs it."""

    def explained(statement: str, parameters: Mapping[str, object], *, pinned: bool = False) -> str:
        with database.transaction(force_rollback=True):
            if pinned:
                database.execute(BY_INDEX)
            rows = database.execute(f"EXPLAIN {statement}".encode(), parameters)
            return "\n".join(row[0] for row in rows)

    return explained


Plan = Callable[..., str]


@pytest.mark.parametrize("count", [1, 100, 2_000, 5_000])
@pytest.mark.parametrize("campaign", [CAMPAIGN, SMALL_PARTITION])
def test_reports_find_their_messages_by_the_index_of_one_partition(
    plan: Plan, campaign: int, count: int
) -> None:
    first = campaign - campaign % 1_000
    numbers = range(count)
    nobody = [None for _ in numbers]
    found = plan(
        messages._APPLY,
        {
            "ids": "\n".join(f"id-{campaign}-{number}" for number in numbers),
            "states": [5 for _ in numbers],
            "sent": nobody,
            "delivered": [NOON for _ in numbers],
            "failed": nobody,
            "errors": "\n" * (count - 1),
            "now": NOON,
            "first": first,
            "below": first + 1_000,
        },
        pinned=True,
    )

    others = [f"message_from_{each}_" for each in PARTITIONS if each != first]
    assert f"message_from_{first}_provider_id_idx" in found
    assert "Index Cond: (provider_id = r.provider_id)" in found
    assert "Index Cond: ((campaign_id = f.campaign_id) AND (seq = f.seq))" in found
    assert count == 1 or "Join Filter" not in found, found
    avoided = ("Seq Scan", "Bitmap", "Materialize", *others)
    assert not any(each in found for each in avoided), found


def test_new_calls_are_found_by_the_index_of_those_that_wait(plan: Plan) -> None:
    found = plan(reports._TAKE_NEW, {"calls_max": 5_000, "bytes_max": 1_000_000})

    assert "report_inbox_waiting_idx" in found
    assert "Seq Scan" not in found


def test_due_parked_reports_are_found_by_their_time(plan: Plan) -> None:
    found = plan(reports._TAKE_PARKED, {"now": NOON, "reports_max": 5_000}, pinned=True)

    assert "report_parked_next_try_at_idx" in found
    assert "Seq Scan" not in found


def test_a_settled_batch_reads_neither_all_messages_nor_all_that_is_parked(plan: Plan) -> None:
    found = plan(
        reports._TAKE_PARKED_OF_BATCH,
        {
            "account": AccountId(1),
            "campaign": CampaignId(CAMPAIGN),
            "no": 3,
            "reports_max": 5_000,
        },
        pinned=True,
    )

    assert "report_parked_provider_id_idx" in found
    assert f"message_from_{PARTITIONS[0]}_pkey" in found
    assert "Seq Scan on message" not in found
    assert "Seq Scan on report_parked p" not in found
