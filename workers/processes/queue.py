"""The queue of nudges: RQ over Redis or Valkey, and nothing in it that may not be lost."""

import re
from collections.abc import Callable
from typing import Final

import attrs
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.exceptions import DuplicateJobError
from rq.job import Job as QueuedJob
from rq.serializers import JSONSerializer

from retail_core.kernel.errors import Unavailable
from retail_core.kernel.ids import AccountId
from retail_core.kernel.jobs import Job
from workers.jobs.lanes import Lane

JOB_SECONDS_MAX: Final = 3600
CALLED: Final = "workers.jobs.running.RunJob"
UNSAFE: Final = re.compile(r"[^A-Za-z0-9-]")


class QueueUnavailable(Unavailable):
    """Redis does not answer now; the jobs wait in the database."""


@attrs.frozen
class JobQueue:
    """Puts jobs where workers find them.

    A key that waits is not put again, and is free again as soon as a worker begins with it: so a
    nudge that comes while its job is running is a new job, and none is lost between the last look
    of the old run and its end. (RQ's own `unique` refuses a key until the run has ended.)
    """

    connection: Redis
    lane_of: Callable[[str], Lane]

    def put(self, job: Job) -> bool:
        """Queue a job; False if its key waits already. Raises QueueUnavailable."""
        try:
            return self._put(job)
        except RedisError as error:
            raise QueueUnavailable(f"the queue does not answer: {type(error).__name__}") from error

    def waiting_count(self, lane: Lane) -> int:
        """How many jobs wait in a lane. Raises QueueUnavailable."""
        try:
            return len(self._queue(lane))
        except RedisError as error:
            raise QueueUnavailable(f"the queue does not answer: {type(error).__name__}") from error

    def _put(self, job: Job) -> bool:
        queue = self._queue(self.lane_of(job.kind))
        try:
            enqueue(queue, job)
        except DuplicateJobError:
            if self.connection.lpos(queue.key, job_id(job.key)) is not None:
                return False
            # a worker died between taking the id and beginning: nobody would free the key
            self.connection.delete(QueuedJob.key_for(job_id(job.key)))
            enqueue(queue, job)
        return True

    def _queue(self, lane: Lane) -> Queue:
        return Queue(lane.value, connection=self.connection, serializer=JSONSerializer)


def enqueue(queue: Queue, job: Job) -> None:
    """Queue a job in RQ's way. Raises DuplicateJobError and errors of Redis."""
    queue.enqueue_call(
        CALLED,
        kwargs={
            "kind": job.kind,
            "key": job.key,
            "payload": dict(job.payload),
            "account": job.account,
        },
        job_id=job_id(job.key),
        unique=True,
        result_ttl=0,
        timeout=JOB_SECONDS_MAX,
        description=job.key,
    )


def job_of(queued: QueuedJob) -> Job:
    """The job as it was before it was queued."""
    values = queued.kwargs
    account = values["account"]
    return Job(
        kind=values["kind"],
        key=values["key"],
        payload=values["payload"],
        account=None if account is None else AccountId(account),
    )


def job_id(key: str) -> str:
    """RQ takes letters, digits, `_` and `-`; others become `_<hex>_`, so no two keys meet."""
    return UNSAFE.sub(lambda found: f"_{ord(found.group()):x}_", key)
