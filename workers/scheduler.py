"""`python -m workers.scheduler`: moves written jobs to the queue and nudges periodic ones.

Any number may run: each relays, and one of them, by a lease in the database, leads the
periodic jobs.
"""

import signal
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Final

import punq
from loguru import logger

from adapters_db.kernel.listening import OutboxListener
from adapters_db.kernel.periodic_jobs import SqlPeriodicJobs
from adapters_db.operations.leading import Leadership
from retail_core.kernel.ports import Clock, Transactions
from retail_core.kernel.settings import SettingsError
from workers.jobs.kinds import lane_of
from workers.jobs.periodic import periodic
from workers.processes.leading import LeadLoop
from workers.processes.queue import JobQueue
from workers.processes.relay import Relay, RelayLoop
from workers.wiring import Settings, build, redis_of, start

CHECK_SECONDS: Final = 1.0

Loop = Callable[[threading.Event], None]


def main() -> int:
    """Run until stopped; 1 if it could not start, or if a part of it failed."""
    try:
        settings = start("scheduler")
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if settings.worker.redis_url is None:
        sys.stderr.write("there is no queue (QUEUE_DISABLED or REDIS_URL), so no work for me\n")
        return 1
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _signum, _frame: stop.set())
    logger.info("scheduler starts")
    failed = run(loops(settings, build(settings)), stop)
    logger.info("scheduler stopped")
    return 1 if failed else 0


def loops(settings: Settings, container: punq.Container) -> Mapping[str, Loop]:
    """The relay and the lead, each for a thread of its own."""
    assert settings.worker.redis_url is not None
    queue = JobQueue(redis_of(settings.worker.redis_url.reveal()), lane_of)
    clock: Clock = container.resolve(Clock)
    direct_url = settings.database.direct_url
    return {
        "relay": RelayLoop(
            Relay(container.resolve(Transactions), queue, clock), OutboxListener.at(direct_url)
        ),
        "lead": LeadLoop(
            Leadership.at(direct_url),
            queue,
            container.resolve(SqlPeriodicJobs),
            clock,
            periodic(settings.worker.refresh_every),
            clock.elapsed_seconds,
        ),
    }


def run(named: Mapping[str, Loop], stop: threading.Event) -> bool:
    """Run the loops until `stop`, or until one fails; returns whether one did."""
    threads = [
        threading.Thread(target=loop, args=(stop,), name=name) for name, loop in named.items()
    ]
    for thread in threads:
        thread.start()
    while not stop.wait(CHECK_SECONDS) and all(thread.is_alive() for thread in threads):
        pass
    failed = not stop.is_set()
    stop.set()
    for thread in threads:
        thread.join()
    return failed


if __name__ == "__main__":
    sys.exit(main())
