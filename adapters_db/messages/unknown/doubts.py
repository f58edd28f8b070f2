"""Messages in doubt on PostgreSQL: a small table of their own, so that they are found at once."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import attrs
import psycopg
from sqlalchemy import Connection

from adapters_db.connection.connections import psycopg_connection
from adapters_db.connection.plans import by_index
from adapters_db.messages.unknown import single_doubts
from adapters_db.messages.unknown.finding_columns import finding_columns
from adapters_db.messages.unknown.matching import take_matches
from retail_core.kernel.ids import AccountId, CampaignId, MessageNumber, ProviderId
from retail_core.messages.model import (
    NO_CAMPAIGN,
    Doubt,
    Finding,
    HeldShare,
    MessageKey,
    MessageState,
    Resolved,
    doubt_key,
)

# The rows are locked in one order, as reports lock them, and looked for in the partitions of their
# campaigns alone; what is already known is never lowered. Whose credits are
# still held is told by the row in message_doubt, which goes away once and for one of us only.
# What is not certain takes nobody out of doubt: it only notes whose report was believed.
_RESOLVE = f"""
WITH finding AS (
    SELECT * FROM unnest(%(campaigns)s::integer[], %(seqs)s::integer[], %(states)s::smallint[],
        %(sent)s::timestamptz[], %(delivered)s::timestamptz[], %(failed)s::timestamptz[],
        string_to_array(%(ids)s, E'\\n', ''), string_to_array(%(errors)s, E'\\n', ''),
        string_to_array(%(codes)s, E'\\n', ''), %(certain)s::boolean[])
        AS f (campaign_id, seq, state, sent_at, delivered_at, failed_at, provider_id, error,
              error_code, certain)
), found AS (
    SELECT m.state AS before, d.reported_id IS NOT NULL AS was_reported, f.*
    FROM finding f JOIN message m ON m.campaign_id = f.campaign_id AND m.seq = f.seq
         LEFT JOIN message_doubt d ON d.campaign_id = f.campaign_id AND d.seq = f.seq
    WHERE m.campaign_id = ANY(%(in_campaigns)s)
      AND (m.provider_id IS NULL OR f.provider_id IS NULL OR m.provider_id = f.provider_id)
    ORDER BY m.campaign_id DESC, m.seq
    FOR UPDATE OF m
), changed AS (
    UPDATE message m
    SET state = greatest(m.state, f.state),
        provider_id = CASE WHEN f.certain THEN coalesce(m.provider_id, f.provider_id)
                           ELSE m.provider_id END,
        sent_at = least(m.sent_at, f.sent_at),
        delivered_at = least(m.delivered_at, f.delivered_at),
        failed_at = least(m.failed_at, f.failed_at),
        error = CASE WHEN m.state = {MessageState.UNKNOWN:d}
                          OR f.failed_at < coalesce(m.failed_at, 'infinity') THEN f.error
                     ELSE m.error END,
        error_code = CASE WHEN m.state = {MessageState.UNKNOWN:d} THEN f.error_code
                          ELSE m.error_code END,
        updated_at = greatest(m.updated_at, %(now)s)
    FROM found f
    WHERE m.campaign_id = f.campaign_id AND m.seq = f.seq
      AND m.campaign_id = ANY(%(in_campaigns)s)
      AND (m.state < f.state
           OR (f.certain AND m.provider_id IS NULL AND f.provider_id IS NOT NULL)
           OR (f.certain AND f.was_reported)
           OR f.sent_at < coalesce(m.sent_at, 'infinity')
           OR f.delivered_at < coalesce(m.delivered_at, 'infinity')
           OR f.failed_at < coalesce(m.failed_at, 'infinity'))
    RETURNING m.account_id, m.campaign_id, m.seq, f.before, m.state, f.certain,
              f.provider_id AS told_id
), claimed AS (
    UPDATE message_doubt d SET reported_id = coalesce(d.reported_id, c.told_id, '')
    FROM changed c WHERE d.campaign_id = c.campaign_id AND d.seq = c.seq AND NOT c.certain
), freed AS (
    DELETE FROM message_doubt d USING changed c
    WHERE d.campaign_id = c.campaign_id AND d.seq = c.seq AND c.certain
    RETURNING d.campaign_id, d.seq,
              CASE WHEN d.credits_settled_at IS NULL THEN d.credits ELSE 0 END AS credits
)
SELECT c.account_id, c.campaign_id, c.seq, c.before, c.state, coalesce(f.credits, 0)
FROM changed c LEFT JOIN freed f USING (campaign_id, seq)
ORDER BY c.campaign_id, c.seq
"""

_WAITING = f"""
SELECT d.account_id, d.campaign_id, d.seq, c.first_number + d.seq, d.since, d.credits,
       d.credits_settled_at IS NOT NULL, m.provider_id, m.state
