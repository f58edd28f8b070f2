"""Servers that break the protocol, or the connection, at every point of a call."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest

from adapters_sms import mitto
from adapters_sms.mitto import MittoGateway
from retail_core.kernel.ids import ProviderId
from retail_core.messages.errors import GatewayUnavailable
from retail_core.messages.model import (
    Accepted,
    AccessRefused,
    BatchRefused,
    Doubtful,
    NotSent,
    SubmissionOutcome,
)
from tests.contracts.sms_gateway import outgoing
from tests.integration.adapters_sms.worlds import settings_for

Handler = Callable[[socket.socket], None]


@contextmanager
def raw_server(handle: Handler) -> Iterator[str]:
    """A server that does to each connection what a test says."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                handle(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def submit_to(base_url: str, timeout_seconds: float = 0.6, count: int = 2) -> SubmissionOutcome:
    gateway = MittoGateway.of(settings_for(base_url, timeout_seconds))
    try:
        return gateway.submit(outgoing(count))
    finally:
        gateway.close()


def answering(raw: bytes) -> Handler:
    def handle(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(raw)

    return handle


def test_a_port_nobody_listens_on_has_taken_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    assert submit_to(f"http://127.0.0.1:{port}") == NotSent("ConnectError")


def test_a_name_that_does_not_resolve_has_taken_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object, **_more: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)

    assert submit_to("http://gateway.invalid") == NotSent("ConnectError")


def test_a_failed_tls_handshake_has_taken_nothing() -> None:
    with raw_server(answering(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as base_url:
        assert submit_to(base_url.replace("http:", "https:")) == NotSent("ConnectError")


def test_a_connection_that_is_not_accepted_in_time_has_taken_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        fillers = []
        for _ in range(8):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
            fillers.append(filler)

        outcome = submit_to(f"http://127.0.0.1:{listener.getsockname()[1]}")

        for filler in fillers:
            filler.close()
    assert outcome == NotSent("ConnectTimeout")


def test_a_gateway_that_stops_reading_is_doubtful() -> None:
    release = threading.Event()

    def wait(_connection: socket.socket) -> None:
        release.wait(5)

    with raw_server(wait) as base_url:
        outcome = submit_to(base_url, count=40_000)
        release.set()

    assert isinstance(outcome, Doubtful)


@pytest.mark.parametrize(
    "raw",
    [
        b"\x00\x01\x02 no http at all\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00",
        b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://[bad\r\nContent-Length: 0\r\n\r\n",
        b"",
    ],
)
def test_an_answer_that_makes_no_sense_is_doubtful(raw: bytes) -> None:
    with raw_server(answering(raw)) as base_url:
        assert isinstance(submit_to(base_url), Doubtful)


def test_a_refusal_is_believed_even_if_its_body_breaks_off() -> None:
    raw = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 99\r\n\r\n{"
    with raw_server(answering(raw)) as base_url:
        assert isinstance(submit_to(base_url), BatchRefused)


def test_a_body_without_end_is_given_up() -> None:
    def drip(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        for _ in range(200):
            try:
                connection.sendall(b" ")
            except OSError:
                return
            time.sleep(0.05)

    started = time.monotonic()
    with raw_server(drip) as base_url:
        assert isinstance(submit_to(base_url), Doubtful)
        assert time.monotonic() - started < 3


def test_a_kept_connection_that_breaks_while_the_call_is_written_is_doubtful() -> None:
    """Its server closed it in this very moment: nobody knows what it has read before."""
    served = iter([True])

    def once_then_close(connection: socket.socket) -> None:
        connection.recv(65536)
        if next(served, False):
            body = b'{"messages": [{"messageId": "a"}, {"messageId": "b"}]}'
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body)
            connection.recv(65536)

    with raw_server(once_then_close) as base_url:
        gateway = MittoGateway.of(settings_for(base_url))
        assert isinstance(gateway.submit(outgoing(2)), Accepted)
        assert isinstance(gateway.submit(outgoing(2)), Doubtful)
        gateway.close()


def test_the_key_is_sent_nowhere_but_to_the_gateway(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    raw = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"
    with raw_server(answering(raw)) as base_url:
        assert isinstance(submit_to(base_url), AccessRefused)


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
        b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>",
        b'HTTP/1.1 200 OK\r\nContent-Length: 21\r\n\r\n{"messageId": "other"}',
        b"",
    ],
)
def test_a_look_up_without_a_believable_answer_says_so(raw: bytes) -> None:
    with raw_server(answering(raw)) as base_url:
        gateway = MittoGateway.of(settings_for(base_url, 0.6))
        with pytest.raises(GatewayUnavailable):
            gateway.look_up(ProviderId("mine"))
        gateway.close()


def test_an_id_is_escaped_as_one_segment_of_the_path() -> None:
    seen: list[bytes] = []

    def note(connection: socket.socket) -> None:
        seen.append(connection.recv(65536).split(b"\r\n")[0])
        connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

    with raw_server(note) as base_url:
        gateway = MittoGateway.of(settings_for(base_url))
        assert gateway.look_up(ProviderId("../a b/?x=1#é")) is None
        gateway.close()

    assert seen == [b"GET /api/v1.1/Messages/..%2Fa%20b%2F%3Fx%3D1%23%C3%A9 HTTP/1.1"]


def test_what_goes_wrong_shows_neither_key_nor_number_nor_text() -> None:
    with raw_server(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]")) as base_url:
        gateway = MittoGateway.of(settings_for(base_url))
        outcome = gateway.submit(outgoing(2))
        gateway.close()

    assert outcome == Doubtful("answer_unreadable")
    assert "key-of-the-tests" not in repr(gateway)


def test_the_client_follows_no_redirect_and_has_a_time_out_for_every_phase() -> None:
    client = mitto.mitto_client(settings_for("http://127.0.0.1:1", timeout_seconds=30))

    assert not client.follow_redirects
    assert client.timeout == httpx.Timeout(connect=5, pool=5, write=15, read=30)
    client.close()
