"""Connections whose client has only so long to say what it wants.

A thread that waits for a client can be woken from outside only: the server's own loop looks here
and ends the reading side of whoever is late. What the thread reads then is the end of the input,
and it can still answer.
"""

import contextlib
import socket
import time
from collections.abc import Callable
from typing import Final


class Patience:
    """Until when each connection may go on sending. Safe between threads."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._until: dict[socket.socket, float] = {}

    def wait(self, connection: socket.socket, seconds: float) -> None:
        """Wait for this client so long from now on, and not as long as was said before."""
        self._until[connection] = self._monotonic() + seconds

    def rest(self, connection: socket.socket) -> None:
        """Nothing is expected of this client now."""
        self._until.pop(connection, None)

    def end_late(self) -> None:
        """Stop listening to everybody who is late."""
        now = self._monotonic()
        for connection, until in list(self._until.items()):
            if until <= now:
                self.rest(connection)
                with contextlib.suppress(OSError):  # it may be gone already
                    connection.shutdown(socket.SHUT_RD)


PATIENCE: Final = Patience()
"""Of this process: here its server and its application meet."""
