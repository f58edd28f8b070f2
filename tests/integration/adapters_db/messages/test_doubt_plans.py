"""How PostgreSQL looks for messages in doubt and messages to ask about, among many others."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any, Final, Protocol

import psycopg
import pytest

from adapters_db.connection.plans import BY_INDEX
from adapters_db.messages.batches import batches
from adapters_db.messages.unknown import doubts, look_ups, single_doubts
from adapters_db.messages.unknown import matching as doubt_matching
from adapters_db.messages.unknown.finding_columns import finding_columns
from adapters_db.operations.migrate import upgrade
from retail_core.kernel.ids import AccountId, CampaignId
from retail_core.messages.model import (
    LOOK_UP_AFTER,
    REPORTED_EARLIER_MAX,
    REPORTED_LATER_MAX,
    Finding,
    MessageKey,
    MessageState,
)
from retail_core.testing.kernel.clock import NOON

CAMPAIGN: Final = 7
MESSAGES: Final = 60_000
BATCH: Final = 1_000

_STAGE: Final = f"""
INSERT INTO campaign (id, account_id, name, message_text, include_offer, created_at, updated_at)
VALUES ({CAMPAIGN}, 1, 'Sale', 'Hello', false, now(), now());
SELECT ensure_message_partition({CAMPAIGN}), ensure_message_partition(2007);
ALTER TABLE message_from_0 SET (autovacuum_enabled = off);
INSERT INTO send_batch (campaign_id, no, account_id, size, first_seq, last_seq, turn, state,
                        ref, settled_at, look_up_at)
SELECT {CAMPAIGN}, no, 1, {BATCH}, no * {BATCH}, (no + 1) * {BATCH} - 1, no, 'settled',
       gen_random_uuid(), '{NOON}', '{NOON}'
