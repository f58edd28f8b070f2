import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import psycopg
import pytest
import redis

from workers.dev.embedded import EmbeddedPostgres, EmbeddedServer, EmbeddedValkey, ServerError

MAKERS = (EmbeddedPostgres, EmbeddedValkey)


@pytest.fixture(params=MAKERS, ids=["postgres", "valkey"])
def server(request: pytest.FixtureRequest, server_directory: Path) -> EmbeddedServer:
    made: EmbeddedServer = request.param(server_directory / "the server", durable=True)
    return made


def remember(url: str, value: str) -> None:
    if url.startswith("redis"):
        with redis.Redis.from_url(url) as client:
            client.set("kept", value)
        return
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept (value text)")
        connection.execute("INSERT INTO kept VALUES (%s)", [value])


def recall(url: str) -> object:
    if url.startswith("redis"):
        with redis.Redis.from_url(url, decode_responses=True) as client:
            return client.get("kept")
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT value FROM kept").fetchone()
        return row[0] if row else None


def process_of(server: EmbeddedServer) -> psutil.Process:
    assert isinstance(server, EmbeddedPostgres | EmbeddedValkey)
    names = ("data/postmaster.pid", "pid")
    found = [path for name in names if (path := server.directory / name).exists()]
    return psutil.Process(int(found[0].read_text().split()[0]))


def test_a_second_start_finds_address_and_data_again(server: EmbeddedServer) -> None:
    url = server.start()
    remember(url, "Γιώργος")
    server.stop()
    assert not server.is_running()
    assert server.start() == url
    assert recall(url) == "Γιώργος"


def test_starting_a_running_server_only_gives_its_address(server: EmbeddedServer) -> None:
    url = server.start()
    process = process_of(server)
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda _: server.start(), range(4))) == {url}
    assert process_of(server) == process


def test_a_killed_server_comes_back_with_its_data(server: EmbeddedServer) -> None:
    url = server.start()
    remember(url, "kept")
    if isinstance(server, EmbeddedValkey):
        with redis.Redis.from_url(url) as client:
            client.waitaof(1, 0, 5000)
    process = process_of(server)
    process.kill()
    process.wait(10)
    assert server.start() == url
    assert recall(url) == "kept"


def test_a_number_that_now_belongs_to_another_process_does_not_hinder(
    server: EmbeddedServer,
) -> None:
    url = server.start()
    remember(url, "kept")
    server.stop()
    assert isinstance(server, EmbeddedPostgres | EmbeddedValkey)
    if isinstance(server, EmbeddedPostgres):
        port = urlsplit(url).port
        lines = [os.getpid(), server.directory / "data", 0, port, "", "localhost", "", "ready"]
        pid_file = server.directory / "data" / "postmaster.pid"
        pid_file.write_text("".join(f"{line}\n" for line in lines))
    else:
        (server.directory / "pid").write_text(f"{os.getpid()}\n")
    assert not server.is_running()
    server.stop()
    assert server.start() == url
    assert recall(url) == "kept"


def test_a_taken_port_is_replaced_by_a_free_one(server_directory: Path) -> None:
    first = EmbeddedValkey(server_directory / "first", durable=False)
    second = EmbeddedPostgres(server_directory / "second", durable=False)
    taken = urlsplit(first.start()).port
    second.directory.mkdir()
    (second.directory / "port").write_text(f"{taken}\n")
    assert urlsplit(second.start()).port != taken


def test_a_stop_of_what_was_never_started_does_nothing(server: EmbeddedServer) -> None:
    server.stop()
    assert not server.is_running()


def test_nobody_gets_in_without_the_password(server_directory: Path) -> None:
    url = EmbeddedPostgres(server_directory / "p", durable=False).start()
    parts = urlsplit(url)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(f"postgresql://postgres:wrong@{parts.hostname}:{parts.port}/retail")
    parts = urlsplit(EmbeddedValkey(server_directory / "v", durable=False).start())
    with (
        redis.Redis(host=str(parts.hostname), port=parts.port or 0) as client,
        pytest.raises(redis.AuthenticationError),
    ):
        client.ping()
    assert (server_directory / "v" / "password").stat().st_mode & 0o077 == 0
    assert (server_directory / "p" / "password").stat().st_mode & 0o077 == 0


def test_an_initialisation_that_was_cut_short_begins_anew(server_directory: Path) -> None:
    server = EmbeddedPostgres(server_directory / "p", durable=False)
    (server.directory / "data.new" / "base").mkdir(parents=True)
    server.start()
    assert server.is_running()


def test_data_of_another_major_version_are_refused_and_left_alone(server_directory: Path) -> None:
    server = EmbeddedPostgres(server_directory / "p", durable=False)
    server.start()
    server.stop()
    (server.directory / "data" / "PG_VERSION").write_text("14\n")
    with pytest.raises(ServerError, match="was made by PostgreSQL 14"):
        server.start()
    assert (server.directory / "data" / "PG_VERSION").read_text() == "14\n"


def test_greek_names_have_trigrams_lower_case_and_an_order(server_directory: Path) -> None:
    url = EmbeddedPostgres(server_directory / "p", durable=False).start()
    with psycopg.connect(url) as connection:
        connection.execute("CREATE EXTENSION pg_trgm")
        row = connection.execute(
            "SELECT cardinality(show_trgm('Γιώργος')), lower('ΜΑΡΊΑ'), 'ΜΑΡΊΑ' ILIKE '%αρί%'"
        ).fetchone()
    assert row == (8, "μαρία", True)


def test_a_server_outlives_a_signal_to_our_process_group(server: EmbeddedServer) -> None:
    server.start()
    process = process_of(server)
    assert os.getpgid(process.pid) != os.getpgid(0)
    process.send_signal(signal.SIGCONT)
    assert server.is_running()
