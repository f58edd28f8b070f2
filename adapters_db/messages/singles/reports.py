"""Delivery reports about single messages: few, so each is one small statement."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import psycopg

from retail_core.kernel.ids import AccountId, MessageNumber
from retail_core.messages.model import DeliveryReport, MessageState, SingleShare

# A provider id says which message it is, and so does our own number where it came back. What is
# already known is never lowered; whoever is unknown was accepted, if anything is reported of them.
# A number that came back with another phone's than the message's is not ours.
_IN_DOUBT = f"(state = {MessageState.UNKNOWN:d} OR (holds AND reported_id IS NOT NULL))"
_FIND = f"""
SELECT number, provider_id FROM single_message
WHERE state NOT IN ({MessageState.QUEUED:d}, {MessageState.CANCELLED:d})
  AND (provider_id = ANY(%(ids)s) OR (number = ANY(%(numbers)s) AND {_IN_DOUBT}))
ORDER BY number
FOR UPDATE
"""
_APPLY = f"""
WITH before AS (
    SELECT number, holds, state FROM single_message
    WHERE number = ANY(%(found)s)
      AND (provider_id = %(id)s
           OR (number = %(number)s AND {_IN_DOUBT}
               AND (provider_id IS NULL OR %(id)s::text IS NULL)
               AND (phone IS NULL OR %(phone)s::bigint IS NULL OR phone = %(phone)s)))
)
UPDATE single_message m
SET state = greatest(m.state, %(state)s::smallint), lease_until = NULL,
    holds = m.holds AND greatest(m.state, %(state)s) = {MessageState.UNKNOWN:d},
    provider_id = coalesce(m.provider_id, %(id)s::text), reported_id = NULL,
    sent_at = least(m.sent_at, %(sent)s::timestamptz),
    delivered_at = least(m.delivered_at, %(delivered)s::timestamptz),
    failed_at = least(m.failed_at, %(failed)s::timestamptz),
    error_code = CASE WHEN m.state = {MessageState.UNKNOWN:d} THEN NULL ELSE m.error_code END,
    error = CASE WHEN m.state = {MessageState.UNKNOWN:d}
                      OR %(failed)s < coalesce(m.failed_at, 'infinity') THEN %(error)s
                 ELSE m.error END,
    updated_at = greatest(m.updated_at, %(now)s)
FROM before b
WHERE m.number = b.number
RETURNING m.account_id, m.number, m.credits, m.reason, m.state, b.holds AND NOT m.holds
"""


def apply_reports(
    driver: "psycopg.Connection[tuple[Any, ...]]", reports: Sequence[DeliveryReport], now: datetime
) -> tuple[Sequence[DeliveryReport], Sequence[SingleShare]]:
    """Lock the messages meant, in their order; then apply what is about them, one by one."""
    wanted: dict[str, object] = {
        "ids": [report.provider_id for report in reports if report.provider_id],
        "numbers": [report.reference for report in reports if report.reference],
    }
    found = dict(driver.execute(_FIND, wanted).fetchall()) if reports else {}
    if not found:
        return reports, ()
    unmatched, shares = [], []
    ids = set(found.values()) - {None}
    for report in reports:
        if report.provider_id not in ids and report.reference not in found:
            unmatched.append(report)
            continue
        told = _told(report, now) | {"found": list(found)}
        changed = driver.execute(_APPLY, told).fetchone()
        if changed is None:
            unmatched.append(report)
            continue
        ids.add(report.provider_id)  # the next report may know it by that
        if changed[-1]:
            shares.append(share(changed[:-1]))
    return unmatched, shares


def share(row: Sequence[Any]) -> SingleShare:
    """What was held for one message, from account, number, credits, reason and state."""
    account, number, credits, reason, state = row
    return SingleShare(
        AccountId(account), MessageNumber(number), credits, reason, MessageState(state)
    )


def _told(report: DeliveryReport, now: datetime) -> dict[str, object]:
    assert report.state is not None, "an unknown word was to be left out"
    at = report.at or now
    is_failure = report.state is MessageState.FAILED
    return {
        "id": report.provider_id,
        "number": report.reference,
        "phone": int(report.phone[1:]) if report.phone else None,
        "state": int(report.state),
        "sent": at if report.state is MessageState.SENT else None,
        "delivered": at if report.state is MessageState.DELIVERED else None,
        "failed": at if is_failure else None,
        "error": (report.error or report.word) if is_failure else None,
        "now": now,
    }
