"""Inbound texts on PostgreSQL: as they came, and what became of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import attrs
import psycopg
from sqlalchemy import Connection, insert, or_, select, update

from adapters_db.connections import psycopg_connection
from adapters_db.tables.inbound import inbound_scope, inbound_text
from retail_core.engagement.model import AppliedText, EarlierText, InboundCall, RawInbound
from retail_core.kernel.ids import InboundId
from retail_core.kernel.phones import PhoneNumber

EARLIER_TEXTS_MAX: Final = 100

_IN_TURN: Final = "SELECT pg_advisory_xact_lock(hashtext('apply_inbound_texts'), 0)"
_NEXT: Final = """
SELECT raw, arrived_at, id FROM inbound_text
WHERE applied_at IS NULL ORDER BY id LIMIT 1 FOR UPDATE
"""

_COUNTRIES: Final = """
WITH RECURSIVE known (country) AS (
    (SELECT default_country FROM account ORDER BY default_country LIMIT 1)
    UNION ALL
    SELECT next.country FROM known CROSS JOIN LATERAL (
        SELECT a.default_country AS country FROM account a
        WHERE a.default_country > known.country ORDER BY a.default_country LIMIT 1) next
)
SELECT country FROM known ORDER BY country
"""


@attrs.frozen
class SqlInboundStore:
    """`InboundStore` on PostgreSQL."""

    connection: Connection

    @property
    def _driver(self) -> "psycopg.Connection[tuple[Any, ...]]":
        return psycopg_connection(self.connection)

    def add_across_accounts(self, calls: Sequence[InboundCall]) -> None:
        """One row a text."""
        rows = [{"raw": call.raw, "arrived_at": call.arrived_at} for call in calls]
        if rows:
            self.connection.execute(insert(inbound_text), rows)

    def take_next_across_accounts(self) -> RawInbound | None:
        """A lock first, and then a statement that sees what was committed before it was given."""
        self._driver.execute(_IN_TURN)
        row = self._driver.execute(_NEXT, binary=True).fetchone()
        return None if row is None else RawInbound(bytes(row[0]), row[1], InboundId(row[2]))

    def earlier_across_accounts(
        self, phone: PhoneNumber, message_id: str | None, since: datetime
    ) -> Sequence[EarlierText]:
        """By the number; as many as can matter."""
        columns = inbound_text.c
        of_late = columns.arrived_at >= since
        rows = self.connection.execute(
            select(columns.message_id, columns.fingerprint)
            .where(
                columns.phone == phone,
                columns.applied_at.is_not(None),
                of_late if message_id is None else or_(of_late, columns.message_id == message_id),
            )
            .order_by(columns.id.desc())
            .limit(EARLIER_TEXTS_MAX)
        )
        return [EarlierText(row.message_id, bytes(row.fingerprint)) for row in rows]

    def countries_across_accounts(self) -> Sequence[str]:
        """From one country to the next in their index: a look for each country, not each store."""
        return [row[0] for row in self._driver.execute(_COUNTRIES).fetchall()]

    def mark_applied_across_accounts(
        self, inbound: InboundId, applied: AppliedText, now: datetime
    ) -> None:
        """What it said beside the bytes, so that a person's texts are found again."""
        known = applied.phone is not None
        self.connection.execute(
            update(inbound_text)
            .where(inbound_text.c.id == inbound)
            .values(
                applied_at=now,
                phone=applied.phone,
                text=applied.text.text,
                message_id=applied.text.message_id,
                fingerprint=applied.text.fingerprint if known else None,
                keyword=applied.keyword,
                is_repeat=applied.is_repeat,
            )
        )
        scope = [{"account_id": each, "inbound_id": inbound} for each in sorted(applied.scope)]
        if scope:
            self.connection.execute(insert(inbound_scope), scope)
