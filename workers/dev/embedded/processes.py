"""What both servers need: ports, passwords, a lock, and knowing one's own processes again."""

import fcntl
import os
import secrets
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psutil

from workers.dev.embedded.accounts import SystemAccount

HOST: Final = "127.0.0.1"
POLL_SECONDS: Final = 0.05
LOG_LINES_SHOWN: Final = 15


class ServerError(RuntimeError):
    """An embedded server did not start or stop."""


def absolute(path: Path) -> Path:
    """The path as it stands in a process's command line."""
    return path.resolve()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock that other processes and threads respect; the file itself stays."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def run(
    argv: Sequence[str],
    *,
    cwd: Path,
    account: SystemAccount | None = None,
    variables: Mapping[str, str] | None = None,
    timeout_seconds: float = 90,
) -> subprocess.CompletedProcess[str]:
    """Run a server's own program to its end, as `account` if given, in an almost empty environment.

    The output goes through a file: a server that outlives the program would keep a pipe open.
    """
    with (cwd / "output").open("w+", encoding="utf-8") as output:
        done = subprocess.run(  # noqa: S603 - programs of the wheels, arguments of ours
            argv,
            cwd=cwd,
            env={"PATH": os.defpath, "LC_ALL": "C", **(variables or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            timeout=timeout_seconds,
            check=False,
            start_new_session=True,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
        output.seek(0)
        return subprocess.CompletedProcess(done.args, done.returncode, output.read())


PORTS: Final = (20_000, 32_000)
PORT_TRIES_MAX: Final = 50
PORT_WAIT_SECONDS: Final = 5.0


def is_port_free(port: int, host: str = HOST) -> bool:
    """Whether a server could listen there now; connections that have just ended do not count."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """A port that is free now; nobody keeps it for us.

    It lies below those that systems give to outgoing connections (32768 and up on Linux, 49152 on
    macOS), so that a server that was killed finds its port free again.
    """
    choices = range(*PORTS)
    for _ in range(PORT_TRIES_MAX):
        port = secrets.choice(choices)
        if is_port_free(port):
            return port
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def remembered_port(path: Path) -> int:
    """The port in the file if there is one and it is free, else a new one, written down."""
    try:
        port = int(path.read_text())
    except (FileNotFoundError, ValueError):
        port = 0
    # a server that was just killed may hold its port for another moment
    if not port or not wait_until(lambda: is_port_free(port), PORT_WAIT_SECONDS):
        port = free_port()
        path.write_text(f"{port}\n")
    return port


def remembered_password(path: Path) -> str:
    """The password in the file, or a new one, readable by its owner only."""
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(16))
    return path.read_text().strip()


def living_process(pid: int, *words: str) -> psutil.Process | None:
    """The process with this number if it lives and all the words stand in its command line.

    Process numbers come again, after a restart of a container most of all: a number in a file
    proves nothing.
    """
    try:
        process = psutil.Process(pid)
        command = " ".join(process.cmdline())
        lives = process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return None
    return process if lives and all(word in command for word in words) else None


def wait_until(check: Callable[[], bool], timeout_seconds: float) -> bool:
    """Ask again and again until the answer is yes (True) or the time is over (False)."""
    end = time.monotonic() + timeout_seconds
    while not check():
        if time.monotonic() > end:
            return False
        time.sleep(POLL_SECONDS)
    return True


def end_of(log: Path) -> str:
    """The last lines of a server's log, for an error's text."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return f"({log} cannot be read)"
    return "\n".join(lines[-LOG_LINES_SHOWN:])
