import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import redis

from adapters_db.connection.connections import Connections
from adapters_db.connection.engine import make_engine
from adapters_db.settings import DatabaseSettings
from tests.integration.workers.watching import Crew, until
from tests.own_database import close
from workers.jobs.lanes import Lane
from workers.processes.queue import JobQueue

CREW = Path(__file__).with_name("crew.py")


@pytest.fixture
def connections(migrated_database_url: str) -> Iterator[Connections]:
    settings = DatabaseSettings(migrated_database_url, migrated_database_url)
    connections = Connections(make_engine(settings), settings)
    yield connections
    close(connections)


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    """An emptied Redis."""
    with redis.Redis.from_url(redis_url) as client:
        client.flushdb()
        yield client
        client.flushdb()


@pytest.fixture
def queue(client: redis.Redis) -> JobQueue:
    return JobQueue(client, lambda _kind: Lane.INTERACTIVE)


@pytest.fixture
def start_crew(migrated_database_url: str, tmp_path: Path) -> Iterator[Callable[[str, int], Crew]]:
    started: list[Crew] = []

    def start(redis_url: str, processes: int) -> Crew:
        notes = tmp_path / f"notes-{len(started)}"
        command: list[str | Path] = [sys.executable, CREW, migrated_database_url, redis_url, notes]
        crew = Crew(psutil.Popen([*command, str(processes)]), notes)
        started.append(crew)
        until(lambda: sum(line.startswith("serves") for line in crew.lines()) >= processes)
        return crew

    yield start
    for crew in started:
        family = [crew.process, *crew.process.children()] if crew.process.is_running() else []
        for process in family:
            process.kill()
        crew.process.wait()
