"""Runs one job and decides what its outcome means: done, more to do, later, refused or failed."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final, Generic, Protocol, TypeVar

import attrs
from loguru import logger

from retail_core.kernel.errors import DomainError, Unavailable
from retail_core.kernel.ids import WorkerId
from retail_core.kernel.jobs import Job
from retail_core.kernel.ports import Transactions, Work
from retail_core.kernel.process.redaction import redacted
from retail_core.kernel.time.clock import Clock
from workers.jobs.lanes import Lane

UseCase = TypeVar("UseCase")

SLICE_SECONDS: Final = 5.0
ATTEMPT: Final = "_attempt"
RETRY_MARK: Final = "#retry"
HAND_BACK_SECONDS: Final = 1.0


@attrs.frozen
class Retries:
    """How often a job that meets `Unavailable` is tried, and how long it waits in between."""

    attempts_max: int = 5
    first_seconds: float = 10.0
    longest_seconds: float = 3600.0

    def wait_seconds(self, attempt: int, chance: float) -> float:
        """The wait after the attempt (from 1): doubled each time, and half of it up to chance.

        `chance` is from 0 to 1; it keeps jobs that failed together from coming back together.
        """
        full: float = min(self.first_seconds * 2 ** min(attempt - 1, 32), self.longest_seconds)
        return full * (0.5 + 0.5 * chance)


@attrs.frozen
class Run:
    """What a job is told when it runs."""

    job: Job
    worker: WorkerId
    nudge: Callable[[Job], object]
    """Queue a job at once, for instance to wake one more worker; never raises."""
    has_time: Callable[[], bool]
    """False when the slice is over or the worker is to stop: a long job then ends early."""


@attrs.frozen
class JobKind(Generic[UseCase]):
    """One line of the table of jobs.

    `run` returns True if it ended early and there is more to do: the job is then queued again,
    behind the others of its lane.
    """

    name: str
    lane: Lane
    use_case: type[UseCase]
    run: Callable[[UseCase, Run], bool]
    retries: Retries = Retries()


class JobOutcome(Enum):
    """What became of one run."""

    DONE = "done"
    MORE = "more to do"
    RETRY = "will be tried again"
    REFUSED = "refused"
    FAILED = "failed"


class FailedJobs(Protocol):
    """Keeps jobs that failed for good, for the operator."""

    def record(self, job: Job, error: str, detail: str, attempts: int, at: datetime) -> None:
        """Write the failure down. Raises `Unavailable`."""
        ...


class Putting(Protocol):
    """Where jobs are queued at once."""

    def put(self, job: Job) -> bool:
        """Raises `Unavailable`."""
        ...


@attrs.frozen
class RunJob:
    """Runs jobs in one process; the use cases were resolved once, at its start.

    `Unavailable` means later: the job goes back to the outbox with a time. Any other error of the
    domain is an outcome like success. Everything else is a fault of ours: recorded and alarmed.
    """

    kinds: Mapping[str, JobKind[Any]]
    resolved: Mapping[str, object]
    transactions: Transactions[Work]
    failures: FailedJobs
    queue: Putting
    clock: Clock
    worker: WorkerId
    stopping: Callable[[], bool]
    chance: Callable[[], float]
    sleep: Callable[[float], object] = time.sleep
    slice_seconds: float = SLICE_SECONDS

    def __call__(self, job: Job) -> JobOutcome:
        started = time.monotonic()
        with logger.contextualize(jobKind=job.kind, jobKey=job.key):
            outcome = self._outcome(job, started + self.slice_seconds)
            logger.debug("job {}", outcome.value, seconds=round(time.monotonic() - started, 3))
        return outcome

    def _outcome(self, job: Job, slice_ends: float) -> JobOutcome:
        kind = self.kinds.get(job.kind)
        if kind is None:
            # a newer release made it: during a deployment a newer worker will take it
            return self._later(job, Retries(), "UnknownKind", job.kind)
        try:
            more = kind.run(self.resolved[kind.name], self._run_of(job, slice_ends))
        except Unavailable as error:
            return self._later(job, kind.retries, type(error).__name__, error.message)
        except DomainError as error:
            logger.info("job refused: {}", error.code, detail=error.message)
            return JobOutcome.REFUSED
        except Exception as error:  # noqa: BLE001 - whatever it is, it is recorded and alarmed
            logger.exception("job failed")
            return self._failed(job, type(error).__name__, redacted(str(error)))
        if not more:
            return JobOutcome.DONE
        self._nudge(afresh(job))
        return JobOutcome.MORE

    def _run_of(self, job: Job, slice_ends: float) -> Run:
        def has_time() -> bool:
            return time.monotonic() < slice_ends and not self.stopping()

        return Run(job, self.worker, self._nudge, has_time)

    def _nudge(self, job: Job) -> None:
        try:
            self.queue.put(job)
        except Unavailable:
            logger.warning("queue unavailable: a sweep will find this work again")

    def _later(self, job: Job, retries: Retries, error: str, detail: str) -> JobOutcome:
        attempt = attempt_of(job)
        if attempt >= retries.attempts_max:
            logger.error("job failed after its last attempt: {}", error, attempts=attempt)
            return self._failed(job, error, detail)
        seconds = retries.wait_seconds(attempt, self.chance())
        try:
            with self.transactions.across_accounts() as uow:
                uow.jobs.add(again(job, self.clock.now() + timedelta(seconds=seconds)))
        except Unavailable:
            self._hand_back(job)
        logger.warning("job will be tried again: {}", error, detail=detail, seconds=round(seconds))
        return JobOutcome.RETRY

    def _failed(self, job: Job, error: str, detail: str) -> JobOutcome:
        try:
            self.failures.record(job, error, detail, attempt_of(job), self.clock.now())
        except Unavailable:
            self._hand_back(job)
        return JobOutcome.FAILED

    def _hand_back(self, job: Job) -> None:
        """The database does not answer: keep the job in the queue, at a calm pace."""
        self.sleep(HAND_BACK_SECONDS)
        self._nudge(job)


def attempt_of(job: Job) -> int:
    """Which attempt this run is, from 1."""
    attempt = job.payload.get(ATTEMPT)
    return attempt if isinstance(attempt, int) else 1


def afresh(job: Job) -> Job:
    """The job as it was first made: a run that got on starts counting its attempts again."""
    payload = {name: value for name, value in job.payload.items() if name != ATTEMPT}
    return attrs.evolve(job, key=job.key.removesuffix(RETRY_MARK), payload=payload, not_before=None)


def again(job: Job, not_before: datetime) -> Job:
    """The next attempt. Its own key, so that a fresh nudge need not wait as long as it does."""
    first = afresh(job)
    return attrs.evolve(
        first,
        key=first.key + RETRY_MARK,
        payload={**first.payload, ATTEMPT: attempt_of(job) + 1},
        not_before=not_before,
    )
