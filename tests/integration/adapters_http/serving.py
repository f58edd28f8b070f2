"""gunicorn with its own settings and one of our applications, and plain sockets to it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs
import orjson

from workers.dev.embedded.processes import free_port, is_port_free

ROOT = Path(__file__).parents[3]
PATIENCE_SECONDS = 30


@attrs.frozen
class Answer:
    """A reply as it came over the line."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, object]:
        found: dict[str, object] = orjson.loads(self.body)
        return found


@contextmanager
def served(
    application: str, directory: Path, **variables: str
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The server's process and its port, once it listens."""
    port = free_port()
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    known = {"PYTHONPATH": path, "PORT": str(port), "APP_ENV": "test", "WEB_CONCURRENCY": "1"}
    with (directory / f"log{port}").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", application],
            cwd=ROOT,
            env=os.environ | known | variables,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        _wait_for(port, process, directory / f"log{port}")
        yield process, port
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE_SECONDS)


def log_of(directory: Path, port: int) -> str:
    """What the server wrote so far."""
    return (directory / f"log{port}").read_text()


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while is_port_free(port):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.05)


def connect(port: int) -> socket.socket:
    """A plain connection."""
    return socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS)


def read_answer(connection: socket.socket, buffered: bytearray | None = None) -> Answer | None:
    """One whole reply; None if the line ends before it. `buffered` keeps what came after it."""
    data = bytearray() if buffered is None else buffered
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65_536)
        if not piece:
            return None
        data += piece
    head, _, rest = bytes(data).partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (each.partition(": ") for each in lines)}
    size = int(headers.get("content-length", "0"))
    body = bytearray(rest)
    while len(body) < size:
        piece = connection.recv(65_536)
        if not piece:
            return None
        body += piece
    data[:] = body[size:]
    return Answer(int(first.split()[1]), headers, bytes(body[:size]))


def ask(port: int, raw: bytes) -> Answer | None:
    """Send these bytes and read one reply."""
    with connect(port) as connection:
        connection.sendall(raw)
        return read_answer(connection)


def get(port: int, path: str) -> Answer | None:
    """Read something."""
    return ask(port, f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())


def call(
    port: int,
    method: str,
    path: str,
    body: object = None,
    *,
    token: str | None = None,
    **headers: str,
) -> Answer | None:
    """One request on a connection of its own; `Idempotency_Key` names a header."""
    raw = b"" if body is None else orjson.dumps(body)
    sent = {"Host": "x", "Content-Length": str(len(raw)), "Connection": "close"}
    if body is not None:
        sent["Content-Type"] = "application/json"
    if token is not None:
        sent["Authorization"] = f"Bearer {token}"
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items())]
    return ask(port, "\r\n".join((*lines, "", "")).encode() + raw)
