from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NoReturn

import attrs
from hypothesis import given
from hypothesis import strategies as st

from retail_core.kernel.errors import Conflict, Unavailable
from retail_core.kernel.idempotency import Once
from retail_core.kernel.ids import AccountId, WorkerId
from retail_core.kernel.jobs import Job
from retail_core.testing.kernel.clock import FixedClock
from retail_core.testing.memory import MemoryDatabase, MemoryTransactions
from workers.jobs.lanes import Lane
from workers.jobs.running import JobKind, JobOutcome, Retries, Run, RunJob
from workers.processes.queue import QueueUnavailable

JOB = Job("greet", "greet:7", {"name": "Ada"}, AccountId(7))


@attrs.define
class Greet:
    """A use case that does what the test says, and counts."""

    effect: Callable[[], object] = lambda: None
    seen: list[Run] = attrs.field(factory=list)


def _greet(greet: Greet, run: Run) -> bool:
    greet.seen.append(run)
    return bool(greet.effect())


@attrs.define
class KeptFailures:
    available: bool = True
    records: list[tuple[Job, str, str, int]] = attrs.field(factory=list)

    def record(self, job: Job, error: str, detail: str, attempts: int, at: datetime) -> None:
        if not self.available:
            raise Unavailable
        self.records.append((job, error, detail, attempts))


@attrs.define
class ListQueue:
    available: bool = True
    jobs: list[Job] = attrs.field(factory=list)

    def put(self, job: Job) -> bool:
        if not self.available:
            raise QueueUnavailable
        self.jobs.append(job)
        return True


class Away:
    """A database that does not answer."""

    def begin(self, account: AccountId, once: Once | None = None) -> NoReturn:
        raise Unavailable

    def across_accounts(self) -> NoReturn:
        raise Unavailable


@attrs.define
class Bench:
    """A runner with one kind of job, and everything it touches."""

    greet: Greet = attrs.field(factory=Greet)
    retries: Retries = attrs.field(factory=lambda: Retries(attempts_max=3, first_seconds=10))
    clock: FixedClock = attrs.field(factory=FixedClock)
    failures: KeptFailures = attrs.field(factory=KeptFailures)
    queue: ListQueue = attrs.field(factory=ListQueue)
    stopping: bool = False
    database_answers: bool = True
    slept: list[float] = attrs.field(factory=list)
    transactions: MemoryTransactions = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.transactions = MemoryTransactions(MemoryDatabase(self.clock))

    def run(self, job: Job = JOB) -> JobOutcome:
        kind = JobKind("greet", Lane.INTERACTIVE, Greet, _greet, self.retries)
        return RunJob(
            kinds={"greet": kind},
            resolved={"greet": self.greet},
            transactions=self.transactions if self.database_answers else Away(),
            failures=self.failures,
            queue=self.queue,
            clock=self.clock,
            worker=WorkerId("w"),
            stopping=lambda: self.stopping,
            chance=lambda: 1.0,
            sleep=self.slept.append,
        )(job)

    def waiting(self) -> list[Job]:
        with self.transactions.across_accounts() as uow:
            due = uow.jobs.take_due_across_accounts(self.clock.now() + timedelta(days=9), 99)
        return [each.job for each in due]


def _raise(error: Exception) -> Callable[[], object]:
    def effect() -> object:
        raise error

    return effect


def test_a_job_runs_its_use_case_with_its_payload_and_the_worker() -> None:
    bench = Bench()
    assert bench.run() is JobOutcome.DONE
    assert bench.greet.seen[0].job == JOB
    assert bench.greet.seen[0].worker == "w"


def test_a_job_with_more_to_do_is_queued_again() -> None:
    bench = Bench(Greet(lambda: True))
    assert bench.run() is JobOutcome.MORE
    assert bench.queue.jobs == [JOB]


