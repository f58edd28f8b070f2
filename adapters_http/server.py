"""How gunicorn meets clients that never become a request, take their time, or come too late."""

import errno
import math
import socket
import time
from typing import Any, Final
from uuid import uuid4

from gunicorn import util
from gunicorn.http.errors import (
    InvalidHeader,
    InvalidResponseHeader,
    InvalidResponseHeaderName,
    LimitRequestHeaders,
    ParseException,
)
from gunicorn.workers.gthread import ThreadWorker
from loguru import logger

from adapters_http.arriving import BodyRoom, ReceivedUnreader
from adapters_http.framing import HEAD_BYTES_MAX, Extent
from adapters_http.middleware.headers import SECURITY
from adapters_http.slow_clients import PATIENCE
from adapters_http.unread import closing_unread
from adapters_http.waiting_room import LINGER_BYTES_MAX, Leaving, Waiting, WaitingRoom
from adapters_http.web import deadlines, replies

HEAD_SECONDS: Final = 10.0
"""A client has so long from its connection, or its next first byte, to the end of its headers."""

CROWDED_SECONDS: Final = 1.0
"""It has only so long, and as long for its body, when all connections or the memory are taken."""

STOP_SECONDS: Final = 2.0
"""When the server ends, whoever is connected has so long to say what it wants.

So much more than a request's own time the server takes to end (`graceful_timeout`).
"""

LINGER_SECONDS: Final = 2.0
"""A client that got its last reply has so long to hang up."""

DRAIN_SECONDS: Final = 0.1
"""What is left of a body that was refused has so long to come before the connection is closed."""

SEND_SECONDS: Final = 30.0
"""A client has so long to take in one piece of a reply."""

NEWCOMERS_MAX: Final = 4096
NO_ROOM: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
HOST_SINCE: Final = (1, 1)
IDEMPOTENCY_KEY: Final = "IDEMPOTENCY-KEY"
OURS: Final = (InvalidResponseHeader, InvalidResponseHeaderName)


