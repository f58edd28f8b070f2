"""A load generator: so many callers, each with one request under way, on connections they keep."""

import multiprocessing
import selectors
import socket
import time
from collections.abc import Sequence
from itertools import cycle
from multiprocessing.connection import Connection

import attrs

ANSWER_BYTES_MAX = 65_536
CONNECT_SECONDS = 10.0


@attrs.frozen
class Load:
    """What was answered in which time; waits are in seconds, one a request."""

    seconds: float
    accepted: int
    refused: int
    waits: list[float]

    @property
    def rate(self) -> float:
        """Accepted requests a second."""
        return self.accepted / self.seconds

    def wait_milliseconds(self, share: float) -> float:
        """So long at most did this share of the callers wait."""
        return sorted(self.waits)[int(len(self.waits) * share)] * 1000


def post(path: str, body: bytes, token: str) -> bytes:
    """One request of the gateway, as it goes over the line."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"X-Webhook-Token: {token}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def drive(
    port: int,
    requests: Sequence[bytes],
    callers: int,
    seconds: float,
    good: bytes = b"HTTP/1.1 202",
) -> Load:
    """Ask in turn for that long, from a process of its own, which has its own GIL."""
    spawn = multiprocessing.get_context("spawn")
    receiver, sender = spawn.Pipe(duplex=False)
    process = spawn.Process(target=_drive, args=(port, requests, callers, seconds, good, sender))
    process.start()
    sender.close()  # ours; so that the end of the other is noticed
    load: Load = receiver.recv()
    process.join()
    return load


def _drive(
    port: int,
    requests: Sequence[bytes],
    callers: int,
    seconds: float,
    good: bytes,
    sender: Connection,
) -> None:
    turn = cycle(requests)
    accepted, waits = 0, []
    with selectors.DefaultSelector() as selector:
        lines = [Caller(port) for _ in range(callers)]
        began = time.perf_counter()
        for line in lines:
            selector.register(line.socket, selectors.EVENT_READ, line)
            line.ask(next(turn))
        ends = began + seconds
        while (now := time.perf_counter()) < ends:
            for key, _ in selector.select(ends - now):
                line = key.data
                answer = line.answer()
                if answer is None:
                    continue
                waits.append(time.perf_counter() - line.asked_at)
                accepted += answer.startswith(good)
                line.ask(next(turn))
        took = time.perf_counter() - began
        for line in lines:
            line.socket.close()
    sender.send(Load(took, accepted, len(waits) - accepted, waits))


class Caller:
    """One connection and what was heard on it so far."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), CONNECT_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.asked_at = 0.0
        self._heard = b""

    def ask(self, request: bytes) -> None:
        """Send a request whole."""
        self.asked_at, self._heard = time.perf_counter(), b""
        self.socket.sendall(request)

    def answer(self) -> bytes | None:
        """The answer, once all of it is here."""
        part = self.socket.recv(ANSWER_BYTES_MAX)
        if not part:
            raise ConnectionError("the server closed a connection")
        self._heard += part
        head, found, body = self._heard.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        return self._heard if found and len(body) >= int(length or 0) else None
