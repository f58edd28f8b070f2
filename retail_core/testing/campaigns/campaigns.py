"""Campaigns in memory."""

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import Any

import attrs

from retail_core.campaigns.errors import CampaignNotFound
from retail_core.campaigns.model import (
    Campaign,
    CampaignContent,
    CampaignCounts,
    CampaignCredits,
    CampaignStart,
    CampaignState,
)
from retail_core.campaigns.queries import CampaignFilter, CampaignOrder, CampaignOutcome
from retail_core.contacts.model import ConsentType
from retail_core.kernel.ids import AccountId, CampaignId
from retail_core.kernel.pages import Page, PageRequest
from retail_core.messages.model import (
    FAILURE_RATE_REASON,
    BatchState,
    CampaignTurn,
    ProgressChange,
    fails_too_often,
)
from retail_core.testing.database import MemoryDatabase
from retail_core.testing.kernel.table import sees
from retail_core.testing.messages.batch_waiting import state_of
from retail_core.testing.tables import MemoryTables

_EVER = datetime.max.replace(tzinfo=UTC)


@attrs.frozen
class MemoryCampaignStore:
    """`CampaignStore` in memory."""

    tables: MemoryTables
    bound_to: AccountId | None

    def add(
        self, account: AccountId, content: CampaignContent, total: int, now: datetime
    ) -> Campaign:
        campaign_id = CampaignId(self.tables.campaign_ids.take())
        campaign = Campaign(campaign_id, account, content, CampaignState.DRAFT, total, now, now)
        self.tables.campaigns.insert(campaign_id, campaign)
        return campaign

    def get(self, account: AccountId, campaign_id: CampaignId) -> Campaign:
        """Raises `CampaignNotFound`."""
        campaign = self.tables.campaigns.get(campaign_id)
        if campaign is None or campaign.account_id != account or not sees(self.bound_to, account):
            raise CampaignNotFound
        return campaign

    def are_known(self, account: AccountId, campaigns: Collection[CampaignId]) -> bool:
        return are_known(self.tables, account, campaigns)

    def lock(self, account: AccountId, campaign_id: CampaignId, *, wait: bool = False) -> Campaign:
        """Transactions are serial here: nobody else can be starting it."""
        return self.get(account, campaign_id)

    def rewrite(
        self,
        account: AccountId,
        campaign_id: CampaignId,
        content: CampaignContent,
        total: int,
        now: datetime,
    ) -> Campaign:
        return self._change(account, campaign_id, content=content, total=total, updated_at=now)

    def planned_since(self, account: AccountId, since: datetime) -> int:
        return sum(
            campaign.total
            for campaign in self.tables.campaigns
            if campaign.account_id == account
            and sees(self.bound_to, account)
            and campaign.started_at is not None
            and campaign.started_at > since
        )

    def start(self, account: AccountId, campaign_id: CampaignId, start: CampaignStart) -> None:
        self._change(
            account,
            campaign_id,
            state=CampaignState.SENDING,
            status_reason=None,
            plan=start.plan,
            first_number=start.first_number,
            total=start.recipients,
            counts=CampaignCounts(queued=start.recipients),
            credits=CampaignCredits(held=start.credits),
            started_at=start.at,
            updated_at=start.at,
        )

    def resume(self, account: AccountId, campaign_id: CampaignId, now: datetime) -> None:
        counts = self.get(account, campaign_id).counts
        self._change(
            account,
            campaign_id,
            state=CampaignState.SENDING,
            status_reason=None,
            settled_at_resume=counts.settled,
            failed_at_resume=counts.failed,
            updated_at=now,
        )

    def pause(
        self, account: AccountId, campaign_id: CampaignId, reason: str, now: datetime
    ) -> Campaign:
        state = CampaignState.PAUSED
        return self._change(account, campaign_id, state=state, status_reason=reason, updated_at=now)

    def cancel(
        self,
        account: AccountId,
        campaign_id: CampaignId,
        recipients: int,
        credits: int,
        now: datetime,
    ) -> Campaign:
        change = ProgressChange(queued=-recipients, cancelled=recipients, released=credits)
        counted = self.get(account, campaign_id)
        if recipients:
            counted = with_progress(counted, change, now)
        return self._change(
            account,
            campaign_id,
            state=CampaignState.CANCELLED,
            status_reason="by_user",
            counts=counted.counts,
            credits=counted.credits,
            finished_at=now,
            updated_at=now,
        )

    def fail(self, account: AccountId, campaign_id: CampaignId, reason: str, now: datetime) -> None:
        self._change(
            account,
            campaign_id,
            state=CampaignState.FAILED,
            status_reason=reason,
            total=0,
            finished_at=now,
            updated_at=now,
        )

    def _change(self, account: AccountId, campaign_id: CampaignId, **changes: Any) -> Campaign:  # noqa: ANN401 - fields of a campaign
        campaign = attrs.evolve(self.get(account, campaign_id), **changes)
        self.tables.campaigns.put(campaign_id, campaign)
        return campaign


def are_known(tables: MemoryTables, account: AccountId, campaigns: Collection[CampaignId]) -> bool:
    """Whether the account has all these campaigns."""
    rows = (tables.campaigns.get(each) for each in campaigns)
    return all(row is not None and row.account_id == account for row in rows)


