"""Batches on PostgreSQL: raw statements of the driver, each one round trip for up to 5,000 rows."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import attrs
import psycopg
from psycopg.rows import namedtuple_row
from psycopg.types.json import Jsonb
from sqlalchemy import Connection

from adapters_db.audiences.frequency_cap import capped_positions, lock_counting
from adapters_db.audiences.sql import meant
from adapters_db.connection.connections import psycopg_connection
from adapters_db.connection.plans import by_index
from adapters_db.messages.batches.freezing import freeze_statement
from adapters_db.messages.batches.merge_groups import in_flight_groups, merge_groups
from adapters_db.messages.batches.rows import CLAIMED_COLUMNS, claimed_batch
from adapters_db.messages.batches.settling import settle_batch
from adapters_db.messages.batches.splitting import defer, halve, keep_one, wake
from adapters_db.messages.gateway_health import (
    IS_WELL,
    MAY_BE_CALLED,
    STRAIN,
    begin_probe,
    end_probe,
)
from retail_core.audiences.model import (
    ADULT_AGE_YEARS,
    AudienceRules,
    AudienceSpec,
    CapWindow,
    years_before,
)
from retail_core.kernel.ids import SYSTEM_ACCOUNT, AccountId, CampaignId, ContactId, WorkerId
from retail_core.messages.errors import LeaseLost
from retail_core.messages.model import (
    BatchResults,
    ClaimedBatch,
    Dropped,
    FrozenAudience,
    MergeGroup,
    Settlement,
)
from retail_core.templates.rendering import Field

# Departures of late are few and looked at first; only if there are any are the recipients.
_HAS_DEPARTED = """
SELECT EXISTS (SELECT FROM consent_subject
               WHERE account_id = %(account)s AND deleted_at > %(since)s)
"""
# IS TRUE keeps them a hash that is looked up for each recipient, whatever the planner expects.
_DEPARTED = """
SELECT DISTINCT r.contact_id
FROM send_batch b CROSS JOIN unnest(b.contact_ids) AS r (contact_id)
WHERE b.account_id = %(account)s AND b.campaign_id = %(campaign)s
  AND (r.contact_id IN (SELECT contact_id FROM consent_subject
                        WHERE account_id = %(account)s AND deleted_at > %(since)s)) IS TRUE
ORDER BY r.contact_id
"""

_REJOIN = """
UPDATE send_batch b
SET turn = fresh.turn, state = 'queued',
    not_before = CASE WHEN b.state = 'queued' THEN b.not_before END
FROM (SELECT no, row_number() OVER (ORDER BY turn, no) - 1 + first_free AS turn
      FROM send_batch, first_free_turn(%(account)s) first_free
      WHERE account_id = %(account)s AND campaign_id = %(campaign)s
        AND state IN ('queued', 'deferred')) fresh
WHERE b.campaign_id = %(campaign)s AND b.no = fresh.no AND b.state IN ('queued', 'deferred')
"""

# Cancelled they are since their campaign is: this only takes them out of everybody's way. Whoever
# has one locked finds that out by themselves.
_CLOSE_CANCELLED = """
WITH waiting AS (
    SELECT b.campaign_id, b.no
    FROM send_batch b JOIN campaign c ON c.id = b.campaign_id AND c.state = 'cancelled'
    WHERE b.state IN ('queued', 'deferred', 'claimed')
    ORDER BY b.campaign_id, b.no LIMIT %s
    FOR UPDATE OF b SKIP LOCKED
)
UPDATE send_batch b SET state = 'cancelled', lease_until = NULL, not_before = NULL
FROM waiting w WHERE b.campaign_id = w.campaign_id AND b.no = w.no
"""

_DUE_BATCHES = """
    FROM send_batch b JOIN campaign c ON c.id = b.campaign_id AND c.state = 'sending'
    WHERE b.state = 'queued' AND (b.not_before IS NULL OR b.not_before <= %(now)s)"""
_IN_TURN = """
    ORDER BY b.turn, b.campaign_id DESC, b.no -- in a round, who came last waits least
    LIMIT 1"""
_CLAIM_DUE = f"""
WITH due AS (
    SELECT b.campaign_id, b.no {_DUE_BATCHES} AND {{condition}} {_IN_TURN}
    FOR UPDATE OF b SKIP LOCKED
)
UPDATE send_batch b
SET state = 'claimed', worker = %(worker)s, lease_until = %(lease_until)s,
    attempt = b.attempt + 1, not_before = NULL, dropped = '{{{{}}}}'
