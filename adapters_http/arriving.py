"""Requests whose head is here and whose body is still coming: they hold no thread either."""

import socket
import time
from collections.abc import Callable
from selectors import BaseSelector
from typing import Any, Final

import attrs
from gunicorn.http.unreader import SocketUnreader

from adapters_http.framing import Extent, announced
from adapters_http.waiting_room import Leaving, Waiting, WaitingRoom
from adapters_http.web.bodies import STEADY_BYTES_PER_SECOND

BODIES_BYTES_MAX: Final = 64 * 1_048_576
"""So much of slow requests a process keeps, from their head to the end of their reply."""

PIECE_BYTES: Final = 65_536
CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


@attrs.define
class Arrival:
    """How the request of a connection arrived.

    `seconds` is what its body took of the request's time, `is_continued` whether the client was
    told to go on, `bytes_held` what is counted for it.
    """

    seconds: float = 0.0
    is_continued: bool = False
    bytes_held: int = 0


class BodyRoom:
    """Waits for bodies of ordinary size; larger ones are for a thread to refuse or to stream.

    A client has `request_seconds` for its body, and earns time by what it sends as an upload does.
    What is late, or has no place in the memory, is served with its time spent: the application
    then refuses it without waiting. Runs in the thread of the loop.
    """

    def __init__(
        self,
        poller: BaseSelector,
        serve: Callable[[Any, bytearray], None],
        refuse: Callable[[Any], None],
        request_seconds: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.bytes_held = 0
        self.request_seconds = request_seconds
        self._serve = serve
        self._refuse = refuse
        self._monotonic = monotonic
        self._room = WaitingRoom(poller, self._look, self._give_up, monotonic)

    @property
    def is_full(self) -> bool:
        """Whether no more is kept."""
        return self.bytes_held >= BODIES_BYTES_MAX

    def take_in(self, conn: Any, received: bytearray) -> None:  # noqa: ANN401 - gunicorn's
        """Serve a request whose head is here, at once or when its body is."""
        conn.arrival = Arrival()
        announcement = announced(received)
        body = announcement.body
        if body is None or body.extent(received) is Extent.WHOLE:
            self._serve(conn, received)
        elif announcement.expects_continue and not _say_continue(conn):
            self._refuse(conn)
        else:
            # said from here and not by a thread, which would have to wait for what follows
            conn.arrival.is_continued = announcement.expects_continue
            self._hold(conn, len(received))
            self._room.take_in(conn, received, body)

    def end_late(self, seconds: float) -> None:
        """Serve whoever has waited that long without a body."""
        self._room.end_late(seconds)

    def release(self, conn: Any) -> None:  # noqa: ANN401 - as above
        """The request of this connection is answered."""
        arrival = getattr(conn, "arrival", None)
        if arrival is not None:
            self.bytes_held -= arrival.bytes_held
            arrival.bytes_held = 0

    def _look(self, waiting: Waiting) -> Leaving | None:
        conn = waiting.connection
        assert waiting.body is not None
        extent = waiting.body.extent(waiting.received)
        if extent is Extent.PART:
            piece = waiting.read(PIECE_BYTES)
            if piece is None:
                return None
            waiting.received += piece
            self._hold(conn, len(piece))
            earned = len(piece) / STEADY_BYTES_PER_SECOND
            waiting.since = min(waiting.since + earned, self._monotonic())
            # after the end of the line it is as much as it will ever be
            extent = waiting.body.extent(waiting.received) if piece else Extent.WHOLE
        if extent is Extent.ENDLESS:
            return lambda: self._refuse(conn)
        if extent is Extent.WHOLE:
            return lambda: self._leave(waiting, self._monotonic() - waiting.since)
        return (lambda: self._give_up(waiting)) if self.is_full else None

    def _give_up(self, waiting: Waiting) -> None:
        self._leave(waiting, self.request_seconds)

    def _leave(self, waiting: Waiting, seconds: float) -> None:
        waiting.connection.arrival.seconds = seconds
        self._serve(waiting.connection, waiting.received)

    def _hold(self, conn: Any, size: int) -> None:  # noqa: ANN401 - as above
        conn.arrival.bytes_held += size
        self.bytes_held += size


def _say_continue(conn: Any) -> bool:  # noqa: ANN401 - as above
    """False if the client has left no room even for that: it does not read what it is told."""
    try:
        return bool(conn.sock.send(CONTINUE) == len(CONTINUE))
    except OSError:
        return False


class ReceivedUnreader(SocketUnreader):  # type: ignore[misc] # gunicorn has no types
    """Gives the parser what came already in pieces, as the line would have.

    Given at once it would be copied again and again: for each piece of a chunked body.
    """

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        self._received = b""
        self._given = 0

    @property
    def is_ahead(self) -> bool:
        """Whether more came than the parser took."""
        return self._given < len(self._received) or self.buf.getbuffer().nbytes > 0

    def put(self, received: bytes) -> None:
        """What came before all that the line will give; nothing may be left of earlier."""
        self._received, self._given = received, 0

    def chunk(self, size_hint: int | None = None) -> bytes:
        """The next piece."""
        if self._given >= len(self._received):
            self._received, self._given = b"", 0
            piece: bytes = super().chunk(size_hint)
            return piece
        size = min(max(size_hint or 0, self.mxchunk), PIECE_BYTES)
        begin, self._given = self._given, self._given + size
        return self._received[begin : self._given]

    def take_buffered(self) -> bytes:
        """All that came and was not used."""
        taken: bytes = super().take_buffered() + self._received[self._given :]
        self._received, self._given = b"", 0
        return taken
