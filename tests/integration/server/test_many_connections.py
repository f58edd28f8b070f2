"""Crowds on the line: none of them holds a thread, and none keeps its connection for long."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.adapters_http.serving import connect, get, read_answer, served

APPLICATION = "tests.http.things_server:application"
HEAD_SECONDS = 3
THREADS = 4
AT_ONCE_SECONDS = 1.5
"""The machine may be busy; whoever waits for a slow one waits as long as that has."""

REQUEST = b"GET /things HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    directory = tmp_path_factory.mktemp("crowds")
    settings = {"WEB_THREADS": str(THREADS), "HEAD_SECONDS": str(HEAD_SECONDS)}
    with served(APPLICATION, directory, **settings) as (_, port):
        yield port


@contextmanager
def crowd(port: int, count: int, said: bytes = b"") -> Iterator[Sequence[socket.socket]]:
    """So many connections that said this and no more."""
    with contextlib.ExitStack() as stack:
        lines = [stack.enter_context(connect(port)) for _ in range(count)]
        for line in lines:
            line.sendall(said)
        yield lines


def seconds_of_an_answer(port: int, path: str = "/things") -> float:
    began = time.monotonic()
    answer = get(port, path)
    assert answer is not None
    assert answer.status == 200
    return time.monotonic() - began


def is_ended(line: socket.socket, seconds: float) -> bool:
    """Whether the server hangs up within that time."""
    line.settimeout(seconds)
    try:
        while line.recv(65_536):
            pass
    except TimeoutError:
        return False
    except OSError:
        pass
    return True


@contextmanager
def dribbling(lines: Sequence[socket.socket]) -> Iterator[None]:
    """A byte of a header on each, again and again."""
    stopped = threading.Event()

    def dribble() -> None:
        while not stopped.wait(0.1):
            for line in lines:
                with contextlib.suppress(OSError):
                    line.send(b"a")

    thread = threading.Thread(target=dribble)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


class TestHeads:
    def test_silent_and_dribbling_ones_hold_no_thread_and_are_ended(self, port: int) -> None:
        with (
            crowd(port, 200) as silent,
            crowd(port, 50, REQUEST + b"X-A: ") as slow,
            dribbling(slow),
        ):
            took = [seconds_of_an_answer(port) for _ in range(5)]
            assert max(took) < AT_ONCE_SECONDS
            assert all(is_ended(line, HEAD_SECONDS + 4) for line in (*silent, *slow))

    def test_a_line_that_was_used_before_holds_no_thread_with_half_a_head(self, port: int) -> None:
        with crowd(port, 3 * THREADS, REQUEST + b"\r\n") as used:
            for line in used:
                assert read_answer(line) is not None
                line.sendall(REQUEST)

            assert seconds_of_an_answer(port) < AT_ONCE_SECONDS
            assert all(is_ended(line, HEAD_SECONDS + 4) for line in used)

    def test_half_a_head_behind_a_whole_request_holds_no_thread(self, port: int) -> None:
        with crowd(port, 3 * THREADS, REQUEST + b"\r\n" + REQUEST) as half:
            assert seconds_of_an_answer(port) < AT_ONCE_SECONDS
            assert all(read_answer(line) is not None for line in half)
            assert all(is_ended(line, HEAD_SECONDS + 4) for line in half)

    def test_a_head_in_many_pieces_is_understood(self, port: int) -> None:
        with connect(port) as line:
            for byte in REQUEST + b"\r\n":
                line.sendall(bytes([byte]))
            answer = read_answer(line)

        assert answer is not None
        assert answer.status == 200

    def test_a_head_without_an_end_is_refused_before_it_fills_the_memory(self, port: int) -> None:
        with connect(port) as line:
            line.sendall(REQUEST + b"X: 1\r\n" * 12_000)
            answer = read_answer(line)
            assert answer is not None
            assert (answer.status, answer.json["code"]) == (400, "VALIDATION_ERROR")
            assert is_ended(line, HEAD_SECONDS + 4)

    @pytest.mark.parametrize("said", [b"GET / HTTP/1.1\nHost: x\n\n", b"\n", b"a\r\nb\n"])
    def test_lines_that_end_otherwise_are_refused_at_once(self, port: int, said: bytes) -> None:
        with connect(port) as line:
            for byte in said:
                line.sendall(bytes([byte]))
            began = time.monotonic()
            answer = read_answer(line)
            assert answer is not None
            assert (answer.status, answer.json["code"]) == (400, "VALIDATION_ERROR")
            assert time.monotonic() - began < AT_ONCE_SECONDS

    def test_blank_lines_before_a_head_hold_no_thread(self, port: int) -> None:
        with crowd(port, 3 * THREADS, b"\r\n\r\n"), crowd(port, 3 * THREADS, b"\r\n") as blank:
            assert seconds_of_an_answer(port) < AT_ONCE_SECONDS
            assert all(is_ended(line, HEAD_SECONDS + 4) for line in blank)


class TestEnds:
    def test_who_does_not_hang_up_after_its_last_reply_holds_nobody_up(self, port: int) -> None:
        last = REQUEST + b"Connection: close\r\n\r\n"
        with crowd(port, 50, last) as staying:
            assert seconds_of_an_answer(port) < AT_ONCE_SECONDS
            answers = [read_answer(line) for line in staying]
            assert [answer and answer.status for answer in answers] == [200] * 50
            assert all(is_ended(line, HEAD_SECONDS + 4) for line in staying)


def test_at_the_bound_the_silent_make_room(tmp_path: Path) -> None:
    bound = "--worker-connections=20"
    with (
        served(APPLICATION, tmp_path, WEB_THREADS="4", GUNICORN_CMD_ARGS=bound) as (_, port),
        crowd(port, 60) as silent,
    ):
        assert seconds_of_an_answer(port) < 10
        assert all(is_ended(line, 10) for line in silent)


def test_no_process_dies_for_want_of_open_files(tmp_path: Path) -> None:
    script = tmp_path / "few_files.py"
    script.write_text(
        "import resource\n"
        "from tests.http.things_server import application\n"
        "files = len(__import__('os').listdir('/dev/fd')) + 30\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))\n"
        "__all__ = ['application']\n"
    )
    with (
        served("few_files:application", tmp_path, WEB_THREADS="4", PYTHONPATH=str(tmp_path)) as (
            process,
            port,
        ),
        crowd(port, 100) as silent,
    ):
        assert seconds_of_an_answer(port) < 15
        assert all(is_ended(line, 15) for line in silent)
        assert seconds_of_an_answer(port) < AT_ONCE_SECONDS
        log = next(tmp_path.glob("log*")).read_text()
        assert process.poll() is None
        assert "Worker exiting" not in log
        assert "connections fit" in log


def test_silent_ones_do_not_keep_a_server_from_ending(tmp_path: Path) -> None:
    with served(APPLICATION, tmp_path) as (process, port), crowd(port, 20) as _:
        process.terminate()
        began = time.monotonic()
        assert process.wait(30) == 0
        assert time.monotonic() - began < 8
