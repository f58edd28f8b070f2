import signal
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import psutil
import redis

from retail_core.kernel.jobs import Job
from retail_core.kernel.process.machine import SystemClock
from tests.integration.workers.watching import Crew, until
from workers.dev.embedded import EmbeddedValkey
from workers.jobs.lanes import Lane
from workers.jobs.periodic import Periodic
from workers.processes.leading import LeadLoop
from workers.processes.queue import JobQueue

StartCrew = Callable[[str, int], Crew]


def _note(key: str, tenths: int = 0) -> Job:
    return Job("note", key, {"tenths": tenths})


def test_a_job_is_picked_up_within_a_moment(
    start_crew: StartCrew, redis_url: str, queue: JobQueue
) -> None:
    crew = start_crew(redis_url, 1)
    queue.put(_note("first"))
    until(lambda: crew.count("end first"))
    started = time.monotonic()
    queue.put(_note("second"))
    until(lambda: crew.count("end second"))
    assert time.monotonic() - started < 1


def test_a_job_whose_worker_was_killed_runs_when_it_is_nudged_again(
    start_crew: StartCrew, redis_url: str, queue: JobQueue
) -> None:
    crew = start_crew(redis_url, 1)
    queue.put(_note("long", tenths=600))
    until(lambda: crew.count("begin long"))
    (child,) = crew.children()
    child.kill()
    assert queue.put(_note("long", tenths=0))
    until(lambda: crew.count("end long"))
    assert crew.count("begin long") == 2


def test_a_worker_that_is_asked_to_stop_finishes_its_job(
    start_crew: StartCrew, redis_url: str, queue: JobQueue
) -> None:
    crew = start_crew(redis_url, 2)
    queue.put(_note("running", tenths=10))
    until(lambda: crew.count("begin running"))
    crew.process.send_signal(signal.SIGTERM)
    assert crew.process.wait(timeout=20) == 0
    assert crew.count("end running") == 1


def test_a_second_signal_ends_a_worker_at_once(
    start_crew: StartCrew, redis_url: str, queue: JobQueue
) -> None:
    crew = start_crew(redis_url, 1)
    queue.put(_note("endless", tenths=6_000))
    until(lambda: crew.count("begin endless"))
    crew.process.send_signal(signal.SIGTERM)
    time.sleep(1.2)
    crew.process.send_signal(signal.SIGTERM)
    assert crew.process.wait(timeout=10) == 0
    assert crew.count("end endless") == 0


def test_no_child_outlives_a_parent_that_was_killed(
    start_crew: StartCrew, redis_url: str, queue: JobQueue
) -> None:
    crew = start_crew(redis_url, 3)
    queue.put(_note("last", tenths=10))
    until(lambda: crew.count("begin last"))
    children = crew.children()
    crew.process.kill()
    _gone, alive = psutil.wait_procs(children, timeout=20)
    assert alive == []
    assert crew.count("end last") == 1


def test_a_wiped_redis_heals_with_the_next_periodic_nudge(
    start_crew: StartCrew, redis_url: str, queue: JobQueue, client: redis.Redis
) -> None:
    crew = start_crew(redis_url, 2)
    queue.put(_note("running", tenths=15))
    until(lambda: crew.count("begin running"))
    client.flushdb()
    sweep = Periodic(_note("sweep"), timedelta(seconds=0.2))
    stop = threading.Event()
    leader = threading.Thread(
        target=LeadLoop(Free(), queue, Free(), SystemClock(), [sweep]), args=(stop,)
    )
    leader.start()
    try:
        until(lambda: crew.count("end sweep") >= 2)
        until(lambda: crew.count("end running"))
        seen = crew.count("end sweep")
        client.flushdb()
        until(lambda: crew.count("end sweep") >= seen + 2)
    finally:
        stop.set()
        leader.join()


def test_a_worker_waits_for_a_redis_that_is_away_and_goes_on(
    start_crew: StartCrew, server_directory: Path
) -> None:
    valkey = EmbeddedValkey(server_directory / "valkey", durable=False)
    redis_url = valkey.start()
    valkey.stop()
    crew = start_crew(redis_url, 2)
    for round_no in range(2):
        valkey.start()
        with redis.Redis.from_url(redis_url) as client:
            key = f"after:{round_no}"
            queue = JobQueue(client, lambda _kind: Lane.INTERACTIVE)
            queue.put(_note(key))
            until(lambda key=key: crew.count(f"end {key}"))  # type: ignore[misc]
        valkey.stop()
        time.sleep(0.5)
    assert all(child.is_running() for child in crew.children())
    assert sum(line.startswith("serves") for line in crew.lines()) == 2


class Free:
    """A lead that nobody else wants, and no lasting jobs."""

    def hold(self) -> bool:
        return True

    def release(self) -> None: ...

    def put_due(self, jobs: object, now: object) -> tuple[str, ...]:
        return ()
