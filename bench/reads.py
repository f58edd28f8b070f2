"""A page of 20 contacts for a signed-in shop, against the bare framework.

    python -m bench.reads [--seconds 3] [--rounds 5] [--callers 8]

Three servers, each gunicorn with its own settings and one process: the product; the bare framework
that sends back the query (`bench.bare_echo`); the bare framework that sends the same statements
and makes the same call to Redis (`bench.bare_reads`). They take turns, asked by a load generator
in a process of its own. Then the product alone at half of its maximum, each request at its time
whatever happened to those before.
"""

import argparse
import contextlib
import json
import multiprocessing
import selectors
import statistics
import subprocess
import sys
import time
import urllib.request
from collections import deque
from collections.abc import Iterator, Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

import attrs
import psycopg

from adapters_db.operations.migrate import upgrade
from bench.load import Caller, Load, drive
from bench.processes import API, free_port, variables, wait_for
from bench.stage import scratch, spread
from retail_core.kernel.ids import AccountId
from workers.dev.embedded import EmbeddedPostgres, EmbeddedValkey

PATH: Final = "/api/contacts"
QUERY: Final = "pageSize=20"
CONTACTS: Final = 2_000
EVERYTHING_MAX: Final = "1000000"
OK: Final = b"HTTP/1.1 200"
P99: Final = 0.99

_CONTACTS: Final = """
WITH person AS (
INSERT INTO contact (account_id, phone, country, line_type, first_name, last_name, email,
                     is_subscribed, search_text, tags, created_at, updated_at)
SELECT %(account)s, 306900000000 + n, 'GR', 1, 'Maria', 'P' || n %% 997,
       'person' || n || '@example.com', true, '+' || (306900000000 + n), '{vip}', now(), now()
FROM generate_series(1, %(contacts)s) n
RETURNING account_id, id, is_subscribed
)
INSERT INTO consent_event (account_id, contact_id, type, source, occurred_at)
SELECT account_id, id, 'granted', 'manual', now() FROM person WHERE is_subscribed
"""


@attrs.frozen
class Shop:
    """A shop of the product and its token."""

    account: AccountId
    token: str

    @property
    def request(self) -> bytes:
        """The request that is measured, as it goes over the line."""
        return (
            f"GET {PATH}?{QUERY} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Authorization: Bearer {self.token}\r\n\r\n"
        ).encode()


@contextlib.contextmanager
def server(application: str, known: Mapping[str, str]) -> Iterator[int]:
    """A server with one process; gives its port. Its lines are written, but nobody keeps them."""
    port = free_port()
    with subprocess.Popen(
        [sys.executable, "-m", "gunicorn", application],
        env={**known, "PORT": str(port), "WEB_CONCURRENCY": "1"},
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            wait_for(port)
            yield port
        finally:
            process.terminate()


def open_shop(port: int, database_url: str) -> Shop:
    """Sign a shop up, and give it contacts."""
    body = json.dumps({"email": "bench@example.com", "password": "correct horse"}).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/auth/register", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as reply:
        found = json.load(reply)
    account = AccountId(found["user"]["id"])
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(_CONTACTS, {"account": account, "contacts": CONTACTS})
        connection.execute("VACUUM ANALYZE")
    return Shop(account, found["accessToken"])


def steady(port: int, request: bytes, rate: float, seconds: float) -> list[float]:
    """Ask so many times a second; the waits in seconds, each from the moment it was due."""
    spawn = multiprocessing.get_context("spawn")
    receiver, sender = spawn.Pipe(duplex=False)
    process = spawn.Process(target=_steady, args=(port, request, rate, seconds, sender))
    process.start()
    sender.close()
    waits: list[float] = receiver.recv()
    process.join()
    return waits


def _steady(port: int, request: bytes, rate: float, seconds: float, sender: Connection) -> None:
    idle = deque(Caller(port) for _ in range(64))
    waits: list[float] = []
    due_at: dict[Caller, float] = {}
    total, asked = int(rate * seconds), 0
    with selectors.DefaultSelector() as selector:
        for line in idle:
            selector.register(line.socket, selectors.EVENT_READ, line)
        began = time.perf_counter()
        while len(waits) < total:
            now = time.perf_counter()
            while asked < total and idle and began + asked / rate <= now:
                line = idle.popleft()
                due_at[line] = began + asked / rate
                line.ask(request)
                asked += 1
            pause = began + asked / rate - time.perf_counter() if asked < total and idle else 1.0
            for key, _ in selector.select(max(pause, 0.0)):
                answer = key.data.answer()
                if answer is not None:
                    assert answer.startswith(OK), answer
                    waits.append(time.perf_counter() - due_at.pop(key.data))
                    idle.append(key.data)
    sender.send(waits)


def p99_milliseconds(waits: list[float]) -> float:
    """So long at most waited 99 of 100."""
    return sorted(waits)[int(len(waits) * P99)] * 1000


def measure(ports: Mapping[str, int], request: bytes, chosen: argparse.Namespace) -> None:
    """Let all take turns, and print."""
    loads: dict[str, list[Load]] = {name: [] for name in ports}
    for port in ports.values():
        drive(port, [request], chosen.callers, 1.0, OK)
    for _ in range(chosen.rounds):
        for name, port in ports.items():
            load = drive(port, [request], chosen.callers, chosen.seconds, OK)
            assert not load.refused, f"{name} refused {load.refused}"
            loads[name].append(load)
    rates = {name: [load.rate for load in found] for name, found in loads.items()}
    for name, found in loads.items():
        waits = [load.wait_milliseconds(P99) for load in found]
        print(f"{name:22} {spread(rates[name])} requests/s   p99 {spread(waits)} ms")
    for name in list(ports)[:-1]:
        ratios = [own / other for own, other in zip(rates["product"], rates[name], strict=True)]
        print(f"product / {name:22} {spread(ratios)}")
    half = statistics.median(rates["product"]) / 2
    p99s = [
        p99_milliseconds(steady(ports["product"], request, half, chosen.seconds))
        for _ in range(chosen.rounds)
    ]
    print(f"product at {half:.0f} requests/s   p99 {spread(p99s)} ms")


def main() -> None:
    """Measure, and print."""
    options = argparse.ArgumentParser(description="protected reads a second")
    options.add_argument("--seconds", type=float, default=3.0)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--callers", type=int, default=8)
    chosen = options.parse_args()
    with scratch() as name, contextlib.ExitStack() as stack:
        database, queue = EmbeddedPostgres(Path(name) / "pg"), EmbeddedValkey(Path(name) / "vk")
        known = variables(
            database.start(),
            REDIS_URL=queue.start(),
            RATE_LIMITS_FACTOR=EVERYTHING_MAX,
            JWT_ACCESS_TTL="1d",
            LOG_LEVEL="info",
        )
        stack.callback(database.stop)
        stack.callback(queue.stop)
        upgrade(known["DATABASE_URL"])
        own = stack.enter_context(server(API, known))
        shop = open_shop(own, known["DATABASE_URL"])
        told = {**known, "BENCH_TOKEN": shop.token}
        ports = {
            "echo": stack.enter_context(server("bench.bare_echo:application", told)),
            "bare, same statements": stack.enter_context(
                server("bench.bare_reads:application", told)
            ),
            "product": own,
        }
        measure(ports, shop.request, chosen)


if __name__ == "__main__":
    main()
