"""`python -m workers.worker`: takes jobs from the queue and runs them.

Any number may run, on any number of machines; each keeps `WORKER_CONCURRENCY` processes. A worker
may be killed at any moment: what it was doing is found again by the sweeps, and what may have been
handed to the gateway is never handed over again.
"""

import random
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any

import attrs
import punq
from loguru import logger
from redis.exceptions import RedisError
from rq.exceptions import StopRequested

from adapters_db.operations.failed_jobs import SqlFailedJobs
from retail_core.kernel.ids import WorkerId
from retail_core.kernel.ports import Clock, Transactions
from retail_core.kernel.settings import SettingsError
from workers.jobs.kinds import KINDS_BY_NAME, lane_of
from workers.jobs.lanes import Lane, served_by
from workers.jobs.running import JobKind, RunJob
from workers.processes.lane_worker import LaneWorker, RunsJobs, quieten_rq
from workers.processes.memory import hold_little, settle
from workers.processes.queue import JobQueue
from workers.processes.supervisor import Supervisor
from workers.processes.trouble import Trouble
from workers.wiring import Settings, build, new_worker_id, redis_of, start


def main(compose: Callable[[Settings], punq.Container] = build) -> int:
    """Run until stopped; 1 if the settings do not allow it to start."""
    try:
        settings = start("worker")
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if settings.worker.redis_url is None:
        sys.stderr.write("there is no queue (QUEUE_DISABLED or REDIS_URL), so no work for me\n")
        return 1
    quieten_rq()
    logger.info("worker starts", processes=settings.worker.concurrency)
    processes = settings.worker.concurrency
    Supervisor(processes, lambda index: serve(settings, index, compose)).run()
    return 0


def serve(
    settings: Settings, index: int, compose: Callable[[Settings], punq.Container] = build
) -> None:
    """The life of one process: connect, and take jobs until asked to stop."""
    assert settings.worker.redis_url is not None
    hold_little()
    worker = new_worker_id()
    redis_url = settings.worker.redis_url.reveal()
    stopping = Stopping()
    queue = JobQueue(redis_of(redis_url), lane_of)
    run = runner(compose(settings), queue, worker, stopping)
    settle()
    lanes = served_by(index, settings.worker.import_concurrency)
    logger.debug("worker process serves", worker=worker, lanes=",".join(lanes))
    take_jobs(worker, lanes, redis_url, run, stopping)


def take_jobs(
    worker: WorkerId, lanes: Sequence[Lane], redis_url: str, run: RunsJobs, stopping: "Stopping"
) -> None:
    """Take jobs until asked to stop; a missing Redis is waited for."""
    trouble = Trouble("redis")
    for attempt in count():
        name = WorkerId(f"{worker}-{attempt}")  # the last one may still be registered
        try:
            # a connection of its own: RQ sets its time-outs for long blocking pops
            loop = LaneWorker(name, lanes, redis_of(redis_url), run)
            stopping.loop = loop
            loop.work(logging_level=None)
            if loop.stop_requested:
                return
            trouble.over()
            time.sleep(1)
        except RedisError as error:
            time.sleep(trouble.met(error))
        except StopRequested:
            return


@attrs.define
class Stopping:
    """Whether this process was asked to stop; its loop knows, and is made after who asks."""

    loop: LaneWorker | None = None

    def __call__(self) -> bool:
        return self.loop is not None and self.loop.stop_requested


def runner(
    container: punq.Container,
    queue: JobQueue,
    worker: WorkerId,
    stopping: Callable[[], bool],
    kinds: Mapping[str, JobKind[Any]] = KINDS_BY_NAME,
) -> RunJob:
    """Runs jobs with use cases resolved once."""
    return RunJob(
        kinds=kinds,
        resolved={kind.name: container.resolve(kind.use_case) for kind in kinds.values()},
        transactions=container.resolve(Transactions),
        failures=container.resolve(SqlFailedJobs),
        queue=queue,
        clock=container.resolve(Clock),
        worker=worker,
        stopping=stopping,
        chance=random.random,
    )


if __name__ == "__main__":
    sys.exit(main())
