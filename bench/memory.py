"""A worker's memory with 10,000 and with 1,000,000 recipients: `python -m bench.memory`.

    python -m bench.memory [--small 10000] [--large 1000000] [--rounds 5]

For each figure a fresh worker with one process sends one campaign through the gateway simulator,
beside a real scheduler. What is told is the most that the sending process had in memory at any
moment (VmHWM), and the same of its parent, which only watches.
"""

import argparse
import contextlib
import statistics
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import attrs
import psutil

from bench.processes import process, variables
from bench.stage import Stage, gateway, scratch, spread, stage
from retail_core.kernel.ids import AccountId
from workers.dev.embedded import EmbeddedValkey

KILOBYTES_IN_MEGABYTE: Final = 1024
LOOK_SECONDS: Final = 0.2
PATIENCE_SECONDS: Final = 600.0


def second_store(made: Stage) -> Stage:
    """Another store in the same database, with people and credits of its own."""
    with made.connect() as connection:
        row = connection.execute(
            "INSERT INTO account (email, company) VALUES ('second@example.com', 'Bench') "
            "RETURNING id"
        ).fetchone()
        assert row is not None
        account = AccountId(int(str(row[0])))
        connection.execute(
            "INSERT INTO subscription (account_id, plan_type, status) VALUES (%s, 'pro', 'active')",
            (account,),
        )
    transactions = made.transactions()
    with transactions.begin(account) as uow:
        uow.credits.grant(account, "bench", 1_000_000_000, "adjustment:bench")
    transactions.connections.engine.dispose()
    return attrs.evolve(made, account=account)


@contextlib.contextmanager
def worker(known: Mapping[str, str]) -> Iterator[psutil.Popen]:
    """A fresh worker, whose one process takes jobs."""
    with process({**known, "WORKER_CONCURRENCY": "1"}, "workers.worker") as started:
        ends = time.monotonic() + PATIENCE_SECONDS
        while not started.children():
            assert time.monotonic() < ends, "the worker did not start"
            time.sleep(LOOK_SECONDS)
        yield started


def peak_megabytes(of: psutil.Process) -> float:
    """The most this process ever had in memory."""
    for line in Path(f"/proc/{of.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / KILOBYTES_IN_MEGABYTE
    raise AssertionError("this system does not tell the peak")


def megabytes(store: Stage, known: Mapping[str, str]) -> tuple[float, float, float]:
    """Send a campaign; the peaks of the sending process and of its parent, and the seconds."""
    transactions = store.transactions()
    campaign = store.new_campaign(transactions)
    with worker(known) as started:
        began = time.perf_counter()
        store.start(transactions)(store.account, campaign)
        with store.connect() as connection:
            while True:
                row = connection.execute(
                    "SELECT state, total = sent FROM campaign WHERE id = %s", (campaign,)
                ).fetchone()
                assert row is not None
                if row[0] == "completed":
                    break
                assert time.perf_counter() < began + PATIENCE_SECONDS, row
                time.sleep(LOOK_SECONDS)
        assert row[1], "not everybody was sent to"
        took = time.perf_counter() - began
        (child,) = started.children()
        peaks = peak_megabytes(child), peak_megabytes(psutil.Process(started.pid))
    transactions.connections.engine.dispose()
    return (*peaks, took)


def main() -> None:
    """Let small and large campaigns take turns."""
    options = argparse.ArgumentParser(description="memory of a worker")
    options.add_argument("--small", type=int, default=10_000)
    options.add_argument("--large", type=int, default=1_000_000)
    options.add_argument("--rounds", type=int, default=5)
    chosen = options.parse_args()
    sizes = (chosen.small, chosen.large)
    measured: dict[int, list[tuple[float, float, float]]] = {size: [] for size in sizes}
    with scratch() as name, stage(Path(name)) as made, contextlib.ExitStack() as stack:
        stores = dict(zip(sizes, (second_store(made), made), strict=True))
        for size, store in stores.items():
            store.add_contacts(size)
        valkey = EmbeddedValkey(Path(name) / "valkey")
        stack.callback(valkey.stop)
        known = variables(
            made.url,
            REDIS_URL=valkey.start(),
            MITTO_API_BASE=stack.enter_context(gateway(Path(name))),
        )
        stack.enter_context(process(known, "workers.scheduler"))
        for _ in range(chosen.rounds):
            for size, store in stores.items():
                measured[size].append(megabytes(store, known))
    for size, peaks in measured.items():
        sending, parent, seconds = (list(each) for each in zip(*peaks, strict=True))
        print(
            f"{size:>9} recipients   sending process {spread(sending)} MB   "
            f"its parent {spread(parent)} MB   {spread(seconds)} s from enqueue to the end"
        )
    small, large = (statistics.median(peak[0] for peak in measured[size]) for size in sizes)
    print(f"large / small   {large / small:.3f}")


if __name__ == "__main__":
    main()
