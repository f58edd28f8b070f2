"""Bodies that do not come, or slowly, or in odd pieces: nobody else waits, and nothing is lost."""

import re
import socket
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.adapters_http.serving import (
    Answer,
    ask,
    connect,
    log_of,
    read_answer,
    served,
)
from tests.integration.server.serving import Server
from tests.integration.server.test_many_connections import (
    APPLICATION,
    AT_ONCE_SECONDS,
    THREADS,
    crowd,
    dribbling,
    is_ended,
    seconds_of_an_answer,
)

REQUEST_SECONDS: Final = 4
SLOW: Final = 40
JSON: Final = b"Content-Type: application/json\r\n"
POST: Final = b"POST /things HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer 2\r\n" + JSON
LOGIN: Final = b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\n" + JSON
CHUNKED: Final = b"Transfer-Encoding: chunked\r\n\r\n"
EXPECT: Final = b"Expect: 100-continue\r\n"
CHANGING: Final = re.compile(
    rb'(?i)\r\n(?:date|ratelimit-[a-z]+|x-request-id): [^\r\n]*|"requestId":"[^"]*"'
)
CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bodies")


@pytest.fixture(scope="module")
def port(directory: Path) -> Iterator[int]:
    variables = {"WEB_THREADS": str(THREADS), "REQUEST_TIMEOUT_SECONDS": str(REQUEST_SECONDS)}
    with served(APPLICATION, directory, **variables) as (_, port):
        yield port


def sized(body: bytes) -> bytes:
    return POST + b"Content-Length: %d\r\n\r\n" % len(body) + body


def told(answer: Answer | None) -> tuple[int, object] | None:
    return None if answer is None else (answer.status, answer.json.get("code"))


class TestSlowBodies:
    @pytest.mark.parametrize(
        "said",
        [
            pytest.param(POST + b"Content-Length: 1000\r\n\r\n", id="nothing"),
            pytest.param(POST + b"Content-Length: 1000\r\n\r\n{", id="a byte"),
            pytest.param(POST + b"Content-Length: 1048576\r\n\r\n", id="a megabyte"),
            pytest.param(POST + b"content-length:00001000\t\r\n\r\n", id="odd spelling"),
            pytest.param(POST + CHUNKED, id="chunked"),
            pytest.param(POST + CHUNKED + b"200000\r\n", id="a huge chunk"),
            pytest.param(POST + CHUNKED + b"5\r\n\r\n\r\n", id="a false end"),
            pytest.param(POST + CHUNKED + b"0\r\nX: ", id="trailers"),
            pytest.param(POST.replace(b"1.1", b"1.0") + b"Content-Length: 9\r\n\r\n", id="old"),
            pytest.param(
                b"GET /no HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n", id="no route"
            ),
            pytest.param(sized(b"{}") + sized(b"{}")[:-1], id="the second one"),
        ],
    )
    def test_they_hold_no_thread_and_are_given_up(self, port: int, said: bytes) -> None:
        with crowd(port, SLOW, said) as slow:
            took = [seconds_of_an_answer(port) for _ in range(3)]
            assert max(took) < AT_ONCE_SECONDS
            assert all(is_ended(line, REQUEST_SECONDS + 4) for line in slow)

    def test_a_byte_now_and_then_earns_no_time(self, port: int) -> None:
        with crowd(port, SLOW, POST + b"Content-Length: 10000\r\n\r\n") as slow, dribbling(slow):
            assert seconds_of_an_answer(port) < AT_ONCE_SECONDS
            answers = [read_answer(line) for line in slow]
        assert {told(answer) for answer in answers} == {(503, "SERVICE_UNAVAILABLE")}

    def test_the_late_get_the_reply_of_the_application(self, port: int) -> None:
        with connect(port) as line:
            line.sendall(POST + b"X-Request-ID: mine\r\nContent-Length: 1000\r\n\r\n{")
            began = time.monotonic()
            answer = read_answer(line)
            took = time.monotonic() - began
        assert told(answer) == (503, "SERVICE_UNAVAILABLE")
        assert answer is not None
        assert answer.headers["x-request-id"] == "mine"
        assert REQUEST_SECONDS - 1 < took < REQUEST_SECONDS + 3

    @pytest.mark.parametrize("size", [2_000_000, 1_048_577])
    def test_the_rest_of_a_refused_body_holds_no_thread(self, port: int, size: int) -> None:
        with crowd(port, SLOW, POST + b"Content-Length: %d\r\n\r\n" % size) as slow:
            assert seconds_of_an_answer(port) < AT_ONCE_SECONDS
            assert {told(read_answer(line)) for line in slow} == {(413, "PAYLOAD_TOO_LARGE")}

    def test_who_hangs_up_in_the_middle_is_forgotten(self, port: int, directory: Path) -> None:
        with crowd(port, SLOW, POST + b"Content-Length: 1000\r\n\r\n{") as slow:
            for line in slow[::2]:
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        assert seconds_of_an_answer(port) < AT_ONCE_SECONDS
        assert "Traceback" not in log_of(directory, port)

    def test_many_lines_around_little_content_are_refused(self, port: int) -> None:
        answer = ask(port, POST + CHUNKED + b"1\r\na\r\n" * 60_000)
        assert told(answer) == (400, "VALIDATION_ERROR")

    def test_strangers_keep_nobody_waiting(self, server: Server) -> None:
        with (
            crowd(server.port, SLOW, LOGIN + b"Content-Length: 1000\r\n\r\n"),
            crowd(server.port, SLOW, LOGIN + EXPECT + CHUNKED),
        ):
            assert server.is_answering(AT_ONCE_SECONDS)


