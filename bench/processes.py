"""The product's own processes, as in production, for measurements from outside."""

import contextlib
import os
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil

SECRET = "the gateway's secret of the measurements"
SECONDS_TO_START = 30.0
API = "adapters_http.wsgi:application"
WEB_PROCESSES = "2"
"""What production starts, unless told otherwise."""


def variables(database_url: str, **changes: str) -> dict[str, str]:
    """Everything the processes must be told."""
    return {
        "PATH": os.defpath,
        "APP_ENV": "test",
        "LOG_LEVEL": "warn",
        "DATABASE_URL": database_url,
        "REDIS_URL": "disabled",
        "JWT_SECRET": "a secret of the measurements that is long enough",
        "MITTO_API_KEY": "bench",
        "SMS_TRAFFIC_ACCOUNT_ID": "bench",
        "WEBHOOK_SECRET": SECRET,
        "UNSUBSCRIBE_TOKEN_SECRET": "a secret of the measurements only",
        "FRONTEND_URL": "https://app.example.com",
        "PUBLIC_BASE_URL": "https://r.example",
        "WEB_CONCURRENCY": WEB_PROCESSES,
        **changes,
    }


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextlib.contextmanager
def process(known: Mapping[str, str], *words: str) -> Iterator[psutil.Popen]:
    """A module of ours in a process of its own; ended with all below it."""
    started = psutil.Popen([sys.executable, "-m", *words], env=dict(known), cwd=Path.cwd())
    try:
        yield started
    finally:
        started.terminate()
        started.wait()


@contextlib.contextmanager
def api(known: Mapping[str, str], port: int, application: str = API) -> Iterator[psutil.Popen]:
    """The default server with its own settings; it listens when this returns."""
    with process({**known, "PORT": str(port)}, "gunicorn", application) as server:
        wait_for(port)
        yield server


def wait_for(port: int) -> None:
    """Until somebody listens there."""
    ends = time.monotonic() + SECONDS_TO_START
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1.0).close()
        except OSError:
            if time.monotonic() > ends:
                raise
            time.sleep(0.05)
        else:
            return


def family(server: psutil.Process | psutil.Popen) -> list[psutil.Process]:
    """A process and all below it."""
    return [psutil.Process(server.pid), *server.children(recursive=True)]


def cpu_seconds(server: psutil.Process | psutil.Popen) -> float:
    """What a process and its children have used so far, those that have ended included."""
    return sum(sum(each.cpu_times()[:4]) for each in family(server) if each.is_running())


def valkey_server(directory: Path) -> psutil.Process:
    """The queue's server of this run."""
    return psutil.Process(int((directory / "valkey/pid").read_text()))


def postmaster(directory: Path) -> psutil.Process:
    """The database server of this run, and of no other one on the machine."""
    return psutil.Process(int((directory / "postgres/data/postmaster.pid").read_text().split()[0]))
