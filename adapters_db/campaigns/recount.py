"""Counts every campaign again, from the rows that its counters stand for."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs
from sqlalchemy import TextClause, text

from adapters_db.connection.reads import Reads
from retail_core.kernel.ids import AccountId, CampaignId
from retail_core.messages.model import MessageState

COUNTED: Final = (
    "total",
    "queued",
    "sent",
    "delivered",
    "failed",
    "unknown",
    "cancelled",
    "credits_held",
    "credits_captured",
    "credits_released",
)


# One statement, so one snapshot: what is being sent meanwhile does not look like a difference.
# A batch has no message rows before it is settled; then each of its recipients has one. What waits
# is cancelled with its campaign. What is held is told twice: by the entries, and, once nobody
# waits, by the messages in doubt. `<rows>` and `<campaigns>` narrow it down.
_MISMATCHES: Final = f"""
    WITH batch AS (
        SELECT campaign_id,
               sum(size) FILTER (WHERE state IN ('queued', 'deferred', 'claimed')) AS waiting,
               sum(size) FILTER (WHERE state = 'submitting') AS submitting,
               sum(size) FILTER (WHERE state = 'cancelled') AS closed
        FROM send_batch WHERE <rows> GROUP BY campaign_id
    ), by_state AS (
        SELECT c.id AS campaign_id,
               coalesce(b.submitting, 0)
                   + CASE WHEN c.state = 'cancelled' THEN 0 ELSE coalesce(b.waiting, 0) END
                   AS queued,
               coalesce(b.closed, 0)
                   + CASE WHEN c.state = 'cancelled' THEN coalesce(b.waiting, 0) ELSE 0 END
                   AS cancelled
        FROM campaign c JOIN batch b ON b.campaign_id = c.id
    ), row_counts AS (
        SELECT campaign_id,
               count(*) FILTER (WHERE state = {MessageState.SENT:d}) AS sent,
               count(*) FILTER (WHERE state = {MessageState.DELIVERED:d}) AS delivered,
               count(*) FILTER (WHERE state = {MessageState.FAILED:d}) AS failed,
               count(*) FILTER (WHERE state = {MessageState.UNKNOWN:d}) AS unknown,
               count(*) FILTER (WHERE state = {MessageState.CANCELLED:d}) AS cancelled,
               count(*) AS rows
        FROM message WHERE <rows> GROUP BY campaign_id
    ), entry AS (
        SELECT campaign_id,
               coalesce(sum(amount) FILTER (WHERE credit = 'held'), 0)
                   - coalesce(sum(amount) FILTER (WHERE debit = 'held'), 0) AS held,
               sum(amount) FILTER (WHERE kind = 'capture') AS captured,
               sum(amount) FILTER (WHERE kind = 'release') AS released
        FROM credit_transfer WHERE campaign_id IS NOT NULL AND <rows>
        GROUP BY campaign_id
    ), doubt AS (
        SELECT campaign_id, sum(credits) FILTER (WHERE credits_settled_at IS NULL) AS held
        FROM message_doubt WHERE <rows> GROUP BY campaign_id
    ), recomputed AS (
        SELECT c.id,
               coalesce(b.queued, 0) + coalesce(b.cancelled, 0) + coalesce(r.rows, 0) AS total,
               coalesce(b.queued, 0) AS queued, coalesce(r.sent, 0) AS sent,
               coalesce(r.delivered, 0) AS delivered, coalesce(r.failed, 0) AS failed,
               coalesce(r.unknown, 0) AS unknown,
               coalesce(r.cancelled, 0) + coalesce(b.cancelled, 0) AS cancelled,
               CASE WHEN c.queued = 0 AND c.credits_held = coalesce(e.held, 0)
                    THEN coalesce(d.held, 0) ELSE coalesce(e.held, 0) END AS credits_held,
               coalesce(e.captured, 0) AS credits_captured,
               coalesce(e.released, 0) AS credits_released
        FROM campaign c
        LEFT JOIN by_state b ON b.campaign_id = c.id
        LEFT JOIN row_counts r ON r.campaign_id = c.id
        LEFT JOIN entry e ON e.campaign_id = c.id
        LEFT JOIN doubt d ON d.campaign_id = c.id
        WHERE c.started_at IS NOT NULL AND <campaigns>
    )
    SELECT c.account_id, c.id, {", ".join(f"c.{name}" for name in COUNTED)},
           {", ".join(f"n.{name}::bigint" for name in COUNTED)}
    FROM campaign c JOIN recomputed n USING (id)
    WHERE ({", ".join(f"c.{name}" for name in COUNTED)})
          IS DISTINCT FROM ({", ".join(f"n.{name}" for name in COUNTED)})
    ORDER BY c.id LIMIT :mismatches_max
"""


def _of(rows: str, campaigns: str) -> TextClause:
    """The statement for the campaigns that both conditions mean."""
    return text(_MISMATCHES.replace("<rows>", rows).replace("<campaigns>", campaigns))


_ALL: Final = _of("true", "true")
OF_ONE: Final = _of("campaign_id = :campaign", "c.id = :campaign")
"""Of the rows of one campaign alone, each found by an index."""


@attrs.frozen
class CampaignMismatch:
    """A campaign whose counters are not those of its rows; both by name."""

    account: AccountId
    campaign: CampaignId
    stored: Mapping[str, int]
    recomputed: Mapping[str, int]


@attrs.frozen
class SqlCampaignAudit:
    """Compares counters with batches, messages and ledger entries. Raises `Unavailable`."""

    reads: Reads

    def mismatches_across_accounts(self, mismatches_max: int) -> Sequence[CampaignMismatch]:
        """Started campaigns that differ, by id; reads all messages."""
        with self.reads.across_accounts() as connection:
            rows = connection.execute(_ALL, {"mismatches_max": mismatches_max}).all()
        return [mismatch_of(row) for row in rows]


def mismatch_of(row: Sequence[Any]) -> CampaignMismatch:
    """A row of either statement."""
    middle = 2 + len(COUNTED)
    return CampaignMismatch(
        row[0],
        row[1],
        stored=dict(zip(COUNTED, row[2:middle], strict=True)),
        recomputed=dict(zip(COUNTED, row[middle:], strict=True)),
    )