FROM due, campaign c
WHERE b.campaign_id = due.campaign_id AND b.no = due.no AND c.id = b.campaign_id
RETURNING {CLAIMED_COLUMNS}, {STRAIN} AS strain
"""
_CLAIM = _CLAIM_DUE.format(condition=IS_WELL)

# A probe's batch is split, for which the campaign's row is locked first, as by all who steer it.
_LOCK_DUE_CAMPAIGN = f"""
SELECT id FROM campaign
WHERE id = (SELECT b.campaign_id {_DUE_BATCHES} {_IN_TURN})
FOR UPDATE SKIP LOCKED
"""
_CLAIM_OF_CAMPAIGN = _CLAIM_DUE.format(condition="b.campaign_id = %(campaign)s")

# Whoever pauses or cancels the campaign locks it against this: they wait for an intent that is
# being committed, and none is committed after that.
_INTENT = """
WITH running AS MATERIALIZED (
    SELECT c.id FROM campaign c
    WHERE c.account_id = %(account)s AND c.id = %(campaign)s AND c.state = 'sending'
    FOR KEY SHARE
)
UPDATE send_batch b
SET state = 'submitting', ref = %(ref)s, lease_until = %(lease_until)s, submitted_at = now()
FROM running c
WHERE b.account_id = %(account)s AND b.campaign_id = %(campaign)s AND b.no = %(no)s
  AND b.state = 'claimed' AND b.worker = %(worker)s AND b.attempt = %(attempt)s
  AND c.id = b.campaign_id
"""

# A statement of its own: its snapshot is newer than the mark, so an opt-out that was committed
# before the hand-over is seen. A contact that was deleted meanwhile has no row any more.
_LEFT_OUT = """
SELECT r.position - 1,
       CASE WHEN c.id IS NULL THEN 'erased'
            WHEN c.phone <> r.phone THEN 'number_changed'
            WHEN NOT c.is_subscribed THEN 'opted_out'
            WHEN c.birthday > %(adult_until)s THEN 'under_age'
            WHEN c.birthday IS NULL AND a.adults_only THEN 'age_unknown'
            ELSE 'suppressed' END
FROM send_batch b JOIN account a ON a.id = b.account_id,
     unnest(b.contact_ids, b.phones) WITH ORDINALITY AS r (contact_id, phone, position)
     LEFT JOIN contact c ON c.account_id = %(account)s AND c.id = r.contact_id
WHERE b.campaign_id = %(campaign)s AND b.no = %(no)s
  AND (c.id IS NULL OR c.phone <> r.phone OR NOT c.is_subscribed
       OR c.birthday > %(adult_until)s OR (c.birthday IS NULL AND a.adults_only)
       OR EXISTS (SELECT FROM suppression s
                  WHERE s.account_id IN (%(account)s, %(system)s) AND s.phone = c.phone))
"""

_NOTE_LEFT_OUT = """
UPDATE send_batch SET dropped = %(dropped)s
WHERE account_id = %(account)s AND campaign_id = %(campaign)s AND no = %(no)s
  AND state = 'submitting' AND worker = %(worker)s AND attempt = %(attempt)s
"""

_PUT_BACK = """
UPDATE send_batch
SET state = 'queued', ref = NULL, worker = NULL, lease_until = NULL, not_before = %(not_before)s,
    tries = tries + %(failed_tries)s
WHERE account_id = %(account)s AND campaign_id = %(campaign)s AND no = %(no)s
  AND state IN ('claimed', 'submitting') AND worker = %(worker)s AND attempt = %(attempt)s
