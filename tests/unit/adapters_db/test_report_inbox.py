"""Group commit: who is written together, who waits for whom, and who hears of a failure."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from functools import partial

import attrs
import pytest

from adapters_db.messages.reports.inbox import GroupedReportInbox
from adapters_db.messages.reports.nudging import Nudges
from retail_core.kernel.errors import Unavailable
from retail_core.kernel.idempotency import Once
from retail_core.kernel.ids import AccountId
from retail_core.kernel.jobs import Job
from retail_core.messages.model import WebhookCall
from retail_core.testing.kernel.clock import NOON
from retail_core.testing.memory import MemoryTransactions, MemoryUnitOfWork

SECONDS_MAX = 10.0
CALLERS = 6


class DiskFull(Exception):
    """Nothing that anybody has thought of."""


@attrs.define
class SlowDisk:
    """Transactions whose commits wait until the disk works, and fail where it is broken."""

    inner: MemoryTransactions = attrs.field(factory=MemoryTransactions)
    works: threading.Event = attrs.field(factory=threading.Event)
    failure: Exception | None = None
    begun: int = 0

    def begin(
        self, account: AccountId, once: Once | None = None
    ) -> AbstractContextManager[MemoryUnitOfWork]:
        return self.inner.begin(account, once)

    @contextmanager
    def across_accounts(self) -> Iterator[MemoryUnitOfWork]:
        with self.inner.across_accounts() as uow:
            self.begun += 1
            yield uow
            assert self.works.wait(SECONDS_MAX)
            if self.failure is not None:
                raise self.failure

    def stored(self) -> list[bytes]:
        with self.inner.across_accounts() as uow:
            return [call.raw for call in uow.reports.take_new_across_accounts(1_000)]

    def nudges(self) -> int:
        """How many nudges wait; they are taken."""
        with self.inner.across_accounts() as uow:
            due = uow.jobs.take_due_across_accounts(NOON, 1_000)
            uow.jobs.remove_across_accounts(due)
        return len(due)

    def next_nudges(self) -> int:
        """Wait for nudges, and take them."""
        ends = time.monotonic() + SECONDS_MAX
        while not (found := self.nudges()) and time.monotonic() < ends:
            time.sleep(0.001)
        return found


@pytest.fixture
def disk() -> SlowDisk:
    return SlowDisk()


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(CALLERS) as pool:
        yield pool


def call(raw: bytes) -> WebhookCall:
    return WebhookCall(raw, NOON)


def until(is_so: Callable[[], bool]) -> None:
    """Wait for what must come."""
    ends = time.monotonic() + SECONDS_MAX
    while not is_so():
        assert time.monotonic() < ends
        time.sleep(0.001)


def waits(inbox: GroupedReportInbox, count: int) -> bool:
    return inbox.waiting_count() == count


def one_leads_and_five_wait(
    inbox: GroupedReportInbox, disk: SlowDisk, threads: ThreadPoolExecutor
) -> list[Future[None]]:
    """Callers of whom the first is committing while the disk does not work."""
    callers = [threads.submit(inbox.take_in, call(b"leader"))]
    until(lambda: disk.begun == 1)
    for number in range(1, CALLERS):
        callers.append(threads.submit(inbox.take_in, call(b"%d" % number)))
        until(partial(waits, inbox, number))
    return callers


def test_a_lone_caller_waits_for_nobody(disk: SlowDisk) -> None:
    disk.works.set()

    GroupedReportInbox(disk).take_in(call(b"alone"))

    assert (disk.stored(), disk.begun) == ([b"alone"], 1)


def test_who_comes_while_one_commits_is_committed_together_and_answered_afterwards(
    disk: SlowDisk, threads: ThreadPoolExecutor
) -> None:
    callers = one_leads_and_five_wait(GroupedReportInbox(disk), disk, threads)
    answered_too_early = [each for each in callers if each.done()]
    disk.works.set()
    for each in callers:
        each.result(SECONDS_MAX)

    assert answered_too_early == []
    assert disk.begun == 2
    assert disk.stored() == [b"leader", b"1", b"2", b"3", b"4", b"5"]


@pytest.mark.parametrize("failure", [Unavailable(), DiskFull()])
def test_whoever_is_in_a_group_that_fails_hears_of_it(
    disk: SlowDisk, threads: ThreadPoolExecutor, failure: Exception
) -> None:
    callers = one_leads_and_five_wait(GroupedReportInbox(disk), disk, threads)
    disk.failure = failure
    disk.works.set()
    heard = [each.exception(SECONDS_MAX) for each in callers]

    leaders = [error for error in heard if error is failure]
    assert len(leaders) == 2
    assert all(isinstance(error, Unavailable) for error in heard if error is not failure)
    assert disk.stored() == []


def test_after_a_failure_the_next_group_is_stored(disk: SlowDisk) -> None:
    inbox = GroupedReportInbox(disk)
    disk.works.set()
    disk.failure = DiskFull()
    with pytest.raises(DiskFull):
        inbox.take_in(call(b"lost"))
    disk.failure = None

    inbox.take_in(call(b"kept"))

    assert disk.stored() == [b"kept"]


def test_the_line_is_bounded(disk: SlowDisk, threads: ThreadPoolExecutor) -> None:
    inbox = GroupedReportInbox(disk, waiting_calls_max=CALLERS - 1)
    callers = one_leads_and_five_wait(inbox, disk, threads)

    with pytest.raises(Unavailable):
        inbox.take_in(call(b"one too many"))

    disk.works.set()
    for each in callers:
        each.result(SECONDS_MAX)
    assert b"one too many" not in disk.stored()


def test_patience_has_an_end_and_what_was_given_up_is_not_stored(
    disk: SlowDisk, threads: ThreadPoolExecutor
) -> None:
    inbox = GroupedReportInbox(disk, patience_seconds=0.05)
    leader, *others = one_leads_and_five_wait(inbox, disk, threads)

    assert all(isinstance(each.exception(SECONDS_MAX), Unavailable) for each in others)
    disk.works.set()
    leader.result(SECONDS_MAX)
    inbox.take_in(call(b"later"))

    assert disk.stored() == [b"leader", b"later"]


def test_a_huge_group_is_cut(disk: SlowDisk, threads: ThreadPoolExecutor) -> None:
    inbox = GroupedReportInbox(disk, group_bytes_max=2)
    callers = one_leads_and_five_wait(inbox, disk, threads)
    disk.works.set()
    for each in callers:
        each.result(SECONDS_MAX)

    assert disk.begun == 1 + 3
    assert len(disk.stored()) == CALLERS


def test_a_burst_is_nudged_for_at_once_and_once_more_at_its_end(disk: SlowDisk) -> None:
    disk.works.set()
    inbox = GroupedReportInbox(disk)
    inbox.take_in(call(b"first"))
    at_once = disk.nudges()
    for _ in range(20):
        inbox.take_in(call(b"another"))
    meanwhile = disk.nudges()

    assert (at_once, meanwhile, disk.next_nudges()) == (1, 0, 1)


def test_a_late_nudge_that_fails_does_no_harm(disk: SlowDisk) -> None:
    disk.works.set()
    nudges = Nudges(disk, Job("kind", "key"), every_seconds=0.0)
    disk.failure = Unavailable()

    nudges.nudge_later()
    until(lambda: disk.begun == 1)
    disk.failure = None
    nudges.nudge_later()

    assert disk.next_nudges() == 1