FROM message_doubt d
     JOIN campaign c ON c.id = d.campaign_id
     JOIN message m ON m.campaign_id = d.campaign_id AND m.seq = d.seq
WHERE (%(campaign)s::integer IS NULL OR d.campaign_id = %(campaign)s)
  AND (m.state = {MessageState.UNKNOWN:d} OR d.credits_settled_at IS NULL)
  AND (d.campaign_id, d.seq) > (%(after_campaign)s, %(after_seq)s)
ORDER BY d.campaign_id, d.seq
LIMIT %(doubts_max)s
"""

_SETTLE_OVERDUE = """
WITH overdue AS (
    SELECT campaign_id, seq FROM message_doubt
    WHERE since < %(before)s AND credits_settled_at IS NULL
    ORDER BY since, campaign_id, seq
    LIMIT %(messages_max)s
    FOR UPDATE SKIP LOCKED
), settled AS (
    UPDATE message_doubt d SET credits_settled_at = %(now)s
    FROM overdue o WHERE d.campaign_id = o.campaign_id AND d.seq = o.seq
    RETURNING d.account_id, d.campaign_id, d.seq, d.credits
)
SELECT account_id, campaign_id, min(seq), sum(credits)::bigint, count(*)
FROM settled GROUP BY account_id, campaign_id ORDER BY campaign_id
"""

_CLOSE_BATCHES = """
WITH over AS (
    SELECT campaign_id, no FROM send_batch
    WHERE state = 'unknown' AND settled_at < %(before)s
    ORDER BY settled_at LIMIT %(batches_max)s
    FOR UPDATE SKIP LOCKED
)
UPDATE send_batch b
SET state = 'settled', seqs = NULL, contact_ids = NULL, phones = NULL, credits_per_part = NULL,
    first_names = NULL, last_names = NULL, emails = NULL
FROM over o WHERE b.campaign_id = o.campaign_id AND b.no = o.no
"""

_HELD = """
SELECT coalesce(sum(credits), 0) FROM message_doubt
WHERE account_id = %(account)s AND campaign_id = %(campaign)s AND credits_settled_at IS NULL
"""

# First the lock, then a statement of its own that adds up: its snapshot is newer than all who had
# the lock before.
_LOCK_ENDED = """
SELECT c.id FROM campaign c
WHERE c.finished_at >= %(since)s AND c.texts_removed_at IS NULL
  AND c.state IN ('completed', 'cancelled') AND c.queued = 0 AND c.credits_held > 0
  AND c.credits_held > (SELECT coalesce(sum(d.credits), 0) FROM message_doubt d
                        WHERE d.campaign_id = c.id AND d.credits_settled_at IS NULL)
ORDER BY c.finished_at, c.id LIMIT %(campaigns_max)s
FOR UPDATE OF c SKIP LOCKED
"""
_LEFTOVERS = """
SELECT c.account_id, c.id, c.credits_held - coalesce(sum(d.credits), 0) AS over,
       c.credits_released
FROM campaign c
     LEFT JOIN message_doubt d ON d.campaign_id = c.id AND d.credits_settled_at IS NULL
