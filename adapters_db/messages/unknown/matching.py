"""Which parked report is about which message in doubt: by id, by our reference, by its number."""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Final

import attrs

from adapters_db.connection.plans import by_index
from adapters_db.messages import partitions
from adapters_db.messages.partitions import WITHIN, Driver
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import AccountId, CampaignId, MessageNumber, ProviderId
from retail_core.messages.model import (
    NO_CAMPAIGN,
    REPORTED_EARLIER_MAX,
    REPORTED_LATER_MAX,
    REPORTED_WITHIN,
    DeliveryReport,
    Finding,
    MessageKey,
    MessageState,
)

REFERENCES_AT_ONCE: Final = 5_000

# Only one at a time: two who match different reports with the same message would both be right.
_ALONE = "SELECT pg_try_advisory_xact_lock(hashtext('match_doubts'))"

# A report whose id is known of a message that is not in doubt is none of our business here. Our
# reference goes before the number, if it came back with the number of the message; the number
# counts only where nothing else can be meant: one message in doubt of all, and none that is being
# handed over at this moment and has no id yet. Of those in doubt, one that reports with this id
# were taken to be about before goes first, and one with reports of another id is not meant.
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
    SELECT q.id, d.account_id, d.campaign_id, d.seq::bigint AS seq, true AS by_id, false
           AS by_number
    FROM report_parked q JOIN message_doubt d ON d.provider_id = q.provider_id
    WHERE q.next_try_at IS NOT NULL
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
    SELECT c.id, c.account_id, c.campaign_id, c.seq, false, true
    FROM meant c
    WHERE c.candidates = 1 AND NOT c.has_id AND NOT {_SUBMITTING}
      AND NOT EXISTS (SELECT FROM single_message k WHERE k.provider_id = c.provider_id)
)
SELECT f.id, f.account_id, f.campaign_id, f.seq, f.by_id, f.by_number, q.provider_id
FROM (SELECT * FROM by_id UNION ALL SELECT * FROM by_number) f
     JOIN report_parked q ON q.id = f.id
ORDER BY f.id
LIMIT %(reports_max)s
"""

# First whose references they are, then the messages, whose campaigns are plain values by then.
_REFERENCES = """
SELECT q.id, o.id, q.reference - o.first_number, q.provider_id, q.phone
FROM report_parked q
CROSS JOIN LATERAL (
    SELECT c.id, c.first_number, c.total FROM campaign c
    WHERE c.first_number <= q.reference ORDER BY c.first_number DESC LIMIT 1) o
WHERE q.next_try_at IS NOT NULL AND q.reference IS NOT NULL AND q.id > %(after)s
  AND q.reference < o.first_number + o.total
ORDER BY q.id LIMIT %(reports_max)s
"""
_BY_REFERENCE = """
SELECT q.id, m.account_id, m.campaign_id, m.seq, false, false, q.provider_id
FROM unnest(%(parked)s::bigint[], %(campaigns)s::integer[], %(seqs)s::integer[],
            %(ids)s::text[], %(phones)s::bigint[])
         AS q (id, campaign_id, seq, provider_id, phone)
     JOIN message m ON m.campaign_id = q.campaign_id AND m.seq = q.seq
WHERE m.campaign_id = ANY(%(in_campaigns)s)
  AND (q.provider_id IS NULL OR m.provider_id IS NULL)
  AND (q.phone IS NULL OR m.phone IS NULL OR q.phone = m.phone)
ORDER BY q.id
"""

# Reports that tell an id were looked for by it before they were parked. Here it is asked again
# about the few that are about to be matched otherwise: their message may have been booked since.
_KNOWN = f"""
SELECT m.provider_id FROM message m WHERE m.provider_id = ANY(%(ids)s) AND {WITHIN}
"""

_TAKE = """
DELETE FROM report_parked WHERE id = ANY(%s)
RETURNING id, provider_id, reference, phone, state, word, at, error
"""


def take_matches(driver: Driver, now: datetime, reports_max: int) -> Sequence[Finding]:
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
        rows = [_Match(*row) for row in driver.execute(_MATCHES, parameters)]
        rows += _by_reference(driver, reports_max)
        known = _known(driver, {row.provider_id for row in rows if not row.by_id}, now)
    meant = [row for row in rows if row.by_id or row.provider_id not in known]
    matches = _unambiguous(sorted(meant, key=lambda row: row.parked)[:reports_max])
    if not matches:
        return ()
    taken = {row[0]: row[1:] for row in driver.execute(_TAKE, (list(matches),))}
    return [
        Finding.of_report(message, _report(*taken[parked]), now, is_certain=is_certain)
        for parked, (message, is_certain) in matches.items()
        if parked in taken
    ]


@attrs.frozen
class _Match:
    """A parked report, the message it may be about, and by what it was found."""

    parked: int
    account: int
    campaign: int
    seq: int
    by_id: bool
    by_number: bool
    provider_id: str | None


def _by_reference(driver: Driver, reports_max: int) -> Sequence[_Match]:
    """Piece by piece: those whose message has no row yet must not keep the others waiting."""
    found: list[_Match] = []
    after = 0
    while len(found) < reports_max:
        bounds = {"after": after, "reports_max": REFERENCES_AT_ONCE}
        told = driver.execute(_REFERENCES, bounds).fetchall()
        if not told:
            break
        parked, campaigns, seqs, ids, phones = map(list, zip(*told, strict=True))
        places = {
            "parked": parked,
            "campaigns": campaigns,
            "in_campaigns": sorted(set(campaigns)),
            "seqs": seqs,
            "ids": ids,
            "phones": phones,
        }
        found += [_Match(*row) for row in driver.execute(_BY_REFERENCE, places)]
        after = parked[-1]
    return found


def _known(driver: Driver, ids: AbstractSet[str | None], now: datetime) -> AbstractSet[str | None]:
    """Those of these ids that a message has that was handed over of late."""
    wanted = sorted(each for each in ids if each is not None)
    if not wanted:
        return frozenset()
    return {
        provider_id
        for partition in partitions.used_since(driver, now - REPORTED_WITHIN)
        for (provider_id,) in driver.execute(_KNOWN, {"ids": wanted} | partition.parameters)
    }


def _unambiguous(rows: Iterable[_Match]) -> dict[int, tuple[MessageKey, bool]]:
    """The message of each parked report, and whether that is certain.

    Of two ids that claim one number only the first counts.
    """
    matches: dict[int, tuple[MessageKey, bool]] = {}
    claimed: dict[MessageKey, str | None] = {}
    for row in rows:
        message = MessageKey(CampaignId(row.campaign), row.seq, AccountId(row.account))
        if row.by_number and claimed.setdefault(message, row.provider_id) != row.provider_id:
            continue
        matches.setdefault(row.parked, (message, not row.by_number))
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
