"""What daily work costs after one, ten, a hundred and a thousand partitions' worth of campaigns.

    python -m bench.growth [--partitions 1 10 100 1000] [--rounds 3] [--rows 500]

A partition's worth is a thousand ids of campaigns, two of which were sent to `--rows` people each
and are long done; each is meant for four weeks and was used four weeks after the one before. In one
run the same work is done behind ever more of them, each in a transaction of its own: what has
nothing to do with the past must take as long as at first. Then old data is cleaned up, in tables of
growing size: each row must cost as much as at first.

What is shown is the CPU of PostgreSQL and of this process, which other work on the machine changes
little.
"""

import argparse
import math
import statistics
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

import attrs
import orjson
import psutil
import psycopg

from adapters_db.connection.connections import Connections
from adapters_db.connection.reads import Reads
from adapters_db.messages.log.queries import SqlMessageQueries
from adapters_db.operations.pruning import PRUNED, SqlPruning
from adapters_db.transactions import SqlTransactions
from adapters_sms.reports import MittoReportReader
from bench.floors import LayoutFloor
from bench.processes import cpu_seconds, postmaster
from bench.stage import Stage, scratch, stage
from retail_core.contacts.model import HAND_OVER_REMEMBERED
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.errors import Unavailable
from retail_core.kernel.ids import CampaignId, ContactId, MessageNumber, ProviderId
from retail_core.kernel.pages import PageRequest
from retail_core.kernel.process.machine import SystemClock
from retail_core.messages.model import WebhookCall
from retail_core.messages.queries import MessageFilter
from retail_core.messages.use_cases import (
    ApplyReports,
    MatchParkedReports,
    ResolveByReports,
    SettleOverdueUnknown,
    UnknownPolicy,
)

WORTH: Final = 1_000
"""Ids of campaigns in a partition's worth."""

REPORTS: Final = 5_000
NEWEST: Final = 5_000_000
"""The campaign that all work is about: far above all that were sent before. Its numbers too."""

OLD: Final = datetime(2020, 1, 1, tzinfo=UTC)
MILLI: Final = 1_000
OFTEN: Final = 20
PAGE: Final = PageRequest(1, 20)
STOPPED: Final = PhoneNumber("+306900000007")

_CAMPAIGNS = """
INSERT INTO campaign (id, account_id, name, message_text, include_offer, state, started_at,
                      finished_at, created_at, updated_at, total, delivered, first_number, plan)
SELECT id, %(account)s, 'Before', 'Hi', false, 'completed', %(at)s, %(at)s, %(at)s, %(at)s,
       %(rows)s, %(rows)s, 1 + id::bigint * 1000,
       '{"text": "Hi", "store_name": "Shop", "sender": "Shop", "offer_url": "o",
         "unsubscribe_url": "u", "smart_encoding": "off"}'
FROM unnest(%(ids)s::integer[]) id
"""
_BATCHES = """
INSERT INTO send_batch (campaign_id, no, account_id, size, first_seq, last_seq, turn, state, ref,
                        submitted_at, settled_at)
SELECT id, 0, %(account)s, %(rows)s, 0, %(rows)s - 1, 0, 'settled', gen_random_uuid(), %(at)s,
       %(at)s
FROM unnest(%(ids)s::integer[]) id
"""
_MESSAGES = """
INSERT INTO message (campaign_id, seq, account_id, contact_id, phone, first_name, state, encoding,
                     parts, credits, provider_id, sent_at, delivered_at, updated_at)
SELECT id, seq, %(account)s, 1 + seq, 306900000000 + seq, 'Maria', %(state)s, 0, 1, 1,
       '5f0c' || lpad(id::text, 14, '0') || lpad(seq::text, 14, '0'), %(at)s,
       CASE WHEN %(state)s = 5 THEN %(at)s::timestamptz END, %(at)s
FROM unnest(%(ids)s::integer[]) id, generate_series(0, %(rows)s - 1) seq
"""


_HANDED_OVER = """
UPDATE message_partition p SET last_hand_over = %(at)s, made_at = %(at)s
WHERE EXISTS (SELECT FROM unnest(%(ids)s::integer[]) c WHERE c >= p.first_campaign AND c < p.below)
"""
_LONGER_AGO = """
UPDATE message_partition SET last_hand_over = last_hand_over - %(by)s, made_at = made_at - %(by)s
WHERE below <= %(newest)s
"""
_MAKE_WORTH = """
SELECT make_message_partition(%(first)s, %(first)s + 1000, %(first)s)
WHERE NOT EXISTS (SELECT FROM message_partition WHERE first_campaign = %(first)s)
"""


