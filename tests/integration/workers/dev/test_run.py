import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from workers.dev.embedded import EmbeddedPostgres
from workers.dev.embedded.processes import free_port, is_port_free

ROOT = Path(__file__).parents[4]
PATIENCE_SECONDS = 30


class Run:
    """A run in a process of its own, and what it has printed so far."""

    def __init__(self, directory: Path, port: int) -> None:
        self.log = directory / f"{time.monotonic_ns()}.log"
        script = str(Path(__file__).with_name("dummy_run.py"))
        path = [str(ROOT), os.environ.get("PYTHONPATH", "")]
        with self.log.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, script, str(directory), str(port)],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(path), "NO_COLOR": "1"},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def text(self) -> str:
        return self.log.read_text()

    def wait_for(self, pattern: str, times: int = 1) -> "re.Match[str]":
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            found = list(re.finditer(pattern, self.text()))
            if len(found) >= times:
                return found[times - 1]
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        pytest.fail(f"{pattern!r} was not printed:\n{self.text()}")

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_SECONDS)


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def runs(server_directory: Path) -> Iterator[list[Run]]:
    assert server_directory.exists()  # set up before us, so that it is taken down after us
    started: list[Run] = []
    yield started
    for run in started:
        if run.process.poll() is None:
            run.end()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_everything_starts_says_where_it_is_and_ends_cleanly_on_a_signal(
    server_directory: Path, port: int, runs: list[Run], number: signal.Signals
) -> None:
    run = Run(server_directory, port)
    runs.append(run)
    run.wait_for(rf"Address: +http://127\.0\.0\.1:{port}\n")
    assert "api       | database True\n" in run.text()
    worker = int(run.wait_for(r"worker +\| working as (\d+)")[1])
    began = time.monotonic()
    assert run.end(number) == 0
    assert time.monotonic() - began < 10
    assert not psutil.pid_exists(worker)
    assert is_port_free(port)
    assert not EmbeddedPostgres(server_directory / "var" / "postgres").is_running()


def test_a_second_start_finds_the_data_of_the_first(
    server_directory: Path, port: int, runs: list[Run]
) -> None:
    postgres = EmbeddedPostgres(server_directory / "var" / "postgres", durable=False)
    for statement in ("CREATE TABLE kept ()", "DROP TABLE kept"):
        run = Run(server_directory, port)
        runs.append(run)
        run.wait_for("Address:")
        with psycopg.connect(postgres.url()) as connection:
            connection.execute(statement)
        assert run.end() == 0


def test_a_killed_worker_comes_back_and_it_is_told(
    server_directory: Path, port: int, runs: list[Run]
) -> None:
    run = Run(server_directory, port)
    runs.append(run)
    os.kill(int(run.wait_for(r"working as (\d+)")[1]), signal.SIGKILL)
    run.wait_for(r"worker was killed by SIGKILL; starting it again in 0.5 s")
    run.wait_for(r"working as (\d+)", times=2)


def test_a_killed_database_comes_back_and_it_is_told(
    server_directory: Path, port: int, runs: list[Run]
) -> None:
    run = Run(server_directory, port)
    runs.append(run)
    run.wait_for("Address:")
    postgres = EmbeddedPostgres(server_directory / "var" / "postgres", durable=False)
    url = postgres.url()
    pid_file = postgres.directory / "data" / "postmaster.pid"
    os.kill(int(pid_file.read_text().split()[0]), signal.SIGKILL)
    run.wait_for("PostgreSQL is gone; starting it again")
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("the database did not come back")


def test_a_killed_run_is_cleaned_up_by_the_next(
    server_directory: Path, port: int, runs: list[Run]
) -> None:
    first = Run(server_directory, port)
    first.wait_for("Address:")
    worker = int(first.wait_for(r"working as (\d+)")[1])
    first.end(signal.SIGKILL)
    assert psutil.pid_exists(worker)
    second = Run(server_directory, port)
    runs.append(second)
    second.wait_for("ended worker, which an earlier run had left behind")
    second.wait_for("Address:")
    assert second.end() == 0


def test_a_port_in_use_is_told_before_anything_starts(
    server_directory: Path, port: int, runs: list[Run]
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        run = Run(server_directory, port)
        runs.append(run)
        assert run.process.wait(PATIENCE_SECONDS) == 1
    assert f"port {port} is already in use" in run.text()
    assert "starting" not in run.text()


def test_a_second_run_in_the_same_place_is_refused(
    server_directory: Path, port: int, runs: list[Run]
) -> None:
    first = Run(server_directory, port)
    runs.append(first)
    first.wait_for("Address:")
    second = Run(server_directory, free_port())
    runs.append(second)
    assert second.process.wait(PATIENCE_SECONDS) == 1
    assert f"it runs here already, as process {first.process.pid}" in second.text()
    assert first.process.poll() is None
