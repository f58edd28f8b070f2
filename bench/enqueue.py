"""Enqueue: from the call until the hold is committed, against one bare INSERT ... SELECT.

    python -m bench.enqueue [--recipients 1000000] [--rounds 5]

The floor writes lean rows of the same contacts into a table with the key that a row per recipient
would need. Floor and product take turns in one run. The process's memory and the round trips of
another connection are watched meanwhile.
"""

import argparse
import statistics
import threading
import time
from functools import partial
from pathlib import Path
from typing import Self

import psutil

from bench.stage import TEXT, Stage, scratch, seconds, spread, stage
from retail_core.kernel.ids import CampaignId

MEGABYTE = 1024 * 1024


def floor(stage: Stage) -> None:
    """One statement that writes a lean row for each contact."""
    with stage.connect() as connection:
        connection.execute("DROP TABLE IF EXISTS floor_recipient")
        connection.execute(
            "CREATE TABLE floor_recipient (campaign_id integer, contact_id integer, phone bigint, "
            "first_name text, state smallint, PRIMARY KEY (campaign_id, contact_id))"
        )
        began = time.perf_counter()
        connection.execute(
            "INSERT INTO floor_recipient SELECT 1, id, phone, first_name, 0 FROM contact "
            "WHERE account_id = %s AND is_subscribed",
            (stage.account,),
        )
        FLOORS.append(time.perf_counter() - began)


FLOORS: list[float] = []


class Watch:
    """Another user meanwhile: the round trips of a small read, and this process's memory."""

    def __init__(self, stage: Stage) -> None:
        self.waits: list[float] = []
        self.memory = 0
        self._stage = stage
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._before = psutil.Process().memory_info().rss
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.join()

    def _run(self) -> None:
        with self._stage.connect() as connection:
            while not self._ends.wait(0.005):
                began = time.perf_counter()
                connection.execute("SELECT available FROM wallet LIMIT 1").fetchone()
                self.waits.append(time.perf_counter() - began)
                grown = psutil.Process().memory_info().rss - self._before
                self.memory = max(self.memory, grown)


def main() -> None:
    """Alternate floor and product, and print both."""
    options = argparse.ArgumentParser(description="enqueue against one INSERT ... SELECT")
    options.add_argument("--recipients", type=int, default=1_000_000)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--text", default=TEXT, help="with its merge fields")
    chosen = options.parse_args()
    products: list[float] = []
    waits: list[float] = []
    memory = 0
    with scratch() as name, stage(Path(name)) as made:
        made.add_contacts(chosen.recipients)
        transactions = made.transactions()
        start = made.start(transactions)
        start(made.account, made.new_campaign(transactions))  # warm up
        for _ in range(chosen.rounds):
            floor(made)
            campaign: CampaignId = made.new_campaign(transactions, chosen.text)
            with Watch(made) as watch:
                products.append(seconds(partial(start, made.account, campaign)))
            waits += watch.waits
            memory = max(memory, watch.memory)
        transactions.connections.engine.dispose()
    ratio = statistics.median(products) / statistics.median(FLOORS)
    waits.sort()
    print(f"recipients          {chosen.recipients}")
    print(f"floor, seconds      {spread(FLOORS)}")
    print(f"enqueue, seconds    {spread(products)}")
    print(f"enqueue / floor     {ratio:.2f}")
    print(f"memory grew by      {memory / MEGABYTE:.0f} MB")
    print(f"other reads, p99    {waits[int(len(waits) * 0.99)] * 1000:.1f} ms of {len(waits)}")


if __name__ == "__main__":
    main()
