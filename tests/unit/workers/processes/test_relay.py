import threading
import time
from datetime import timedelta

import attrs
import pytest

from retail_core.kernel.errors import Unavailable
from retail_core.kernel.jobs import Job
from retail_core.testing.kernel.clock import FixedClock
from retail_core.testing.memory import MemoryDatabase, MemoryTransactions
from workers.processes.queue import QueueUnavailable
from workers.processes.relay import Relay, RelayLoop


@attrs.define
class FlakyQueue:
    """Takes `room` jobs and then does not answer."""

    room: int = 1_000
    jobs: list[Job] = attrs.field(factory=list)

    def put(self, job: Job) -> bool:
        if len(self.jobs) >= self.room:
            raise QueueUnavailable
        self.jobs.append(job)
        return True


class DeafListener:
    """A channel that cannot be opened."""

    def wait(self, timeout_seconds: float) -> bool:
        raise Unavailable

    def close(self) -> None: ...


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def transactions(clock: FixedClock) -> MemoryTransactions:
    return MemoryTransactions(MemoryDatabase(clock))


def _write(transactions: MemoryTransactions, *jobs: Job) -> None:
    with transactions.across_accounts() as uow:
        for job in jobs:
            uow.jobs.add(job)


def test_each_due_job_moves_once(transactions: MemoryTransactions, clock: FixedClock) -> None:
    _write(transactions, *(Job("greet", f"greet:{no}") for no in range(5)))
    queue = FlakyQueue()
    relay = Relay(transactions, queue, clock, jobs_max=2)
    assert relay.drain() == 5
    assert relay.drain() == 0
    assert sorted(job.key for job in queue.jobs) == [f"greet:{no}" for no in range(5)]


def test_a_job_for_later_stays_until_its_time(
    transactions: MemoryTransactions, clock: FixedClock
) -> None:
    _write(transactions, Job("greet", "greet", not_before=clock.now() + timedelta(minutes=1)))
    relay = Relay(transactions, FlakyQueue(), clock)
    assert relay() == 0
    clock.advance(timedelta(minutes=1))
    assert relay() == 1


def test_when_the_queue_goes_away_in_the_middle_every_job_stays(
    transactions: MemoryTransactions, clock: FixedClock
) -> None:
    _write(transactions, *(Job("greet", f"greet:{no}") for no in range(3)))
    queue = FlakyQueue(room=1)
    relay = Relay(transactions, queue, clock)
    with pytest.raises(Unavailable):
        relay()
    queue.room = 1_000
    assert relay() == 3


def test_the_loop_goes_on_without_a_channel_and_without_a_queue(
    transactions: MemoryTransactions, clock: FixedClock
) -> None:
    queue = FlakyQueue(room=0)
    loop = RelayLoop(Relay(transactions, queue, clock), DeafListener(), poll_seconds=0.02)
    stop = threading.Event()
    thread = threading.Thread(target=loop, args=(stop,))
    thread.start()
    try:
        _write(transactions, Job("greet", "greet"))
        time.sleep(0.1)
        queue.room = 10
        deadline = time.monotonic() + 10
        while not queue.jobs and time.monotonic() < deadline:
            time.sleep(0.01)
    finally:
        stop.set()
        thread.join()
    assert [job.key for job in queue.jobs] == ["greet"]
