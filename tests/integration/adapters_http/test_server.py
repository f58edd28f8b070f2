"""gunicorn as we run it: what is no request, and who takes too long."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters_http.middleware.headers import SECURITY
from adapters_http.slow_clients import Patience
from tests.http.things_server import HEAD_SECONDS
from tests.integration.adapters_http.serving import (
    ask,
    connect,
    get,
    log_of,
    read_answer,
    served,
)

APPLICATION = "tests.http.things_server:application"
REQUEST_SECONDS = 2
THREADS = 8
POST = b"POST /things HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer 2\r\n"
JSON = b"Content-Type: application/json\r\n"


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="module")
def port(directory: Path) -> Iterator[int]:
    with served(APPLICATION, directory, REQUEST_TIMEOUT_SECONDS=str(REQUEST_SECONDS)) as (_, port):
        yield port


@pytest.mark.parametrize(
    "raw",
    [
        b"nonsense\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"x" * 9000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: 1\r\n" * 100 + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n folded: secret-token\r\n\r\n",
        b"GET / HTTP/1.1\r\nA secret-token: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: a\rb\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\na",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: secret-token\r\n\r\n",
    ],
)
def test_what_is_no_request_is_refused_as_everything_else(
    port: int, directory: Path, raw: bytes
) -> None:
    answer = ask(port, raw)

    assert answer is not None
    assert answer.status == 400
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.json["code"] == "VALIDATION_ERROR"
    assert answer.json["status"] == 400
    assert answer.json["requestId"] == answer.headers["x-request-id"]
    assert {name: answer.headers[name.lower()] for name, _ in SECURITY} == dict(SECURITY)
    assert "secret-token" not in log_of(directory, port)


@pytest.mark.parametrize(
    "body", [b"zz\r\n", b"5\r\nabcdeXX", b"5\r\n{}\r\n0\r\n\r\n", b"5;\x00\r\nabcde\r\n"]
)
def test_a_badly_chunked_body_is_refused(port: int, body: bytes) -> None:
    answer = ask(port, POST + JSON + b"Transfer-Encoding: chunked\r\n\r\n" + body)

    assert answer is not None
    assert (answer.status, answer.json["code"]) == (400, "VALIDATION_ERROR")


def test_a_body_that_breaks_off_is_refused(port: int) -> None:
    with connect(port) as connection:
        connection.sendall(POST + JSON + b'Content-Length: 40\r\n\r\n{"name":"a"}')
        connection.shutdown(socket.SHUT_WR)
        answer = read_answer(connection)

    assert answer is not None
    assert (answer.status, answer.json["code"]) == (400, "VALIDATION_ERROR")


def test_a_megabyte_too_much_is_refused_before_it_is_sent(port: int) -> None:
    answer = ask(port, POST + JSON + b"Content-Length: 2097152\r\n\r\n{")

    assert answer is not None
    assert (answer.status, answer.json["code"]) == (413, "PAYLOAD_TOO_LARGE")


def test_pipelined_requests_are_answered_in_their_order(port: int) -> None:
    paths = [f"/codes/{number}" for number in range(20)]
    with connect(port) as connection:
        connection.sendall(
            b"".join(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode() for path in paths)
        )
        rest = bytearray()
        answers = [read_answer(connection, rest) for _ in paths]

    assert [answer and answer.json["code"] for answer in answers] == [
        str(number) for number in range(20)
    ]


def test_a_body_does_not_pass_for_the_next_request(port: int) -> None:
    hidden = b"GET /codes/hidden HTTP/1.1\r\nHost: x\r\n\r\n"
    head = b"POST /uploads HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(hidden)
    with connect(port) as connection:
        connection.sendall(head + hidden + b"GET /codes/next HTTP/1.1\r\nHost: x\r\n\r\n")
        rest = bytearray()
        first, second = read_answer(connection, rest), read_answer(connection, rest)

    assert first is not None
    assert first.json == {"bytes": len(hidden)}
    assert second is not None
    assert second.json == {"code": "next"}


class TestSlowClients:
    def test_a_slow_head_is_given_up(self, port: int) -> None:
        with connect(port) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\n")
            began = time.monotonic()
            answer = _drip(connection, b"X-A: 1\r\n", 0.3)
            took = time.monotonic() - began

        assert answer is None
        assert took < HEAD_SECONDS + 3

    def test_a_slow_body_is_given_up(self, port: int) -> None:
        with connect(port) as connection:
            connection.sendall(POST + JSON + b"Content-Length: 1000\r\n\r\n")
            began = time.monotonic()
            answer = _drip(connection, b" ", 0.3)
            took = time.monotonic() - began

        assert answer is not None
        assert (answer[0], answer[1]) == (503, "SERVICE_UNAVAILABLE")
        assert took < REQUEST_SECONDS + 3

    def test_slow_ones_hold_nobody_up_for_long(self, port: int) -> None:
        slow = [connect(port) for _ in range(2 * THREADS)]
        for connection in slow:
            connection.sendall(POST + JSON + b"Content-Length: 1000\r\n\r\n")
        began = time.monotonic()

        answer = get(port, "/things")

        assert answer is not None
        assert answer.status == 200
        assert time.monotonic() - began < 2 * REQUEST_SECONDS + 4
        for connection in slow:
            connection.close()

    def test_a_large_upload_may_take_its_time_if_it_keeps_coming(self, port: int) -> None:
        piece, pieces = b" " * 65_536, 8
        with connect(port) as connection:
            head = f"POST /uploads HTTP/1.1\r\nHost: x\r\nContent-Length: {65_536 * pieces}"
            connection.sendall(head.encode() + b"\r\n\r\n")
            for _ in range(pieces):
                connection.sendall(piece)
                time.sleep(REQUEST_SECONDS * 0.25)
            answer = read_answer(connection)

        assert answer is not None
        assert answer.json == {"bytes": 65_536 * pieces}


def _drip(connection: socket.socket, piece: bytes, pause: float) -> tuple[int, object] | None:
    """Send a little at a time until the server answers or hangs up."""
    connection.settimeout(pause)
    data = bytearray()
    for _ in range(60):
        try:
            connection.sendall(piece)
            received = connection.recv(65_536)
        except TimeoutError:
            continue
        except OSError:
            return None
        if not received:
            return None
        data += received
        break
    connection.settimeout(10)
    answer = read_answer(connection, data)
    return None if answer is None else (answer.status, answer.json["code"])


class TestPatience:
    def test_only_the_late_are_cut_off(self) -> None:
        now = [0.0]
        patience = Patience(lambda: now[0])
        late, early = socket.socketpair()
        patience.wait(late, 1)
        patience.wait(early, 3)
        now[0] = 2

        patience.end_late()

        early.setblocking(False)
        assert late.recv(1) == b""
        with pytest.raises(BlockingIOError):
            early.recv(1)
        late.close()
        patience.end_late()
        now[0] = 4
        early.close()
        patience.end_late()  # one that is closed already is no trouble
