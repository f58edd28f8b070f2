"""Group commit for webhook calls: whoever waits together is written together.

A commit waits for the disk, and one for each call would let the disk set the pace. So the first
caller commits at once, alone; those who come meanwhile wait, and the first of them then commits
for all of them. Nobody is answered before their bytes are on disk, and a lone caller waits for
nobody.
"""

import threading
from collections import deque
from typing import Final

import attrs

from adapters_db.messages.reports.nudging import Nudges
from retail_core.kernel.errors import Unavailable
from retail_core.kernel.ports import Transactions
from retail_core.messages import jobs
from retail_core.messages.model import WebhookCall
from retail_core.messages.ports import MessagesUnitOfWork

WAITING_CALLS_MAX: Final = 1_000
GROUP_CALLS_MAX: Final = 500
GROUP_BYTES_MAX: Final = 8 * 1024 * 1024
PATIENCE_SECONDS: Final = 10.0


@attrs.define(eq=False)
class _Waiting:
    """One caller; `woken` once they lead, or their call is stored or lost."""

    call: WebhookCall
    woken: threading.Event = attrs.field(factory=threading.Event)
    leads: bool = False
    is_taken: bool = False
    failure: BaseException | None = None


@attrs.define(eq=False)
class GroupedReportInbox:
    """`ReportInbox` on PostgreSQL, for all threads of a process."""

    transactions: Transactions[MessagesUnitOfWork]
    waiting_calls_max: int = WAITING_CALLS_MAX
    group_bytes_max: int = GROUP_BYTES_MAX
    patience_seconds: float = PATIENCE_SECONDS
    _lock: threading.Lock = attrs.field(init=False, factory=threading.Lock)
    _waiting: deque[_Waiting] = attrs.field(init=False, factory=deque)
    _is_led: bool = attrs.field(init=False, default=False)
    _nudges: Nudges = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._nudges = Nudges(self.transactions, jobs.apply_reports())

    def take_in(self, call: WebhookCall) -> None:
        """Store a call together with those that wait; `Unavailable` also where too many do."""
        own = _Waiting(call)
        with self._lock:
            if len(self._waiting) >= self.waiting_calls_max:
                raise Unavailable("too many reports are waiting for the database")
            self._waiting.append(own)
            if not self._is_led:
                self._appoint_next()
        self._wait(own)
        if own.leads:
            self._lead()
        elif own.failure is not None:
            raise Unavailable("the report could not be stored") from own.failure

    def waiting_count(self) -> int:
        """How many calls wait for the group that is being committed."""
        return len(self._waiting)

    def _wait(self, own: _Waiting) -> None:
        if own.woken.wait(self.patience_seconds):
            return
        with self._lock:
            if own.leads or own.woken.is_set():
                return
            if not own.is_taken:
                self._waiting.remove(own)
            raise Unavailable("the database takes too long to store reports")

    def _lead(self) -> None:
        """Store what waits, the leader's own call first, and let the next one lead."""
        group = self._next_group()
        failure: BaseException | None = None
        try:
            self._store([each.call for each in group])
        except BaseException as error:
            failure = error
            raise
        finally:
            with self._lock:
                self._appoint_next()
            for each in group[1:]:
                each.failure = failure
                each.woken.set()

    def _store(self, calls: list[WebhookCall]) -> None:
        at_once = self._nudges.is_due()
        with self.transactions.across_accounts() as uow:
            uow.reports.add(calls)
            if at_once:
                uow.jobs.add(self._nudges.job)
        if not at_once:
            self._nudges.nudge_later()

    def _next_group(self) -> list[_Waiting]:
        group: list[_Waiting] = []
        size = 0
        with self._lock:
            while self._waiting and len(group) < GROUP_CALLS_MAX and size < self.group_bytes_max:
                each = self._waiting.popleft()
                each.is_taken = True
                size += len(each.call.raw)
                group.append(each)
        return group

    def _appoint_next(self) -> None:
        """Let the first who waits lead, if anybody does; the lock is held."""
        self._is_led = bool(self._waiting)
        if self._is_led:
            self._waiting[0].leads = True
            self._waiting[0].woken.set()
