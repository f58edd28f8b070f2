"""How gunicorn meets clients that never become a request, take their time, or come too late."""

import ctypes
import socket
import struct
import sys
import time
from collections.abc import Callable
from typing import Any, Final
from uuid import uuid4

from gunicorn import util
from gunicorn.http.errors import InvalidResponseHeader, InvalidResponseHeaderName, ParseException
from gunicorn.workers.gthread import ThreadWorker
from loguru import logger

from adapters_http import replies
from adapters_http.logs import request_context
from adapters_http.middleware.headers import SECURITY
from adapters_http.slow_clients import PATIENCE

HEAD_SECONDS: Final = 10.0
"""A client has so long from its first byte to the end of its headers."""

SEND_SECONDS: Final = 30.0
"""A client has so long to take in one piece of a reply."""

HANDSHAKE_SECONDS: Final = 0.2
"""So long a connection that was begun before the end has to come through."""

NEWCOMERS_MAX: Final = 4096
OURS: Final = (InvalidResponseHeader, InvalidResponseHeaderName)

# Drops packets that begin a connection (SYN without ACK, in byte 13 of the TCP header): load the
# byte, keep the two flags, compare, drop, take.
_NO_NEWCOMERS: Final = (
    (0x30, 0, 0, 13),
    (0x54, 0, 0, 0x12),
    (0x15, 0, 1, 0x02),
    (0x06, 0, 0, 0),
    (0x06, 0, 0, 0xFFFFFFFF),
)
_SO_ATTACH_FILTER: Final = 26


class Worker(ThreadWorker):  # type: ignore[misc] # gunicorn has no types
    """gunicorn's worker with threads: patient within limits, and polite in JSON."""

    def handle(self, conn: Any) -> Any:  # noqa: ANN401 - as gunicorn has it
        """Serve one request of a connection, or wait for one."""
        PATIENCE.wait(conn.sock, HEAD_SECONDS)
        try:
            return super().handle(conn)
        finally:
            PATIENCE.rest(conn.sock)

    def handle_request(self, req: Any, conn: Any) -> Any:  # noqa: ANN401 - as above
        """The headers are here: from now on the application says how long it waits."""
        PATIENCE.rest(conn.sock)
        conn.sock.settimeout(SEND_SECONDS)
        try:
            return super().handle_request(req, conn)
        except TimeoutError:
            raise StopIteration from None  # it did not take its reply in; nobody is left to tell

    def murder_pending(self) -> None:
        """Called every second at least, and so the place to look for other late ones."""
        super().murder_pending()
        PATIENCE.end_late()

    def set_accept_enabled(self, enabled: bool) -> None:  # noqa: FBT001 - as above
        """At the end take in whoever is connected already, and let nobody wait for nothing."""
        if enabled or self.alive:
            super().set_accept_enabled(enabled)
            return
        for listener in self.sockets:
            self._take_in_the_rest(listener)
        super().set_accept_enabled(enabled)
        for listener in self.sockets:
            listener.close()

    def _take_in_the_rest(self, listener: Any) -> None:  # noqa: ANN401 - as above
        listener.setblocking(False)
        for _ in range(NEWCOMERS_MAX):
            before = self.nr_conns
            self.accept(listener)
            if self.nr_conns == before:
                return

    def handle_error(self, _req: object, client: socket.socket, _addr: object, exc: Any) -> None:  # noqa: ANN401 - as above
        """Answer what is no request as the application answers errors; log no word of it."""
        request_id = uuid4().hex
        is_ours = isinstance(exc, OURS) or not isinstance(exc, ParseException)
        with request_context(request_id):
            if is_ours:
                logger.opt(exception=exc).error("unexpected error outside the application")
            else:
                logger.warning("no valid request: {}", type(exc).__name__)
        try:
            util.write_nonblock(client, refusal(request_id, is_ours=is_ours))
        except OSError:
            logger.debug("the client did not wait for the answer")


def refusal(request_id: str, *, is_ours: bool) -> bytes:
    """A whole reply, for a connection that ends with it."""
    status, reason = (500, "Internal Server Error") if is_ours else (400, "Bad Request")
    body = replies.dumps(
        {
            "message": "Something went wrong." if is_ours else "This is not a valid HTTP request.",
            "code": "INTERNAL_ERROR" if is_ours else "VALIDATION_ERROR",
            "status": status,
            "requestId": request_id,
        }
    )
    headers = (
        ("Connection", "close"),
        ("Content-Type", replies.JSON),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
        ("Vary", "Origin"),
        ("X-Request-ID", request_id),
        *SECURITY,
    )
    lines = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join((*lines, "", "")).encode() + body


def stop_without_loss(arbiter: Any) -> None:  # noqa: ANN401 - as above
    """Let the server end only when every connection that was made has been taken in.

    Its workers close the listening sockets, and with them go the connections that wait there. So
    nobody new is let in first, where the system can do that: who comes then is refused, which
    tells him that nothing of his was done.
    """
    stop: Callable[..., None] = arbiter.stop

    def stop_in_peace(graceful: bool = True) -> None:  # noqa: FBT001, FBT002 - as gunicorn has it
        # sockets that somebody else goes on with (systemd, the server that follows) stay open
        is_last = not arbiter.systemd and arbiter.reexec_pid == 0 and arbiter.master_pid == 0
        if graceful and is_last:
            closed = [turn_newcomers_away(each.sock) for each in arbiter.LISTENERS]
            time.sleep(HANDSHAKE_SECONDS if any(closed) else 0.0)
        stop(graceful)

    arbiter.stop = stop_in_peace


def turn_newcomers_away(listener: socket.socket) -> bool:
    """Drop what begins a connection from now on; False where the system cannot."""
    if sys.platform != "linux" or listener.family not in {socket.AF_INET, socket.AF_INET6}:
        return False
    steps = b"".join(struct.pack("HBBI", *step) for step in _NO_NEWCOMERS)
    program = ctypes.create_string_buffer(steps, len(steps))
    address = struct.pack("HP", len(_NO_NEWCOMERS), ctypes.addressof(program))
    try:
        listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, address)
    except OSError:
        return False
    return True
