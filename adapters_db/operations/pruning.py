"""Removing rows that nobody may or need see any more, in small steps."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

import attrs
from sqlalchemy import Column, Connection, func, select, text

from adapters_db.connection.connections import Connections, psycopg_connection
from adapters_db.connection.plans import BY_INDEX
from adapters_db.operations import retention
from adapters_db.operations.lean_partitions import WAITED_FOR, LeanPartitions
from adapters_db.operations.retention import KINDS, Old, Walk
from adapters_db.tables.accounts import refresh_token, session
from adapters_db.tables.engagement import confirmation, message_trace, number_trace
from adapters_db.tables.kernel import audit_entry, failed_job, idempotency_key
from adapters_db.tables.messages import status_look_up
from adapters_db.tables.notices import notice, password_reset

ROWS_PER_TRANSACTION_MAX: Final = 10_000

AGE_OF: Final[Mapping[str, Column[Any]]] = {
    "idempotency_keys": idempotency_key.c.created_at,
    "failed_jobs": failed_job.c.failed_at,
    "sessions": session.c.expires_at,
    "refresh_tokens": refresh_token.c.expires_at,
    "password_resets": password_reset.c.expires_at,
    "notices": notice.c.created_at,
    "confirmations": confirmation.c.asked_at,
    "status_look_ups": status_look_up.c.asked_at,
    "number_traces": number_trace.c.at,
    "message_traces": message_trace.c.at,
    "audit_entries": audit_entry.c.at,
}
"""What is removed row by row, and the column that tells its age; each has an index."""
MESSAGE_TEXTS: Final = "message_texts"
MESSAGE_PARTITIONS: Final = "message_partitions"
PRUNED: Final = frozenset(AGE_OF) | frozenset(KINDS) | {MESSAGE_PARTITIONS, MESSAGE_TEXTS}
EVERY_SEQ: Final = 2**31 - 1
LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)


@attrs.frozen
class SqlPruning:
    """Counts and removes old rows of all accounts. Raises `Unavailable`."""

    connections: Connections

    def count_older(self, name: str, before: datetime) -> int:
        """How many rows are older."""
        if name == MESSAGE_PARTITIONS:
            return LeanPartitions(self.connections).count(before)
        if name in KINDS or name == MESSAGE_TEXTS:
            count = retention.COUNT_MESSAGES if name == MESSAGE_TEXTS else KINDS[name].count
            values = {"before": before, "long_before": before - WAITED_FOR}
            with self.connections.sweep(read_only=True) as connection:
                return int(connection.execute(text(count), values).scalar_one())
        age = AGE_OF[name]
        with self.connections.sweep(read_only=True) as connection:
            older = select(func.count()).select_from(age.table).where(age < before)
            return int(connection.execute(older).scalar_one())

    def remove_older(self, name: str, before: datetime) -> int:
        """Remove them, a bounded number per transaction; returns how many."""
        if name == MESSAGE_PARTITIONS:
            return self._make_lean(before)
        if name == MESSAGE_TEXTS:
            return self._empty_messages(before)
        if name in KINDS:
            return self._empty(KINDS[name], before)
        return self._walk(_older_than(AGE_OF[name]), before)

    @contextmanager
    def _by_index(self) -> Iterator[Connection]:
        """A step reads what it removes, never the whole table, whatever the planner believes."""
        with self.connections.sweep() as connection:
            psycopg_connection(connection).execute(BY_INDEX)
            yield connection

    def _empty(self, kind: Old, before: datetime) -> int:
        """All steps count, or the last, if the others clear away what belongs to it."""
        counts = [
            self._walk(step, before, are_consents=kind.are_consents)
            if isinstance(step, Walk)
            else self._repeat(step, before)
            for step in kind.steps
        ]
        return counts[-1] if kind.counts_last else sum(counts)

    def _repeat(self, statement: str, before: datetime) -> int:
        changed = 0
        values = {"before": before, "rows": ROWS_PER_TRANSACTION_MAX}
        while True:
            with self.connections.sweep() as connection:
                step = connection.execute(text(statement), values).rowcount
            changed += step
            if step == 0:
                return changed

    def _walk(self, walk: Walk, before: datetime, *, are_consents: bool = False) -> int:
        """Each step goes on where the one before came to."""
        changed = 0
        after: Any = None
        while True:
            values = {"before": before, "rows": ROWS_PER_TRANSACTION_MAX, "after": after}
            with self._by_index() as connection:
                if are_consents:
                    connection.execute(text("SET LOCAL retail.pruning = 'on'"))
                step, upto = connection.execute(text(walk.sql), values).one()
            changed += int(step)
            if upto is None or (upto == after and step == 0):
                return changed
            after = upto

    def _make_lean(self, before: datetime) -> int:
        """By partition; then what else belongs to its campaigns."""
        copied = LeanPartitions(self.connections).make(before)
        for campaigns, _ in self._over(retention.LEAN_CAMPAIGNS, before):
            self._mark_emptied(campaigns)
        return copied

    def _empty_messages(self, before: datetime) -> int:
        """Campaign by campaign, each once: many small ones together, a large one in pieces."""
        over = self._over(retention.OVER_CAMPAIGNS, before)
        return sum(self._empty_campaigns(campaigns, messages) for campaigns, messages in over)

    def _over(self, statement: str, before: datetime) -> Iterator[tuple[list[int], int]]:
        """Groups of campaigns that are not emptied yet, by their end, and their messages."""
        at, last = LONG_AGO, 0
        while True:
            values = {
                "before": before,
                "long_before": before - WAITED_FOR,
                "at": at,
                "after": last,
            }
            with self._by_index() as connection:
                over = connection.execute(text(statement), values).all()
            if not over:
                return
            yield from _together((row[0], row[1]) for row in over)
            last, _, at = over[-1]

    def _empty_campaigns(self, campaigns: list[int], messages: int) -> int:
        whole = messages <= ROWS_PER_TRANSACTION_MAX
        step = EVERY_SEQ if whole else ROWS_PER_TRANSACTION_MAX
        changed = 0
        for first in range(0, max(messages, 1), step):
            piece = {"campaigns": campaigns, "first": first, "below": min(first + step, EVERY_SEQ)}
            with self._by_index() as connection:
                changed += connection.execute(text(retention.EMPTY_MESSAGES), piece).rowcount
        self._mark_emptied(campaigns)
        return changed

    def _mark_emptied(self, campaigns: list[int]) -> None:
        """With what is personal beside the messages."""
        with self._by_index() as connection:
            for statement in retention.END_CAMPAIGNS:
                connection.execute(text(statement), {"campaigns": campaigns})


def _together(campaigns: Iterable[tuple[int, int]]) -> Iterator[tuple[list[int], int]]:
    """Campaigns in groups of so many messages as one transaction changes, or a larger one alone."""
    group, messages = list[int](), 0
    for campaign, total in campaigns:
        if group and messages + total > ROWS_PER_TRANSACTION_MAX:
            yield group, messages
            group, messages = [], 0
        group.append(campaign)
        messages += total
    if group:
        yield group, messages


def _older_than(age: "Column[Any]") -> Walk:
    """Along the index of the age; a table cannot be deleted from with a limit."""
    return Walk(
        f"""
        WITH found AS MATERIALIZED (
            SELECT ctid, {age.name} AS age FROM {age.table.name}
            WHERE {age.name} < :before
              AND {age.name} >= coalesce(CAST(:after AS timestamptz), '-infinity')
            ORDER BY {age.name} LIMIT :rows FOR UPDATE SKIP LOCKED
        ), gone AS (
            DELETE FROM {age.table.name} WHERE ctid = ANY (ARRAY(SELECT ctid FROM found))
        )
        SELECT count(*), max(age) FROM found
        """
    )
