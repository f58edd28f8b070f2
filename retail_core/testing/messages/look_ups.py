"""Which messages the gateway was asked about, in memory."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

import attrs

from retail_core.kernel.ids import AccountId, CampaignId, MessageNumber, ProviderId
from retail_core.messages.model import (
    Askable,
    MessageKey,
    MessageState,
    is_look_up_due,
    next_look_up,
)
from retail_core.testing.kernel.table import sees
from retail_core.testing.messages.singles import doubts as single_doubts
from retail_core.testing.tables import MemoryTables, StoredBatch, StoredLookUp, StoredMessage

_OPEN = frozenset({MessageState.UNKNOWN, MessageState.SENT})
_NEVER = datetime.min.replace(tzinfo=UTC)


@attrs.frozen
class MemoryLookUpStore:
    """`LookUpStore` in memory."""

    tables: MemoryTables
    bound_to: AccountId | None

    def due_across_accounts(
        self, now: datetime, batches_max: int, messages_max: int
    ) -> Sequence[Askable]:
        waiting = [
            (batch.look_up_at, batch.key.campaign, batch.key.no)
            for batch in self.tables.batches
            if batch.look_up_at is not None and batch.look_up_at <= now
        ]
        singles = single_doubts.due(self.tables, now, messages_max // 2)
        due: list[StoredMessage] = []
        for _, campaign, no in sorted(waiting)[:batches_max]:
            batch = self.tables.batches.get((campaign, no))
            assert batch is not None, (campaign, no)
            found = self._due_of(batch, now)
            again = now if found else next_look_up(batch.settled_at or now, now)
            self.tables.batches.put((campaign, no), attrs.evolve(batch, look_up_at=again))
            due.extend(found)
        # stores take turns
        asked_before: Counter[AccountId] = Counter()
        turns: list[tuple[int, AccountId, StoredMessage]] = []
        for row in sorted(due, key=self._asked_at):
            turns.append((asked_before[row.account], row.account, row))
            asked_before[row.account] += 1
        turns.sort(key=lambda turn: turn[:2])
        due = [row for _, _, row in turns[: messages_max - len(singles)]]
        return [*singles, *(self._askable(row) for row in due)]

    def open_of_campaign(
        self, account: AccountId, campaign: CampaignId, messages_max: int
    ) -> Sequence[Askable]:
        found = [row for row in self._open(account) if row.campaign == campaign]
        found.sort(key=lambda row: (self._asked_at(row), row.seq))
        return [self._askable(row) for row in found[:messages_max]]

    def find(self, account: AccountId, provider_ids: Sequence[ProviderId]) -> Sequence[Askable]:
        return [
            self._askable(row)
            for row in self.tables.messages
            if row.account == account
            and sees(self.bound_to, account)
            and row.provider_id in set(provider_ids)
        ] + single_doubts.find(self.tables, self.bound_to, account, provider_ids)

    def note_asked_across_accounts(self, messages: Sequence[MessageKey], now: datetime) -> None:
        single_doubts.note_asked(self.tables, self.bound_to, messages, now)
        for message in messages:
            if not message.is_single and sees(self.bound_to, message.account):
                key = (message.campaign, message.seq)
                self.tables.look_ups.put(key, StoredLookUp(message, now))

    def _due_of(self, batch: StoredBatch, now: datetime) -> list[StoredMessage]:
        """Of the batch's messages those whose time has come."""
        assert batch.settled_at is not None, batch
        settled_at, first, last = batch.settled_at, *batch.seq_range
        return [
            row
            for row in self._open(batch.key.account)
            if row.campaign == batch.key.campaign
            and first <= row.seq <= last
            and is_look_up_due(settled_at, self._asked(row), now)
        ]

    def _open(self, account: AccountId) -> list[StoredMessage]:
        return [
            row
            for row in self.tables.messages
            if row.account == account
            and sees(self.bound_to, account)
            and row.state in _OPEN
            and row.provider_id
        ]

    def _asked(self, row: StoredMessage) -> datetime | None:
        stored = self.tables.look_ups.get((row.campaign, row.seq))
        return None if stored is None else stored.asked_at

    def _asked_at(self, row: StoredMessage) -> datetime:
        return self._asked(row) or _NEVER

    def _askable(self, row: StoredMessage) -> Askable:
        campaign = self.tables.campaigns.get(row.campaign)
        assert campaign is not None, row
        assert campaign.first_number is not None, row
        assert row.provider_id is not None, row
        return Askable(
            MessageKey(row.campaign, row.seq, row.account),
            MessageNumber(campaign.first_number + row.seq),
            ProviderId(row.provider_id),
            row.state,
        )
