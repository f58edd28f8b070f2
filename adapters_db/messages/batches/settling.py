"""Settling a batch: its message rows are written once, from the frozen arrays of its own row."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

from adapters_db.connection.lines import one_per_line
from adapters_db.messages.partitions import NOTE_USE
from retail_core.messages.model import (
    LOOK_UP_AFTER,
    BatchResults,
    ClaimedBatch,
    Dropped,
    MessageState,
    Settlement,
)

_GUARD = """
SELECT state FROM send_batch
WHERE account_id = %(account)s AND campaign_id = %(campaign)s AND no = %(no)s
  AND ref = %(ref)s AND state IN ('submitting', 'unknown')
FOR UPDATE
"""

# Only what the gateway's answer decided travels to the database; ids, numbers and names are
# already there. A list of texts goes as one string, which costs a tenth of an array of texts.
_RESULTS = """
    %(states)s::smallint[], %(encodings)s::smallint[], %(parts)s::smallint[],
    %(credits)s::integer[], string_to_array(%(provider_ids)s, E'\\n', ''),
    string_to_array(%(error_codes)s, E'\\n', ''), string_to_array(%(errors)s, E'\\n', '')"""

# Who was deleted while a campaign froze them left nothing that their deletion could have seen.
_KEPT = f"CASE WHEN r.error_code IS DISTINCT FROM '{Dropped.ERASED.value}' THEN r.{{}} END"

_INSERT = f"""
INSERT INTO message (campaign_id, seq, account_id, contact_id, phone, first_name, last_name, email,
                     state, encoding, parts, credits, provider_id, error_code, error,
                     sent_at, failed_at, updated_at)
SELECT b.campaign_id, r.seq, b.account_id, {_KEPT.format("contact_id")},
       {_KEPT.format("phone")}, {_KEPT.format("first_name")}, {_KEPT.format("last_name")},
       {_KEPT.format("email")}, r.state, r.encoding, r.parts, r.credits, r.provider_id,
       r.error_code, r.error,
       CASE WHEN r.state = {MessageState.SENT:d} THEN %(now)s END,
       CASE WHEN r.state = {MessageState.FAILED:d} THEN %(now)s END,
       %(now)s
FROM send_batch b,
     unnest(b.seqs, b.contact_ids, b.phones, b.first_names, b.last_names, b.emails, {_RESULTS})
         AS r (seq, contact_id, phone, first_name, last_name, email, state, encoding, parts,
               credits, provider_id, error_code, error)
WHERE b.campaign_id = %(campaign)s AND b.no = %(no)s
"""

_ADD_DOUBTS = f"""
INSERT INTO message_doubt (campaign_id, seq, account_id, phone, since, credits, provider_id)
SELECT m.campaign_id, m.seq, m.account_id, m.phone, %(now)s, m.credits, m.provider_id
FROM send_batch b JOIN message m ON m.campaign_id = b.campaign_id AND m.seq = ANY(b.seqs)
WHERE b.campaign_id = %(campaign)s AND b.no = %(no)s AND m.state = {MessageState.UNKNOWN:d}
"""

# A late answer meets reports and operators: all lock the rows in one order, first of all.
_LOCK_ROWS = """
SELECT m.seq
FROM send_batch b JOIN message m ON m.campaign_id = b.campaign_id AND m.seq = ANY(b.seqs)
WHERE b.campaign_id = %(campaign)s AND b.no = %(no)s
ORDER BY m.campaign_id, m.seq
FOR UPDATE OF m
"""

# Of whom a report told that was not certain, the higher state stays; now it is known for certain.
_UPDATE_REPORTED = f"""
WITH found AS (
    SELECT m.seq, m.state AS before, r.state, r.provider_id, r.error_code, r.error, r.position
    FROM send_batch b
         CROSS JOIN unnest(b.seqs, {_RESULTS}) WITH ORDINALITY
             AS r (seq, state, encoding, parts, credits, provider_id, error_code, error, position)
         JOIN message_doubt d ON d.campaign_id = b.campaign_id AND d.seq = r.seq
         JOIN message m ON m.campaign_id = b.campaign_id AND m.seq = r.seq
    WHERE b.campaign_id = %(campaign)s AND b.no = %(no)s AND d.reported_id IS NOT NULL
      AND m.state <> {MessageState.UNKNOWN:d}
      AND r.state IN ({MessageState.SENT:d}, {MessageState.FAILED:d})
)
UPDATE message m
SET state = greatest(m.state, f.state), provider_id = coalesce(m.provider_id, f.provider_id),
    error_code = CASE WHEN f.state > m.state THEN f.error_code ELSE m.error_code END,
    error = CASE WHEN f.state > m.state THEN f.error ELSE m.error END,
    sent_at = coalesce(m.sent_at,
                       CASE WHEN f.state = {MessageState.SENT:d} THEN %(now)s::timestamptz END),
    failed_at = coalesce(m.failed_at,
                         CASE WHEN f.state = {MessageState.FAILED:d} THEN %(now)s::timestamptz END),
    updated_at = %(now)s
