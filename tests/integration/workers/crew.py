"""A supervised crew of workers whose only job writes down that it begins and ends.

Run as a file: `crew.py DATABASE_URL REDIS_URL NOTES PROCESSES`. A job `note` takes as many tenths
of a second as its payload says.
"""

import sys
import time
from pathlib import Path

import attrs
import punq

import adapters_db.wiring
from adapters_db.connection.connections import Connections
from adapters_db.operations.failed_jobs import SqlFailedJobs
from adapters_db.settings import DatabaseSettings
from retail_core.kernel.ports import Clock
from retail_core.kernel.process.machine import SystemClock
from workers.jobs.lanes import Lane
from workers.jobs.running import JobKind, Run
from workers.processes.lane_worker import quieten_rq
from workers.processes.queue import JobQueue
from workers.processes.supervisor import Supervisor
from workers.wiring import new_worker_id, redis_of
from workers.worker import Stopping, runner, take_jobs


@attrs.frozen
class Notes:
    """A file that several processes append lines to."""

    path: Path

    def add(self, line: str) -> None:
        with self.path.open("a") as file:
            file.write(line + "\n")


def _note(notes: Notes, run: Run) -> bool:
    tenths = run.job.payload["tenths"]
    assert isinstance(tenths, int)
    notes.add(f"begin {run.job.key}")
    for _ in range(tenths):
        time.sleep(0.1)
    notes.add(f"end {run.job.key}")
    return False


def work(index: int) -> None:
    """One process of the crew."""
    database_url, redis_url, notes = sys.argv[1:4]
    container = punq.Container()
    adapters_db.wiring.register(container, DatabaseSettings(database_url, database_url))
    container.register(Clock, instance=SystemClock())
    container.register(SqlFailedJobs, instance=SqlFailedJobs(container.resolve(Connections)))
    container.register(Notes, instance=Notes(Path(notes)))
    kinds = {"note": JobKind("note", Lane.INTERACTIVE, Notes, _note)}
    worker, stopping = new_worker_id(), Stopping()
    queue = JobQueue(redis_of(redis_url), lambda _kind: Lane.INTERACTIVE)
    run = runner(container, queue, worker, stopping, kinds)
    container.resolve(Notes).add(f"serves {index}")
    take_jobs(worker, tuple(Lane), redis_url, run, stopping)


if __name__ == "__main__":
    quieten_rq()
    Supervisor(int(sys.argv[4]), work).run()