def test_something_unavailable_is_tried_again_later_under_a_key_of_its_own() -> None:
    bench = Bench(Greet(_raise(Unavailable())))
    assert bench.run() is JobOutcome.RETRY
    (job,) = bench.waiting()
    assert job.not_before == bench.clock.now() + timedelta(seconds=10)
    assert (job.kind, job.key, job.account) == ("greet", "greet:7#retry", AccountId(7))


def test_each_attempt_waits_twice_as_long_and_the_last_one_is_recorded() -> None:
    bench = Bench(Greet(_raise(Unavailable())))
    job, waits = JOB, []
    for _ in range(2):
        assert bench.run(job) is JobOutcome.RETRY
        (job,) = bench.waiting()
        assert job.not_before is not None
        waits.append((job.not_before - bench.clock.now()).total_seconds())
        with bench.transactions.across_accounts() as uow:
            uow.jobs.remove_across_accounts(uow.jobs.take_due_across_accounts(job.not_before, 9))
    assert waits == [10, 20]
    assert bench.run(job) is JobOutcome.FAILED
    assert [(error, attempts) for _, error, _, attempts in bench.failures.records] == [
        ("Unavailable", 3)
    ]
    assert bench.waiting() == []


def test_a_retry_that_gets_on_starts_counting_its_attempts_again() -> None:
    bench = Bench(Greet(_raise(Unavailable())))
    bench.run()
    (retry,) = bench.waiting()
    bench.greet.effect = lambda: True
    assert bench.run(retry) is JobOutcome.MORE
    assert bench.queue.jobs == [JOB]


def test_a_refusal_by_the_rules_is_an_outcome_and_not_tried_again() -> None:
    bench = Bench(Greet(_raise(Conflict("too late"))))
    assert bench.run() is JobOutcome.REFUSED
    assert bench.waiting() == []
    assert bench.failures.records == []


def test_a_fault_of_ours_is_recorded_and_not_tried_again() -> None:
    bench = Bench(Greet(_raise(ZeroDivisionError("oops"))))
    assert bench.run() is JobOutcome.FAILED
    assert bench.failures.records == [(JOB, "ZeroDivisionError", "oops", 1)]
    assert bench.waiting() == []


def test_a_kind_of_a_newer_release_waits_for_a_newer_worker() -> None:
    bench = Bench()
    assert bench.run(Job("unheard", "unheard")) is JobOutcome.RETRY
    assert [job.kind for job in bench.waiting()] == ["unheard"]


def test_a_failure_that_cannot_be_recorded_goes_back_to_the_queue() -> None:
    bench = Bench(Greet(_raise(ZeroDivisionError())), failures=KeptFailures(available=False))
    assert bench.run() is JobOutcome.FAILED
    assert bench.queue.jobs == [JOB]
    assert bench.slept == [1.0]


def test_without_a_database_the_job_goes_back_to_the_queue_at_a_calm_pace() -> None:
    bench = Bench(Greet(_raise(Unavailable())))
    bench.database_answers = False
    assert bench.run() is JobOutcome.RETRY
    assert bench.queue.jobs == [JOB]
    assert bench.slept == [1.0]


def test_a_missing_queue_does_not_fail_a_job_that_wants_to_wake_others() -> None:
    bench = Bench(Greet(lambda: True), queue=ListQueue(available=False))
    assert bench.run() is JobOutcome.MORE


def test_a_long_job_has_no_time_left_once_its_worker_is_to_stop() -> None:
    bench = Bench()
    bench.run()
    assert bench.greet.seen[0].has_time()
    bench.stopping = True
    assert not bench.greet.seen[0].has_time()


@given(attempt=st.integers(1, 10_000), chance=st.floats(0, 1))
def test_a_wait_is_between_half_and_all_of_its_bound(attempt: int, chance: float) -> None:
    retries = Retries(first_seconds=10, longest_seconds=3600)
    full = retries.wait_seconds(attempt, 1.0)
    assert full / 2 <= retries.wait_seconds(attempt, chance) <= full <= 3600