class Worker(ThreadWorker):  # type: ignore[misc] # gunicorn has no types
    """gunicorn's worker with threads: patient within limits, and polite in JSON."""

    wsgi: Any

    def load_wsgi(self) -> None:
        """Load the application."""
        super().load_wsgi()
        self.wsgi = closing_unread(self.wsgi)

    def run(self) -> None:
        """The rooms are of this process, as its loop is."""
        self.stopped_at = math.inf
        self.heads = WaitingRoom(self.poller, self._look_for_head, self._let_go)
        request_seconds = self.cfg.graceful_timeout - STOP_SECONDS
        self.bodies = BodyRoom(self.poller, self._serve, self._refuse, request_seconds)
        self.ending = WaitingRoom(self.poller, self._look_for_end, self._let_go)
        super().run()

    def accept(self, listener: Any) -> None:  # noqa: ANN401 - as gunicorn has it
        """Take a connection in; where the system has no more for us, do with what is there."""
        try:
            super().accept(listener)
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            self.worker_connections = max(self.nr_conns, 1)
            self.max_keepalived = max(self.worker_connections - self.cfg.threads, 0)
            logger.warning("no more than {} connections fit", self.worker_connections)

    def enqueue_req(self, conn: Any) -> None:  # noqa: ANN401 - as above
        """A new connection, or the next request of one: it gets a thread when it is here."""
        if self.cfg.is_ssl:  # its heads cannot be seen from here
            super().enqueue_req(conn)
            return
        received = conn.parser.unreader.take_buffered() if conn.initialized else b""
        self.heads.take_in(conn, bytearray(received))

    def finish_request(self, conn: Any, fs: Any) -> None:  # noqa: ANN401 - as above
        """Let a connection that ends do so without anybody waiting for it."""
        self.bodies.release(conn)
        is_kept = not fs.cancelled() and fs.exception() is None and fs.result()
        if not is_kept:
            self._end(conn)
        elif not self.cfg.is_ssl and conn.parser.unreader.is_ahead:
            self.enqueue_req(conn)
        else:
            super().finish_request(conn, fs)

    def handle(self, conn: Any) -> Any:  # noqa: ANN401 - as above
        """Serve one request of a connection."""
        PATIENCE.wait(conn.sock, HEAD_SECONDS)
        try:
            return super().handle(conn)
        finally:
            PATIENCE.rest(conn.sock)

    def handle_request(self, req: Any, conn: Any) -> Any:  # noqa: ANN401 - as above
        """The headers are here: from now on the application says how long it waits."""
        PATIENCE.rest(conn.sock)
        conn.sock.settimeout(SEND_SECONDS)
        _check(req)
        arrival = getattr(conn, "arrival", None)
        deadlines.spend(arrival.seconds if arrival else 0.0)
        if arrival and arrival.is_continued:
            req._expected_100_continue = False  # noqa: SLF001 - it was told so already
        try:
            return super().handle_request(req, conn)
        except TimeoutError:
            raise StopIteration from None  # it did not take its reply in; nobody is left to tell

    def _keepalive_after(self, conn: Any, keepalive: Any) -> bool:  # noqa: ANN401 - as above
        """Go on with a connection if its body is here: nobody waits for what nobody reads."""
        deadline = time.monotonic() + DRAIN_SECONDS
        return bool(keepalive and conn.parser.finish_body(deadline=deadline))

    def murder_pending(self) -> None:
        """Called every second at least, and so the place to look for other late ones."""
        super().murder_pending()
        PATIENCE.end_late()
        self.heads.end_late(self._seconds(HEAD_SECONDS, STOP_SECONDS))
        request_seconds = self.bodies.request_seconds
        self.bodies.end_late(self._seconds(request_seconds, request_seconds))
        self.ending.end_late(LINGER_SECONDS)

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

    def _seconds(self, usual: float, at_the_end: float) -> float:
        """How long somebody may take: as usual, when it is crowded, or after the server's end."""
        now = time.monotonic()
        if not self.alive:
            self.stopped_at = min(self.stopped_at, now)
        if now >= self.stopped_at + at_the_end:
            return 0.0
        is_full = self.nr_conns >= self.worker_connections or self.bodies.is_full
        return min(CROWDED_SECONDS, usual) if is_full else usual

    def _look_for_head(self, waiting: Waiting) -> Leaving | None:
        conn = waiting.connection
        head = waiting.head()  # it may have come together with the request before
        if head is Extent.PART:
            piece = waiting.read(HEAD_BYTES_MAX)
            if piece is None:
                return None
            if not piece and not waiting.received:
                return lambda: self._hang_up(conn)
            waiting.received += piece
            head = waiting.head() if piece else Extent.WHOLE  # as much as it will ever be
        if head is Extent.ENDLESS:
            return lambda: self._refuse(conn)
        if head is Extent.WHOLE:
            return lambda: self.bodies.take_in(conn, waiting.received)
        return None

    def _serve(self, conn: Any, received: bytearray) -> None:  # noqa: ANN401 - as above
        """Give it to a thread, with all that came so far."""
        conn.init()
        if not isinstance(conn.parser.unreader, ReceivedUnreader):
            conn.parser.unreader = ReceivedUnreader(conn.sock)
        conn.parser.unreader.put(bytes(received))
        conn.data_ready = True
        super().enqueue_req(conn)

    def _refuse(self, conn: Any) -> None:  # noqa: ANN401 - as above
        self.bodies.release(conn)
        self.handle_error(None, conn.sock, conn.client, LimitRequestHeaders("without an end"))
        self._end(conn)

    def _end(self, conn: Any) -> None:  # noqa: ANN401 - as above
        """Say that nothing more comes, and wait a little for the other side to say the same."""
        try:
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._hang_up(conn)
        else:
            self.ending.take_in(conn, bytearray())

    def _look_for_end(self, waiting: Waiting) -> Leaving | None:
        piece = waiting.read(LINGER_BYTES_MAX)
        if piece is None or (piece and waiting.bytes_read < LINGER_BYTES_MAX):
            return None
        return lambda: self._hang_up(waiting.connection)

    def _let_go(self, waiting: Waiting) -> None:
        self._hang_up(waiting.connection)

    def _hang_up(self, conn: Any) -> None:  # noqa: ANN401 - as above
        self.nr_conns -= 1
        conn.close()

    def handle_error(self, _req: object, client: socket.socket, _addr: object, exc: Any) -> None:  # noqa: ANN401 - as above
        """Answer what is no request as the application answers errors; log no word of it."""
        request_id = uuid4().hex
        is_ours = isinstance(exc, OURS) or not isinstance(exc, ParseException)
        with logger.contextualize(requestId=request_id):
            if is_ours:
                logger.opt(exception=exc).error("unexpected error outside the application")
            else:
                logger.warning("no valid request: {}", type(exc).__name__)
        try:
            util.write_nonblock(client, refusal(request_id, is_ours=is_ours))
        except OSError:
            logger.debug("the client did not wait for the answer")


def _check(req: Any) -> None:  # noqa: ANN401 - as above
    """Raise InvalidHeader for what gunicorn lets through: no host (RFC 9112, 3.2), or two keys.

    The application could not tell two keys from one with a comma; two hosts are refused before.
    """
    names = [name for name, _ in req.headers]
    if req.version >= HOST_SINCE and "HOST" not in names:
        raise InvalidHeader("HOST", req=req)
    if names.count(IDEMPOTENCY_KEY) > 1:
        raise InvalidHeader(IDEMPOTENCY_KEY, req=req)


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
