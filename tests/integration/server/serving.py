"""The real server, and sockets that say to it what no client library would."""

import http.client
import io
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import attrs

from tests.http.api import VARIABLES
from tests.integration.workers.watching import until
from workers.dev.embedded.processes import free_port, is_port_free

ROOT: Final = Path(__file__).parents[3]
THREADS: Final = 4
SERVERS: Final[dict[str, Sequence[str]]] = {
    "gunicorn": ("gunicorn",),
    "granian": ("granian", "--interface", "wsgi", "--blocking-threads", str(THREADS)),
}
"""Those that the API is tried under, the usual one first."""

APPLICATION: Final = "adapters_http.wsgi:application"
PATIENCE_SECONDS: Final = 20
START_SECONDS: Final = 60


@attrs.frozen
class Answer:
    """One answer as it came over the line."""

    status: int
    headers: dict[str, str]
    body: bytes


@attrs.frozen
class Server:
    """A running server, and what it wrote to its log."""

    port: int
    log: Path

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), PATIENCE_SECONDS)

    def say(self, raw: bytes) -> Sequence[Answer]:
        """Send bytes on a line of their own, say no more, and take all answers in order."""
        with self.connect() as line:
            try:
                line.sendall(raw)
                line.shutdown(socket.SHUT_WR)
            except OSError:  # it answered and hung up before all was said
                pass
            return answers(everything(line))

    def is_answering(self, seconds: float = PATIENCE_SECONDS) -> bool:
        """Whether somebody else is served meanwhile."""
        asked = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        try:
            asked.request("GET", "/healthz")
            return asked.getresponse().status == http.HTTPStatus.OK
        except OSError:
            return False
        finally:
            asked.close()


def everything(line: socket.socket) -> bytes:
    """All that comes until the other side hangs up."""
    pieces = []
    try:
        while piece := line.recv(65_536):
            pieces.append(piece)
    except ConnectionResetError:
        pass
    return b"".join(pieces)


def answers(raw: bytes) -> Sequence[Answer]:
    """Take apart what came over a line."""
    found, stream = [], io.BytesIO(raw)
    while head := stream.readline():
        match = re.match(rb"HTTP/1\.[01] (\d{3})", head)
        assert match, f"this is no answer: {head!r}"
        headers = http.client.parse_headers(stream)
        length = headers.get("Content-Length")
        # without a length it goes to the end of the line
        body = stream.read() if length is None else stream.read(int(length))
        names = {name.lower(): value for name, value in headers.items()}
        found.append(Answer(int(match[1]), names, body))
    return found


@contextmanager
def serving(
    directory: Path, database_url: str, kind: str = "gunicorn", **changes: str
) -> Iterator[Server]:
    """Start the server and end it at the end; `changes` are settings."""
    port = free_port()
    variables = {
        **VARIABLES,
        "DATABASE_URL": database_url,
        "PORT": str(port),
        "WEB_CONCURRENCY": "1",
        "WEB_THREADS": str(THREADS),
        "GRANIAN_PORT": str(port),
        **changes,
    }
    server = Server(port, directory / "api.log")
    with server.log.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *SERVERS[kind], APPLICATION],
            cwd=ROOT,
            env=variables,
            stdout=log,
            stderr=log,
        )
    try:
        until(lambda: not is_port_free(port), START_SECONDS)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
