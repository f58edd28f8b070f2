"""Single messages on PostgreSQL: planned, handed over and settled, each verb guarded by a state."""

from collections.abc import Sequence
from datetime import date, datetime
from operator import itemgetter
from typing import Any
from uuid import UUID

import attrs
import psycopg
from psycopg.rows import namedtuple_row
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from adapters_db.connection.connections import psycopg_connection
from adapters_db.messages.singles.intent import INTENT, IS_DUE
from adapters_db.messages.singles.reports import apply_reports, share
from adapters_db.tables.messages import single_message
from retail_core.audiences.model import ADULT_AGE_YEARS, years_before
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import SYSTEM_ACCOUNT, AccountId, MessageNumber
from retail_core.messages.model import (
    LOOK_UP_AFTER,
    ClaimedSingle,
    DeliveryReport,
    Dropped,
    MessageKind,
    MessageState,
    NewSingle,
    SingleResult,
    SingleShare,
)

_DUE_ACCOUNT = f"""
SELECT m.account_id FROM single_message m WHERE {IS_DUE}
ORDER BY m.kind = 'automation', m.number LIMIT 1
"""

# Of whom a report told that was not certain, the higher state stays, and credits follow the answer.
_IN_HAND = f"m.state IN ({MessageState.SUBMITTING:d}, {MessageState.UNKNOWN:d})"
# An erased number leaves the row of the message that would have gone to it.
_STAYS = f"r.error_code IS DISTINCT FROM '{Dropped.ERASED.value}'"
_SETTLE = f"""
WITH result AS (
    SELECT * FROM unnest(%(numbers)s::bigint[], %(states)s::smallint[], %(ids)s::text[],
                         %(codes)s::text[], %(errors)s::text[])
        AS r (number, state, provider_id, error_code, error)
), before AS (
    SELECT m.number, m.holds, {_IN_HAND} AS in_hand,
           NOT {_IN_HAND} AND r.state <= m.state AS is_known
    FROM single_message m JOIN result r USING (number)
    WHERE m.account_id = %(account)s AND m.ref = %(ref)s
      AND ({_IN_HAND} OR (m.holds AND m.reported_id IS NOT NULL
                          AND r.state <> {MessageState.UNKNOWN:d}))
    ORDER BY m.number
    FOR UPDATE OF m
)
UPDATE single_message m
SET state = CASE WHEN b.is_known THEN m.state ELSE r.state END, lease_until = NULL,
    provider_id = CASE WHEN b.in_hand THEN r.provider_id
                       ELSE coalesce(m.provider_id, r.provider_id) END,
    error_code = CASE WHEN b.is_known THEN m.error_code ELSE r.error_code END,
    error = CASE WHEN b.is_known THEN m.error ELSE r.error END,
    contact_id = CASE WHEN {_STAYS} THEN m.contact_id END,
    phone = CASE WHEN {_STAYS} THEN m.phone END, text = CASE WHEN {_STAYS} THEN m.text END,
    holds = b.holds AND r.state = {MessageState.UNKNOWN:d}, reported_id = NULL,
    sent_at = CASE WHEN r.state <> {MessageState.SENT:d} THEN m.sent_at
                   WHEN b.in_hand THEN %(now)s ELSE coalesce(m.sent_at, %(now)s) END,
    failed_at = CASE WHEN r.state <> {MessageState.FAILED:d} THEN m.failed_at
                     WHEN b.in_hand THEN %(now)s ELSE coalesce(m.failed_at, %(now)s) END,
    submitted_at = CASE WHEN r.state <> {MessageState.CANCELLED:d} THEN m.submitted_at END,
    look_up_at = CASE WHEN r.state <> {MessageState.CANCELLED:d} THEN m.look_up_at END,
    updated_at = %(now)s
FROM result r, before b
WHERE m.number = r.number AND m.number = b.number
RETURNING m.account_id, m.number, m.credits, m.reason, r.state, b.holds AND NOT m.holds
"""

_PUT_BACK = f"""
UPDATE single_message
SET state = {MessageState.QUEUED:d}, ref = NULL, lease_until = NULL, submitted_at = NULL,
    not_before = %(not_before)s, tries = tries + %(failed_tries)s, updated_at = now()
WHERE account_id = %(account)s AND ref = %(ref)s AND state = {MessageState.SUBMITTING:d}
  AND (%(numbers)s::bigint[] IS NULL OR number = ANY(%(numbers)s::bigint[]))
"""

_MARK_UNKNOWN = f"""
UPDATE single_message
SET state = {MessageState.UNKNOWN:d}, lease_until = NULL, error_code = 'outcome_unknown',
    error = 'the worker died', updated_at = %(now)s
WHERE lease_until < %(now)s AND state = {MessageState.SUBMITTING:d}
"""

_SETTLE_OVERDUE = f"""
WITH overdue AS (
    SELECT number FROM single_message
    WHERE holds AND state BETWEEN {MessageState.UNKNOWN:d} AND {MessageState.DELIVERED:d}
      AND submitted_at < %(before)s
    ORDER BY submitted_at, number LIMIT %(singles_max)s
    FOR UPDATE SKIP LOCKED
)
UPDATE single_message m SET holds = false, updated_at = %(now)s
FROM overdue o WHERE m.number = o.number
RETURNING m.account_id, m.number, m.credits, m.reason, m.state
"""