"""

_STALE = f"""
SELECT {CLAIMED_COLUMNS}
FROM send_batch b JOIN campaign c ON c.id = b.campaign_id
WHERE b.lease_until < %s AND b.state = 'submitting'
ORDER BY b.lease_until
LIMIT %s
FOR UPDATE OF b SKIP LOCKED
"""

# A row that is locked is being worked on, or by a process that hangs: either way the others need
# not wait for it.
_FREE_STALE = """
UPDATE send_batch b SET state = 'queued', worker = NULL, lease_until = NULL
FROM (SELECT campaign_id, no FROM send_batch
      WHERE lease_until < %s AND state = 'claimed' FOR UPDATE SKIP LOCKED) stale
WHERE b.campaign_id = stale.campaign_id AND b.no = stale.no
"""

_DUE = f"SELECT EXISTS (SELECT {_DUE_BATCHES} AND {MAY_BE_CALLED})"


@attrs.frozen
class SqlBatchStore:
    """`BatchStore` on PostgreSQL."""

    connection: Connection

    @property
    def _driver(self) -> "psycopg.Connection[tuple[Any, ...]]":
        return psycopg_connection(self.connection)

    def freeze(
        self,
        account: AccountId,
        campaign: CampaignId,
        spec: AudienceSpec,
        rules: AudienceRules,
        merge_fields: frozenset[Field],
        batch_messages_max: int,
        now: datetime,
    ) -> FrozenAudience:
        """One INSERT ... SELECT over the audience; a look at the lists that it names, if any."""
        audience = meant(self.connection, account, spec, rules)
        statement = freeze_statement(campaign, audience, merge_fields, batch_messages_max)
        sizes = [size for (size,) in self.connection.execute(statement)]
        return FrozenAudience(sum(sizes), len(sizes))

    def departed(
        self, account: AccountId, campaign: CampaignId, since: datetime
    ) -> Sequence[ContactId]:
        """Over the index of departures; nothing more where there was none."""
        parameters = {"account": account, "campaign": campaign, "since": since}
        has_any = self._driver.execute(_HAS_DEPARTED, parameters).fetchone()
        if has_any is None or not has_any[0]:
            return ()
        return [ContactId(row[0]) for row in self._driver.execute(_DEPARTED, parameters)]

    def merge_groups(
        self, account: AccountId, campaign: CampaignId, shaped: frozenset[Field]
    ) -> Iterable[MergeGroup]:
        """See `merge_groups`."""
        return merge_groups(self._driver, account, campaign, shaped)

    def rejoin(self, account: AccountId, campaign: CampaignId) -> None:
        """One statement; they keep their order."""
        with by_index(self._driver):
            self._driver.execute(_REJOIN, {"account": account, "campaign": campaign})

    def in_flight_groups(
        self, account: AccountId, campaign: CampaignId, shaped: frozenset[Field]
    ) -> Iterable[MergeGroup]:
        """See `merge_groups`."""
        return in_flight_groups(self._driver, account, campaign, shaped)

    def close_cancelled_across_accounts(self, batches_max: int) -> int:
        """One statement; the arrays stay where they are, for the log."""
        return self._driver.execute(_CLOSE_CANCELLED, (batches_max,)).rowcount

    def claim_across_accounts(
        self, worker: WorkerId, now: datetime, lease_until: datetime
    ) -> ClaimedBatch | None:
        """The due batch whose turn comes first; only where none is, a probe may be due."""
        parameters = {"worker": worker, "now": now, "lease_until": lease_until}
        claimed = self._claimed(_CLAIM, parameters)
        if claimed is None and begin_probe(self._driver, now, lease_until):
            claimed = self._claimed_probe(parameters)
            if claimed is None:
                end_probe(self._driver, now)
        return claimed

    def _claimed(self, statement: str, parameters: Mapping[str, object]) -> ClaimedBatch | None:
        with self._driver.cursor(binary=True, row_factory=namedtuple_row) as cursor:
            row = cursor.execute(statement, parameters).fetchone()
        return None if row is None else claimed_batch(row)

    def _claimed_probe(self, parameters: Mapping[str, object]) -> ClaimedBatch | None:
        campaign = self._driver.execute(_LOCK_DUE_CAMPAIGN, parameters).fetchone()
        if campaign is None:
            return None
        batch = self._claimed(_CLAIM_OF_CAMPAIGN, {**parameters, "campaign": campaign[0]})
        if batch is None:
            return None
        keep_one(self._driver, _owned(batch))
        return attrs.evolve(batch, recipients=batch.recipients.cut(slice(1)), is_probe=True)

    def commit_intent(
        self,
        batch: ClaimedBatch,
        ref: UUID,
        lease_until: datetime,
        today: date,
        cap: CapWindow | None = None,
    ) -> Mapping[int, Dropped]:
        """Mark, then read who must be left out, then note it on the batch."""
        if cap is not None:
            lock_counting(self._driver, batch.key.account)
        parameters = _owned(batch) | {
            "ref": ref,
            "lease_until": lease_until,
            "adult_until": years_before(today, ADULT_AGE_YEARS),
            "system": SYSTEM_ACCOUNT,
        }
        with self._driver.pipeline():
            marked = self._driver.execute(_INTENT, parameters)
            left_out = self._driver.execute(_LEFT_OUT, parameters)
        if marked.rowcount != 1:
            raise LeaseLost
        dropped = {position: Dropped(reason) for position, reason in left_out}
        if cap is not None:
            for position in capped_positions(self._driver, batch.key, cap):
                dropped.setdefault(position, Dropped.FREQUENCY_CAP)
        if dropped:
            self.leave_out(batch, dropped)
        return dropped

    def leave_out(self, batch: ClaimedBatch, dropped: Mapping[int, Dropped]) -> None:
        """One statement; the row is ours."""
        noted = Jsonb({str(position): each.value for position, each in dropped.items()})
        self._driver.execute(_NOTE_LEFT_OUT, {**_owned(batch), "dropped": noted})

    def settle(
        self, batch: ClaimedBatch, ref: UUID, results: BatchResults, now: datetime
    ) -> Settlement | None:
        """See `batch_settling`."""
        return settle_batch(self._driver, batch, ref, results, now)

    def put_back(
        self, batch: ClaimedBatch, not_before: datetime | None, *, failed_try: bool
    ) -> bool:
        """Queue it again if it is still ours."""
        parameters = _owned(batch) | {"not_before": not_before, "failed_tries": int(failed_try)}
        return self._driver.execute(_PUT_BACK, parameters).rowcount == 1

    def defer(self, batch: ClaimedBatch, waits: Mapping[datetime, Sequence[int]]) -> bool:
        """See `batch_splitting`."""
        return defer(self._driver, _owned(batch), len(batch.recipients), waits)

    def wake_across_accounts(self, now: datetime, batches_max: int) -> int:
        """See `batch_splitting`."""
        return wake(self._driver, now, batches_max)

    def split(self, batch: ClaimedBatch, not_before: datetime) -> bool:
        """See `batch_splitting`."""
        return halve(self._driver, {**_owned(batch), "not_before": not_before})

    def stale_across_accounts(self, now: datetime, batches_max: int) -> Sequence[ClaimedBatch]:
        """Submitting, and nobody is left to settle it."""
        with self._driver.cursor(binary=True, row_factory=namedtuple_row) as cursor:
            return [claimed_batch(row) for row in cursor.execute(_STALE, (now, batches_max))]

    def free_stale_claims_across_accounts(self, now: datetime) -> int:
        """Claimed, and nobody is left to submit it."""
        return self._driver.execute(_FREE_STALE, (now,)).rowcount

    def due_across_accounts(self, now: datetime) -> bool:
        """Whether a claim would find anything."""
        row = self._driver.execute(_DUE, {"now": now}).fetchone()
        return row is not None and bool(row[0])


def _owned(batch: ClaimedBatch) -> dict[str, object]:
    """The parameters of the guard: which batch, and that this worker and attempt own it."""
    return {
        "account": batch.key.account,
        "campaign": batch.key.campaign,
        "no": batch.key.no,
        "worker": batch.worker,
        "attempt": batch.attempt,
    }