@attrs.frozen
class MemoryCampaignProgress:
    """`CampaignProgress` in memory."""

    tables: MemoryTables
    bound_to: AccountId | None

    def record(
        self, account: AccountId, campaign_id: CampaignId, change: ProgressChange, now: datetime
    ) -> CampaignTurn | None:
        campaign = self._own(account, campaign_id)
        if campaign is None:
            return None
        turn = None
        changed = with_progress(campaign, change, now)
        running = campaign.state in {CampaignState.SENDING, CampaignState.PAUSED}
        settled = changed.counts.settled - campaign.settled_at_resume
        failed = changed.counts.failed - campaign.failed_at_resume
        if running and changed.counts.queued == 0:
            changed = attrs.evolve(
                changed, state=CampaignState.COMPLETED, status_reason=None, finished_at=now
            )
            turn = CampaignTurn.COMPLETED
        elif campaign.state is CampaignState.SENDING and fails_too_often(settled, failed):
            changed = attrs.evolve(
                changed, state=CampaignState.PAUSED, status_reason=FAILURE_RATE_REASON
            )
            turn = CampaignTurn.PAUSED
        self.tables.campaigns.put(campaign_id, changed)
        return turn

    def lock_unless_cancelled(self, account: AccountId, campaign_id: CampaignId) -> bool:
        campaign = self._own(account, campaign_id)
        return campaign is not None and campaign.state is not CampaignState.CANCELLED

    def pause_by_gateway(
        self, account: AccountId, campaign_id: CampaignId, reason: str, now: datetime
    ) -> bool:
        campaign = self._own(account, campaign_id)
        if campaign is None or campaign.state is not CampaignState.SENDING:
            return False
        paused = attrs.evolve(
            campaign, state=CampaignState.PAUSED, status_reason=reason, updated_at=now
        )
        self.tables.campaigns.put(campaign_id, paused)
        return True

    def _own(self, account: AccountId, campaign_id: CampaignId) -> Campaign | None:
        campaign = self.tables.campaigns.get(campaign_id)
        if campaign is None or campaign.account_id != account or not sees(self.bound_to, account):
            return None
        return campaign


def with_progress(campaign: Campaign, change: ProgressChange, now: datetime) -> Campaign:
    """The campaign with `change` added to its counters, none of which may fall below zero."""
    counts = {
        field.name: getattr(campaign.counts, field.name) + getattr(change, field.name)
        for field in attrs.fields(CampaignCounts)
    }
    credits = {
        "held": campaign.credits.held - change.captured - change.released,
        "captured": campaign.credits.captured + change.captured,
        "released": campaign.credits.released + change.released,
    }
    assert min(*counts.values(), *credits.values()) >= 0, (campaign, change)
    assert sum(counts.values()) == campaign.total, (campaign, change)
    return attrs.evolve(
        campaign,
        counts=CampaignCounts(**counts),
        credits=CampaignCredits(**credits),
        updated_at=now,
    )


@attrs.frozen
class MemoryCampaignQueries:
    """`CampaignQueries` in memory."""

    database: MemoryDatabase

    def by_ids(self, account: AccountId, campaigns: Sequence[CampaignId]) -> Sequence[Campaign]:
        with self.database.transaction() as tables:
            return [
                row for row in tables.campaigns if row.account_id == account and row.id in campaigns
            ]

    def deferred_until(self, account: AccountId, campaign_id: CampaignId) -> datetime | None:
        with self.database.transaction() as tables:
            moments = [
                batch.not_before
                for batch in tables.batches
                if (batch.key.account, batch.key.campaign) == (account, campaign_id)
                and state_of(tables, batch) is BatchState.DEFERRED
                and batch.not_before is not None
            ]
        return min(moments, default=None)

    def get(self, account: AccountId, campaign_id: CampaignId) -> Campaign:
        """Raises `CampaignNotFound`."""
        with self.database.transaction() as tables:
            return MemoryCampaignStore(tables, account).get(account, campaign_id)

    def outcome(self, account: AccountId, campaign_id: CampaignId) -> CampaignOutcome:
        with self.database.transaction() as tables:
            moments = [
                batch.settled_at
                for batch in tables.batches
                if (batch.key.account, batch.key.campaign) == (account, campaign_id)
                and batch.state in (BatchState.SETTLED, BatchState.UNKNOWN)
                and batch.settled_at is not None
            ]
            left = {
                stored.event.contact
                for stored in tables.consents
                if (stored.account, stored.event.campaign) == (account, campaign_id)
                and stored.event.type is ConsentType.WITHDRAWN
            }
        return CampaignOutcome(min(moments, default=None), len(left))

    def page(
        self, account: AccountId, wanted: CampaignFilter, request: PageRequest
    ) -> Page[Campaign]:
        with self.database.transaction() as tables:
            found = [row for row in tables.campaigns if row.account_id == account]
        found = [row for row in found if _fits(row, wanted)]
        key = _ORDERS[wanted.order]
        found.sort(key=lambda row: (key(row) or _EVER, row.id), reverse=wanted.descending)
        found.sort(key=lambda row: key(row) is None)  # what never happened comes last either way
        items = tuple(found[request.offset : request.offset + request.page_size])
        return Page(items, len(found), request.page, request.page_size)


_ORDERS: dict[CampaignOrder, Callable[[Campaign], Any]] = {
    CampaignOrder.CREATED_AT: lambda row: row.created_at,
    CampaignOrder.SCHEDULED_AT: lambda row: row.scheduled_at,
    CampaignOrder.STARTED_AT: lambda row: row.started_at,
    CampaignOrder.FINISHED_AT: lambda row: row.finished_at,
    CampaignOrder.NAME: lambda row: row.content.name,
    CampaignOrder.STATUS: lambda row: row.state.value,
}


def _fits(row: Campaign, wanted: CampaignFilter) -> bool:
    return (
        wanted.name.lower() in row.content.name.lower()
        and wanted.state in (None, row.state)
        and (wanted.created_from is None or row.created_at >= wanted.created_from)
        and (wanted.created_before is None or row.created_at < wanted.created_before)
    )
