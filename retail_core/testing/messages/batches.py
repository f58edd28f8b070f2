"""Batches of frozen recipients in memory."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

import attrs

from retail_core.audiences.model import AudienceRules, AudienceSpec, CapWindow
from retail_core.campaigns.model import CampaignState
from retail_core.kernel.ids import (
    AccountId,
    CampaignId,
    ContactId,
    WorkerId,
)
from retail_core.messages.errors import LeaseLost
from retail_core.messages.model import (
    LEASE_SECONDS,
    BatchKey,
    BatchResults,
    BatchState,
    ClaimedBatch,
    Dropped,
    FrozenAudience,
    GatewayHealth,
    MergeGroup,
    Settlement,
)
from retail_core.templates.rendering import Field
from retail_core.testing.audiences.audiences import recipients
from retail_core.testing.audiences.frequency import reasons_to_drop
from retail_core.testing.kernel.table import sees
from retail_core.testing.messages.batch_settling import resolve_rows, settled_batch, write_rows
from retail_core.testing.messages.batch_waiting import (
    WAITING,
    over,
    parted,
    queued,
    recipients_of,
    state_of,
)
from retail_core.testing.messages.gateway_health import GATEWAY
from retail_core.testing.messages.recipients import frozen_recipients, grouped
from retail_core.testing.tables import MemoryTables, StoredBatch

_TO_COME = frozenset({BatchState.QUEUED, BatchState.DEFERRED})
_IN_HAND = frozenset({BatchState.CLAIMED, BatchState.SUBMITTING})
_HANDED_OVER = frozenset({BatchState.SUBMITTING, BatchState.UNKNOWN})


@attrs.frozen
class MemoryBatchStore:
    """`BatchStore` in memory."""

    tables: MemoryTables
    bound_to: AccountId | None

    def freeze(
        self,
        account: AccountId,
        campaign: CampaignId,
        spec: AudienceSpec,
        rules: AudienceRules,
        merge_fields: frozenset[Field],
        batch_messages_max: int,
        now: datetime,
    ) -> FrozenAudience:
        people = recipients(self.tables, account, spec, rules)
        turn, firsts = self._first_free_turn(account), range(0, len(people), batch_messages_max)
        for no, first in enumerate(firsts):
            some = people[first : first + batch_messages_max]
            self._put(
                StoredBatch(
                    key=BatchKey(account, campaign, no),
                    recipients=frozen_recipients(some, first, merge_fields, rules),
                    turn=turn + no,
                )
            )
        return FrozenAudience(len(people), len(firsts))

    def departed(
        self, account: AccountId, campaign: CampaignId, since: datetime
    ) -> Sequence[ContactId]:
        batches = self._of_campaign(account, campaign)
        frozen = {
            each for batch in batches if batch.recipients for each in batch.recipients.contacts
        }
        gone = {
            contact
            for (owner, contact), (_, at) in self.tables.consent_subjects.items()
            if owner == account and at > since
        }
        return sorted(frozen & gone)

    def merge_groups(
        self, account: AccountId, campaign: CampaignId, shaped: frozenset[Field]
    ) -> Iterable[MergeGroup]:
        return grouped(self._of_campaign(account, campaign))

    def rejoin(self, account: AccountId, campaign: CampaignId) -> None:
        batches = self._of_campaign(account, campaign)
        waiting = [each for each in batches if each.state in _TO_COME]
        first = self._first_free_turn(account)
        for place, batch in enumerate(sorted(waiting, key=lambda each: (each.turn, each.key.no))):
            is_deferred = batch.state is BatchState.DEFERRED
            again = queued(batch, None) if is_deferred else batch
            self._put(attrs.evolve(again, turn=first + place))

    def in_flight_groups(
        self, account: AccountId, campaign: CampaignId, shaped: frozenset[Field]
    ) -> Iterable[MergeGroup]:
        batches = self._of_campaign(account, campaign)
        return grouped([each for each in batches if each.state is BatchState.SUBMITTING])

    def close_cancelled_across_accounts(self, batches_max: int) -> int:
        waiting = [
            each
            for each in self.tables.batches
            if each.state in WAITING and state_of(self.tables, each) is BatchState.CANCELLED
        ]
        for batch in waiting[:batches_max]:
            self._put(
                attrs.evolve(batch, state=BatchState.CANCELLED, lease_until=None, not_before=None)
            )
        return len(waiting[:batches_max])

    def claim_across_accounts(
        self, worker: WorkerId, now: datetime, lease_until: datetime
    ) -> ClaimedBatch | None:
        """The due batch whose turn comes first."""
        health = self.tables.gateway_health.get(GATEWAY) or GatewayHealth()
        due = sorted(self._due(now), key=lambda each: (each.turn, -each.key.campaign, each.key.no))
        if health.is_resting(now) or not due:
            return None
        batch = due[0]
        if health.level > 0:
            self.tables.gateway_health.put(GATEWAY, health.probing(lease_until))
            batch = self._cut_in_two(batch, 1, None)
        claimed = attrs.evolve(
            batch,
            state=BatchState.CLAIMED,
            worker=worker,
            lease_until=lease_until,
            attempt=batch.attempt + 1,
            not_before=None,
            dropped={},
        )
        self._put(claimed)
        return attrs.evolve(self._claimed(claimed), strain=health.strain, is_probe=health.level > 0)

    def commit_intent(
        self,
        batch: ClaimedBatch,
        ref: UUID,
        lease_until: datetime,
        today: date,
        cap: CapWindow | None = None,
    ) -> Mapping[int, Dropped]:
        """Raises `LeaseLost`."""
        stored = self._owned(batch, frozenset({BatchState.CLAIMED}))
        campaign = self.tables.campaigns.get(batch.key.campaign)
        if stored is None or campaign is None or campaign.state is not CampaignState.SENDING:
            raise LeaseLost
        dropped = reasons_to_drop(self.tables, stored, today, cap)
        state = BatchState.SUBMITTING
        marked = attrs.evolve(stored, state=state, ref=ref, lease_until=lease_until)
        # the database asks its own clock; here it is that of the lease
        submitted_at = lease_until - timedelta(seconds=LEASE_SECONDS)
        self._put(attrs.evolve(marked, dropped=dropped, submitted_at=submitted_at))
        return dropped

    def leave_out(self, batch: ClaimedBatch, dropped: Mapping[int, Dropped]) -> None:
        stored = self._owned(batch, frozenset({BatchState.SUBMITTING}))
        if stored is not None:
            self._put(attrs.evolve(stored, dropped=dropped))

    def settle(
        self, batch: ClaimedBatch, ref: UUID, results: BatchResults, now: datetime
    ) -> Settlement | None:
        stored = self._seen(self.tables.batches.get((batch.key.campaign, batch.key.no)))
        if stored is None or stored.ref != ref or stored.state not in _HANDED_OVER:
            return None
        if stored.state is BatchState.SUBMITTING:
            settlement = write_rows(self.tables, stored, results, now)
        else:
            settlement = resolve_rows(self.tables, stored, results, now)
        self._put(settled_batch(stored, results, now))
        return settlement

    def put_back(
        self, batch: ClaimedBatch, not_before: datetime | None, *, failed_try: bool
    ) -> bool:
        stored = self._owned(batch, _IN_HAND)
        if stored is None:
            return False
        self._put(attrs.evolve(queued(stored, not_before), tries=stored.tries + failed_try))
        return True

    def defer(self, batch: ClaimedBatch, waits: Mapping[datetime, Sequence[int]]) -> bool:
        stored = self._owned(batch, frozenset({BatchState.CLAIMED}))
        if stored is None:
            return False
        first, *rest = parted(stored, waits)
        self._put(first)
        siblings = self._of_campaign(stored.key.account, stored.key.campaign)
        for no, part in enumerate(rest, start=1 + max(each.key.no for each in siblings)):
            self._put(attrs.evolve(part, key=attrs.evolve(stored.key, no=no), attempt=0))
        return True

    def wake_across_accounts(self, now: datetime, batches_max: int) -> int:
        woken = over(self.tables.batches, now, batches_max)
        turns = {batch.key.account: self._first_free_turn(batch.key.account) for batch in woken}
        for batch in woken:
            self._put(attrs.evolve(queued(batch, None), turn=turns[batch.key.account]))
            turns[batch.key.account] += 1
        return len(woken)

    def split(self, batch: ClaimedBatch, not_before: datetime) -> bool:
        stored = self._owned(batch, _IN_HAND)
        if stored is None or len(recipients_of(stored)) < 2:  # noqa: PLR2004 - two halves
            return False
        self._cut_in_two(stored, len(recipients_of(stored)) // 2, not_before)
        return True

    def _cut_in_two(
        self, stored: StoredBatch, kept: int, not_before: datetime | None
    ) -> StoredBatch:
        """Queue the first `kept` recipients in their batch, and any others in a new one."""
        everybody, again = recipients_of(stored), queued(stored, not_before)
        siblings = self._of_campaign(stored.key.account, stored.key.campaign)
        no = 1 + max(each.key.no for each in siblings)
        first = attrs.evolve(again, recipients=everybody.cut(slice(kept)))
        self._put(first)
        if rest := everybody.cut(slice(kept, None)):
            key = attrs.evolve(stored.key, no=no)
            self._put(attrs.evolve(again, key=key, recipients=rest, attempt=0))
        return first

    def stale_across_accounts(self, now: datetime, batches_max: int) -> Sequence[ClaimedBatch]:
        stale = self._leases_over(now, BatchState.SUBMITTING)
        return [self._claimed(batch) for batch in stale[:batches_max]]

    def free_stale_claims_across_accounts(self, now: datetime) -> int:
        stale = self._leases_over(now, BatchState.CLAIMED)
        for batch in stale:
            self._put(queued(batch, None))
        return len(stale)

    def due_across_accounts(self, now: datetime) -> bool:
        health = self.tables.gateway_health.get(GATEWAY) or GatewayHealth()
        return bool(self._due(now)) and not health.is_resting(now)

    def _due(self, now: datetime) -> list[StoredBatch]:
        return [
            batch
            for batch in self.tables.batches
            if batch.state is BatchState.QUEUED
            and (batch.not_before is None or batch.not_before <= now)
            and self._is_sending(batch)
        ]

    def _leases_over(self, now: datetime, state: BatchState) -> list[StoredBatch]:
        found = [
            (batch.lease_until, batch.key.campaign, batch.key.no, batch)
            for batch in self.tables.batches
            if batch.state is state and batch.lease_until is not None and batch.lease_until < now
        ]
        return [batch for *_, batch in sorted(found, key=lambda each: each[:3])]

    def _first_free_turn(self, account: AccountId) -> int:
        """The round after the one being served, and after all of the store's own being sent."""
        waiting = [each for each in self.tables.batches if each.state is BatchState.QUEUED]
        sending = [each for each in waiting if self._is_sending(each)]
        own = [each.turn for each in sending if each.key.account == account]
        return 1 + max([0, *own, *sorted(each.turn for each in sending)[:1]])

    def _is_sending(self, batch: StoredBatch) -> bool:
        campaign = self.tables.campaigns.get(batch.key.campaign)
        return campaign is not None and campaign.state is CampaignState.SENDING

    def _claimed(self, batch: StoredBatch) -> ClaimedBatch:
        campaign = self.tables.campaigns.get(batch.key.campaign)
        assert campaign is not None, batch
        assert campaign.plan is not None, "only started campaigns have batches that are due"
        assert campaign.first_number is not None, "... and numbers"
        assert batch.worker is not None, batch
        assert batch.lease_until is not None, batch
        store = self.tables.accounts.get(batch.key.account)
        assert store is not None, batch
        return ClaimedBatch(
            key=batch.key,
            worker=batch.worker,
            attempt=batch.attempt,
            tries=batch.tries,
            lease_until=batch.lease_until,
            first_number=campaign.first_number,
            plan=campaign.plan,
            recipients=recipients_of(batch),
            ref=batch.ref,
            dropped=batch.dropped,
            forgotten=batch.forgotten,
            quiet_hours=store.quiet_hours,
            timezone=store.timezone,
        )

    def _owned(self, batch: ClaimedBatch, states: frozenset[BatchState]) -> StoredBatch | None:
        """The batch as it is, if this worker and attempt still own it."""
        stored = self._seen(self.tables.batches.get((batch.key.campaign, batch.key.no)))
        if stored is None or stored.state not in states:
            return None
        is_ours = (stored.worker, stored.attempt) == (batch.worker, batch.attempt)
        return stored if is_ours else None

    def _seen(self, stored: StoredBatch | None) -> StoredBatch | None:
        return stored if stored and sees(self.bound_to, stored.key.account) else None

    def _of_campaign(self, account: AccountId, campaign: CampaignId) -> list[StoredBatch]:
        return [
            batch
            for batch in self.tables.batches
            if self._seen(batch) and (batch.key.account, batch.key.campaign) == (account, campaign)
        ]

    def _put(self, batch: StoredBatch) -> None:
        self.tables.batches.put((batch.key.campaign, batch.key.no), batch)
