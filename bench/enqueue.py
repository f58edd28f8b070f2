"""Forecast, enqueue and cancel, against one bare INSERT ... SELECT.

    python -m bench.enqueue [--recipients 1000000] [--rounds 5] [--case 2]

Enqueue is measured from the call until the hold is committed. The floor writes lean rows of the
same contacts into a table with the key that a row per recipient would need. Floor and product take
turns in one run. The process's memory and the round trips of another connection are watched
meanwhile.
"""

import argparse
import statistics
import threading
import time
from functools import partial
from pathlib import Path
from typing import Self

import attrs
import psutil

from bench.stage import GREEK_LAST_NAMES, TEXT, Stage, scratch, seconds, spread, stage
from retail_core.kernel.smart_encoding import SmartEncoding

MEGABYTE = 1024 * 1024


def floor(stage: Stage) -> float:
    """One statement that writes a lean row for each contact; its seconds."""
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
        return time.perf_counter() - began


class Watch:
    """Another user meanwhile: the round trips of a small read, and this process's memory."""

    def __init__(self, stage: Stage) -> None:
        self.waits: list[float] = []
        self.memory = 0
        self._stage = stage
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._before = 0

    def __enter__(self) -> Self:
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run)
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


@attrs.frozen
class Case:
    """A text, and what the store chose; how many different texts its recipients get."""

    name: str
    text: str
    smart_encoding: SmartEncoding = SmartEncoding.OFF


CASES = (
    Case("first name, of eight", TEXT),
    Case("first name and e-mail, all differ", TEXT + " {{email}}"),
    Case(
        "Greek names, all differ, smart encoding",
        "Γεια σου {{firstName|φίλε}} {{lastName}}, ο καφές σήμερα είναι δωρεάν ως τις 6!",
        SmartEncoding.GREEK,
    ),
)


@attrs.frozen
class Times:
    """What was measured of a case, in seconds."""

    floor: list[float] = attrs.field(factory=list)
    forecast: list[float] = attrs.field(factory=list)
    enqueue: list[float] = attrs.field(factory=list)
    cancel: list[float] = attrs.field(factory=list)

    def __str__(self) -> str:
        floor = statistics.median(self.floor)
        lines = [f"  floor     {spread(self.floor)}"]
        for name in ("forecast", "enqueue", "cancel"):
            taken = getattr(self, name)
            ratio = statistics.median(taken) / floor
            lines.append(f"  {name:8}  {spread(taken)}  {ratio:.2f} x the floor")
        return "\n".join(lines)


def measure(made: Stage, case: Case, watch: Watch, rounds: int) -> Times:
    """Floor, forecast, enqueue and cancel by turns."""
    transactions = made.transactions()
    forecast, start, cancel = (
        made.forecast(transactions),
        made.start(transactions),
        made.cancel(transactions),
    )
    made.set_smart_encoding(case.smart_encoding)
    times = Times()
    for _ in range(rounds):
        campaign = made.new_campaign(transactions, case.text)
        times.floor.append(floor(made))
        with watch:
            times.forecast.append(seconds(partial(forecast, made.account, campaign)))
            times.enqueue.append(seconds(partial(start, made.account, campaign)))
            times.cancel.append(seconds(partial(cancel, made.account, campaign)))
    transactions.connections.engine.dispose()
    return times


def main() -> None:
    """Measure each case, and print it."""
    options = argparse.ArgumentParser(description="enqueue against one INSERT ... SELECT")
    options.add_argument("--recipients", type=int, default=1_000_000)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--case", type=int, choices=range(len(CASES)), help="only one of them")
    chosen = options.parse_args()
    cases = CASES if chosen.case is None else (CASES[chosen.case],)
    with scratch() as name, stage(Path(name)) as made:
        made.add_contacts(chosen.recipients, GREEK_LAST_NAMES)
        measure(made, CASES[0], Watch(made), 1)  # warm up
        for case in cases:
            watch = Watch(made)
            times = measure(made, case, watch, chosen.rounds)
            waits = sorted(watch.waits)
            print(f"{case.name}: {chosen.recipients} recipients, seconds")
            print(times)
            print(f"  memory grew by    {watch.memory / MEGABYTE:.0f} MB")
            p99 = waits[int(len(waits) * 0.99)] * 1000
            print(f"  other reads, p99  {p99:.1f} ms of {len(waits)}")


if __name__ == "__main__":
    main()
