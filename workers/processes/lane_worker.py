"""One process that serves the lanes: RQ's loop, with a run that is safe to kill."""

import logging
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Final

from loguru import logger
from redis import Redis
from redis.client import Pipeline
from redis.exceptions import RedisError
from rq import Queue, SimpleWorker
from rq.exceptions import StopRequested
from rq.job import Job as QueuedJob
from rq.serializers import JSONSerializer
from rq.timeouts import JobTimeoutException
from rq.worker import WorkerStatus

from retail_core.kernel.ids import WorkerId
from retail_core.kernel.jobs import Job
from workers.jobs.lanes import Lane, after_serving
from workers.processes.queue import JOB_SECONDS_MAX, job_of
from workers.processes.trouble import Trouble

WORKER_TTL_SECONDS: Final = 60
"""RQ blocks in a pop for 15 s less than this, then renews its heartbeat."""

RunsJobs = Callable[[Job], object]


def quieten_rq() -> None:
    """Keep RQ's line about each job and each attempt to connect out of the log: we have our own."""
    rq_logger = logging.getLogger("rq.worker")
    rq_logger.setLevel(logging.WARNING)
    rq_logger.addFilter(lambda record: "could not connect" not in record.msg)


class LaneWorker(SimpleWorker):
    """Takes jobs lane by lane and runs them in this process.

    The key of a job is free again before its run begins, and Redis keeps nothing of the run: a
    worker killed in the middle leaves nothing that blocks the next nudge, and what failed is
    written down in PostgreSQL. Redis may be away or emptied at any moment; the run goes on.
    """

    max_connection_wait_time = 5.0

    def __init__(
        self, worker: WorkerId, lanes: Sequence[Lane], connection: Redis, run: RunsJobs
    ) -> None:
        super().__init__(
            [lane.value for lane in lanes],
            name=worker,
            connection=connection,
            serializer=JSONSerializer,
            worker_ttl=WORKER_TTL_SECONDS,
        )
        self._lanes = tuple(lanes)
        self._run = run
        self._busy = False
        self._redis = Trouble("redis")

    @property
    def stop_requested(self) -> bool:
        """Whether this process is to end as soon as its job has."""
        return self._stop_requested

    def execute_job(self, job: QueuedJob, queue: Queue) -> None:
        """Run one job. Nothing it raises ends the worker."""
        self._busy = True
        try:
            with self._redis_may_be_away():
                self.connection.delete(job.key)
            with self.death_penalty_class(JOB_SECONDS_MAX, JobTimeoutException, job_id=job.id):
                self._run(job_of(job))
        except Exception:  # noqa: BLE001 - a job that cannot even be read must not stop the others
            logger.exception("a job could not be run", key=job.id, queue=queue.name)
        finally:
            self._busy = False

    def reorder_queues(self, reference_queue: Queue) -> None:
        """No lane starves: the one just served goes last."""
        self._lanes = after_serving(Lane(reference_queue.name), self._lanes)
        by_name = {queue.name: queue for queue in self.queues}
        self._ordered_queues = [by_name[lane.value] for lane in self._lanes]

    def bootstrap(
        self, logging_level: str | None = None, date_format: str = "", log_format: str = ""
    ) -> None:
        """Register in Redis. No log handlers of RQ's own, and no channel for remote commands."""
        del logging_level, date_format, log_format
        self.register_birth()  # type: ignore[no-untyped-call]
        self.set_state(WorkerStatus.STARTED)

    def check_for_suspension(self, burst: bool) -> None:  # noqa: FBT001 - RQ's signature
        """Workers are stopped by stopping them, not by a key in Redis."""

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """Renew the registration; without Redis there is none to renew."""
        with self._redis_may_be_away():
            super().heartbeat(timeout, pipeline)

    def set_state(self, state: str, pipeline: Pipeline | None = None) -> None:
        """Show the state in Redis, for whoever looks."""
        with self._redis_may_be_away():
            super().set_state(state, pipeline)

    def run_maintenance_tasks(self) -> None:
        """Tidy up after workers that died, every ten minutes."""
        with self._redis_may_be_away():
            super().run_maintenance_tasks()  # type: ignore[no-untyped-call]

    def register_death(self) -> None:
        """Take the registration back; without Redis it runs out by itself."""
        with self._redis_may_be_away():
            super().register_death()  # type: ignore[no-untyped-call]

    @contextmanager
    def _redis_may_be_away(self) -> Iterator[None]:
        try:
            yield
        except RedisError as error:
            self._redis.met(error)
        else:
            self._redis.over()

    def _install_signal_handlers(self) -> None:
        # Ctrl-C reaches the whole terminal's group: the parent turns it into one SIGTERM each
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, self._stop)

    def _stop(self, _signum: int, _frame: FrameType | None) -> None:
        """End now if idle, else after the job. Does no input or output: a job may be running."""
        self._stop_requested = True
        if not self._busy:
            raise StopRequested