class TestContinue:
    @pytest.mark.parametrize(
        ("framing", "body"),
        [
            (b"Content-Length: 12\r\n\r\n", b'{"name":"a"}'),
            (CHUNKED, b'c\r\n{"name":"a"}\r\n0\r\n\r\n'),
        ],
    )
    def test_it_is_said_once_and_at_once(self, port: int, framing: bytes, body: bytes) -> None:
        with crowd(port, SLOW, POST + EXPECT + framing), connect(port) as line:
            line.sendall(POST + EXPECT + framing)
            began = time.monotonic()
            assert line.recv(100) == CONTINUE
            line.sendall(body)
            assert told(read_answer(line)) == (201, None)
            assert time.monotonic() - began < AT_ONCE_SECONDS

    def test_an_old_client_is_told_nothing(self, port: int) -> None:
        with connect(port) as line:
            line.sendall(POST.replace(b"1.1", b"1.0") + EXPECT + b"Content-Length: 2\r\n\r\n")
            time.sleep(0.3)
            line.sendall(b"{}")
            assert told(read_answer(line)) == (400, "VALIDATION_ERROR")


def test_when_the_memory_is_full_the_slow_make_room(tmp_path: Path) -> None:
    """The others are answered meanwhile, if their requests come in one piece."""
    head = POST + b"Content-Length: 1000000\r\n\r\n"
    few = {"WEB_THREADS": "4", "BODIES_BYTES_MAX": "300000", "REQUEST_TIMEOUT_SECONDS": "3"}
    with (
        served(APPLICATION, tmp_path, **few) as (_, port),
        crowd(port, 6, head + b" " * 100_000) as slow,
    ):
        assert told(ask(port, sized(b'{"name":"a"}'))) == (201, None)
        assert {told(read_answer(line)) for line in slow} == {(503, "SERVICE_UNAVAILABLE")}
        with connect(port) as line:
            line.sendall(sized(b'{"name":"a"}')[:-5])
            time.sleep(0.5)
            line.sendall(b'"a"}'.rjust(5, b":"))
            assert told(read_answer(line)) == (201, None)


def test_a_body_that_comes_after_the_signal_to_end_is_answered(tmp_path: Path) -> None:
    whole = sized(b'{"name":"a"}')
    with served(APPLICATION, tmp_path) as (process, port), connect(port) as line:
        line.sendall(whole[:-5])
        time.sleep(0.3)
        process.terminate()
        time.sleep(3)
        line.sendall(whole[-5:])
        assert told(read_answer(line)) == (201, None)
        assert process.wait(30) == 0


def in_chunks(body: bytes, size: int) -> bytes:
    pieces = [body[begin : begin + size] for begin in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(each), each) for each in pieces) + b"0\r\n\r\n"


@st.composite
def pipelines(draw: st.DrawFn) -> Sequence[bytes]:
    """Requests of several kinds behind each other, whose replies tell how they were read."""
    upload = b"POST /uploads HTTP/1.1\r\nHost: x\r\n"
    found = []
    for number in range(draw(st.integers(1, 6))):
        body = draw(st.binary(min_size=1, max_size=300)) + b"\r\n\r\nGET / HTTP/1.1\r\n\r\n"
        length = b"Content-Length: %d\r\n\r\n" % len(body)
        chunks = in_chunks(body, draw(st.integers(1, 200)))
        choices = [
            b"GET /codes/%d HTTP/1.1\r\nHost: x\r\n\r\n" % number,
            b"HEAD /codes/%d HTTP/1.1\r\nHost: x\r\n\r\n" % number,
            upload + length + body,
            upload + CHUNKED + chunks,
            POST + length + body,
            b"GET /codes/%d HTTP/1.1\r\nHost: x\r\n" % number + length + body,
        ]
        found.append(draw(st.sampled_from(choices)))
    return found


def replies(port: int, parts: Sequence[bytes]) -> bytes:
    """All that comes back, without what differs each time."""
    with connect(port) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for part in parts:
            line.sendall(part)
            time.sleep(0.001)
        pieces = []
        while piece := line.recv(65_536):
            pieces.append(piece)
    return CHANGING.sub(b"", b"".join(pieces))


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(pipelines(), st.lists(st.integers(0, 4_000), max_size=12))
def test_however_requests_are_cut_they_are_answered_the_same(
    port: int, requests: Sequence[bytes], cuts: Sequence[int]
) -> None:
    raw = b"".join(requests) + b"GET /codes/last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    bounds = sorted({0, len(raw), *(cut % len(raw) for cut in cuts)})

    whole = replies(port, [raw])

    assert replies(port, [raw[begin:end] for begin, end in pairwise(bounds)]) == whole
    assert whole.count(b"HTTP/1.1 ") == len(requests) + 1
