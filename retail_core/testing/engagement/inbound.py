"""Texts that people send back, in memory."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime

import attrs

from retail_core.engagement.model import AppliedText, EarlierText, InboundCall, RawInbound
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import InboundId
from retail_core.testing.contacts.subject_traces import forget_text
from retail_core.testing.engagement.inbound_rows import StoredInbound
from retail_core.testing.tables import MemoryTables


@attrs.frozen
class MemoryInboundStore:
    """`InboundStore` in memory. Transactions are serial here: nothing needs a lock."""

    tables: MemoryTables

    def add_across_accounts(self, calls: Sequence[InboundCall]) -> None:
        for call in calls:
            inbound = InboundId(self.tables.inbound_ids.take())
            self.tables.inbound_texts.insert(inbound, StoredInbound(inbound, call))

    def take_some_across_accounts(self, texts_max: int, now: datetime) -> Sequence[RawInbound]:
        late = [row for row in self._waiting() if row.waits_until(now)]
        due = [row for row in self._waiting() if not any(_is_behind(row, each) for each in late)]
        heads = sorted(due, key=lambda row: (not row.call.is_urgent, row.id))[:texts_max]
        taken: list[tuple[bool, int, InboundId]] = []
        for end in {row.call.sender_end for row in heads}:
            is_urgent = any(row.call.is_urgent for row in heads if row.call.sender_end == end)
            for place, row in enumerate(self._waiting(end)):
                if row not in due:
                    break
                taken.append((not is_urgent, place, row.id))
        chosen = {inbound for _, _, inbound in sorted(taken)[:texts_max]}
        return [_raw(row) for row in self._waiting() if row.id in chosen]

    def take_across_accounts(self, inbound: InboundId) -> RawInbound | None:
        row = self.tables.inbound_texts.get(inbound)
        return None if row is None or row.applied is not None else _raw(row)

    def put_off_across_accounts(self, texts: Collection[InboundId], until: datetime) -> None:
        for row in list(self._waiting()):
            if row.id in texts:
                later = attrs.evolve(row, not_before=until, tries=row.tries + 1)
                self.tables.inbound_texts.put(row.id, later)

    def earlier_across_accounts(
        self, numbers: Mapping[PhoneNumber, Collection[str]], since: datetime
    ) -> Mapping[PhoneNumber, Sequence[EarlierText]]:
        found: dict[PhoneNumber, list[EarlierText]] = {}
        for row in self.tables.inbound_texts:
            applied = row.applied
            if applied is None or applied.phone is None or applied.phone not in numbers:
                continue
            name, at = applied.text.message_id, row.call.arrived_at
            if at >= since or name in numbers[applied.phone]:
                earlier = EarlierText(name, applied.text.fingerprint, at)
                found.setdefault(applied.phone, []).insert(0, earlier)
        return found

    def countries_across_accounts(self) -> Sequence[str]:
        return sorted({account.default_country for account in self.tables.accounts})

    def mark_applied_across_accounts(self, applied: Sequence[AppliedText], now: datetime) -> None:
        for each in applied:
            row = self.tables.inbound_texts.get(each.id)
            if row is not None:
                done = attrs.evolve(row, applied=each, applied_at=now)
                self.tables.inbound_texts.put(each.id, done)
            for account in each.erased_by:
                forget_text(self.tables, account, each.id)

    def _waiting(self, end: int | None = None) -> Iterator[StoredInbound]:
        for row in self.tables.inbound_texts:
            if row.applied is None and end in (None, row.call.sender_end):
                yield row


def _is_behind(row: StoredInbound, late: StoredInbound) -> bool:
    return row.call.sender_end == late.call.sender_end and row.id >= late.id


def _raw(row: StoredInbound) -> RawInbound:
    return RawInbound(row.call.raw, row.call.arrived_at, row.id, row.tries)
