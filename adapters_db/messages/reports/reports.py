"""Delivery reports on PostgreSQL: as they came, and those that wait for their message."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs
import psycopg
from sqlalchemy import Connection

from adapters_db.connection.connections import psycopg_connection
from adapters_db.connection.lines import one_per_line
from adapters_db.connection.plans import by_index
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import MessageNumber, ProviderId, ReportId
from retail_core.messages.model import (
    BatchKey,
    DeliveryReport,
    MessageState,
    ParkedReport,
    RawReport,
    WebhookCall,
)
from retail_core.messages.ports import REPORT_BYTES_TYPICAL

_ADD = """
INSERT INTO report_inbox (raw, arrived_at)
SELECT * FROM unnest(%b::bytea[], %b::timestamptz[])
"""

_TAKE_NEW = """
SELECT i.id, i.raw, i.arrived_at
FROM report_inbox i
WHERE i.applied_at IS NULL AND i.id IN (
    SELECT w.id FROM (
        SELECT id, sum(octet_length(raw)) OVER (ORDER BY id) - octet_length(raw) AS bytes_before
        FROM (SELECT id, raw FROM report_inbox WHERE applied_at IS NULL
              ORDER BY id LIMIT %(calls_max)s) first_calls
    ) w WHERE w.bytes_before < %(bytes_max)s)
ORDER BY i.id
FOR UPDATE SKIP LOCKED
"""

_REPLAY = """
WITH chosen AS (
    SELECT id FROM report_inbox
    WHERE id > %(after)s AND applied_at IS NOT NULL
      AND arrived_at BETWEEN coalesce(%(since)s::timestamptz, '-infinity') AND %(until)s
    ORDER BY id LIMIT %(calls_max)s
    FOR UPDATE
), replayed AS (
    UPDATE report_inbox i SET applied_at = NULL FROM chosen WHERE i.id = chosen.id
)
SELECT id FROM chosen ORDER BY id
"""

_COLUMNS = "provider_id, reference, phone, state, word, at, error, parked_at, tries, next_try_at"
_PARK = f"""
INSERT INTO report_parked ({_COLUMNS})
SELECT * FROM unnest(string_to_array(%(ids)s, E'\\n', ''), %(references)s::bigint[],
    %(phones)s::bigint[], %(states)s::smallint[], string_to_array(%(words)s, E'\\n'),
    %(times)s::timestamptz[], string_to_array(%(errors)s, E'\\n', ''),
    %(parked)s::timestamptz[], %(tries)s::smallint[], %(next)s::timestamptz[])