@attrs.frozen
class SqlSingleMessageStore:
    """`SingleMessageStore` on PostgreSQL."""

    connection: Connection

    @property
    def _driver(self) -> "psycopg.Connection[tuple[Any, ...]]":
        return psycopg_connection(self.connection)

    def add(self, account: AccountId, single: NewSingle, now: datetime) -> bool:
        """One row; the occasion's key decides."""
        row = _planned(account, single, now)
        return self._add({**row, "holds": True, "state": MessageState.QUEUED})

    def add_failed(
        self, account: AccountId, single: NewSingle, error_code: str, now: datetime
    ) -> bool:
        """One row that is over."""
        over = {"holds": False, "state": MessageState.FAILED, "failed_at": now}
        row = _planned(account, single, now)
        return self._add({**row, **over, "credits": 0, "error_code": error_code})

    def _add(self, row: dict[str, object]) -> bool:
        statement = insert(single_message).values(**row)
        unless_used = statement.on_conflict_do_nothing(index_elements=["account_id", "occasion"])
        added = unless_used.returning(single_message.c.number)
        return self.connection.execute(added).first() is not None

    def due_account_across_accounts(self, now: datetime) -> AccountId | None:
        """Over the partial index of those that wait."""
        row = self._driver.execute(_DUE_ACCOUNT, {"now": now}).fetchone()
        return None if row is None else AccountId(row[0])

    def commit_intent(
        self,
        account: AccountId,
        ref: UUID,
        now: datetime,
        lease_until: datetime,
        today: date,
        singles_max: int,
        numbers: Sequence[MessageNumber] | None = None,
    ) -> Sequence[ClaimedSingle]:
        """One statement, whose snapshot is that of the hand-over."""
        parameters = {
            "account": account,
            "system": SYSTEM_ACCOUNT,
            "ref": ref,
            "now": now,
            "lease_until": lease_until,
            "adult_until": years_before(today, ADULT_AGE_YEARS),
            "look_up_at": now + LOOK_UP_AFTER[0],
            "singles_max": singles_max,
            "numbers": None if numbers is None else list(numbers),
        }
        with self._driver.cursor(row_factory=namedtuple_row) as cursor:
            rows = cursor.execute(INTENT, parameters).fetchall()
        return [_claimed(row) for row in sorted(rows, key=itemgetter(0))]

    def settle(
        self, account: AccountId, ref: UUID, results: Sequence[SingleResult], now: datetime
    ) -> Sequence[SingleShare]:
        """One statement."""
        if not results:
            return ()
        parameters = {
            "account": account,
            "ref": ref,
            "now": now,
            "numbers": [each.number for each in results],
            "states": [int(each.state) for each in results],
            "ids": [each.provider_id for each in results],
            "codes": [each.error_code for each in results],
            "errors": [each.error for each in results],
        }
        rows = self._driver.execute(_SETTLE, parameters)
        return [share(row) for *row, settles in rows if settles]

    def put_back(
        self,
        account: AccountId,
        ref: UUID,
        not_before: datetime | None,
        *,
        failed_try: bool,
        numbers: Sequence[MessageNumber] | None = None,
    ) -> int:
        """One statement."""
        parameters = {
            "account": account,
            "ref": ref,
            "not_before": not_before,
            "failed_tries": int(failed_try),
            "numbers": None if numbers is None else list(numbers),
        }
        return self._driver.execute(_PUT_BACK, parameters).rowcount

    def mark_unknown_across_accounts(self, now: datetime) -> int:
        """One statement, over the index of leases."""
        return self._driver.execute(_MARK_UNKNOWN, {"now": now}).rowcount

    def due_across_accounts(self, now: datetime) -> bool:
        """Over the partial index of those that wait."""
        return self.due_account_across_accounts(now) is not None

    def apply_reports_across_accounts(
        self, reports: Sequence[DeliveryReport], now: datetime
    ) -> tuple[Sequence[DeliveryReport], Sequence[SingleShare]]:
        """See `single_reports`."""
        return apply_reports(self._driver, reports, now)

    def settle_overdue_across_accounts(
        self, before: datetime, now: datetime, singles_max: int
    ) -> Sequence[SingleShare]:
        """One statement, over the index of those in doubt."""
        parameters = {"before": before, "now": now, "singles_max": singles_max}
        return [share(row) for row in self._driver.execute(_SETTLE_OVERDUE, parameters)]


def _planned(account: AccountId, single: NewSingle, now: datetime) -> dict[str, object]:
    return {
        "number": single.number,
        "account_id": account,
        "kind": single.kind,
        "occasion": single.occasion,
        "reason": single.reason,
        "campaign_id": single.campaign,
        "automation_id": single.automation,
        "contact_id": single.contact,
        "phone": single.phone,
        "sender": single.sender,
        "text": single.text,
        "encoding": int(single.size.encoding),
        "parts": single.size.parts,
        "credits": single.credits,
        "not_before": single.not_before,
        "expires_at": single.expires_at,
        "stop_suppression_id": single.confirms_stop,
        "created_at": now,
        "updated_at": now,
    }


def _claimed(row: Any) -> ClaimedSingle:  # noqa: ANN401 - a row by name
    return ClaimedSingle(
        number=MessageNumber(row.number),
        phone=PhoneNumber(f"+{row.phone}"),
        sender=row.sender,
        text=row.text or "",
        credits=row.credits,
        reason=row.reason,
        tries=row.tries,
        dropped=row.dropped and Dropped(row.dropped),
        kind=MessageKind(row.kind),
        expires_at=row.expires_at,
    )