FROM found f WHERE m.campaign_id = %(campaign)s AND m.seq = f.seq
RETURNING f.position - 1, f.before
"""

# Rows that others resolved without knowing an id learn it, for the sake of later reports.
_LEARN_IDS = f"""
UPDATE message m SET provider_id = r.provider_id
FROM send_batch b,
     unnest(b.seqs, {_RESULTS})
         AS r (seq, state, encoding, parts, credits, provider_id, error_code, error)
WHERE b.campaign_id = %(campaign)s AND b.no = %(no)s
  AND m.campaign_id = b.campaign_id AND m.seq = r.seq
  AND m.state NOT IN ({MessageState.UNKNOWN:d}, {MessageState.CANCELLED:d})
  AND m.provider_id IS NULL AND r.provider_id IS NOT NULL
"""

_UPDATE_UNKNOWN = f"""
UPDATE message m
SET state = r.state, provider_id = coalesce(r.provider_id, m.provider_id),
    error_code = r.error_code, error = r.error,
    sent_at = CASE WHEN r.state = {MessageState.SENT:d} THEN %(now)s ELSE m.sent_at END,
    failed_at = CASE WHEN r.state = {MessageState.FAILED:d} THEN %(now)s ELSE m.failed_at END,
    updated_at = %(now)s
FROM send_batch b,
     unnest(b.seqs, {_RESULTS}) WITH ORDINALITY
         AS r (seq, state, encoding, parts, credits, provider_id, error_code, error, position)
WHERE b.campaign_id = %(campaign)s AND b.no = %(no)s
  AND m.campaign_id = b.campaign_id AND m.seq = r.seq AND m.state = {MessageState.UNKNOWN:d}
RETURNING r.position - 1
"""

# Who left doubt now, and whose hold the policy had settled before; and the ids of those in it.
_END_DOUBTS = f"""
DELETE FROM message_doubt d
USING send_batch b, unnest(b.seqs, {_RESULTS}) WITH ORDINALITY
          AS r (seq, state, encoding, parts, credits, provider_id, error_code, error, position)
WHERE b.campaign_id = %(campaign)s AND b.no = %(no)s
  AND d.campaign_id = b.campaign_id AND d.seq = r.seq AND r.state <> {MessageState.UNKNOWN:d}
RETURNING r.position - 1, d.credits_settled_at IS NOT NULL
"""
_NAME_DOUBTS = f"""
UPDATE message_doubt d SET provider_id = m.provider_id
FROM send_batch b JOIN message m ON m.campaign_id = b.campaign_id AND m.seq = ANY(b.seqs)
WHERE b.campaign_id = %(campaign)s AND b.no = %(no)s AND m.state = {MessageState.UNKNOWN:d}
  AND d.campaign_id = m.campaign_id AND d.seq = m.seq AND m.provider_id IS NOT NULL
