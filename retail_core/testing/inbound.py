"""Texts that people send back, in memory."""

from collections.abc import Sequence
from datetime import datetime

import attrs

from retail_core.engagement.model import AppliedText, EarlierText, InboundCall, RawInbound
from retail_core.kernel.ids import InboundId
from retail_core.kernel.phones import PhoneNumber
from retail_core.testing.inbound_rows import StoredInbound
from retail_core.testing.tables import MemoryTables


@attrs.frozen
class MemoryInboundStore:
    """`InboundStore` in memory."""

    tables: MemoryTables

    def add_across_accounts(self, calls: Sequence[InboundCall]) -> None:
        for call in calls:
            inbound = InboundId(self.tables.inbound_ids.take())
            stored = StoredInbound(RawInbound(call.raw, call.arrived_at, inbound))
            self.tables.inbound_texts.insert(inbound, stored)

    def take_next_across_accounts(self) -> RawInbound | None:
        """Transactions are serial here: nothing needs a lock."""
        waiting = (row.raw for row in self.tables.inbound_texts if row.applied is None)
        return next(waiting, None)

    def earlier_across_accounts(
        self, phone: PhoneNumber, message_id: str | None, since: datetime
    ) -> Sequence[EarlierText]:
        found = [
            EarlierText(row.applied.text.message_id, row.applied.text.fingerprint)
            for row in self.tables.inbound_texts
            if row.applied is not None
            and row.applied.phone == phone
            and (
                row.raw.arrived_at >= since
                or (message_id is not None and row.applied.text.message_id == message_id)
            )
        ]
        return found[::-1]

    def countries_across_accounts(self) -> Sequence[str]:
        return sorted({account.default_country for account in self.tables.accounts})

    def mark_applied_across_accounts(
        self, inbound: InboundId, applied: AppliedText, now: datetime
    ) -> None:
        row = self.tables.inbound_texts.get(inbound)
        if row is not None:
            done = attrs.evolve(row, applied=applied, applied_at=now)
            self.tables.inbound_texts.put(inbound, done)
