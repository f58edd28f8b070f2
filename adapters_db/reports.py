"""Delivery reports on PostgreSQL: as they came, and those that wait for their message."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import attrs
import psycopg
from sqlalchemy import Connection

from adapters_db.connections import psycopg_connection
from retail_core.kernel.ids import MessageNumber, ProviderId, ReportId
from retail_core.kernel.phones import PhoneNumber
from retail_core.messages.model import DeliveryReport, MessageState, RawReport
from retail_core.messages.ports import REPORT_BYTES_TYPICAL

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

_TAKE_PARKED = f"""
DELETE FROM report_parked p
USING (
    SELECT q.id FROM report_parked q
    WHERE EXISTS (SELECT FROM message m WHERE m.provider_id = q.provider_id
                  AND m.state <> {MessageState.UNKNOWN:d})
    ORDER BY q.id LIMIT %s FOR UPDATE SKIP LOCKED
) known
WHERE p.id = known.id
RETURNING p.provider_id, p.reference, p.phone, p.state, p.word, p.at, p.error
"""


@attrs.frozen
class SqlReportStore:
    """`ReportStore` on PostgreSQL."""

    connection: Connection

    @property
    def _driver(self) -> "psycopg.Connection[tuple[Any, ...]]":
        return psycopg_connection(self.connection)

    def add(self, raw: bytes, arrived_at: datetime) -> None:
        """One row a call, as it came."""
        self._driver.execute(
            "INSERT INTO report_inbox (raw, arrived_at) VALUES (%s, %s)", (raw, arrived_at)
        )

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

    def park(self, reports: Sequence[DeliveryReport], now: datetime) -> None:
        """One row a report."""
        with self._driver.cursor() as cursor:
            cursor.executemany(
                """INSERT INTO report_parked (provider_id, reference, phone, state, word, at, error,
                   parked_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)""",
                [_parked(report, now) for report in reports],
            )

    def take_parked_across_accounts(
        self, now: datetime, reports_max: int
    ) -> Sequence[DeliveryReport]:
        """Those whose message is known by now."""
        del now
        rows = self._driver.execute(_TAKE_PARKED, (reports_max,))
        return [
            DeliveryReport(
                provider_id=ProviderId(row[0]) if row[0] else None,
                reference=MessageNumber(row[1]) if row[1] else None,
                phone=PhoneNumber(f"+{row[2]}") if row[2] else None,
                state=MessageState(row[3]),
                word=row[4],
                at=row[5],
                error=row[6],
            )
            for row in rows
        ]


def _parked(report: DeliveryReport, now: datetime) -> tuple[object, ...]:
    return (
        report.provider_id,
        report.reference,
        int(report.phone[1:]) if report.phone else None,
        int(report.state or MessageState.QUEUED),
        report.word,
        report.at,
        report.error,
        now,
    )
