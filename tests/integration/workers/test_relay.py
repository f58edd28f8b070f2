import threading
from collections import Counter

import attrs

from adapters_db.connection.connections import Connections
from adapters_db.kernel.listening import OutboxListener
from adapters_db.transactions import SqlTransactions
from retail_core.kernel.jobs import Job
from retail_core.kernel.process.machine import SystemClock
from tests.integration.workers.watching import until
from workers.processes.queue import JobQueue
from workers.processes.relay import Relay, RelayLoop


@attrs.define
class Counted:
    """A queue that takes everything and counts what it took."""

    taken: Counter[str] = attrs.field(factory=Counter)

    def put(self, job: Job) -> bool:
        self.taken[job.key] += 1
        return True


def _write(connections: Connections, *jobs: Job) -> None:
    with SqlTransactions(connections).across_accounts() as uow:
        for job in jobs:
            uow.jobs.add(job)


def test_relays_side_by_side_move_every_job_and_none_twice(connections: Connections) -> None:
    keys = [f"side:{no}" for no in range(200)]
    _write(connections, *(Job("note", key) for key in keys))
    queue = Counted()
    relay = Relay(SqlTransactions(connections), queue, SystemClock(), jobs_max=7)
    threads = [threading.Thread(target=relay.drain) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    relay.drain()
    assert {key: queue.taken[key] for key in keys} == dict.fromkeys(keys, 1)


def test_a_committed_job_is_in_the_queue_at_once(
    connections: Connections, migrated_database_url: str, queue: JobQueue
) -> None:
    listener = OutboxListener.at(migrated_database_url)
    relay = Relay(SqlTransactions(connections), queue, SystemClock())
    relay.drain()
    loop = RelayLoop(relay, listener, poll_seconds=600)
    stop = threading.Event()
    thread = threading.Thread(target=loop, args=(stop,))
    thread.start()
    try:
        until(lambda: listener.is_listening)
        for no in range(3):
            _write(connections, Job("note", f"at-once:{no}"))
            until(lambda no=no: queue.put(Job("note", f"at-once:{no}")) is False, seconds=5)  # type: ignore[misc]
    finally:
        stop.set()
        thread.join()
