"""Which parked report is about which message in doubt: by id, by our reference, by its number."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import psycopg

from adapters_db.plans import by_index
from retail_core.kernel.ids import AccountId, CampaignId, MessageNumber, ProviderId
from retail_core.kernel.phones import PhoneNumber
from retail_core.messages.model import (
    NO_CAMPAIGN,
    REPORTED_EARLIER_MAX,
    REPORTED_LATER_MAX,
    DeliveryReport,
    Finding,
    MessageKey,
    MessageState,
)

# Only one at a time: two who match different reports with the same message would both be right.
_ALONE = "SELECT pg_try_advisory_xact_lock(hashtext('match_doubts'))"

# A report whose id is known of a message that is not in doubt is none of our business here. Our
# reference goes before the number, if it came back with the number of the message; the number
# counts only where nothing else can be meant: one message in doubt of all, and none that is being
# handed over at this moment and has no id yet. Of those in doubt, one that reports with this id
# were taken to be about before goes first, and one with reports of another id is not meant.
_KNOWN = """(EXISTS (SELECT FROM message k WHERE k.provider_id = c.provider_id)
         OR EXISTS (SELECT FROM single_message k WHERE k.provider_id = c.provider_id))"""
_WINDOW = """BETWEEN coalesce(q.at, q.parked_at) - %(later)s
                  AND coalesce(q.at, q.parked_at) + %(earlier)s"""
_SUBMITTING = f"""(EXISTS (
             SELECT FROM send_batch b WHERE b.lease_until IS NOT NULL AND b.state = 'submitting'
               AND c.phone = ANY(b.phones))
         OR EXISTS (
             SELECT FROM single_message s
             WHERE s.phone = c.phone AND s.state = {MessageState.SUBMITTING:d}))"""
_MATCHES = f"""
WITH by_id AS (
    SELECT q.id, d.account_id, d.campaign_id, d.seq::bigint AS seq, false AS by_number
    FROM report_parked q JOIN message_doubt d ON d.provider_id = q.provider_id
    WHERE q.next_try_at IS NOT NULL
), by_reference AS (
    SELECT q.id, m.account_id, m.campaign_id, m.seq, false
    FROM report_parked q
    CROSS JOIN LATERAL (
        SELECT c.id, c.first_number FROM campaign c
        WHERE c.first_number <= q.reference ORDER BY c.first_number DESC LIMIT 1) o
    JOIN message m ON m.campaign_id = o.id AND m.seq = q.reference - o.first_number
    WHERE q.next_try_at IS NOT NULL AND q.reference IS NOT NULL
      AND (q.provider_id IS NULL OR m.provider_id IS NULL)
      AND (q.phone IS NULL OR m.phone IS NULL OR q.phone = m.phone)
      AND NOT EXISTS (SELECT FROM message k WHERE k.provider_id = q.provider_id)
), in_doubt AS (
    SELECT q.id, q.provider_id, q.phone, d.account_id, d.campaign_id, d.seq::bigint AS seq,
           d.reported_id, d.provider_id IS NOT NULL AS has_id
    FROM report_parked q JOIN message_doubt d ON d.phone = q.phone
    WHERE q.next_try_at IS NOT NULL AND q.reference IS NULL AND d.since {_WINDOW}
    UNION ALL
    SELECT q.id, q.provider_id, q.phone, d.account_id, {NO_CAMPAIGN:d}, d.number,
           d.reported_id, d.provider_id IS NOT NULL
    FROM report_parked q JOIN single_message d ON d.phone = q.phone
    WHERE q.next_try_at IS NOT NULL AND q.reference IS NULL
      AND (d.state = {MessageState.UNKNOWN:d} OR d.reported_id IS NOT NULL)
      AND d.submitted_at {_WINDOW}
), meant AS (
    SELECT d.*, count(*) OVER (PARTITION BY d.id) AS candidates
    FROM (SELECT *, coalesce(bool_or(reported_id = provider_id) OVER (PARTITION BY id), false)
                    AS is_claimed
          FROM in_doubt) d
    WHERE CASE WHEN d.is_claimed THEN d.reported_id = d.provider_id
               ELSE d.reported_id IS NULL OR (d.reported_id = '' AND d.provider_id IS NULL) END
), by_number AS (
    SELECT c.id, c.account_id, c.campaign_id, c.seq, true
    FROM meant c
    WHERE c.candidates = 1 AND NOT c.has_id AND NOT {_KNOWN} AND NOT {_SUBMITTING}
)
SELECT f.id, f.account_id, f.campaign_id, f.seq, f.by_number, q.provider_id
FROM (SELECT * FROM by_id UNION ALL SELECT * FROM by_reference UNION ALL SELECT * FROM by_number) f
     JOIN report_parked q ON q.id = f.id
ORDER BY f.id
LIMIT %(reports_max)s
"""

_TAKE = """
DELETE FROM report_parked WHERE id = ANY(%s)
RETURNING id, provider_id, reference, phone, state, word, at, error
"""


def take_matches(
    driver: "psycopg.Connection[tuple[Any, ...]]", now: datetime, reports_max: int
) -> Sequence[Finding]:
    """Remove matched reports, in the order they were parked, and say what they tell."""
    alone = driver.execute(_ALONE).fetchone()
    if alone is None or not alone[0]:
        return ()
    parameters = {
        "later": REPORTED_LATER_MAX,
        "earlier": REPORTED_EARLIER_MAX,
        "reports_max": reports_max,
    }
    with by_index(driver):
        matches = _unambiguous(driver.execute(_MATCHES, parameters))
    if not matches:
        return ()
    taken = {row[0]: row[1:] for row in driver.execute(_TAKE, (list(matches),))}
    return [
        Finding.of_report(message, _report(*taken[parked]), now, is_certain=is_certain)
        for parked, (message, is_certain) in matches.items()
        if parked in taken
    ]


def _unambiguous(rows: Iterable[tuple[Any, ...]]) -> dict[int, tuple[MessageKey, bool]]:
    """The message of each parked report, and whether that is certain.

    Of two ids that claim one number only the first counts.
    """
    matches: dict[int, tuple[MessageKey, bool]] = {}
    claimed: dict[MessageKey, str | None] = {}
    for parked, account, campaign, seq, by_number, provider_id in rows:
        message = MessageKey(CampaignId(campaign), seq, AccountId(account))
        if by_number and claimed.setdefault(message, provider_id) != provider_id:
            continue
        matches.setdefault(parked, (message, not by_number))
    return matches


def _report(
    provider_id: str | None,
    reference: int | None,
    phone: int | None,
    state: int,
    word: str,
    at: datetime | None,
    error: str | None,
) -> DeliveryReport:
    return DeliveryReport(
        provider_id=ProviderId(provider_id) if provider_id else None,
        reference=MessageNumber(reference) if reference else None,
        phone=PhoneNumber(f"+{phone}") if phone else None,
        state=MessageState(state),
        word=word,
        at=at,
        error=error,
    )
