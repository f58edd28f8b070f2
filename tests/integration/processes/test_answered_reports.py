"""What was answered is on disk: the server or the database is killed in the middle of reports."""

import contextlib
import http.client
import json
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import attrs
import psutil
import psycopg
import pytest

from adapters_db.operations.migrate import upgrade
from tests.http.api import VARIABLES, WEBHOOK_SECRET
from tests.integration.processes.plant import kill
from tests.integration.workers.watching import until
from workers.dev.embedded import EmbeddedPostgres

TREE = Path(__file__).parents[3]
HEADERS = {"Content-Type": "application/json", "X-Webhook-Token": WEBHOOK_SECRET}
CALLERS = 12
ANSWERS_MIN = 300
STORED = 202
UNAVAILABLE = 503

pytestmark = [pytest.mark.servers, pytest.mark.slow]


@attrs.frozen
class Door:
    """The real server on a port of its own, and what it answered."""

    port: int
    answered: list[str] = attrs.field(factory=list)
    statuses: set[int] = attrs.field(factory=set)
    ends: threading.Event = attrs.field(factory=threading.Event)

    def report(self, caller: int) -> None:
        """Report about one message after the other, until the end; a dead server is no error."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)) as line:
            for number in count():
                if self.ends.is_set():
                    return
                self._report_one(line, f"{caller}-{number}")

    def _report_one(self, line: http.client.HTTPConnection, name: str) -> None:
        try:
            line.request("POST", "/webhooks/mitto/dlr", json.dumps({"id": name}), HEADERS)
            answer = line.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            line.close()
            time.sleep(0.01)
            return
        self.statuses.add(answer.status)
        if answer.status == STORED:
            self.answered.append(name)

    def is_open(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@pytest.fixture
def postgres(server_directory: Path) -> EmbeddedPostgres:
    """A server whose commits are durable."""
    server = EmbeddedPostgres(server_directory / "postgres")
    upgrade(server.start())
    return server


@pytest.fixture
def door() -> Door:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return Door(probe.getsockname()[1])


@pytest.fixture
def server(postgres: EmbeddedPostgres, door: Door) -> Iterator[psutil.Popen]:
    """The default server, answering."""
    variables = VARIABLES | {
        "DATABASE_URL": postgres.url(),
        "PORT": f"{door.port}",
        "WEB_CONCURRENCY": "2",
        "LOG_LEVEL": "error",
    }
    words = [sys.executable, "-m", "gunicorn", "adapters_http.wsgi:application"]
    process = psutil.Popen(words, env=variables, cwd=TREE)
    until(door.is_open)
    yield process
    kill(process)


@pytest.fixture
def callers(door: Door, server: psutil.Popen) -> Iterator[None]:
    """Many callers at once, already answered for a while."""
    del server
    threads = [threading.Thread(target=door.report, args=(number,)) for number in range(CALLERS)]
    for each in threads:
        each.start()
    until(lambda: len(door.answered) > ANSWERS_MIN)
    yield
    door.ends.set()
    for each in threads:
        each.join()


def stored(postgres: EmbeddedPostgres) -> list[str]:
    with psycopg.connect(postgres.url()) as connection:
        rows = connection.execute("SELECT raw FROM report_inbox").fetchall()
    return [json.loads(raw)["id"] for (raw,) in rows]


@pytest.mark.usefixtures("callers")
def test_a_server_that_is_killed_has_stored_whatever_it_answered(
    postgres: EmbeddedPostgres, door: Door, server: psutil.Popen
) -> None:
    kill(server)
    door.ends.set()

    kept = stored(postgres)
    assert set(door.answered) <= set(kept)
    assert len(kept) == len(set(kept)), "a call was stored twice"
    assert door.statuses == {STORED}


@pytest.mark.usefixtures("callers")
def test_a_database_that_is_killed_keeps_what_was_answered_and_the_server_recovers(
    postgres: EmbeddedPostgres, door: Door
) -> None:
    postmaster = postgres._postmaster()
    assert postmaster is not None
    for each in [*postmaster.children(), postmaster]:
        # the death of one child makes the postmaster end the others
        with contextlib.suppress(psutil.NoSuchProcess):
            each.kill()
    until(lambda: not postgres.is_running())
    until(lambda: UNAVAILABLE in door.statuses)
    postgres.start()
    before = len(door.answered)
    until(lambda: len(door.answered) > before + ANSWERS_MIN)
    door.ends.set()

    assert set(door.answered) <= set(stored(postgres))
    assert door.statuses == {STORED, UNAVAILABLE}
