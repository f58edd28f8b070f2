import redis
from hypothesis import given
from hypothesis import strategies as st
from rq import Queue
from rq.serializers import JSONSerializer

from retail_core.kernel.ids import AccountId
from retail_core.kernel.jobs import Job
from workers.jobs.lanes import Lane
from workers.processes.queue import JobQueue, job_id, job_of

JOB = Job("note", "note:1:ä/b", {"n": 1, "text": "α", "flag": True, "none": None}, AccountId(7))


def _pop(client: redis.Redis) -> Job | None:
    taken = Queue.dequeue_any(
        [Queue("interactive", connection=client, serializer=JSONSerializer)],
        None,
        connection=client,
        serializer=JSONSerializer,
    )
    if taken is None:
        return None
    queued, _queue = taken
    client.delete(queued.key)
    return job_of(queued)


def test_a_job_comes_out_as_it_went_in(queue: JobQueue, client: redis.Redis) -> None:
    assert queue.put(JOB)
    assert _pop(client) == JOB


def test_a_key_that_waits_is_not_put_again(queue: JobQueue) -> None:
    assert [queue.put(JOB) for _ in range(3)] == [True, False, False]
    assert queue.waiting_count(Lane.INTERACTIVE) == 1


def test_a_nudge_that_comes_while_its_job_runs_is_a_new_job(
    queue: JobQueue, client: redis.Redis
) -> None:
    queue.put(JOB)
    assert _pop(client) is not None  # the run has begun
    assert queue.put(JOB)
    assert _pop(client) == JOB


def test_a_key_taken_by_a_worker_that_died_before_it_began_is_put_again(
    queue: JobQueue, client: redis.Redis
) -> None:
    queue.put(JOB)
    client.lpop("rq:queue:interactive")
    assert queue.put(JOB)
    assert _pop(client) == JOB


def test_nothing_stays_in_redis_of_a_job_that_was_taken(
    queue: JobQueue, client: redis.Redis
) -> None:
    queue.put(JOB)
    _pop(client)
    assert client.keys("rq:job:*") == []
    assert _pop(client) is None


@given(st.text(max_size=20), st.text(max_size=20))
def test_different_keys_have_different_ids(one: str, other: str) -> None:
    assert (job_id(one) == job_id(other)) is (one == other)
