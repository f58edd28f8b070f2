"""What all processes cost while nothing happens, and how soon something happens when it should.

    python -m bench.idle [--seconds 20] [--rounds 5] [--campaigns 60]

Runs the API, a worker and the scheduler with their own settings, beside PostgreSQL, Valkey and the
gateway simulator. Idle: CPU of every process, and what PostgreSQL was asked (statements without
BEGIN, SET and COMMIT by pg_stat_statements; transactions by pg_stat_database). Then small
campaigns one after the other: from the call of enqueue until the simulator took the first message;
and single delivery reports: from the call of the webhook until the message's state has changed.
"""

import argparse
import contextlib
import http.client
import statistics
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import orjson
import psutil

from adapters_sms.simulator.log import read_accepted
from bench.processes import (
    SECRET,
    api,
    cpu_seconds,
    free_port,
    postmaster,
    process,
    valkey_server,
    variables,
)
from bench.stage import Stage, gateway, scratch, spread, stage
from retail_core.messages.model import MessageState
from workers.dev.embedded import EmbeddedPostgres, EmbeddedValkey

CONTACTS: Final = 10
SETTLE_SECONDS: Final = 15.0
PATIENCE_SECONDS: Final = 30.0
LOOK_SECONDS: Final = 0.002

_ASKED: Final = """
SELECT (SELECT sum(calls) FROM pg_stat_statements WHERE query NOT LIKE '%%pg_stat_%%'),
       (SELECT sum(xact_commit + xact_rollback) FROM pg_stat_database WHERE datname IS NOT NULL)
"""


@contextlib.contextmanager
def counting(made: Stage, directory: Path) -> Iterator[None]:
    """Let PostgreSQL count what it is asked: it must be started anew for that."""
    with made.connect() as connection:
        connection.execute("ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'")
    server = EmbeddedPostgres(directory / "postgres")
    server.stop()
    assert server.start() == made.url
    with made.connect() as connection:
        connection.execute("ALTER SYSTEM SET pg_stat_statements.track_utility = off")
        connection.execute("SELECT pg_reload_conf()")
        connection.execute("CREATE EXTENSION pg_stat_statements")
    yield


@contextlib.contextmanager
def product(made: Stage, directory: Path) -> Iterator[tuple[int, Mapping[str, psutil.Popen]]]:
    """Everything that runs in production; gives the API's port, and our processes by name."""
    port = free_port()
    with contextlib.ExitStack() as stack:
        valkey = EmbeddedValkey(directory / "valkey")
        stack.callback(valkey.stop)
        redis_url = valkey.start()
        base = stack.enter_context(gateway(directory))
        known = variables(made.url, REDIS_URL=redis_url, MITTO_API_BASE=base)
        yield (
            port,
            {
                "API": stack.enter_context(api(known, port)),
                "worker": stack.enter_context(process(known, "workers.worker")),
                "scheduler": stack.enter_context(process(known, "workers.scheduler")),
            },
        )


def idle_round(
    made: Stage, everything: Mapping[str, psutil.Process | psutil.Popen], seconds: float
) -> tuple[dict[str, float], float, float]:
    """Percent of a core by name, and statements and transactions a second."""
    with made.connect() as connection:
        before = {name: cpu_seconds(each) for name, each in everything.items()}
        row_before = connection.execute(_ASKED).fetchone()
        began = time.perf_counter()
        time.sleep(seconds)
        took = time.perf_counter() - began
        row = connection.execute(_ASKED).fetchone()
        used = {
            name: 100 * (cpu_seconds(each) - before[name]) / took
            for name, each in everything.items()
        }
    assert row is not None
    assert row_before is not None
    statements, transactions = (
        float(str(after)) - float(str(first)) for first, after in zip(row_before, row, strict=True)
    )
    return used, statements / took, max(transactions - 1, 0) / took


