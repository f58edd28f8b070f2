"""Many connections at once that say little, or say it slowly."""

import contextlib
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.integration.adapters_http.serving import connect


@contextmanager
def crowd(port: int, count: int, said: bytes = b"") -> Iterator[Sequence[socket.socket]]:
    """So many connections that said this and no more."""
    with contextlib.ExitStack() as stack:
        lines = [stack.enter_context(connect(port)) for _ in range(count)]
        for line in lines:
            line.sendall(said)
        yield lines


@contextmanager
def dribbling(lines: Sequence[socket.socket]) -> Iterator[None]:
    """A byte on each, again and again."""
    stopped = threading.Event()

    def dribble() -> None:
        while not stopped.wait(0.1):
            for line in lines:
                with contextlib.suppress(OSError):
                    line.send(b"a")

    thread = threading.Thread(target=dribble)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()
