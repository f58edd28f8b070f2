"""Servers that break the protocol, or the connection, at every point of a call."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime

import attrs
import pytest

from adapters_sms.mitto import MittoGateway
from adapters_sms.sockets import CallBackend, CallLimits, limited
from retail_core.kernel.ids import ProviderId
from retail_core.kernel.process.machine import SystemClock
from retail_core.kernel.time.clock import Deadline
from retail_core.messages.errors import GatewayUnavailable
from retail_core.messages.model import (
    Accepted,
    AccessRefused,
    Doubtful,
    NotSent,
    SubmissionOutcome,
    TooLate,
)
from tests.contracts.messages.sms_gateway import IN_TIME, outgoing
from tests.integration.adapters_sms.worlds import gateway_for, settings_for

Handler = Callable[[socket.socket], None]


@contextmanager
def raw_server(handle: Handler, receive_bytes: int | None = None) -> Iterator[str]:
    """A server that does to each connection what a test says."""
    listener = socket.create_server(("127.0.0.1", 0))
    if receive_bytes is not None:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)

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
    gateway = gateway_for(settings_for(base_url, timeout_seconds))
    try:
        return gateway.submit(outgoing(count), IN_TIME)
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


@contextmanager
def busy_listener() -> Iterator[tuple[str, int]]:
    """An address at which no connection is accepted any more."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, ExitStack() as fillers:
        for _ in range(8):
            filler = fillers.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()


def test_a_connection_that_is_not_accepted_in_time_has_taken_nothing() -> None:
    with busy_listener() as (host, port):
        assert submit_to(f"http://{host}:{port}") == NotSent("ConnectTimeout")


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


def test_a_refusal_whose_body_breaks_off_may_be_a_proxys() -> None:
    raw = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 99\r\n\r\n{"
    with raw_server(answering(raw)) as base_url:
        assert submit_to(base_url) == Doubtful("http_400")


def dripping(raw: bytes, at_once: int) -> Handler:
    """Answers byte by byte, each long before anybody would stop waiting for the next."""

    def handle(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(raw[:at_once])
        for byte in raw[at_once:]:
            try:
                connection.sendall(bytes([byte]))
            except OSError:
                return
            time.sleep(0.05)

    return handle


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
DRIPPING = {
    "head": dripping(HEAD + b" " * 200, at_once=0),
    "body": dripping(HEAD + b" " * 200, at_once=len(HEAD)),
    "promises": dripping(b"HTTP/1.1 102 Processing\r\n\r\n" * 10, at_once=0),
}


@pytest.mark.parametrize("handle", DRIPPING.values(), ids=DRIPPING)
def test_a_call_ends_at_its_limit_however_its_answer_drips(handle: Handler) -> None:
    started = time.monotonic()
    with raw_server(handle) as base_url:
        assert isinstance(submit_to(base_url), Doubtful)
        assert time.monotonic() - started < 1


@pytest.mark.parametrize("handle", DRIPPING.values(), ids=DRIPPING)
def test_a_look_up_ends_at_its_limit_too(handle: Handler) -> None:
    started = time.monotonic()
    with raw_server(handle) as base_url:
        gateway = gateway_for(settings_for(base_url, 0.6))
        with pytest.raises(GatewayUnavailable):
            gateway.look_up(ProviderId("mine"))
        gateway.close()
        assert time.monotonic() - started < 1


def test_a_name_that_is_looked_up_for_ever_ends_at_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: asked.wait(5) and [])

    started = time.monotonic()
    assert submit_to("http://gateway.invalid") == NotSent("ConnectTimeout")
    assert time.monotonic() - started < 1
    asked.set()


def test_all_addresses_of_a_name_share_one_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    with busy_listener() as address:
        found = (socket.AF_INET, socket.SOCK_STREAM, 6, "", address)
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [found] * 20)

        started = time.monotonic()
        assert submit_to("http://gateway.invalid") == NotSent("ConnectTimeout")
        assert time.monotonic() - started < 1