def first_submit_milliseconds(made: Stage, directory: Path) -> float:
    """From the call of enqueue until the gateway has taken the first message."""
    log = directory / "mitto.log"
    transactions = made.transactions()
    campaign = made.new_campaign(transactions)
    before = len(read_accepted(log)) if log.exists() else 0
    began = time.time()
    made.start(transactions)(made.account, campaign)
    ends = began + PATIENCE_SECONDS
    while len(taken := read_accepted(log)) == before:
        assert time.time() < ends, "nothing was submitted"
        time.sleep(LOOK_SECONDS)
    transactions.connections.engine.dispose()
    with made.connect() as connection:
        while (
            connection.execute(
                "SELECT FROM campaign WHERE id = %s AND state = 'completed'", (campaign,)
            ).fetchone()
            is None
        ):
            assert time.time() < ends, "the campaign did not end"
            time.sleep(LOOK_SECONDS)
    return (taken[before].at.timestamp() - began) * 1000


def applied_milliseconds(made: Stage, port: int, provider_id: str) -> float:
    """From the call of the webhook until the message is delivered."""
    body = orjson.dumps({"messageId": provider_id, "deliveryStatus": "Delivered"})
    headers = {"Content-Type": "application/json", "X-Webhook-Token": SECRET}
    line = http.client.HTTPConnection("127.0.0.1", port)
    with made.connect() as connection:
        began = time.perf_counter()
        line.request("POST", "/webhooks/mitto/dlr", body, headers)
        answer = line.getresponse()
        assert answer.status == 202, answer.read()
        while (
            connection.execute(
                "SELECT FROM message WHERE provider_id = %s AND state = %s",
                (provider_id, int(MessageState.DELIVERED)),
            ).fetchone()
            is None
        ):
            assert time.perf_counter() < began + PATIENCE_SECONDS, "the report was not applied"
            time.sleep(LOOK_SECONDS)
        took = time.perf_counter() - began
    line.close()
    return took * 1000


def percentiles(values: list[float]) -> str:
    """The middle, the 99th of a hundred, and the worst."""
    ordered = sorted(values)
    p99 = ordered[min(int(len(ordered) * 0.99), len(ordered) - 1)]
    return f"p50 {statistics.median(ordered):.0f} ms   p99 {p99:.0f} ms   most {ordered[-1]:.0f} ms"


def main() -> None:
    """Measure, and print."""
    options = argparse.ArgumentParser(description="all processes, idle")
    options.add_argument("--seconds", type=float, default=20.0)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--campaigns", type=int, default=60)
    chosen = options.parse_args()
    with scratch() as name, stage(Path(name)) as made:
        directory = Path(name)
        made.add_contacts(CONTACTS)
        with counting(made, directory), product(made, directory) as (port, ours):
            first_submit_milliseconds(made, directory)  # everything is connected
            time.sleep(SETTLE_SECONDS)
            everything = {
                **ours,
                "PostgreSQL": postmaster(directory),
                "Valkey": valkey_server(directory),
            }
            rounds = [idle_round(made, everything, chosen.seconds) for _ in range(chosen.rounds)]
            waits = [first_submit_milliseconds(made, directory) for _ in range(chosen.campaigns)]
            with made.connect() as connection:
                ids = [
                    str(row[0])
                    for row in connection.execute(
                        "SELECT provider_id FROM message WHERE state = 3 LIMIT %s",
                        (chosen.campaigns,),
                    )
                ]
            applied = [applied_milliseconds(made, port, each) for each in ids]
    for label, names in {
        **{each: (each,) for each in everything},
        "our processes": tuple(ours),
        "all processes": tuple(everything),
    }.items():
        percent = [sum(used[each] for each in names) for used, _, _ in rounds]
        print(f"{label:22} {spread(percent)} % of a core")
    print(f"{'statements a second':22} {spread([asked for _, asked, _ in rounds])}")
    print(f"{'transactions a second':22} {spread([begun for _, _, begun in rounds])}")
    print(f"enqueue to first submit, {len(waits)} campaigns   {percentiles(waits)}")
    print(f"webhook to changed state, {len(applied)} reports   {percentiles(applied)}")


if __name__ == "__main__":
    main()
