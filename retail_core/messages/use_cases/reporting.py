"""Delivery reports: recorded before the answer, applied by a job, in any order and number."""

from collections.abc import Sequence
from datetime import datetime

import attrs

from retail_core.kernel.audit import AuditAction, AuditEntry, AuditKind
from retail_core.kernel.ids import ReportId
from retail_core.kernel.ports import Clock, Transactions
from retail_core.messages import jobs
from retail_core.messages.model import BatchKey, DeliveryReport, WebhookCall
from retail_core.messages.ports import MessagesUnitOfWork, ReportInbox, ReportReader
from retail_core.messages.use_cases.singles import book

REPORTS_PER_TRANSACTION_MAX = 5_000
PARKED_PER_TRANSACTION_MAX = 1_000
"""Each of them is looked for once among all that was ever sent."""
CALLS_REPLAYED_PER_TRANSACTION_MAX = 5_000


@attrs.frozen
class RecordReports:
    """Store one webhook call durably; a job applies it. Raises `Unavailable`."""

    inbox: ReportInbox
    clock: Clock

    def __call__(self, raw: bytes) -> None:
        """`raw` is the JSON of one report or an array of them."""
        self.inbox.take_in(WebhookCall(raw, self.clock.now()))


@attrs.frozen
class ApplyReports:
    """Apply stored reports, a bounded number per call; returns how many calls were read."""

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
            unmatched = _apply(uow, reports, now)
            if unmatched:
                uow.reports.park(unmatched, now)
                uow.jobs.add(jobs.resolve_by_reports())
            uow.reports.mark_applied([call.id for call in calls], now)
        return len(calls)


@attrs.frozen
class MatchParkedReports:
    """Try parked reports again; returns how many were tried, a bounded number per call."""

    transactions: Transactions[MessagesUnitOfWork]
    clock: Clock

    def __call__(self, settled: BatchKey | None = None) -> int:
        """Those about a batch that was just settled; without one, those whose time has come."""
        now = self.clock.now()
        with self.transactions.across_accounts() as uow:
            if settled is None:
                parked = uow.reports.take_parked_across_accounts(now, PARKED_PER_TRANSACTION_MAX)
            else:
                parked = uow.reports.take_parked_of_batch_across_accounts(
                    settled, PARKED_PER_TRANSACTION_MAX
                )
            unmatched = set(_apply(uow, [each.report for each in parked], now))
            late = [each.report for each in parked if each.is_sought_everywhere]
            late = [report for report in late if report in unmatched]
            if late:
                unmatched -= set(late)
                unmatched |= set(_apply(uow, late, now, everywhere=True))
            again = [each.tried(now) for each in parked if each.report in unmatched]
            if again:
                uow.reports.park_again(again)
            if any(each.tries == 1 for each in again):  # their message may be in doubt since
                uow.jobs.add(jobs.resolve_by_reports())
        return len(parked)


@attrs.frozen
class ReplayReports:
    """Let stored calls be applied again, for instance after the table of words has grown.

    States only climb, so this never harms. Returns how many calls will be applied again.
    """

    transactions: Transactions[MessagesUnitOfWork]
    clock: Clock

    def __call__(self, since: datetime | None = None) -> int:
        """All that are kept, or those that arrived at a moment or later."""
        until = self.clock.now()  # whatever arrives meanwhile is not followed
        count, last = 0, ReportId(0)
        while True:
            with self.transactions.across_accounts() as uow:
                replayed = uow.reports.replay_across_accounts(
                    since, until, last, CALLS_REPLAYED_PER_TRANSACTION_MAX
                )
                if not replayed:
                    return count
                uow.jobs.add(jobs.apply_reports())
                uow.audit.record(
                    AuditEntry(
                        action=AuditAction.WEBHOOKS_REPLAYED,
                        account=None,
                        kind=AuditKind.GATEWAY,
                        details={"calls": len(replayed)},
                    )
                )
            count, last = count + len(replayed), replayed[-1]


def _apply(
    uow: MessagesUnitOfWork,
    reports: Sequence[DeliveryReport],
    now: datetime,
    *,
    everywhere: bool = False,
) -> Sequence[DeliveryReport]:
    """Apply what is understood; returns what is, but matches no message by its provider id."""
    understood = [report for report in reports if report.state is not None]
    known = [report for report in understood if report.provider_id]
    unmatched: list[DeliveryReport] = []
    if known:
        apply = uow.messages.apply_reports_across_accounts
        unmatched += apply(known, now, everywhere=everywhere)
    unmatched += [
        report
        for report in understood
        if not report.provider_id and (report.reference or report.phone)
    ]
    if not unmatched:
        return unmatched
    of_no_message, shares = uow.singles.apply_reports_across_accounts(unmatched, now)
    book(uow, shares, failed_was_accepted=True)
    return of_no_message
