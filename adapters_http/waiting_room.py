"""Connections that hold no thread: those whose request is still coming, and those that end.

The server's own loop waits for all of them at once. A thread gets a connection only when all of a
head has arrived, so whoever says nothing, or says it slowly, keeps nobody else waiting.
"""

import enum
import re
import socket
import time
from collections.abc import Callable
from selectors import EVENT_READ, BaseSelector
from typing import Any, Final

import attrs

HEAD_BYTES_MAX: Final = 65_536
"""So much may come before the end of the headers."""

LINGER_BYTES_MAX: Final = 65_536
"""So much of what a client goes on sending is read, so that its last reply is not cut off."""

END_OF_HEAD: Final = b"\r\n\r\n"
_BARE_LINE_FEED: Final = re.compile(rb"(?<!\r)\n")


class Head(enum.Enum):
    """How much of the lines before a body is there. An endless one is too long, or has no CRLF."""

    PART = enum.auto()
    WHOLE = enum.auto()
    ENDLESS = enum.auto()


@attrs.define(eq=False)
class Waiting:
    """A connection in the room, since when (monotonic seconds), and what came over it."""

    connection: Any
    since: float
    received: bytearray = attrs.field(factory=bytearray, repr=False)
    bytes_read: int = 0
    searched: int = 0

    @property
    def socket(self) -> socket.socket:
        """The one to read from."""
        found: socket.socket = self.connection.sock
        return found

    def read(self, size_max: int) -> bytes | None:
        """What is there, without waiting: None is nothing yet, b"" the end or a broken line."""
        try:
            piece = self.socket.recv(size_max)
        except (BlockingIOError, InterruptedError):
            return None
        except OSError:
            return b""
        self.bytes_read += len(piece)
        return piece

    def head(self) -> Head:
        """How much of a head was received; looks only at what came since it was asked before."""
        begin = max(self.searched - len(END_OF_HEAD) + 1, 0)
        self.searched = len(self.received)
        if self.received.find(END_OF_HEAD, begin) >= 0:
            return Head.WHOLE
        is_endless = self.searched >= HEAD_BYTES_MAX or _BARE_LINE_FEED.search(self.received, begin)
        return Head.ENDLESS if is_endless else Head.PART


Leaving = Callable[[], None]
"""What becomes of a connection once it is out of the room."""


@attrs.frozen(eq=False)
class WaitingRoom:
    """All connections that wait for the same, the longest waiting first.

    `look` reads what is there and says what comes next, None as long as the connection stays. All
    of this runs in the thread of the loop, so nothing of it may block.
    """

    poller: BaseSelector
    look: Callable[[Waiting], Leaving | None]
    give_up: Callable[[Any], None]
    monotonic: Callable[[], float] = time.monotonic
    _inside: dict[socket.socket, Waiting] = attrs.field(factory=dict, init=False)

    def __len__(self) -> int:
        """How many wait."""
        return len(self._inside)

    def take_in(self, connection: Any, received: bytes = b"") -> None:  # noqa: ANN401 - gunicorn's
        """Let a connection wait, unless all that it waits for is here already."""
        waiting = Waiting(connection, self.monotonic(), bytearray(received))
        waiting.socket.setblocking(False)
        leave = self.look(waiting)
        if leave is not None:
            leave()
            return
        self._inside[waiting.socket] = waiting
        self.poller.register(waiting.socket, EVENT_READ, self._readable)

    def end_late(self, seconds: float) -> None:
        """Send away whoever has waited that long."""
        before = self.monotonic() - seconds
        for waiting in list(self._inside.values()):
            if waiting.since > before:
                return
            self._let_go(waiting)
            self.give_up(waiting.connection)

    def _readable(self, client: socket.socket) -> None:
        waiting = self._inside.get(client)
        if waiting is None:  # sent away by an event of the same turn
            return
        leave = self.look(waiting)
        if leave is not None:
            self._let_go(waiting)
            leave()

    def _let_go(self, waiting: Waiting) -> None:
        # before a thread gets it: one that closes its socket frees the number for another
        self.poller.unregister(waiting.socket)
        del self._inside[waiting.socket]
