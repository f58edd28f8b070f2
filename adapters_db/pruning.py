"""Removing rows that nobody may or need see any more, in small steps."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import attrs
from sqlalchemy import Column, func, select, text

from adapters_db.connections import Connections
from adapters_db.retention import KINDS, Old
from adapters_db.tables.accounts import refresh_token, session
from adapters_db.tables.confirmations import confirmation
from adapters_db.tables.doubts import status_look_up
from adapters_db.tables.inbound import message_trace, number_trace
from adapters_db.tables.jobs import failed_job
from adapters_db.tables.kernel import audit_entry, idempotency_key
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
PRUNED: Final = frozenset(AGE_OF) | frozenset(KINDS)


@attrs.frozen
class SqlPruning:
    """Counts and removes old rows of all accounts. Raises `Unavailable`."""

    connections: Connections

    def count_older(self, name: str, before: datetime) -> int:
        """How many rows are older."""
        if name in KINDS:
            with self.connections.sweep(read_only=True) as connection:
                values = {"before": before}
                return int(connection.execute(text(KINDS[name].count), values).scalar_one())
        age = AGE_OF[name]
        with self.connections.sweep(read_only=True) as connection:
            count = select(func.count()).select_from(age.table).where(age < before)
            return connection.execute(count).scalar_one()

    def remove_older(self, name: str, before: datetime) -> int:
        """Remove them, a bounded number per transaction; returns how many."""
        if name in KINDS:
            return self._empty(KINDS[name], before)
        removed = 0
        while True:
            step = self._remove_some(AGE_OF[name], before)
            removed += step
            if step < ROWS_PER_TRANSACTION_MAX:
                return removed

    def _empty(self, kind: Old, before: datetime) -> int:
        """What the first statement found counts; the others clear away what belongs to it."""
        counts = [self._repeat(step, kind, before) for step in kind.steps]
        return counts[-1] if kind.counts_last else counts[0]

    def _repeat(self, statement: str, kind: Old, before: datetime) -> int:
        changed = 0
        values = {"before": before, "rows": ROWS_PER_TRANSACTION_MAX}
        while True:
            with self.connections.sweep() as connection:
                if kind.are_consents:
                    connection.execute(text("SET LOCAL retail.pruning = 'on'"))
                step = connection.execute(text(statement), values).rowcount
            changed += step
            if step == 0:
                return changed

    def _remove_some(self, age: "Column[Any]", before: datetime) -> int:
        # a table cannot be deleted from with a limit, but its rows have addresses
        statement = text(
            f"DELETE FROM {age.table.name} WHERE ctid = ANY (ARRAY("
            f"SELECT ctid FROM {age.table.name} WHERE {age.name} < :before "
            "LIMIT :rows FOR UPDATE SKIP LOCKED))"
        )
        values = {"before": before, "rows": ROWS_PER_TRANSACTION_MAX}
        with self.connections.sweep() as connection:
            return connection.execute(statement, values).rowcount
