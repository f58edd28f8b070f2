"""What people text back: the cost of a text, beside one store and many, and how long a STOP waits.

    python -m bench.inbound [--stores 20000] [--texts 1000] [--replies 10000] [--partitions 100]

* STOPs of people to whom one store sent a campaign, applied by the use case of the job: with that
  store alone and beside others, in sets and one by one, and with the partitions of messages that
  100,000 campaigns have;
* replies of people that ask for nothing, and then one STOP: seconds until it is applied, and until
  all are.
"""

import argparse
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import LiteralString

import orjson

from adapters_db.transactions import SqlTransactions
from adapters_sms.inbound import MittoInboundReader
from bench.reports import send
from bench.stage import Stage, scratch, seconds, spread, stage
from retail_core.contacts.model.number_hash import NumberHash
from retail_core.engagement.model import BUILT_IN, StopConfirmationPolicy
from retail_core.engagement.use_cases import ApplyInboundTexts, ConfirmStop, RecordInboundTexts
from retail_core.engagement.use_cases.answering import TEXTS_MAX
from retail_core.kernel.process.machine import SystemClock

FIRST_PHONE = 306900000000
CALL_TEXTS = 1_000
MILLI = 1_000

_STORES = """
INSERT INTO account (email)
SELECT 'shop' || n || '@example.com' FROM generate_series(1, %(size)s) n
"""
_PARTITIONS = """
SELECT ensure_message_partition(n * 1000) FROM generate_series(1, %(size)s) n
"""


class Texts:
    """Records texts and applies them, as API and worker do."""

    def __init__(self, transactions: SqlTransactions) -> None:
        reader, clock = MittoInboundReader(), SystemClock()
        self._record = RecordInboundTexts(transactions, reader, BUILT_IN, clock)
        self._apply = ApplyInboundTexts(
            transactions,
            reader,
            clock,
            BUILT_IN,
            NumberHash(b"a secret of the measurements only"),
            ConfirmStop(StopConfirmationPolicy()),
        )

    def record(self, people: Sequence[int], text: str) -> None:
        """Let these people text something."""
        for first in range(0, len(people), CALL_TEXTS):
            self._record(
                [
                    orjson.dumps({"from": str(FIRST_PHONE + each), "to": "Bench", "text": text})
                    for each in people[first : first + CALL_TEXTS]
                ]
            )

    def apply_all(self, texts_max: int = TEXTS_MAX) -> None:
        """Until nothing waits."""
        while self._apply(texts_max).taken:
            pass

    def apply_some(self) -> None:
        """One set."""
        self._apply()


def stop_milliseconds(made: Stage, texts: Texts, people: Sequence[int], texts_max: int) -> float:
    """The cost of a STOP, of as many as there are people; everybody comes back afterwards."""
    texts.record(people, "STOP")
    took = seconds(lambda: texts.apply_all(texts_max))
    assert out(made) == len(people)
    with made.connect() as connection:
        connection.execute("UPDATE inbound_text SET arrived_at = arrived_at - interval '1 day'")
    texts.record(people, "START")
    texts.apply_all()
    assert out(made) == 0
    with made.connect() as connection:
        connection.execute("DELETE FROM inbound_text")
        connection.execute("VACUUM ANALYZE inbound_text")
    return took / len(people) * MILLI


def out(made: Stage) -> int:
    """How many have left."""
    with made.connect() as connection:
        row = connection.execute("SELECT count(*) FROM contact WHERE NOT is_subscribed").fetchone()
    assert row is not None
    return int(str(row[0]))


def behind(made: Stage, texts: Texts, replies: int) -> tuple[float, float]:
    """Seconds until a STOP behind so many replies is applied, and until all are."""
    texts.record(range(replies), "thank you")
    texts.record([replies], "STOP")

    def until_out() -> None:
        while out(made) == 0:
            texts.apply_some()

    first = seconds(until_out)
    return first, first + seconds(texts.apply_all)


def options() -> argparse.Namespace:
    """What to measure."""
    parser = argparse.ArgumentParser(description="the cost of what people text back")
    parser.add_argument("--stores", type=int, default=20_000)
    parser.add_argument("--texts", type=int, default=1_000)
    parser.add_argument("--replies", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--partitions", type=int, default=100, help="of all messages")
    return parser.parse_args()


def changed(made: Stage, *statements: tuple[LiteralString, int]) -> None:
    """Make the tables larger."""
    with made.connect() as connection:
        for statement, size in statements:
            connection.execute(statement, {"size": size})
        connection.execute("VACUUM ANALYZE")


def main() -> None:
    """Measure, and print."""
    chosen = options()
    people = range(1, chosen.texts + 1)
    with scratch() as name, stage(Path(name)) as made:
        transactions = made.transactions()
        texts = Texts(transactions)

        def rounds(who: Sequence[int] = people, texts_max: int = TEXTS_MAX) -> list[float]:
            stop_milliseconds(made, texts, who[:TEXTS_MAX], texts_max)  # what is only done once
            return [stop_milliseconds(made, texts, who, texts_max) for _ in range(chosen.rounds)]

        send(made, Path(name), max(chosen.replies, chosen.texts) + 1)
        changed(made)
        alone = rounds()
        changed(made, (_STORES, chosen.stores))
        among, singly = rounds(), rounds(people[:TEXTS_MAX], 1)
        changed(made, (_PARTITIONS, chosen.partitions - 1))
        old = rounds()
        first, everything = behind(made, texts, chosen.replies)
        transactions.connections.engine.dispose()
    print(f"1 store, in sets        {spread(alone)} ms a STOP")
    print(f"{chosen.stores:,} stores, in sets    {spread(among)} ms a STOP")
    print(f"{chosen.stores:,} stores, one by one {spread(singly)} ms a STOP")
    print(f"the same, {chosen.partitions} partitions {spread(old)} ms a STOP")
    print(f"many stores / one {statistics.median(among) / statistics.median(alone):.2f}")
    print(f"many partitions / one {statistics.median(old) / statistics.median(among):.2f}")
    print(f"one by one / in sets {statistics.median(singly) / statistics.median(among):.2f}")
    print(f"a STOP behind {chosen.replies:,} replies is applied after {first:.2f} s")
    print(f"all are applied after {everything:.2f} s, by one worker")


if __name__ == "__main__":
    main()
