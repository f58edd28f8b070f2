"""Which messages the gateway was asked about, in memory."""

from collections.abc import Sequence
from datetime import UTC, datetime

import attrs

from retail_core.kernel.ids import AccountId, CampaignId, MessageNumber, ProviderId
from retail_core.messages.model import (
    Askable,
    DueMessages,
    MessageKey,
    MessageState,
    PutOff,
    is_look_up_due,
    next_look_up,
)
from retail_core.testing.kernel.table import sees
from retail_core.testing.messages.gateway_health import GATEWAY
from retail_core.testing.messages.singles import doubts as single_doubts
from retail_core.testing.messages.turns import in_turns
from retail_core.testing.tables import (
    MemoryTables,
    StoredBatch,
    StoredLookUp,
    StoredMessage,
    StoredTurn,
)

_OPEN = frozenset({MessageState.UNKNOWN, MessageState.SENT})
_NEVER = datetime.min.replace(tzinfo=UTC)


@attrs.frozen
class MemoryLookUpStore:
    """`LookUpStore` in memory."""

    tables: MemoryTables
    bound_to: AccountId | None

    @property
    def _turn(self) -> StoredTurn:
        return self.tables.look_up_turn.get(GATEWAY) or StoredTurn()

    def begin_slice_across_accounts(
        self, now: datetime, lease_until: datetime, round_at: datetime
    ) -> int | None:
        turn = self._turn
        if turn.busy_until is not None and turn.busy_until > now:
            return None
        asked = turn.asked if turn.round_at == round_at else 0
        self.tables.look_up_turn.put(GATEWAY, StoredTurn(turn.after, lease_until, round_at, asked))
        return asked

    def end_slice_across_accounts(self, lease_until: datetime, asked: int) -> None:
        turn = self._turn
        busy_until = None if turn.busy_until == lease_until else turn.busy_until
        changed = attrs.evolve(turn, asked=turn.asked + asked, busy_until=busy_until)
        self.tables.look_up_turn.put(GATEWAY, changed)

    def due_across_accounts(
        self, now: datetime, batches_max: int, messages_max: int
    ) -> DueMessages:
        after = self._turn.after
        of_singles, singles = single_doubts.due(self.tables, now, after, messages_max // 2)
        waiting = [
            (batch.look_up_at, batch.key.campaign, batch.key.no, batch)
            for batch in self.tables.batches
            if batch.look_up_at is not None and batch.look_up_at <= now
        ]
        waiting.sort(key=lambda each: each[:3])
        of_batches, batches = in_turns(
            waiting, lambda each: each[3].key.account, after, batches_max
        )
        if served := of_batches or of_singles:
            self.tables.look_up_turn.put(GATEWAY, attrs.evolve(self._turn, after=served[-1]))
        due: list[tuple[StoredMessage, datetime]] = []
        for _, campaign, no, batch in batches:
            found = self._due_of(batch, now)
            put_off = [at for row in found if (at := self._again_at(row)) and at > now]
            found = [row for row in found if (self._again_at(row) or now) <= now]
            next_age = next_look_up(batch.settled_at or now, now)
            later = min((at for at in (next_age, *put_off) if at), default=None)
            again = now if found else later
            self.tables.batches.put((campaign, no), attrs.evolve(batch, look_up_at=again))
            due.extend((row, batch.settled_at or now) for row in found)
        due.sort(key=lambda each: (self._asked_at(each[0]), each[0].campaign, each[0].seq))
        rest = messages_max - len(singles)
        _, rows = in_turns(due, lambda each: each[0].account, AccountId(0), rest)
        return DueMessages(
            [*singles, *(self._askable(row, since) for row, since in rows)],
            has_more=bool(batches) or 0 < messages_max // 2 == len(singles),
        )

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

    def put_off_across_accounts(self, messages: Sequence[PutOff]) -> None:
        single_doubts.put_off(self.tables, self.bound_to, messages)
        for each in messages:
            if not each.message.is_single and sees(self.bound_to, each.message.account):
                key = (each.message.campaign, each.message.seq)
                known = self.tables.look_ups.get(key) or StoredLookUp(each.message, each.since)
                self.tables.look_ups.put(key, attrs.evolve(known, again_at=each.again_at))

    def _due_of(self, batch: StoredBatch, now: datetime) -> list[StoredMessage]:
        """Of the batch's messages those whose time has come, put off or not."""
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

    def _again_at(self, row: StoredMessage) -> datetime | None:
        stored = self.tables.look_ups.get((row.campaign, row.seq))
        return None if stored is None else stored.again_at

    def _asked_at(self, row: StoredMessage) -> datetime:
        return self._asked(row) or _NEVER

    def _askable(self, row: StoredMessage, since: datetime | None = None) -> Askable:
        campaign = self.tables.campaigns.get(row.campaign)
        assert campaign is not None, row
        assert campaign.first_number is not None, row
        assert row.provider_id is not None, row
        return Askable(
            MessageKey(row.campaign, row.seq, row.account),
            MessageNumber(campaign.first_number + row.seq),
            ProviderId(row.provider_id),
            row.state,
            since,
        )