"""

# Whatever is parked, only those whose time has come are read.
_TAKE_PARKED = f"""
WITH due AS (
    SELECT id FROM report_parked WHERE next_try_at <= %(now)s
    ORDER BY next_try_at, id LIMIT %(reports_max)s FOR UPDATE SKIP LOCKED
)
DELETE FROM report_parked p USING due WHERE p.id = due.id
RETURNING p.id, {_COLUMNS}
"""

# A batch's rows lead to the reports, not the other way: strangers' reports may pile up, and a
# batch has a few thousand rows. Where nothing is parked, as usual, not even those are read.
_TAKE_PARKED_OF_BATCH = f"""
WITH known AS (
    SELECT p.id
    FROM send_batch b
         JOIN message m ON m.seq BETWEEN b.first_seq AND b.last_seq
         JOIN report_parked p ON p.provider_id = m.provider_id
    WHERE b.account_id = %(account)s AND b.campaign_id = %(campaign)s AND b.no = %(no)s
      AND m.campaign_id = %(campaign)s AND m.state <> {MessageState.UNKNOWN:d}
      AND EXISTS (SELECT FROM report_parked)
    ORDER BY p.id LIMIT %(reports_max)s FOR UPDATE OF p SKIP LOCKED
)
DELETE FROM report_parked p USING known WHERE p.id = known.id
RETURNING p.id, {_COLUMNS}
"""


@attrs.frozen
class SqlReportStore:
    """`ReportStore` on PostgreSQL."""

    connection: Connection

    @property
    def _driver(self) -> "psycopg.Connection[tuple[Any, ...]]":
        return psycopg_connection(self.connection)

    def add(self, calls: Sequence[WebhookCall]) -> None:
        """One row a call, all in one statement."""
        raws, times = [call.raw for call in calls], [call.arrived_at for call in calls]
        self._driver.execute(_ADD, (raws, times))

    def take_new_across_accounts(self, reports_max: int) -> Sequence[RawReport]:
        """Calls that together are not much larger than so many reports."""
        parameters = {
            "calls_max": reports_max,
            "bytes_max": reports_max * REPORT_BYTES_TYPICAL,
        }
        rows = self._driver.execute(_TAKE_NEW, parameters, binary=True)
        return [RawReport(ReportId(row[0]), bytes(row[1]), row[2]) for row in rows]

    def waiting_across_accounts(self) -> bool:
        """Whether any call is not applied yet."""
        row = self._driver.execute(
            "SELECT EXISTS (SELECT FROM report_inbox WHERE applied_at IS NULL)"
        ).fetchone()
        return row is not None and bool(row[0])

    def mark_applied(self, reports: Sequence[ReportId], now: datetime) -> None:
        """Done; the raw bytes stay."""
        self._driver.execute(
            "UPDATE report_inbox SET applied_at = %s WHERE id = ANY(%s)", (now, list(reports))
        )

    def replay_across_accounts(
        self, since: datetime | None, until: datetime, after: ReportId, calls_max: int
    ) -> Sequence[ReportId]:
        """Along the primary key, so that all steps together read the table once."""
        parameters = {"since": since, "until": until, "after": after, "calls_max": calls_max}
        return [ReportId(row[0]) for row in self._driver.execute(_REPLAY, parameters)]

    def park(self, reports: Sequence[DeliveryReport], now: datetime) -> None:
        """One row a report."""
        self.park_again([ParkedReport.first(report, now) for report in reports])

    def park_again(self, reports: Sequence[ParkedReport]) -> None:
        """New rows, since taking removed the old ones; all in one statement."""
        told = [each.report for each in reports]
        parameters = {
            "ids": one_per_line([each.provider_id for each in told]),
            "references": [each.reference for each in told],
            "phones": [int(each.phone[1:]) if each.phone else None for each in told],
            "states": [int(each.state or MessageState.QUEUED) for each in told],
            "words": one_per_line([each.word for each in told]) or "\n" * (len(told) - 1),
            "times": [each.at for each in told],
            "errors": one_per_line([each.error for each in told]),
            "parked": [each.parked_at for each in reports],
            "tries": [each.tries for each in reports],
            "next": [each.next_try_at for each in reports],
        }
        self._driver.execute(_PARK, parameters)

    def take_parked_across_accounts(
        self, now: datetime, reports_max: int
    ) -> Sequence[ParkedReport]:
        """By the index of what is still to be tried."""
        with by_index(self._driver):
            return self._taken(_TAKE_PARKED, {"now": now, "reports_max": reports_max})

    def take_parked_of_batch_across_accounts(
        self, batch: BatchKey, reports_max: int
    ) -> Sequence[ParkedReport]:
        """By the key of the batch's messages and the index of the provider's ids."""
        parameters = {
            "account": batch.account,
            "campaign": batch.campaign,
            "no": batch.no,
            "reports_max": reports_max,
        }
        with by_index(self._driver):
            return self._taken(_TAKE_PARKED_OF_BATCH, parameters)

    def _taken(self, statement: str, parameters: Mapping[str, object]) -> Sequence[ParkedReport]:
        rows = self._driver.execute(statement, parameters)
        return [_parked(*row[1:]) for row in sorted(rows)]


def _parked(
    provider_id: str | None,
    reference: int | None,
    phone: int | None,
    state: int,
    word: str,
    at: datetime | None,
    error: str | None,
    parked_at: datetime,
    tries: int,
    next_try_at: datetime | None,
) -> ParkedReport:
    report = DeliveryReport(
        provider_id=ProviderId(provider_id) if provider_id else None,
        reference=MessageNumber(reference) if reference else None,
        phone=PhoneNumber(f"+{phone}") if phone else None,
        state=MessageState(state),
        word=word,
        at=at,
        error=error,
    )
    return ParkedReport(report, parked_at, tries, next_try_at)
