"""Delivery reports: recorded before the answer, applied by a job, in any order and number."""

from collections.abc import Sequence

import attrs

from retail_core.kernel.ports import Clock, Transactions
from retail_core.messages import jobs
from retail_core.messages.model import DeliveryReport
from retail_core.messages.ports import MessagesUnitOfWork, ReportReader

REPORTS_PER_TRANSACTION_MAX = 5_000


@attrs.frozen
class RecordReports:
    """Store one webhook call durably; a job applies it. Raises `Unavailable`."""

    transactions: Transactions[MessagesUnitOfWork]
    clock: Clock

    def __call__(self, raw: bytes) -> None:
        """`raw` is the JSON of one report or an array of them."""
        with self.transactions.across_accounts() as uow:
            uow.reports.add(raw, self.clock.now())
            uow.jobs.add(jobs.apply_reports())


@attrs.frozen
class ApplyReports:
    """Apply stored reports, a bounded number per call; returns how many reports were read."""

    transactions: Transactions[MessagesUnitOfWork]
    reader: ReportReader
    clock: Clock

    def __call__(self) -> int:
        now = self.clock.now()
        with self.transactions.across_accounts() as uow:
            calls = uow.reports.take_new_across_accounts(REPORTS_PER_TRANSACTION_MAX)
            reports = [
                report for call in calls for report in self.reader.read(call.raw, call.arrived_at)
            ]
            _apply(uow, reports, self.clock)
            uow.reports.mark_applied([call.id for call in calls], now)
        return len(calls)


@attrs.frozen
class MatchParkedReports:
    """Try parked reports again; returns how many were tried."""

    transactions: Transactions[MessagesUnitOfWork]
    clock: Clock

    def __call__(self) -> int:
        now = self.clock.now()
        with self.transactions.across_accounts() as uow:
            parked = uow.reports.take_parked_across_accounts(now, REPORTS_PER_TRANSACTION_MAX)
            _apply(uow, parked, self.clock)
        return len(parked)


def _apply(uow: MessagesUnitOfWork, reports: Sequence[DeliveryReport], clock: Clock) -> None:
    if not reports:
        return
    now = clock.now()
    understood = [report for report in reports if report.state is not None]
    known = [report for report in understood if report.provider_id]
    unmatched = [*uow.messages.apply_reports_across_accounts(known, now)] if known else []
    unmatched += [
        report
        for report in understood
        if not report.provider_id and (report.reference or report.phone)
    ]
    if unmatched:
        uow.reports.park(unmatched, now)
        uow.jobs.add(jobs.resolve_by_reports())