def test_what_a_call_left_unsent_when_it_was_given_up_is_never_sent() -> None:
    """A plain close would hand it to a peer that begins to read minutes later."""
    given_up, received = threading.Event(), bytearray()

    def read_late(connection: socket.socket) -> None:
        given_up.wait(5)
        with suppress(ConnectionResetError):
            while piece := connection.recv(65536):
                received.extend(piece)

    with raw_server(read_late, receive_bytes=4096) as base_url:
        assert isinstance(submit_to(base_url, count=300), Doubtful)
        given_up.set()

    assert b"sendmessagesbulk" in received
    assert outgoing(300)[-1].destination.encode() not in received


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="Linux has it")
def test_the_system_goes_on_sending_for_no_longer_than_a_call_may_last() -> None:
    """Also while the process is halted and can give up nothing."""
    with raw_server(answering(b"")) as base_url:
        call = CallLimits(7.0, SystemClock(), None)
        with limited(call):
            stream = CallBackend().connect_tcp("127.0.0.1", int(base_url.rpartition(":")[2]))
        option = stream._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
        stream.close()

    assert option == 7_000


@attrs.define
class HaltingClock:
    """The machine's clock, in a process that is halted for an hour when it has looked so often."""

    looks_left: int

    def now(self) -> datetime:
        return SystemClock().now()

    def elapsed_seconds(self) -> float:
        self.looks_left -= 1
        halted = 3600 if self.looks_left < 0 else 0
        return SystemClock().elapsed_seconds() + halted


def submit_halting(handle: Handler, looks: int, count: int = 2) -> SubmissionOutcome:
    with raw_server(handle) as base_url:
        clock = HaltingClock(looks)
        gateway = MittoGateway(settings_for(base_url, 2.0), clock)
        outcome = gateway.submit(outgoing(count), Deadline.after(SystemClock(), 60))
        gateway.close()
    return outcome


def test_who_is_halted_between_connecting_and_writing_writes_nothing() -> None:
    received: list[bytes] = []

    assert submit_halting(lambda peer: received.append(peer.recv(65536)), looks=0) == TooLate(
        "too_late"
    )
    assert not any(received)


BUSY_TRIES = 20
"""A peer that reads too late, on a busy machine, finds nothing left of a line that was reset."""


def test_who_is_halted_in_the_middle_of_writing_does_not_write_the_rest() -> None:
    received = bytearray()

    def read(connection: socket.socket) -> None:
        with suppress(ConnectionResetError):
            while piece := connection.recv(65536):
                received.extend(piece)

    for _ in range(BUSY_TRIES):
        assert submit_halting(read, looks=3, count=1_000) == Doubtful("too_late")
        assert outgoing(1_000)[-1].destination.encode() not in received
        if b"sendmessagesbulk" in received:
            return
    pytest.fail("nothing was written")


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
        gateway = gateway_for(settings_for(base_url))
        assert isinstance(gateway.submit(outgoing(2), IN_TIME), Accepted)
        assert isinstance(gateway.submit(outgoing(2), IN_TIME), Doubtful)
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
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 6\r\n\r\n<html>",
        b'HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{"status": "ok"}',
        b'HTTP/1.1 200 OK\r\nContent-Length: 21\r\n\r\n{"messageId": "other"}',
        b"",
    ],
)
def test_a_look_up_without_a_believable_answer_says_so(raw: bytes) -> None:
    with raw_server(answering(raw)) as base_url:
        gateway = gateway_for(settings_for(base_url, 0.6))
        with pytest.raises(GatewayUnavailable):
            gateway.look_up(ProviderId("mine"))
        gateway.close()


def test_an_id_is_escaped_as_one_segment_of_the_path() -> None:
    seen: list[bytes] = []

    def note(connection: socket.socket) -> None:
        seen.append(connection.recv(65536).split(b"\r\n")[0])
        connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

    with raw_server(note) as base_url:
        gateway = gateway_for(settings_for(base_url))
        assert gateway.look_up(ProviderId("../a b/?x=1#é")) is None
        gateway.close()

    assert seen == [b"GET /api/v1.1/Messages/..%2Fa%20b%2F%3Fx%3D1%23%C3%A9 HTTP/1.1"]


def test_what_goes_wrong_shows_neither_key_nor_number_nor_text() -> None:
    with raw_server(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]")) as base_url:
        gateway = gateway_for(settings_for(base_url))
        outcome = gateway.submit(outgoing(2), IN_TIME)
        gateway.close()

    assert outcome == Doubtful("answer_unreadable")
    assert "key-of-the-tests" not in repr(gateway)


def test_no_redirect_is_followed() -> None:
    calls: list[bytes] = []

    def redirect(connection: socket.socket) -> None:
        calls.append(connection.recv(65536))
        connection.sendall(b"HTTP/1.1 307 Again\r\nLocation: /\r\nContent-Length: 0\r\n\r\n")

    with raw_server(redirect) as base_url:
        assert isinstance(submit_to(base_url), Doubtful)

    assert len(calls) == 1
