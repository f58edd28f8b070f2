"""Taking what is personal off old messages by partition: copied without it, and exchanged.

To empty the rows would write each of them anew, beside the one that is there. The steps are
functions of the database (migration 0043), since they belong to the owner of the tables.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

import attrs
from sqlalchemy import Connection, text

from adapters_db.connection.connections import Connections, psycopg_connection
from adapters_db.connection.plans import BY_INDEX
from retail_core.kernel.errors import Unavailable

ROWS_PER_STEP_MAX: Final = 10_000
FOLLOWED_BEFORE_SWAP: Final = 100
"""With so few changes left nobody waits for long while the copy takes their place."""

SWAPS_MAX: Final = 20
BETWEEN_SWAPS_SECONDS: Final = 0.5
WAITED_FOR: Final = timedelta(days=31)
"""So much longer a campaign keeps its numbers at most, if its whole partition is old by then."""

# No campaign gets an id in it any more. Drafts are left out: if one is started after all, its
# messages are copied with all that they have.
_OVER: Final = """
    p.lean_at IS NULL AND p.below <= (SELECT max(id) FROM campaign)
    AND NOT EXISTS (
        SELECT FROM campaign c
        WHERE c.id >= p.first_campaign AND c.id < p.below AND c.started_at IS NOT NULL
          AND (c.state NOT IN ('completed', 'failed', 'cancelled')
               OR c.finished_at IS NULL OR c.finished_at >= {before}))
"""
# What was begun is finished, whatever is started in it meanwhile.
_DUE: Final = f"""
SELECT p.first_campaign FROM message_partition p
WHERE (p.lean_before IS NOT NULL AND p.lean_at IS NULL) OR ({_OVER.format(before=":before")})
ORDER BY p.first_campaign
"""
_COUNT: Final = f"""
SELECT count(*) FROM message_partition p
     JOIN message m ON m.campaign_id >= p.first_campaign AND m.campaign_id < p.below
WHERE {_OVER.format(before=":before")}
"""
_NOTE_WAITING: Final = f"""
UPDATE message_partition q SET waits = w.waits
FROM (SELECT p.first_campaign, {_OVER.format(before=":soon")} AS waits
      FROM message_partition p WHERE p.lean_at IS NULL) w
WHERE q.first_campaign = w.first_campaign AND q.waits <> w.waits
"""
_BEGIN: Final = "SELECT begin_lean_copy(:first, :before)"
_COPY: Final = "SELECT copy_lean(:first, :rows)"
_FOLLOW: Final = "SELECT follow_lean(:first, :rows)"
_SWAP: Final = "SELECT swap_lean(:first)"


@attrs.frozen
class LeanPartitions:
    """Partitions of which all campaigns are old. Raises `Unavailable`."""

    connections: Connections

    def count(self, before: datetime) -> int:
        """How many messages are in partitions of which all campaigns ended before."""
        with self.connections.sweep(read_only=True) as connection:
            return int(connection.execute(text(_COUNT), {"before": before}).scalar_one())

    def make(self, before: datetime) -> int:
        """Copy and exchange them, one after the other; returns how many messages were copied."""
        with self._step() as connection:
            connection.execute(text(_NOTE_WAITING), {"soon": before + WAITED_FOR})
        with self._step() as connection:
            due = connection.execute(text(_DUE), {"before": before}).scalars().all()
        return sum(self._make(first, before) for first in due)

    def _make(self, first: int, before: datetime) -> int:
        """Goes on where whoever began it came to. Of two who do it at once one does each step."""
        with self._step() as connection:
            values = {"first": first, "before": before}
            if not connection.execute(text(_BEGIN), values).scalar_one():
                return 0
        copied = 0
        for _ in range(SWAPS_MAX):
            copied += self._repeat(_COPY, first, 1)
            self._repeat(_FOLLOW, first, FOLLOWED_BEFORE_SWAP)
            if self._swap(first):
                break
            time.sleep(BETWEEN_SWAPS_SECONDS)
        return copied

    def _repeat(self, statement: str, first: int, enough: int) -> int:
        """Until a step finds fewer, or nothing because somebody else does it."""
        done = 0
        while True:
            values = {"first": first, "rows": ROWS_PER_STEP_MAX}
            with self._step() as connection:
                step = connection.execute(text(statement), values).scalar_one() or 0
            done += step
            if step < enough:
                return done

    def _swap(self, first: int) -> bool:
        """Whether there is nothing left to do: it was done, by us or by somebody else."""
        try:
            with self._step() as connection:
                swapped = connection.execute(text(_SWAP), {"first": first}).scalar_one()
        except Unavailable:
            return False
        return swapped is not False

    @contextmanager
    def _step(self) -> Iterator[Connection]:
        with self.connections.sweep() as connection:
            psycopg_connection(connection).execute(BY_INDEX)
            yield connection
