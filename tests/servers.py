"""Real servers for the tests: started when the first test asks for one, gone at the end.

Which ones: those of `TEST_DATABASE_URL` and `TEST_REDIS_URL` where set; with
`TEST_SERVERS=containers` Docker containers of the oldest versions we support; else the embedded
ones, in a directory of this run below `var/test/`. Every run has databases of its own, so several
may go on side by side.

`TEST_DATABASE_URL` names any database of a server on which we may create others.
The database number in `TEST_REDIS_URL` (15 if it names none) is emptied.

A test that asks for one of the fixtures below gets the marker `servers`.
"""

import os
import secrets
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import psutil
import psycopg
import pytest
import redis
from psycopg import sql

from adapters_db.operations.migrate import upgrade
from workers.dev.embedded import EmbeddedPostgres, EmbeddedValkey

RUNS: Final = Path(__file__).parents[1] / "var" / "test"
POSTGRES_IMAGE: Final = "postgres:15"
REDIS_IMAGE: Final = "redis:7"
REDIS_NUMBER: Final = 15
DOCKER_SECONDS: Final = 2
FIXTURES: Final = frozenset(
    {
        "database_server",
        "database_url",
        "migrated_database_url",
        "new_database",
        "redis_url",
        "server_directory",
    }
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a server before `-m "not servers"` picks."""
    for item in items:
        if FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.servers)


def pytest_report_header() -> str:
    """Say which servers the tests will meet."""
    database = "TEST_DATABASE_URL" if os.environ.get("TEST_DATABASE_URL") else _kind()
    queue = "TEST_REDIS_URL" if os.environ.get("TEST_REDIS_URL") else _kind()
    return f"servers: PostgreSQL {database}, Redis {queue}"


@pytest.fixture(scope="session")
def run_directory() -> Iterator[Path]:
    """A directory of this run, and the end of the servers that killed runs left behind."""
    RUNS.mkdir(parents=True, exist_ok=True)
    for path in RUNS.iterdir():
        if not _is_alive(path.name):
            _discard(path)
    process = psutil.Process()
    path = RUNS / f"{process.pid}-{int(process.create_time())}"
    path.mkdir()
    yield path
    _discard(path)


@pytest.fixture
def server_directory(run_directory: Path) -> Iterator[Path]:
    """A directory for the servers a test starts by itself; they are stopped if it did not.

    Not below `tmp_path`: pytest closes that to other accounts, and PostgreSQL under root has one.
    """
    path = run_directory / secrets.token_hex(4)
    path.mkdir()
    yield path
    _discard(path)


@pytest.fixture(scope="session")
def database_server(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a database on a server where databases may be created."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given.replace("postgresql+psycopg://", "postgresql://", 1)
        return
    if _kind() == "containers":
        _require_docker()
        # imported here: nobody else needs to wait for it
        from testcontainers.community.postgres import PostgresContainer  # noqa: PLC0415

        with PostgresContainer(POSTGRES_IMAGE, driver=None) as container:
            yield container.get_connection_url()
        return
    directory: Path = request.getfixturevalue("run_directory")
    server = EmbeddedPostgres(directory / "postgres", durable=False)
    yield server.start()
    server.stop()


@pytest.fixture(scope="session")
def new_database(database_server: str) -> Iterator[Callable[[], str]]:
    """Create an empty database and give its address; all of them are dropped at the end."""
    with ExitStack() as stack:

        def create() -> str:
            name = f"test_{os.getpid()}_{secrets.token_hex(4)}"
            _administer(database_server, "CREATE DATABASE {} TEMPLATE template0", name)
            stack.callback(
                _administer, database_server, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name
            )
            return urlunsplit(urlsplit(database_server)._replace(path=f"/{name}"))

        yield create


@pytest.fixture(scope="session")
def database_url(new_database: Callable[[], str]) -> str:
    """A database without any table."""
    return new_database()


@pytest.fixture(scope="session")
def migrated_database_url(new_database: Callable[[], str]) -> str:
    """A database with the newest schema, built by the migrations; the whole run shares it."""
    url = new_database()
    upgrade(url)
    return url


@pytest.fixture(scope="session")
def redis_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty database of a Redis or Valkey; the whole run shares it."""
    given = os.environ.get("TEST_REDIS_URL")
    if given:
        numbered = (
            given if urlsplit(given).path.strip("/") else f"{given.rstrip('/')}/{REDIS_NUMBER}"
        )
        _flush(numbered)
        yield numbered
        _flush(numbered)
        return
    if _kind() == "containers":
        _require_docker()
        from testcontainers.community.redis import RedisContainer  # noqa: PLC0415

        with RedisContainer(REDIS_IMAGE) as container:
            yield f"redis://{container.get_container_host_ip()}:{container.get_exposed_port(6379)}/0"
        return
    directory: Path = request.getfixturevalue("run_directory")
    server = EmbeddedValkey(directory / "valkey", durable=False)
    yield server.start()
    server.stop()


def _kind() -> str:
    kind = os.environ.get("TEST_SERVERS") or "embedded"
    if kind not in {"embedded", "containers"}:
        raise pytest.UsageError(f"TEST_SERVERS is {kind!r}, but may be embedded or containers")
    return kind


def _administer(url: str, statement: str, name: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(sql.Identifier(name)))


def _flush(url: str) -> None:
    with redis.Redis.from_url(url) as client:
        client.flushdb()


def _is_alive(name: str) -> bool:
    pid, _, created = name.partition("-")
    try:
        return int(psutil.Process(int(pid)).create_time()) == int(created)
    except (ValueError, psutil.Error):
        return False


def _discard(directory: Path) -> None:
    for path in [directory, *directory.rglob("*")]:
        if (path / "data").is_dir():
            EmbeddedPostgres(path).stop()
        elif (path / "valkey.conf").exists():
            EmbeddedValkey(path).stop()
    shutil.rmtree(directory, ignore_errors=True)


def _require_docker() -> None:
    host = os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"
    parts = urlsplit(host)
    family = socket.AF_UNIX if parts.scheme == "unix" else socket.AF_INET
    target = parts.path if parts.scheme == "unix" else (parts.hostname, parts.port or 2375)
    with socket.socket(family) as probe:
        probe.settimeout(DOCKER_SECONDS)
        try:
            probe.connect(target)
            probe.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            answer = probe.recv(64)
        except OSError as failure:
            pytest.skip(f"TEST_SERVERS=containers, but no Docker engine answers: {failure}")
    if b" 200 " not in answer:
        pytest.skip("TEST_SERVERS=containers, but what answers is no Docker engine")
