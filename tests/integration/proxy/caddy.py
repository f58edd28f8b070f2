"""The real Caddy with our settings file, in front of real servers."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import attrs

from tests.integration.adapters_http.serving import connect
from tests.integration.server.serving import START_SECONDS, Answer, answers
from tests.integration.workers.watching import until
from workers.dev.embedded.processes import free_port, is_port_free

ROOT: Final = Path(__file__).parents[3]
CADDY: Final = str(Path(sys.executable).parent / "caddy")
CADDYFILE: Final = "deploy/Caddyfile"
END_SECONDS: Final = 20
QUIET_SECONDS: Final = 3
"""After so long nothing more is coming."""


@attrs.frozen
class Proxy:
    """A running proxy."""

    port: int

    def say(self, raw: bytes) -> Sequence[Answer]:
        """Send bytes on a line of their own, and take all answers in order.

        The line stays open on our side: who closes half of it is taken for gone.
        """
        pieces = []
        with connect(self.port) as line, contextlib.suppress(OSError):
            line.sendall(raw)
            line.settimeout(QUIET_SECONDS)
            while piece := line.recv(65_536):
                pieces.append(piece)
        return answers(b"".join(pieces))


@contextmanager
def proxy(directory: Path, upstreams: Sequence[int], **changes: str) -> Iterator[Proxy]:
    """Caddy before the servers on these ports, without HTTPS."""
    port, admin_port = free_port(), free_port()
    variables = {
        "HOME": str(directory),
        "PATH": os.defpath,
        "SITE_ADDRESS": f":{port}",
        "CADDY_ADMIN": f"127.0.0.1:{admin_port}",
        "UPSTREAMS": _addresses(upstreams),
        **changes,
    }
    with (directory / "caddy.log").open("ab") as log:
        process = subprocess.Popen(
            [CADDY, "run", "--config", CADDYFILE], cwd=ROOT, env=variables, stdout=log, stderr=log
        )
    try:
        until(lambda: not is_port_free(port), START_SECONDS)
        yield Proxy(port)
    finally:
        process.terminate()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _addresses(ports: Sequence[int]) -> str:
    return " ".join(f"127.0.0.1:{port}" for port in ports)