FROM generate_series(0, {MESSAGES // BATCH - 1}) no;
INSERT INTO message (campaign_id, seq, account_id, phone, state, encoding, parts, credits,
                     provider_id, updated_at)
SELECT {CAMPAIGN}, seq, 1, 306900000000 + seq,
       CASE WHEN seq % 1000 = 0 THEN 2 WHEN seq % 10000 = 1 THEN 3 ELSE 5 END, 0, 1, 1,
       CASE WHEN seq % 1000 > 0 THEN 'id-' || seq END, now()
FROM generate_series(0, {MESSAGES - 1}) seq;
INSERT INTO message_doubt (campaign_id, seq, account_id, phone, since, credits)
SELECT campaign_id, seq, account_id, phone, '{NOON}', 1 FROM message WHERE state = 2;
INSERT INTO report_parked (provider_id, reference, phone, state, word, parked_at, tries,
                           next_try_at)
SELECT 'stranger-' || no, CASE WHEN no % 2 = 0 THEN no END, 306900000000 + no, 5, 'delivered',
       '{NOON}', 0, '{NOON}'
FROM generate_series(1, 500) no;
"""


class Plan(Protocol):
    """Explains a statement, run as it is or by index only."""

    def __call__(
        self, statement: str, parameters: Mapping[str, object], *, pinned: bool = False
    ) -> str: ...


@pytest.fixture(scope="module", params=["never analysed", "analysed"])
def plan(new_database: Callable[[], str], request: pytest.FixtureRequest) -> Iterator[Plan]:
    """Explains a statement of the adapter, whether the statistics are fresh or missing."""
    url = new_database()
    upgrade(url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_STAGE.encode())
        if request.param == "analysed":
            connection.execute("ANALYZE")
        connection.execute("SET ROLE retail_sweep")

        def explained(
            statement: str, parameters: Mapping[str, object], *, pinned: bool = False
        ) -> str:
            with connection.transaction(force_rollback=True):
                if pinned:
                    connection.execute(BY_INDEX)
                rows: Any = connection.execute(f"EXPLAIN {statement}".encode(), parameters)
                return "\n".join(row[0] for row in rows)

        yield explained


@pytest.mark.parametrize("count", [1, 500])
def test_findings_find_their_messages_by_the_key(plan: Plan, count: int) -> None:
    findings = [
        Finding.of(MessageKey(CampaignId(CAMPAIGN), seq, AccountId(1)), MessageState.SENT, NOON)
        for seq in range(count)
    ]

    columns = finding_columns(findings) | {"now": NOON, "in_campaigns": [CAMPAIGN]}
    found = plan(doubts._RESOLVE, columns, pinned=True)

    assert "Seq Scan on message_from_0" not in found, found
    assert "Materialize" not in found, found
    assert "message_from_2000" not in found, found


@pytest.mark.parametrize("count", [1, 500])
@pytest.mark.parametrize("statement", [doubt_matching._KNOWN, look_ups._FIND])
def test_ids_are_found_by_their_index_in_their_partition(
    plan: Plan, statement: str, count: int
) -> None:
    ids = [f"id-{number}" for number in range(count)]
    wanted = {"ids": ids, "provider_ids": ids, "account": 1, "first": 0, "below": 1_000}

    found = plan(statement, wanted, pinned=True)

    assert "Index Scan using message_from_0_provider_id_idx" in found, found
    assert not any(each in found for each in ("message_from_0_pkey", "message_from_2000")), found


def test_messages_to_ask_about_are_read_batch_by_batch(plan: Plan) -> None:
    numbers = list(range(40))
    found = plan(
        look_ups._DUE,
        {
            "now": NOON + timedelta(minutes=10),
            "ages": list(LOOK_UP_AFTER),
            "messages_max": 200,
            "campaigns": [CAMPAIGN] * len(numbers),
            "in_campaigns": [CAMPAIGN],
            "nos": numbers,
            "firsts": [no * BATCH for no in numbers],
            "lasts": [(no + 1) * BATCH - 1 for no in numbers],
            "settled": [NOON] * len(numbers),
        },
    )

    assert "message_from_0_pkey" in found, found
    assert "Seq Scan on message_from_0" not in found, found
    assert "message_from_2000" not in found, found


def test_parked_reports_read_no_messages_but_those_in_doubt(plan: Plan) -> None:
    found = plan(
        doubt_matching._MATCHES,
        {"later": REPORTED_LATER_MAX, "earlier": REPORTED_EARLIER_MAX, "reports_max": 1_000},
        pinned=True,
    )

    assert "message_from" not in found, found


def test_references_find_their_messages_by_the_key_in_their_partition(plan: Plan) -> None:
    found = plan(
        doubt_matching._BY_REFERENCE,
        {
            "parked": [1],
            "campaigns": [CAMPAIGN],
            "in_campaigns": [CAMPAIGN],
            "seqs": [1],
            "ids": [None],
            "phones": [None],
        },
        pinned=True,
    )

    assert "message_from_0_pkey" in found, found
    assert "message_from_2000" not in found, found


def test_batches_that_are_due_are_found_store_by_store(plan: Plan) -> None:
    bounds = {"now": NOON, "batches_max": 40}
    found = plan(look_ups._DUE_BATCHES, bounds | {"accounts": [1, 2]}, pinned=True)

    assert "send_batch_look_up_at_idx" in found, found
    assert "Seq Scan" not in found, found


@pytest.mark.parametrize("statement", [look_ups._BATCHES_OF_STORES, single_doubts._OF_STORES])
def test_whose_turn_it_is_reads_a_row_for_each_store(plan: Plan, statement: str) -> None:
    bounds = {"now": NOON, "after": 0, "through": 9, "accounts_max": 40}
    found = plan(statement, bounds, pinned=True)

    assert found.count("_look_up_at_idx") == 2, found
    assert "Sort" not in found.split("->  Recursive Union")[1], found


def test_what_ended_campaigns_hold_for_nobody_is_looked_for_among_those_that_ended_late(
    plan: Plan,
) -> None:
    found = plan(doubts._LOCK_ENDED, {"since": NOON, "campaigns_max": 100}, pinned=True)

    assert "campaign_finished_at_idx" in found, found
    assert "Seq Scan" not in found, found


def test_single_messages_that_are_due_are_found_store_by_store(plan: Plan) -> None:
    bounds = {"now": NOON, "singles_max": 250, "accounts": [1, 2]}
    found = plan(single_doubts._DUE, bounds, pinned=True)

    assert "single_message_look_up_at_idx" in found, found


def test_batches_that_rejoin_their_campaign_are_found_one_by_one(plan: Plan) -> None:
    """10,000 of them were compared with each other where the statistics were missing."""
    found = plan(batches._REJOIN, {"account": 1, "campaign": CAMPAIGN}, pinned=True)

    assert "Seq Scan" not in found, found
    assert "Hash Join" not in found, found
