"""Delivery reports a second: durable through the real server, and applied by the job.

    python -m bench.reports [--seconds 3] [--rounds 5] [--callers 32]

* arrays of 100 and single reports through gunicorn with its own settings, on loopback, from a load
  generator in a process of its own; an answer counts only if it is 202, so the report is on disk;
* the floor: the same server and application with one commit for each request (`bench.one_commit`);
* applying: the job's use case, until nothing waits, with every report changing its message.

Floor and product take turns.
"""

import argparse
import statistics
from collections.abc import Sequence
from pathlib import Path

import orjson
import psutil

from adapters_sms.reports import MittoReportReader
from bench.load import Load, drive, post
from bench.processes import SECRET, api, cpu_seconds, free_port, postmaster, variables
from bench.stage import Stage, gateway, scratch, seconds, spread, stage
from retail_core.kernel.ids import WorkerId
from retail_core.kernel.process.machine import SystemClock
from retail_core.messages.model import WebhookCall
from retail_core.messages.use_cases import ApplyReports
from workers.jobs.dispatching import dispatch_until_idle

PATH = "/webhooks/mitto/dlr"
ARRAY = 100
MICRO = 1_000_000


class Door:
    """One kind of server with one kind of call, and what was measured at it."""

    def __init__(
        self, port: int, requests: Sequence[bytes], payers: Sequence[psutil.Process | psutil.Popen]
    ) -> None:
        self.rates: list[float] = []
        self.cpus: list[float] = []
        self.waits: list[float] = []
        self._port, self._requests, self._payers = port, requests, payers

    def warm_up(self, callers: int) -> None:
        """Connect what connects at the first use."""
        drive(self._port, self._requests, callers, 1.0)

    def measure(self, callers: int, seconds: float) -> None:
        """One round; everything must have been answered with 202."""
        before = sum(map(cpu_seconds, self._payers))
        load: Load = drive(self._port, self._requests, callers, seconds)
        used = sum(map(cpu_seconds, self._payers)) - before
        assert not load.refused, f"{load.refused} calls were refused"
        self.rates.append(load.rate)
        self.cpus.append(used / load.accepted * MICRO)
        self.waits.append(load.wait_milliseconds(0.99))


def send(made: Stage, directory: Path, recipients: int) -> list[str]:
    """Send a campaign; gives the gateway's ids of its messages."""
    transactions = made.transactions()
    made.add_contacts(recipients)
    campaign = made.new_campaign(transactions)
    made.start(transactions)(made.account, campaign)
    with gateway(directory) as url:
        dispatch_until_idle(made.dispatch(transactions, url), WorkerId("bench"), lambda: True)
    transactions.connections.engine.dispose()
    with made.connect() as connection:
        rows = connection.execute("SELECT provider_id FROM message ORDER BY random()")
        return [str(row[0]) for row in rows]


def report(provider_id: str) -> dict[str, str]:
    """A report as the gateway writes it."""
    return {
        "messageId": provider_id,
        "deliveryStatus": "Delivered",
        "updatedAt": "2026-11-24T01:57:11.601Z",
        "destination": "306900000001",
    }


def bodies(ids: Sequence[str], size: int) -> list[bytes]:
    """Calls about these messages: single reports, or arrays."""
    reports = [report(each) for each in ids]
    if size == 1:
        return [orjson.dumps(each) for each in reports]
    return [orjson.dumps(reports[at : at + size]) for at in range(0, len(reports), size)]


def door_rounds(
    made: Stage, directory: Path, ids: Sequence[str], chosen: argparse.Namespace
) -> dict[str, Door]:
    """Let floor and product take turns."""
    known, database = variables(made.url), postmaster(directory)
    floor_port, port = free_port(), free_port()
    singles, arrays = (
        [post(PATH, body, SECRET) for body in bodies(ids[: 1_000 * size], size)]
        for size in (1, ARRAY)
    )
    with api(known, floor_port, "bench.one_commit:application") as floor, api(known, port) as own:
        doors = {
            "single reports, one commit each": Door(floor_port, singles, (floor, database)),
            "single reports": Door(port, singles, (own, database)),
            "arrays, one commit each": Door(floor_port, arrays, (floor, database)),
            "arrays": Door(port, arrays, (own, database)),
        }
        for door in doors.values():
            door.warm_up(chosen.callers)
        for _ in range(chosen.rounds):
            for door in doors.values():
                with made.connect() as connection:
                    connection.execute("TRUNCATE report_inbox")
                door.measure(chosen.callers, chosen.seconds)
    return doors


def applied(made: Stage, calls: Sequence[bytes]) -> float:
    """Seconds until all these calls are applied, each report changing its message."""
    transactions = made.transactions()
    apply = ApplyReports(transactions, MittoReportReader(), SystemClock())
    with made.connect() as connection:
        connection.execute("TRUNCATE report_inbox")
        connection.execute("UPDATE message SET state = 3, delivered_at = NULL")
        connection.execute("UPDATE campaign SET sent = total, delivered = 0")
        connection.execute("VACUUM ANALYZE message")
    with transactions.across_accounts() as uow:
        uow.reports.add([WebhookCall(call, SystemClock().now()) for call in calls])

    def work() -> None:
        while apply():
            pass

    took = seconds(work)
    transactions.connections.engine.dispose()
    with made.connect() as connection:
        rows = connection.execute("SELECT DISTINCT state FROM message").fetchall()
    assert rows == [(5,)], rows
    return took


def main() -> None:
    """Measure, and print."""
    options = argparse.ArgumentParser(description="delivery reports a second")
    options.add_argument("--seconds", type=float, default=3.0)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--callers", type=int, default=32)
    options.add_argument("--recipients", type=int, default=100_000)
    chosen = options.parse_args()
    with scratch() as name, stage(Path(name)) as made:
        ids = send(made, Path(name), chosen.recipients)
        doors = door_rounds(made, Path(name), ids, chosen)
        in_arrays = [applied(made, bodies(ids, ARRAY)) for _ in range(chosen.rounds)]
        alone = [applied(made, bodies(ids, 1)) for _ in range(chosen.rounds)]
    for label, door in doors.items():
        size = ARRAY if label.startswith("arrays") else 1
        reports = statistics.median(door.rates) * size
        print(
            f"{label:32} {spread(door.rates)} calls/s   {reports:,.0f} reports/s   "
            f"p99 {statistics.median(door.waits):.1f} ms   "
            f"CPU of server and PostgreSQL {statistics.median(door.cpus):.0f} µs a call"
        )
    ours, floor = doors["single reports"], doors["single reports, one commit each"]
    ratio = statistics.median(ours.rates) / statistics.median(floor.rates)
    print(f"single reports / one commit each {ratio:.2f}")
    for label, times in {"in arrays": in_arrays, "alone": alone}.items():
        rate = len(ids) / statistics.median(times)
        print(f"applied, arrived {label:15} {spread(times)} s   {rate:,.0f} reports/s")


if __name__ == "__main__":
    main()
