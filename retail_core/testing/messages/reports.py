"""Delivery reports in memory: as they came, and those that wait for their message."""

from collections.abc import Sequence
from datetime import datetime

import attrs

from retail_core.kernel.ids import ReportId
from retail_core.messages import jobs
from retail_core.messages.model import (
    BatchKey,
    DeliveryReport,
    MessageState,
    ParkedReport,
    RawReport,
    WebhookCall,
)
from retail_core.messages.ports import REPORT_BYTES_TYPICAL
from retail_core.testing.database import MemoryDatabase
from retail_core.testing.kernel.outbox import MemoryJobOutbox
from retail_core.testing.tables import MemoryTables, StoredReport


@attrs.frozen
class MemoryReportInbox:
    """`ReportInbox` in memory: one transaction a call."""

    database: MemoryDatabase

    def take_in(self, call: WebhookCall) -> None:
        with self.database.transaction() as tables:
            MemoryReportStore(tables).add([call])
            MemoryJobOutbox(tables, None).add(jobs.apply_reports())


@attrs.frozen
class MemoryReportStore:
    """`ReportStore` in memory."""

    tables: MemoryTables

    def add(self, calls: Sequence[WebhookCall]) -> None:
        for call in calls:
            report_id = ReportId(self.tables.report_ids.take())
            stored = StoredReport(RawReport(report_id, call.raw, call.arrived_at))
            self.tables.reports.insert(report_id, stored)

    def take_new_across_accounts(self, reports_max: int) -> Sequence[RawReport]:
        """As many as together are not much larger than so many reports."""
        taken: list[RawReport] = []
        size = 0
        for stored in self.tables.reports:
            if stored.applied_at is None and size < reports_max * REPORT_BYTES_TYPICAL:
                taken.append(stored.raw)
                size += len(stored.raw.raw)
        return taken[:reports_max]

    def waiting_across_accounts(self) -> bool:
        return any(stored.applied_at is None for stored in self.tables.reports)

    def mark_applied(self, reports: Sequence[ReportId], now: datetime) -> None:
        for report_id in reports:
            stored = self.tables.reports.get(report_id)
            if stored is not None:
                self.tables.reports.put(report_id, attrs.evolve(stored, applied_at=now))

    def replay_across_accounts(
        self, since: datetime | None, until: datetime, after: ReportId, calls_max: int
    ) -> Sequence[ReportId]:
        replayed = [
            stored
            for stored in self.tables.reports
            if stored.raw.id > after
            and stored.applied_at is not None
            and (since or stored.raw.arrived_at) <= stored.raw.arrived_at <= until
        ][:calls_max]
        for stored in replayed:
            self.tables.reports.put(stored.raw.id, attrs.evolve(stored, applied_at=None))
        return [stored.raw.id for stored in replayed]

    def park(self, reports: Sequence[DeliveryReport], now: datetime) -> None:
        self.park_again([ParkedReport.first(report, now) for report in reports])

    def park_again(self, reports: Sequence[ParkedReport]) -> None:
        for report in reports:
            self.tables.parked_reports.insert(self.tables.parked_report_ids.take(), report)

    def take_parked_of_batch_across_accounts(
        self, batch: BatchKey, reports_max: int
    ) -> Sequence[ParkedReport]:
        stored = self.tables.batches.get((batch.campaign, batch.no))
        if stored is None:
            return ()
        first, last = stored.seq_range
        rows = [self.tables.messages.get((batch.campaign, seq)) for seq in range(first, last + 1)]
        known = {row.provider_id for row in rows if row and row.state is not MessageState.UNKNOWN}
        found = [
            (key, parked)
            for key, parked in self.tables.parked_reports.items()
            if parked.report.provider_id and parked.report.provider_id in known
        ]
        return self._taken(found[:reports_max])

    def take_parked_across_accounts(
        self, now: datetime, reports_max: int
    ) -> Sequence[ParkedReport]:
        due = sorted(
            (parked.next_try_at, key, parked)
            for key, parked in self.tables.parked_reports.items()
            if parked.next_try_at is not None and parked.next_try_at <= now
        )
        return self._taken([(key, parked) for _, key, parked in due[:reports_max]])

    def _taken(self, found: Sequence[tuple[int, ParkedReport]]) -> Sequence[ParkedReport]:
        for key, _ in found:
            self.tables.parked_reports.remove(key)
        return [parked for _, parked in found]
