"""Sockets to the gateway: the limit of a call covers all of it, and nothing is written too late.

A limit on each wait is no limit on a call: a peer that drips its answer keeps every single wait
short. So each wait gets what is left of its whole call. And what a call writes is checked against
the call's deadline before every piece, after all waiting: a process that was halted (SIGSTOP, a
paused machine) and goes on later finds its lease over, and must not hand over any more.
"""

import queue
import select
import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any, Final

import attrs
import httpcore

from retail_core.kernel.time.clock import Clock, Deadline

PIECE_BYTES: Final = 16 * 1024
"""One TLS record: what leaves between two looks at the deadline."""

CONNECT_SHARE: Final = 1 / 3
"""Of the whole call: names are looked up, a connection is made and its keys are agreed on."""

RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)


class TooLateToWrite(Exception):
    """The deadline of the call is over: not another byte of it is written."""


@attrs.define
class CallLimits:
    """What one call may still do: how long it may last, and until when it may write.

    `has_begun`: a byte of the request was handed to the system, so it may arrive. The kind of an
    error alone is no proof of the contrary: on a kept connection a broken pipe and a reset look
    alike before and after the server has read the request. `is_answered`: its answer has begun.
    """

    seconds: float
    clock: Clock
    deadline: Deadline | None
    has_begun: bool = attrs.field(init=False, default=False)
    is_answered: bool = attrs.field(init=False, default=False)
    _ends_at: float = attrs.field(init=False)

    @_ends_at.default
    def _end(self) -> float:
        return time.monotonic() + self.seconds

    def seconds_left(self) -> float:
        """What is left of the whole call. Raises TimeoutError when it is over."""
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError("the limit of the call is over")
        return left

    def check_deadline(self) -> None:
        """Raise TooLateToWrite when it is over."""
        if self.deadline is not None and self.deadline.is_over(self.clock):
            raise TooLateToWrite


_CALL: Final[ContextVar[CallLimits]] = ContextVar("gateway_call")


@contextmanager
def limited(call: CallLimits) -> Iterator[None]:
    """Whatever sockets this thread uses within the block, they serve this call."""
    token = _CALL.set(call)
    try:
        yield
    finally:
        _CALL.reset(token)


class CallBackend(httpcore.NetworkBackend):
    """Opens connections within the limits of the call that needs one."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> "CallStream":
        """Try each address of the name, all of them within one limit."""
        call = _CALL.get()
        with _named(httpcore.ConnectTimeout, httpcore.ConnectError):
            until = time.monotonic() + min(call.seconds * CONNECT_SHARE, call.seconds_left())
            opened = _connected(_addresses(host, port, _left(until)), until)
            _set_up(opened, call.seconds)
            return CallStream(opened, connected_by=until)


class CallStream(httpcore.NetworkStream):
    """A connection that serves one call after the other, each within its limits."""

    def __init__(self, sock: socket.socket, connected_by: float) -> None:
        self._socket = sock
        self._connected_by = connected_by
        self._serves: CallLimits | None = None

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """What is there, waited for no longer than the call lasts."""
        with _named(httpcore.ReadTimeout, httpcore.ReadError):
            self._socket.settimeout(_CALL.get().seconds_left())
            return self._socket.recv(max_bytes)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """All of it, piece by piece. Raises TooLateToWrite before the first that is too late."""
        call = self._serves = _CALL.get()
        rest = memoryview(buffer)
        with _named(httpcore.WriteTimeout, httpcore.WriteError):
            self._socket.settimeout(0)  # sending never waits: who waits looks at the deadline again
            while rest:
                left = call.seconds_left()
                call.check_deadline()
                call.has_begun = True
                try:
                    rest = rest[self._socket.send(rest[:PIECE_BYTES]) :]
                except (BlockingIOError, ssl.SSLWantWriteError):
                    _wait(self._socket, select.POLLOUT, left)
                except ssl.SSLWantReadError:
                    _wait(self._socket, select.POLLIN, left)

    def close(self) -> None:
        """Close it; what an unanswered call left in the system's buffers is thrown away.

        A plain close would go on sending it for minutes, long after the call was given up.
        """
        serves = self._serves
        if serves is not None and serves.has_begun and not serves.is_answered:
            with suppress(OSError):
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self._socket.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> "CallStream":
        """The same connection with TLS."""
        with _named(httpcore.ConnectTimeout, httpcore.ConnectError):
            try:
                self._socket.settimeout(_left(self._connected_by))
                secured = ssl_context.wrap_socket(self._socket, server_hostname=server_hostname)
            except BaseException:
                self._socket.close()
                raise
        return CallStream(secured, self._connected_by)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - as httpcore has it
        """Whether a connection that is not in use was closed by the other side."""
        return _is_readable(self._socket) if info == "is_readable" else None


@contextmanager
def _named(timeout: type[Exception], error: type[Exception]) -> Iterator[None]:
    """Give errors of sockets the names that httpcore has for them."""
    try:
        yield
    except TimeoutError as fault:
        raise timeout(str(fault)) from fault
    except OSError as fault:
        raise error(str(fault)) from fault


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError("connecting took too long")
    return left


_Address = tuple[int, int, int, str, Any]


def _addresses(host: str, port: int, seconds: float) -> list[_Address]:
    """The addresses of a name; the system's own patience with name servers is longer than ours."""
    found: queue.SimpleQueue[list[_Address] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            found.put(list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
        except (OSError, UnicodeError) as fault:
            found.put(fault)

    threading.Thread(target=ask, name="gateway-name", daemon=True).start()
    try:
        answer = found.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError("the name was not found in time") from None
    if isinstance(answer, Exception):
        raise OSError(str(answer)) from answer
    return answer


def _connected(addresses: Iterable[_Address], until: float) -> socket.socket:
    """A connection to the first address that takes one."""
    fault: OSError = OSError("the name has no address")
    for family, kind, protocol, _, address in addresses:
        opened = socket.socket(family, kind, protocol)
        try:
            opened.settimeout(_left(until))
            opened.connect(address)
        except OSError as error:
            opened.close()
            fault = error
        else:
            return opened
    raise fault


def _set_up(opened: socket.socket, seconds: float) -> None:
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        # The system drops what it could not deliver within the limit of a call, also while this
        # process is halted: else it would try for a quarter of an hour.
        milliseconds = max(1, int(seconds * 1000))
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)


def _wait(sock: socket.socket, event: int, seconds: float) -> None:
    poll = select.poll()
    poll.register(sock, event)
    poll.poll(seconds * 1000)


def _is_readable(sock: socket.socket) -> bool:
    if sock.fileno() < 0:
        return True
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))
