"""Connections that hold no thread: those whose request is still coming, and those that end.

The server's own loop waits for all of them at once. A thread gets a connection only when all of a
request has arrived, so whoever says nothing, or says it slowly, keeps nobody else waiting.
"""

import socket
import time
from collections.abc import Callable
from selectors import EVENT_READ, BaseSelector
from typing import Any, Final

import attrs

from adapters_http.framing import BARE_LINE_FEED, END_OF_HEAD, HEAD_BYTES_MAX, Body, Extent

LINGER_BYTES_MAX: Final = 65_536
"""So much of what a client goes on sending is read, so that its last reply is not cut off."""


@attrs.define(eq=False)
class Waiting:
    """A connection in the room, since when (monotonic seconds), and what came over it.

    `body` is what it waits for once its head is here. A client that sends steadily has waited less.
    """

    connection: Any
    since: float
    received: bytearray = attrs.field(factory=bytearray, repr=False)
    body: Body | None = attrs.field(default=None, repr=False)
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

    def head(self) -> Extent:
        """How much of a head was received; looks only at what came since it was asked before.

        An endless one is too long, or has lines that end in no known way.
        """
        begin = max(self.searched - len(END_OF_HEAD) + 1, 0)
        self.searched = len(self.received)
        if self.received.find(END_OF_HEAD, begin) >= 0:
            return Extent.WHOLE
        is_endless = self.searched >= HEAD_BYTES_MAX or BARE_LINE_FEED.search(self.received, begin)
        return Extent.ENDLESS if is_endless else Extent.PART


Leaving = Callable[[], None]
"""What becomes of a connection once it is out of the room."""


@attrs.frozen(eq=False)
class WaitingRoom:
    """All connections that wait for the same.

    `look` reads what is there and says what comes next, None as long as the connection stays. All
    of this runs in the thread of the loop, so nothing of it may block.
    """

    poller: BaseSelector
    look: Callable[[Waiting], Leaving | None]
    give_up: Callable[[Waiting], None]
    monotonic: Callable[[], float] = time.monotonic
    _inside: dict[socket.socket, Waiting] = attrs.field(factory=dict, init=False)

    def __len__(self) -> int:
        """How many wait."""
        return len(self._inside)

    def take_in(
        self,
        connection: Any,  # noqa: ANN401 - gunicorn's
        received: bytearray,
        body: Body | None = None,
    ) -> None:
        """Let a connection wait, unless all that it waits for is here already."""
        waiting = Waiting(connection, self.monotonic(), received, body)
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
            if waiting.since <= before:
                self._let_go(waiting)
                self.give_up(waiting)

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
