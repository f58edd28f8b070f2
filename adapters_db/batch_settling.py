"""Settling a batch: its message rows are written once, from the frozen arrays of its own row."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

from retail_core.messages.model import (
    BatchResults,
    ClaimedBatch,
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

_INSERT = f"""
INSERT INTO message (campaign_id, seq, account_id, contact_id, phone, first_name, last_name, email,
                     state, encoding, parts, credits, provider_id, error_code, error,
                     sent_at, failed_at, updated_at)
SELECT b.campaign_id, r.seq, b.account_id, r.contact_id, r.phone, r.first_name, r.last_name,
       r.email, r.state, r.encoding, r.parts, r.credits, r.provider_id, r.error_code, r.error,
       CASE WHEN r.state = {MessageState.SENT:d} THEN %(now)s END,
       CASE WHEN r.state = {MessageState.FAILED:d} THEN %(now)s END,
       %(now)s
FROM send_batch b,
     unnest(b.seqs, b.contact_ids, b.phones, b.first_names, b.last_names, b.emails, {_RESULTS})
         AS r (seq, contact_id, phone, first_name, last_name, email, state, encoding, parts,
               credits, provider_id, error_code, error)
WHERE b.campaign_id = %(campaign)s AND b.no = %(no)s
"""

_UPDATE_UNKNOWN = f"""
UPDATE message m
SET state = r.state, provider_id = r.provider_id, error_code = r.error_code, error = r.error,
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

_CLOSE = """
UPDATE send_batch
SET state = 'settled', settled_at = %(now)s, lease_until = NULL, seqs = NULL, contact_ids = NULL,
    phones = NULL, credits_per_part = NULL, first_names = NULL, last_names = NULL, emails = NULL
WHERE campaign_id = %(campaign)s AND no = %(no)s
"""
_DOUBT = """
UPDATE send_batch SET state = 'unknown', settled_at = %(now)s, lease_until = NULL
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
    if found[0] == "submitting":
        settlement = Settlement(MessageState.QUEUED, everybody)
        written = driver.execute(_INSERT, parameters).rowcount
        assert written == len(everybody), "every recipient of a batch gets one row"
    else:
        rows = driver.execute(_UPDATE_UNKNOWN, parameters)
        settlement = Settlement(MessageState.UNKNOWN, sorted(row[0] for row in rows))
    doubtful = MessageState.UNKNOWN in results.states
    driver.execute(_DOUBT if doubtful else _CLOSE, parameters)
    return settlement


def _parameters(
    batch: ClaimedBatch, ref: UUID, results: BatchResults, now: datetime
) -> dict[str, object]:
    return {
        "account": batch.key.account,
        "campaign": batch.key.campaign,
        "no": batch.key.no,
        "ref": ref,
        "now": now,
        "states": _integers(results.states),
        "encodings": _integers(results.encodings),
        "parts": _integers(results.parts),
        "credits": _integers(results.credits),
        "provider_ids": _texts(results.provider_ids),
        "error_codes": _texts(results.error_codes),
        "errors": _texts(results.errors),
    }


def _integers(values: Iterable[int]) -> str:
    return "{" + ",".join([str(int(value)) for value in values]) + "}"


def _texts(values: Sequence[str | None]) -> str | None:
    """One text a line, an empty line for none; None (and so NULLs) if there is no text at all."""
    if not any(values):
        return None
    lines = [value or "" for value in values]
    joined = "\n".join(lines)
    if joined.count("\n") == len(lines) - 1 and "\0" not in joined:
        return joined
    return "\n".join([line.replace("\n", " ").replace("\0", "") for line in lines])