def _knows_partitions(connection: "psycopg.Connection[tuple[object, ...]]") -> bool:
    row = connection.execute("SELECT to_regclass('message_partition') IS NOT NULL").fetchone()
    return row == (True,)


def _worth_of(connection: "psycopg.Connection[tuple[object, ...]]") -> bytes:
    """Each worth in a partition of its own, though they would be made wider as they are used up."""
    if _knows_partitions(connection):
        return _MAKE_WORTH.encode()
    return b"SELECT ensure_message_partition(%(first)s)"


def provider_id(campaign: int, seq: int) -> ProviderId:
    """The gateway's id of a message of these measurements."""
    return ProviderId(f"5f0c{campaign:014d}{seq:014d}")


@attrs.define
class Past:
    """What was sent before, and one campaign that was just handed over."""

    made: Stage
    rows: int
    partitions: int = 0

    def send(self, ids: Sequence[int], rows: int, at: datetime, state: int) -> None:
        """Campaigns as their settled batches left them."""
        values = {
            "account": self.made.account,
            "ids": list(ids),
            "rows": rows,
            "at": at,
            "state": state,
        }
        with self.made.connect() as connection:
            for worth in sorted({each - each % WORTH for each in ids}):
                connection.execute(_worth_of(connection), {"first": worth})
            for statement in (_CAMPAIGNS, _BATCHES, _MESSAGES):
                connection.execute(statement, values)
            if _knows_partitions(connection):
                connection.execute(_HANDED_OVER, values)

    def grow_to(self, partitions: int, at: datetime, apart: timedelta = timedelta(0)) -> None:
        """So many partitions' worth in all, the newest one included; the last at a time."""
        firsts = range(self.partitions, partitions - 1)
        with self.made.connect() as connection:
            if apart and _knows_partitions(connection):
                values = {"by": apart * len(firsts), "newest": NEWEST}
                connection.execute(_LONGER_AGO, values)
        for first in firsts:
            ids = [first * WORTH + place for place in (1, WORTH // 2)]
            self.send(ids, self.rows, at - apart * (firsts[-1] - first), 5)
        self.partitions = partitions - 1
        with self.made.connect() as connection:
            connection.execute("VACUUM ANALYZE")


@attrs.frozen
class Meter:
    """The CPU that this process and the database server of this run use."""

    server: psutil.Process

    def cost(self, work: Callable[[], object], times: int = 1) -> float:
        """Seconds of CPU for each time; the clock is coarse, so short work is done often."""
        before = self._used()
        for _ in range(times):
            work()
        return (self._used() - before) / times

    def _used(self) -> float:
        return cpu_seconds(self.server) + time.process_time()


@attrs.frozen
class Work:
    """What is done again and again, about the newest campaign alone."""

    made: Stage
    transactions: SqlTransactions
    meter: Meter

    @property
    def connections(self) -> Connections:
        return self.transactions.connections

    def reports(self, count: int, size: int) -> float:
        """Apply so many reports that came in arrays of a size; each changes its message."""
        with self.made.connect() as connection:
            connection.execute(
                "UPDATE message SET state = 3, delivered_at = NULL WHERE campaign_id = %s "
                "AND state = 5",
                (NEWEST,),
            )
            connection.execute(
                "UPDATE campaign SET sent = total, delivered = 0 WHERE id = %s", (NEWEST,)
            )
        told = [_told(provider_id(NEWEST, seq)) for seq in range(count)]
        self._take_in([told[at : at + size] for at in range(0, count, size)])
        took = self.meter.cost(self._apply)
        with self.made.connect() as connection:
            row = connection.execute(
                "SELECT count(*) FROM message WHERE campaign_id = %s AND state = 5", (NEWEST,)
            ).fetchone()
        assert row == (count,), row
        return took

    def strangers(self, count: int) -> float:
        """Apply reports of nobody's messages, and look for them once more."""
        told = [_told(ProviderId(f"theirs-{seq}")) for seq in range(count)]
        self._take_in([told])
        later = _Later()
        match = MatchParkedReports(self.transactions, later)
        resolve = ResolveByReports(self.transactions, SystemClock())

        def work() -> None:
            self._apply()
            resolve()
            match()

        took = self.meter.cost(work)
        with self.made.connect() as connection:
            connection.execute("TRUNCATE report_parked")
        return took

    def _take_in(self, calls: Sequence[Sequence[dict[str, str]]]) -> None:
        with self.made.connect() as connection:
            connection.execute("TRUNCATE report_inbox")
        now = SystemClock().now()
        with self.transactions.across_accounts() as uow:
            uow.reports.add([WebhookCall(orjson.dumps(call), now) for call in calls])

    def _apply(self) -> None:
        apply = ApplyReports(self.transactions, MittoReportReader(), SystemClock())
        while apply():
            pass

    def sweeps(self) -> float:
        """Look for holds that are due, and for messages whose look-up is."""

        def work() -> None:
            SettleOverdueUnknown(self.transactions, SystemClock(), UnknownPolicy())()
            with self.transactions.across_accounts() as uow:
                uow.look_ups.due_across_accounts(SystemClock().now(), 40, 200)

        return self.meter.cost(work, OFTEN)

    def opt_out(self) -> float:
        """Find whose message a link belongs to."""
        number = MessageNumber(1 + NEWEST * WORTH + 7)

        def work() -> None:
            with self.transactions.across_accounts() as uow:
                assert uow.messages.find_across_accounts(number) is not None

        return self.meter.cost(work, OFTEN)

    def look_up(self) -> float:
        """Find twenty messages by the gateway's ids."""

        def work() -> None:
            with self.transactions.begin(self.made.account) as uow:
                ids = [provider_id(NEWEST, seq) for seq in range(20)]
                assert len(uow.look_ups.find(self.made.account, ids)) == len(ids)

        return self.meter.cost(work, OFTEN)

    def page(self) -> float:
        """A page of the messages of a campaign, the newest first."""
        queries = SqlMessageQueries(Reads(self.connections))
        wanted = MessageFilter(campaign=CampaignId(NEWEST))
        return self.meter.cost(lambda: queries.page(self.made.account, wanted, PAGE), OFTEN)

    def forget(self) -> float:
        """Take a person off all messages."""

        def work() -> None:
            with self.transactions.begin(self.made.account) as uow:
                uow.messages.forget(self.made.account, [ContactId(2_000_000_000)])

        return self.meter.cost(work, OFTEN)

    def stop(self) -> float:
        """Find the stores that wrote to a number."""
        since = SystemClock().now() - HAND_OVER_REMEMBERED

        def work() -> None:
            with self.transactions.across_accounts() as uow:
                uow.number_traces.last_hand_overs_across_accounts({STOPPED: bytes(32)}, since)

        return self.meter.cost(work, OFTEN)

    def one_report(self) -> float:
        """Apply one report at a time."""
        return sum(self.reports(1, 1) for _ in range(OFTEN)) / OFTEN

    def clean_up(self) -> float:
        """Look for old messages and reports where there are none that are old."""
        pruning = SqlPruning(self.connections)

        def work() -> None:
            for name in ("message_texts", "single_message_texts", "raw_reports", "parked_reports"):
                pruning.remove_older(name, OLD)

        return self.meter.cost(work, OFTEN)

    def send(self) -> float:
        """Enqueue and send a campaign of a thousand, without rendering and gateway."""
        return self.meter.cost(LayoutFloor(self.made))


class _Later(SystemClock):
    """A clock that is ahead, so that what is parked is due."""

    def now(self) -> datetime:
        return super().now() + timedelta(minutes=2)


def _told(told: ProviderId) -> dict[str, str]:
    return {"messageId": told, "deliveryStatus": "Delivered", "destination": "306900000001"}


def daily(made: Stage, meter: Meter, partitions: Sequence[int], rows: int, rounds: int) -> None:
    """The same work behind ever more of the past; a line for each kind."""
    past, work = Past(made, rows), Work(made, made.transactions(), meter)
    made.add_contacts(1_000)
    with made.connect() as connection:
        # what is sent from here on comes after everything
        connection.execute("SELECT setval('campaign_id_seq', %s)", (NEWEST,))
        connection.execute("SELECT setval('message_number', %s)", ((NEWEST + 10) * WORTH,))
    past.send([NEWEST], REPORTS, SystemClock().now(), 3)
    kinds: dict[str, Callable[[], float]] = {
        "apply 5,000 reports in arrays": lambda: work.reports(REPORTS, 100),
        "apply one report": work.one_report,
        "5,000 reports of strangers": lambda: work.strangers(REPORTS),
        "enqueue and send to 1,000": work.send,
        "sweeps of holds and look-ups": work.sweeps,
        "find a message by its link": work.opt_out,
        "find 20 by the gateway's ids": work.look_up,
        "a page of a campaign's messages": work.page,
        "forget a person": work.forget,
        "whom a STOP means": work.stop,
        "clean-up of nothing": work.clean_up,
    }
    found: dict[str, list[float]] = {kind: [] for kind in kinds}
    for count in partitions:
        past.grow_to(count, SystemClock().now() - timedelta(days=60), timedelta(days=28))
        for kind, timed in kinds.items():
            found[kind].append(_median(timed, rounds))
    heads = "".join(f"{count:>10,}" for count in partitions)
    print(f"{'ms of CPU, partitions of campaigns':36}{heads}   last / first")
    for kind, times in found.items():
        shown = "".join(f"{each * MILLI:>10.1f}" for each in times)
        print(f"{kind:36}{shown}   {times[-1] / times[0]:.2f}")


def _median(timed: Callable[[], float], rounds: int) -> float:
    """After one that is not counted; endless, if the database gives up."""
    try:
        timed()
        return statistics.median(timed() for _ in range(rounds))
    except Unavailable:
        return math.inf


_RAW_REPORTS = """
INSERT INTO report_inbox (raw, arrived_at, applied_at)
SELECT '{"messageId": "5f0c00000000000000000000000000000000", "deliveryStatus": "Delivered"}',
       %(at)s + no * interval '1 microsecond', %(at)s
FROM generate_series(1, %(rows)s) no
"""
_PARKED = """
INSERT INTO report_parked (provider_id, phone, state, word, parked_at)
SELECT 'theirs-' || no, 306900000000 + no, 5, 'delivered', %(at)s + no * interval '1 microsecond'
FROM generate_series(1, %(rows)s) no
"""
_LOOK_UPS = """
INSERT INTO status_look_up (campaign_id, seq, account_id, asked_at)
SELECT 1, no, %(account)s, %(at)s + no * interval '1 microsecond'
FROM generate_series(1, %(rows)s) no
"""
_TRACES = """
INSERT INTO number_trace (account_id, phone_hash, at, sender)
SELECT %(account)s, sha256(no::text::bytea), %(at)s + no * interval '1 microsecond', 'Shop'
FROM generate_series(1, %(rows)s) no
"""
_SINGLES = """
INSERT INTO single_message (number, account_id, kind, occasion, reason, phone, sender, text,
                            encoding, parts, credits, holds, state, ref, created_at, submitted_at,
                            sent_at, updated_at)
SELECT 1000000000 + no, %(account)s, 'confirmation', 'bench:' || no, 'sms:bench',
       306900000000 + no, 'Shop', 'Hi', 0, 1, 1, false, 3, gen_random_uuid(), %(at)s, %(at)s,
       %(at)s, %(at)s
FROM generate_series(1, %(rows)s) no
"""
_CONSENTS = """
INSERT INTO consent_event (account_id, contact_id, type, source, occurred_at)
SELECT %(account)s, no / 2, CASE WHEN no %% 2 = 0 THEN 'granted' ELSE 'withdrawn' END, 'manual',
       %(at)s + no * interval '1 microsecond'
FROM generate_series(2, %(rows)s + 1) no
"""
_OLD_KINDS: Final = {
    "consents": ("consent_event", _CONSENTS),
    "raw_reports": ("report_inbox", _RAW_REPORTS),
    "parked_reports": ("report_parked", _PARKED),
    "status_look_ups": ("status_look_up", _LOOK_UPS),
    "number_traces": ("number_trace", _TRACES),
    "single_message_texts": ("single_message", _SINGLES),
}


def cleaning(made: Stage, meter: Meter, sizes: Sequence[int]) -> None:
    """Old rows in tables of growing size, a line for each kind."""
    pruning = SqlPruning(made.transactions().connections)
    heads = "".join(f"{size:>12,}" for size in sizes)
    print(f"{'µs of CPU a row, old rows':36}{heads}   last / first")
    for name, (table, insert) in _OLD_KINDS.items():
        times = []
        for size in sizes:
            with made.connect() as connection:
                # facts of consent are never removed otherwise
                connection.execute("SET session_replication_role = replica")
                connection.execute(f"TRUNCATE {table} CASCADE".encode())
                values = {"account": made.account, "at": OLD, "rows": size}
                connection.execute(insert.encode(), values)
                connection.execute(f"VACUUM ANALYZE {table}".encode())
            before = OLD + timedelta(days=1)
            times.append(meter.cost(partial(pruning.remove_older, name, before)) / size)
        shown = "".join(f"{each * 1_000_000:>12.1f}" for each in times)
        print(f"{name:36}{shown}   {times[-1] / times[0]:.2f}", flush=True)


_BYTES: Final = """
SELECT sum(pg_total_relation_size(inhrelid))::bigint / (SELECT count(*) FROM message)
FROM pg_inherits WHERE inhparent = 'message'::regclass
"""


def texts(made: Stage, meter: Meter, partitions: Sequence[int], rows: int) -> None:
    """Numbers and texts of old messages in ever more partitions; then once more with none left.

    Each way by itself: row by row, and, where there is that way, by partition.
    """
    heads = "".join(f"{count:>12,}" for count in partitions)
    print(f"{'old messages, partitions worth':36}{heads}   last / first")
    pruning, past = SqlPruning(made.transactions().connections), Past(made, rows)
    before = OLD + timedelta(days=1)
    for name in ("message_texts", "message_partitions"):
        if name not in PRUNED:
            continue
        took, again, sizes = list[float](), list[float](), list[tuple[int, int]]()
        for count in partitions:
            with made.connect() as connection:
                connection.execute("TRUNCATE message")
                connection.execute("UPDATE campaign SET texts_removed_at = now()")
            first = past.partitions + 1
            past.partitions = first - 1
            past.grow_to(first + count, OLD)
            newest = (past.partitions + 1) * WORTH
            past.send([newest], 1, SystemClock().now(), 5)
            fat, size = _bytes(made), count * 2 * rows
            work = partial(pruning.remove_older, name, before)
            took.append(meter.cost(work) / size)
            sizes.append((fat, _bytes(made)))
            again.append(meter.cost(work))
        shown = "".join(f"{each * 1_000_000:>12.1f}" for each in took)
        print(f"{name + ', µs of CPU a message':36}{shown}   {took[-1] / took[0]:.2f}")
        shown = "".join(f"{each * MILLI:>12.1f}" for each in again)
        print(f"{'ms once more, nothing left':36}{shown}   {again[-1] / again[0]:.2f}")
        shown = "".join(f"{f'{fat} > {lean}':>12}" for fat, lean in sizes)
        print(f"{'bytes a message, before > after':36}{shown}", flush=True)


def _bytes(made: Stage) -> int:
    """Of rows and indexes."""
    with made.connect() as connection:
        ((size,),) = connection.execute(_BYTES.encode()).fetchall()
    assert isinstance(size, int)
    return size


def main() -> None:
    """Measure, and print."""
    options = argparse.ArgumentParser(description="what work costs behind what was sent before")
    options.add_argument("--partitions", type=int, nargs="+", default=[1, 10, 100, 1_000])
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--rows", type=int, default=100)
    options.add_argument("--old", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    options.add_argument("--only", choices=["daily", "cleaning", "texts"])
    chosen = options.parse_args()
    parts: dict[str, Callable[[Stage, Meter], None]] = {
        "daily": lambda made, meter: daily(
            made, meter, chosen.partitions, chosen.rows, chosen.rounds
        ),
        "texts": lambda made, meter: texts(made, meter, chosen.partitions[:-1], chosen.rows),
        "cleaning": lambda made, meter: cleaning(made, meter, chosen.old),
    }
    for name, part in parts.items():
        if chosen.only in (None, name):
            with scratch() as directory, stage(Path(directory)) as made:
                with made.connect() as connection:
                    connection.execute("ALTER SYSTEM SET autovacuum = off")
                    connection.execute("SELECT pg_reload_conf()")
                part(made, Meter(postmaster(Path(directory))))


if __name__ == "__main__":
    main()
