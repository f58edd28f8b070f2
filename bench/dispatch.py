"""Messages per second from enqueue to all sent, against three floors measured in the same run.

    python -m bench.dispatch [--recipients 100000] [--rounds 5]

* the raw floor: COPY as many message rows with the same indexes, UPDATE each once in batches;
* the floor of our layout: our own statements alone, without rendering and gateway;
* the legacy layout: eleven indexes, row-wise claims, one UPDATE a message.

Floors and product take turns. One worker process, the gateway simulator in a process of its own.
"""

import argparse
import statistics
import time
from pathlib import Path

import psutil

from bench.floors import LayoutFloor, legacy_seconds_per_message, raw_floor
from bench.stage import Stage, gateway, postgres_cpu_seconds, scratch, spread, stage
from retail_core.kernel.ids import WorkerId
from workers.jobs.dispatching import dispatch_until_idle

MICRO = 1_000_000


def product(stage: Stage, gateway_url: str) -> tuple[float, float]:
    """Enqueue, then dispatch until nothing is due; seconds, and seconds of CPU of both."""
    transactions = stage.transactions()
    campaign = stage.new_campaign(transactions)
    worker = psutil.Process()
    cpu_before = sum(worker.cpu_times()[:2]) + postgres_cpu_seconds()
    began = time.perf_counter()
    stage.start(transactions)(stage.account, campaign)
    dispatch = stage.dispatch(transactions, gateway_url)
    dispatch_until_idle(dispatch, WorkerId("bench"), lambda: True)
    seconds = time.perf_counter() - began
    cpu = sum(worker.cpu_times()[:2]) + postgres_cpu_seconds() - cpu_before
    with stage.connect() as connection:
        row = connection.execute(
            "SELECT state, sent, total FROM campaign WHERE id = %s", (campaign,)
        ).fetchone()
    assert row is not None
    assert row[0] == "completed", row
    assert row[1] == row[2], row
    transactions.connections.engine.dispose()
    return seconds, cpu


def main() -> None:
    """Alternate floors and product, and print them."""
    options = argparse.ArgumentParser(description="dispatch against its floors")
    options.add_argument("--recipients", type=int, default=100_000)
    options.add_argument("--rounds", type=int, default=5)
    chosen = options.parse_args()
    count = chosen.recipients
    raw: list[float] = []
    layout: list[float] = []
    legacy: list[float] = []
    products: list[float] = []
    cpus: list[float] = []
    with scratch() as name, stage(Path(name)) as made, gateway(Path(name)) as gateway_url:
        made.add_contacts(count)
        product(made, gateway_url)  # warm up both sides
        layout_floor = LayoutFloor(made)
        for _ in range(chosen.rounds):
            raw.append(raw_floor(made, count))
            layout.append(layout_floor())
            legacy.append(legacy_seconds_per_message(made) * count)
            seconds, cpu = product(made, gateway_url)
            products.append(seconds)
            cpus.append(cpu * MICRO / count)
    rows = {"raw floor": raw, "layout floor": layout, "legacy layout": legacy, "product": products}
    print(f"recipients           {count}")
    for label, values in rows.items():
        rate = count / statistics.median(values)
        print(f"{label:20} {spread(values)} s   {rate:,.0f} messages/s")
    median = statistics.median(products)
    print(f"product / raw floor      {statistics.median(raw) / median:.2f} of its rate")
    print(f"product / layout floor   {statistics.median(layout) / median:.2f} of its rate")
    print(f"product / legacy         {statistics.median(legacy) / median:.1f} times its rate")
    print(f"CPU, PostgreSQL + worker {spread(cpus)} µs a message")


if __name__ == "__main__":
    main()