WHERE c.id = ANY(%s) AND c.state IN ('completed', 'cancelled') AND c.queued = 0
GROUP BY c.account_id, c.id, c.credits_held, c.credits_released
HAVING c.credits_held > coalesce(sum(d.credits), 0)
ORDER BY c.id
"""


@attrs.frozen
class SqlDoubtStore:
    """`DoubtStore` on PostgreSQL."""

    connection: Connection

    @property
    def _driver(self) -> "psycopg.Connection[tuple[Any, ...]]":
        return psycopg_connection(self.connection)

    def take_matching_reports_across_accounts(
        self, now: datetime, reports_max: int
    ) -> Sequence[Finding]:
        """See `doubt_matching`."""
        return take_matches(self._driver, now, reports_max)

    def resolve_across_accounts(
        self, findings: Sequence[Finding], now: datetime
    ) -> Sequence[Resolved]:
        """One statement for those of campaigns, one for single ones."""
        singles = [each for each in findings if each.message.is_single]
        if len(singles) < len(findings):
            rest = [each for each in findings if not each.message.is_single]
            return [*self._resolve(rest, now), *single_doubts.resolve(self._driver, singles, now)]
        return single_doubts.resolve(self._driver, singles, now)

    def _resolve(self, findings: Sequence[Finding], now: datetime) -> Sequence[Resolved]:
        if not findings:
            return ()
        columns = finding_columns(findings)
        columns["in_campaigns"] = sorted({each.message.campaign for each in findings})
        with by_index(self._driver):
            rows = self._driver.execute(_RESOLVE, columns | {"now": now}).fetchall()
        return [
            Resolved(_key(*row[:3]), MessageState(row[3]), MessageState(row[4]), row[5])
            for row in rows
        ]

    def waiting_across_accounts(
        self, campaign: CampaignId | None, after: MessageKey | None, doubts_max: int
    ) -> Sequence[Doubt]:
        """By the primary key; single messages first."""
        found: list[Doubt] = []
        if campaign in (None, NO_CAMPAIGN) and (after is None or after.is_single):
            found += single_doubts.waiting(self._driver, after, doubts_max)
            after = None
        return [*found, *self._waiting(campaign, after, doubts_max - len(found))]

    def _waiting(
        self, campaign: CampaignId | None, after: MessageKey | None, doubts_max: int
    ) -> Sequence[Doubt]:
        parameters = {
            "campaign": campaign,
            "after_campaign": 0 if after is None else after.campaign,
            "after_seq": -1 if after is None else after.seq,
            "doubts_max": doubts_max,
        }
        return [
            Doubt(
                message=_key(*row[:3]),
                number=MessageNumber(row[3]),
                since=row[4],
                credits=row[5],
                credits_settled=row[6],
                provider_id=ProviderId(row[7]) if row[7] else None,
                state=MessageState(row[8]),
            )
            for row in self._driver.execute(_WAITING, parameters)
        ]

    def settle_overdue_across_accounts(
        self, before: datetime, now: datetime, messages_max: int
    ) -> Sequence[HeldShare]:
        """One statement, over the partial index of those not settled."""
        parameters = {"before": before, "now": now, "messages_max": messages_max}
        return [
            HeldShare(
                account=AccountId(account),
                campaign=CampaignId(campaign),
                credits=credits,
                messages=messages,
                key=doubt_key(CampaignId(campaign), first),
            )
            for account, campaign, first, credits, messages in self._driver.execute(
                _SETTLE_OVERDUE, parameters
            )
        ]

    def close_batches_across_accounts(self, before: datetime, batches_max: int) -> int:
        """The recipients' rows exist for good."""
        parameters = {"before": before, "batches_max": batches_max}
        return self._driver.execute(_CLOSE_BATCHES, parameters).rowcount

    def held(self, account: AccountId, campaign: CampaignId) -> int:
        """By the campaign's part of the key."""
        parameters = {"account": account, "campaign": campaign}
        ((held,),) = self._driver.execute(_HELD, parameters)
        return int(held)

    def leftover_holds_across_accounts(
        self, since: datetime, campaigns_max: int
    ) -> Sequence[HeldShare]:
        """Two statements: the lock, and the sum."""
        bounds = {"since": since, "campaigns_max": campaigns_max}
        with by_index(self._driver):
            ended = [row[0] for row in self._driver.execute(_LOCK_ENDED, bounds)]
        if not ended:
            return ()
        return [
            HeldShare(
                account=AccountId(account),
                campaign=CampaignId(campaign),
                credits=int(over),
                messages=0,
                key=f"leftover:{campaign}:{released}",
            )
            for account, campaign, over, released in self._driver.execute(_LEFTOVERS, (ended,))
        ]


def _key(account: int, campaign: int, seq: int) -> MessageKey:
    return MessageKey(CampaignId(campaign), seq, AccountId(account))
