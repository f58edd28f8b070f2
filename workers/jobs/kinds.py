"""The table of jobs: which use case a kind of job runs, in which lane. One line adds one."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from loguru import logger

from retail_core.engagement.jobs import APPLY_INBOUND_TEXTS
from retail_core.engagement.use_cases import ApplyInboundTexts
from retail_core.engagement.use_cases.answering import TEXTS_MAX
from retail_core.imports.jobs import (
    IMPORT_CONTACTS,
    SWEEP_IMPORTS,
    UNDO_IMPORT,
    read_import_key,
)
from retail_core.imports.use_cases import ImportContacts, RevertImport, SweepImports
from retail_core.kernel.errors import Unavailable
from retail_core.messages.jobs import (
    APPLY_REPORTS,
    CLOSE_CANCELLED_BATCHES,
    DISPATCH,
    MATCH_PARKED_REPORTS,
    REFRESH_STATUSES,
    RESOLVE_BY_REPORTS,
    SEND_SINGLES,
    SETTLE_OVERDUE_UNKNOWN,
    read_match_parked_reports,
)
from retail_core.messages.use_cases import (
    ApplyReports,
    CloseCancelledBatches,
    DispatchBatch,
    DispatchOutcome,
    MatchParkedReports,
    RefreshStatuses,
    ResolveByReports,
    SendSingleMessages,
    SettleOverdueUnknown,
    SweepSingleMessages,
    SweepStaleBatches,
    WatchNumbers,
)
from retail_core.notices.jobs import SEND_NOTICE, SWEEP_NOTICES, read_send_notice
from retail_core.notices.model import ATTEMPT_FIRST_SECONDS, ATTEMPTS_MAX
from retail_core.notices.use_cases import SendNotice, SweepNotices
from workers.jobs.checking_books import CHECK_BOOKS, CheckBooks, check_books
from workers.jobs.cleaning import CleanUp
from workers.jobs.dispatching import dispatch_one, dispatch_until_idle
from workers.jobs.doubt import refresh_statuses, settle_overdue_unknown, watch_numbers
from workers.jobs.lanes import Lane
from workers.jobs.running import JobKind, Retries, Run


def _dispatch(dispatch: DispatchBatch, run: Run) -> bool:
    """Send batches until none is due; whoever finds one wakes one more worker."""
    if dispatch_one(dispatch, run.worker) is DispatchOutcome.IDLE:
        return False
    run.nudge(run.job)
    return dispatch_until_idle(dispatch, run.worker, run.has_time)


def _while_some(use_case: Callable[[], int], run: Run) -> bool:
    """Call it until it finds nothing more."""
    while done := use_case():
        logger.info("worked off {}", done)
        if not run.has_time():
            return True
    return False


def _apply_texts(apply: ApplyInboundTexts, run: Run) -> bool:
    """Apply texts until none waits; whoever finds many wakes one more worker.

    Where a set fails, its texts are applied one by one: what is wrong with one holds up no other.
    """
    while True:
        try:
            work = apply()
        except Unavailable:
            raise
        except Exception:  # noqa: BLE001 - whatever it is, the other texts must not wait for it
            logger.exception("a set of inbound texts failed: now each by itself")
            return _each_by_itself(apply)
        if work.taken == 0:
            return False
        if work.is_full:
            run.nudge(run.job)
        logger.info("applied {} texts, put off {}", work.taken - work.put_off, work.put_off)
        if work.nobodys_stops:
            logger.warning("STOPs from numbers that nobody wrote to: {}", work.nobodys_stops)
        if not run.has_time():
            return True


def _each_by_itself(apply: ApplyInboundTexts) -> bool:
    """As many as a set has, of which one is at fault."""
    return all(apply.alone().taken for _ in range(TEXTS_MAX))


def _match(match: MatchParkedReports, run: Run) -> bool:
    """Try what is parked about the batch that was settled, or whatever is due."""
    return _while_some(partial(match, read_match_parked_reports(run.job)), run)


def _once(use_case: Callable[[], object], _run: Run) -> bool:
    """Call it; what it leaves, the next tick finds."""
    use_case()
    return False


def _in_slices(use_case: ImportContacts | RevertImport, run: Run) -> bool:
    """Import a file, or take it back, in slices, so that it does not keep a process for long."""
    return use_case(read_import_key(run.job), run.has_time)


def _send_notice(send: SendNotice, run: Run) -> bool:
    """Hand one notice over; a job about none is no matter."""
    named = read_send_notice(run.job)
    if named is not None:
        send(*named)
    return False


JOB_KINDS: Final[tuple[JobKind[Any], ...]] = (
    JobKind(SEND_SINGLES, Lane.INTERACTIVE, SendSingleMessages, _while_some),
    JobKind(APPLY_INBOUND_TEXTS, Lane.INTERACTIVE, ApplyInboundTexts, _apply_texts),
    JobKind(DISPATCH, Lane.DISPATCH, DispatchBatch, _dispatch),
    JobKind(APPLY_REPORTS, Lane.REPORTS, ApplyReports, _while_some),
    JobKind(MATCH_PARKED_REPORTS, Lane.REPORTS, MatchParkedReports, _match),
    JobKind(RESOLVE_BY_REPORTS, Lane.REPORTS, ResolveByReports, _while_some),
    JobKind(REFRESH_STATUSES, Lane.SWEEPS, RefreshStatuses, refresh_statuses),
    JobKind(SETTLE_OVERDUE_UNKNOWN, Lane.SWEEPS, SettleOverdueUnknown, settle_overdue_unknown),
    JobKind(IMPORT_CONTACTS, Lane.IMPORTS, ImportContacts, _in_slices, Retries(attempts_max=3)),
    JobKind(UNDO_IMPORT, Lane.IMPORTS, RevertImport, _in_slices, Retries(attempts_max=3)),
    JobKind(
        SEND_NOTICE,
        Lane.INTERACTIVE,
        SendNotice,
        _send_notice,
        Retries(ATTEMPTS_MAX, ATTEMPT_FIRST_SECONDS),
    ),
    JobKind(SWEEP_NOTICES, Lane.SWEEPS, SweepNotices, _once),
    JobKind(SWEEP_IMPORTS, Lane.SWEEPS, SweepImports, _once),
    JobKind(CLOSE_CANCELLED_BATCHES, Lane.SWEEPS, CloseCancelledBatches, _while_some),
    JobKind("sweep_stale_batches", Lane.SWEEPS, SweepStaleBatches, _once),
    JobKind("sweep_single_messages", Lane.SWEEPS, SweepSingleMessages, _once),
    JobKind("watch_numbers", Lane.SWEEPS, WatchNumbers, watch_numbers),
    JobKind(CHECK_BOOKS, Lane.SWEEPS, CheckBooks, check_books),
    JobKind("clean_up", Lane.SWEEPS, CleanUp, _once),
)

KINDS_BY_NAME: Final = {kind.name: kind for kind in JOB_KINDS}


def lane_of(kind: str) -> Lane:
    """Where a kind of job waits; a kind that only a newer release knows waits with the sweeps."""
    known = KINDS_BY_NAME.get(kind)
    return known.lane if known else Lane.SWEEPS