"""

_CLOSE = f"""
WITH used AS ({NOTE_USE})
UPDATE send_batch
SET state = 'settled', settled_at = %(now)s, lease_until = NULL,
    look_up_at = coalesce(%(look_up_at)s, look_up_at), seqs = NULL, contact_ids = NULL,
    phones = NULL, credits_per_part = NULL, first_names = NULL, last_names = NULL, emails = NULL
WHERE campaign_id = %(campaign)s AND no = %(no)s
"""
_DOUBT = f"""
WITH used AS ({NOTE_USE})
UPDATE send_batch
SET state = 'unknown', settled_at = %(now)s, lease_until = NULL,
    look_up_at = coalesce(%(look_up_at)s, look_up_at)
WHERE campaign_id = %(campaign)s AND no = %(no)s
"""


def settle_batch(
    driver: "psycopg.Connection[tuple[Any, ...]]",
    batch: ClaimedBatch,
    ref: UUID,
    results: BatchResults,
    now: datetime,
) -> Settlement | None:
    """Lock the batch by its ref, write the rows, close it; None if somebody else did."""
    parameters = _parameters(batch, ref, results, now)
    found = driver.execute(_GUARD, parameters).fetchone()
    if found is None:
        return None
    everybody = range(len(results.states))
    doubtful = MessageState.UNKNOWN in results.states
    if found[0] == "submitting":
        settlement = Settlement(MessageState.QUEUED, everybody)
        written = driver.execute(_INSERT, parameters).rowcount
        assert written == len(everybody), "every recipient of a batch gets one row"
        if doubtful:
            driver.execute(_ADD_DOUBTS, parameters)
    else:
        settlement = _settle_late(driver, parameters)
    driver.execute(_DOUBT if doubtful else _CLOSE, parameters)
    return settlement


def _settle_late(
    driver: "psycopg.Connection[tuple[Any, ...]]", parameters: dict[str, object]
) -> Settlement:
    """Rows that are still unknown get their result; each settles its credits once."""
    driver.execute(_LOCK_ROWS, parameters)
    reported = {
        position: MessageState(before)
        for position, before in driver.execute(_UPDATE_REPORTED, parameters)
    }
    driver.execute(_LEARN_IDS, parameters)
    positions = [row[0] for row in driver.execute(_UPDATE_UNKNOWN, parameters)]
    ended = driver.execute(_END_DOUBTS, parameters)
    without_hold = frozenset(position for position, was_settled in ended if was_settled)
    driver.execute(_NAME_DOUBTS, parameters)
    everybody = sorted([*positions, *reported])
    return Settlement(MessageState.UNKNOWN, everybody, without_hold, reported)


def _parameters(
    batch: ClaimedBatch, ref: UUID, results: BatchResults, now: datetime
) -> dict[str, object]:
    return {
        "account": batch.key.account,
        "campaign": batch.key.campaign,
        "no": batch.key.no,
        "ref": ref,
        "now": now,
        "look_up_at": _look_up_at(results, now),
        "states": _integers(results.states),
        "encodings": _integers(results.encodings),
        "parts": _integers(results.parts),
        "credits": _integers(results.credits),
        "provider_ids": one_per_line(results.provider_ids),
        "error_codes": one_per_line(results.error_codes),
        "errors": one_per_line(results.errors),
    }


def _look_up_at(results: BatchResults, now: datetime) -> datetime | None:
    """When to ask what became of the messages; None if none of them needs asking."""
    needs_asking = MessageState.SENT in results.states or MessageState.UNKNOWN in results.states
    return now + LOOK_UP_AFTER[0] if needs_asking else None


def _integers(values: Iterable[int]) -> str:
    return "{" + ",".join([str(int(value)) for value in values]) + "}"
