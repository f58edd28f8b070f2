"""Campaigns on PostgreSQL."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import attrs
from sqlalchemy import Connection, Row, Select, Update, func, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.sql.dml import ReturningInsert, ReturningUpdate

from adapters_db.audiences.sql import are_all_known
from adapters_db.connection.reads import Reads
from adapters_db.tables.campaigns import campaign, send_batch
from adapters_db.tables.contacts import consent_event
from retail_core.audiences.model import AudienceSpec
from retail_core.campaigns.errors import AlreadySending, CampaignNotFound
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
from retail_core.messages.model import BatchState

_LOCK_NOT_AVAILABLE = "55P03"

_COLUMNS = tuple(campaign.c)


def _campaign(row: "Row[tuple[object, ...]]") -> Campaign:
    values = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for rows by column
    audience = AudienceSpec(
        values["system_list"],
        values["filter_gender"],
        values["filter_age_group"],
        values["list_id"],
        tuple(values["exclude_list_ids"]),
        values["segment"],
        values["list_is_gone"],
    )
    content = CampaignContent(
        values["name"], values["message_text"], audience, values["include_offer"]
    )
    counts = CampaignCounts(*(values[field.name] for field in attrs.fields(CampaignCounts)))
    credits = CampaignCredits(
        *(values[f"credits_{field.name}"] for field in attrs.fields(CampaignCredits))
    )
    plain = {
        name: values[name]
        for name in (field.name for field in attrs.fields(Campaign))
        if name not in {"content", "counts", "credits"}
    }
    return Campaign(content=content, counts=counts, credits=credits, **plain)


def _written(content: CampaignContent) -> Mapping[str, object]:
    return {
        "name": content.name,
        "message_text": content.message_text,
        "system_list": content.audience.system_list,
        "filter_gender": content.audience.gender,
        "filter_age_group": content.audience.age_group,
        "list_id": content.audience.own_list,
        "list_is_gone": content.audience.list_is_gone,
        "exclude_list_ids": list(content.audience.exclude_lists),
        "segment": content.audience.segment,
        "named_list_ids": sorted(content.audience.lists),
        "include_offer": content.include_offer,
    }


@attrs.frozen
class SqlCampaignStore:
    """`CampaignStore`, and the counters and narrow ports that other rooms ask for."""

    connection: Connection

    def add(
        self, account: AccountId, content: CampaignContent, total: int, now: datetime
    ) -> Campaign:
        """A new draft."""
        insert = campaign.insert().values(
            account_id=account, total=total, created_at=now, updated_at=now, **_written(content)
        )
        added = self._one(insert.returning(*_COLUMNS))
        self.connection.execute(select(func.ensure_message_partition(added.id)))
        return added

    def get(self, account: AccountId, campaign_id: CampaignId) -> Campaign:
        """Raises `CampaignNotFound`."""
        return self._one(by_id(account, campaign_id))

    def are_known(self, account: AccountId, campaigns: Collection[CampaignId]) -> bool:
        """No statement where none is asked for."""
        return are_all_known(self.connection, account, campaigns)

    def lock(self, account: AccountId, campaign_id: CampaignId, *, wait: bool = False) -> Campaign:
        """Lock the row, or learn that somebody else does."""
        try:
            return self._one(by_id(account, campaign_id).with_for_update(nowait=not wait))
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) == _LOCK_NOT_AVAILABLE:
                raise AlreadySending from error
            raise

    def rewrite(
        self,
        account: AccountId,
        campaign_id: CampaignId,
        content: CampaignContent,
        total: int,
        now: datetime,
    ) -> Campaign:
        """Replace the content."""
        return self._one(
            change_of(account, campaign_id)
            .values(total=total, updated_at=now, **_written(content))
            .returning(*_COLUMNS)
        )

    def planned_since(self, account: AccountId, since: datetime) -> int:
        """By the index of what was started when."""
        planned = select(func.coalesce(func.sum(campaign.c.total), 0)).where(
            campaign.c.account_id == account, campaign.c.started_at > since
        )
        return int(self.connection.execute(planned).scalar_one())

    def start(self, account: AccountId, campaign_id: CampaignId, start: CampaignStart) -> None:
        """Everybody is queued, the credits are held, and the rows will have a partition."""
        self.connection.execute(select(func.ensure_message_partition(campaign_id)))
        self.connection.execute(
            change_of(account, campaign_id).values(
                state=CampaignState.SENDING,
                status_reason=None,
                plan=start.plan,
                first_number=start.first_number,
                total=start.recipients,
                queued=start.recipients,
                credits_held=start.credits,
                started_at=start.at,
                updated_at=start.at,
            )
        )

    def resume(self, account: AccountId, campaign_id: CampaignId, now: datetime) -> None:
        """Sending again; failures are counted from here."""
        columns = campaign.c
        self.connection.execute(
            change_of(account, campaign_id).values(
                state=CampaignState.SENDING,
                status_reason=None,
                settled_at_resume=columns.sent + columns.delivered + columns.failed,
                failed_at_resume=columns.failed,
                updated_at=now,
            )
        )

    def pause(
        self, account: AccountId, campaign_id: CampaignId, reason: str, now: datetime
    ) -> Campaign:
        """Nothing more goes out; what is held stays held."""
        return self._one(
            change_of(account, campaign_id)
            .values(state=CampaignState.PAUSED, status_reason=reason, updated_at=now)
            .returning(*_COLUMNS)
        )

    def cancel(
        self,
        account: AccountId,
        campaign_id: CampaignId,
        recipients: int,
        credits: int,
        now: datetime,
    ) -> Campaign:
        """It is over; what is in the gateway's hands is counted when it settles."""
        return self._one(
            change_of(account, campaign_id)
            .values(
                state=CampaignState.CANCELLED,
                status_reason="by_user",
                queued=campaign.c.queued - recipients,
                cancelled=campaign.c.cancelled + recipients,
                credits_held=campaign.c.credits_held - credits,
                credits_released=campaign.c.credits_released + credits,
                finished_at=now,
                updated_at=now,
            )
            .returning(*_COLUMNS)
        )

    def fail(self, account: AccountId, campaign_id: CampaignId, reason: str, now: datetime) -> None:
        """It never started, and never will."""
        self.connection.execute(
            change_of(account, campaign_id).values(
                state=CampaignState.FAILED,
                status_reason=reason,
                total=0,
                finished_at=now,
                updated_at=now,
            )
        )

    def _one(
        self,
        statement: "Select[tuple[object, ...]] | ReturningInsert[tuple[object, ...]] "
        "| ReturningUpdate[tuple[object, ...]]",
    ) -> Campaign:
        row = self.connection.execute(statement).one_or_none()
        if row is None:
            raise CampaignNotFound
        return _campaign(row)


_ORDERS = {
    CampaignOrder.CREATED_AT: campaign.c.created_at,
    CampaignOrder.SCHEDULED_AT: campaign.c.scheduled_at,
    CampaignOrder.STARTED_AT: campaign.c.started_at,
    CampaignOrder.FINISHED_AT: campaign.c.finished_at,
    CampaignOrder.NAME: campaign.c.name,
    CampaignOrder.STATUS: campaign.c.state,
}


@attrs.frozen
class SqlCampaignQueries:
    """`CampaignQueries` on PostgreSQL."""

    reads: Reads

    def by_ids(self, account: AccountId, campaigns: Sequence[CampaignId]) -> Sequence[Campaign]:
        """By the primary key."""
        wanted = select(*_COLUMNS).where(
            campaign.c.account_id == account, campaign.c.id.in_(campaigns)
        )
        with self.reads.account(account) as connection:
            return [_campaign(row) for row in connection.execute(wanted)]

    def deferred_until(self, account: AccountId, campaign_id: CampaignId) -> datetime | None:
        """By the key of the campaign's batches."""
        waiting = (
            select(func.min(send_batch.c.not_before))
            .join(campaign, campaign.c.id == send_batch.c.campaign_id)
            .where(
                send_batch.c.account_id == account,
                send_batch.c.campaign_id == campaign_id,
                send_batch.c.state == BatchState.DEFERRED.value,
                campaign.c.state != CampaignState.CANCELLED,
            )
        )
        with self.reads.account(account) as connection:
            until: datetime | None = connection.execute(waiting).scalar()
        return until

    def get(self, account: AccountId, campaign_id: CampaignId) -> Campaign:
        """Raises `CampaignNotFound`."""
        with self.reads.account(account) as connection:
            row = connection.execute(by_id(account, campaign_id)).one_or_none()
        if row is None:
            raise CampaignNotFound
        return _campaign(row)

    def outcome(self, account: AccountId, campaign_id: CampaignId) -> CampaignOutcome:
        """By the key of the campaign's batches, and by the index of facts it caused."""
        with self.reads.account(account) as connection:
            first_sent_at, unsubscribes = connection.execute(outcome_of(account, campaign_id)).one()
        return CampaignOutcome(first_sent_at, unsubscribes)

    def page(
        self, account: AccountId, wanted: CampaignFilter, request: PageRequest
    ) -> Page[Campaign]:
        """Sorted as wanted, equal ones by id in the same direction."""
        conditions = [campaign.c.account_id == account]
        if wanted.name:
            conditions.append(campaign.c.name.icontains(wanted.name, autoescape=True))
        if wanted.state is not None:
            conditions.append(campaign.c.state == wanted.state)
        if wanted.created_from is not None:
            conditions.append(campaign.c.created_at >= wanted.created_from)
        if wanted.created_before is not None:
            conditions.append(campaign.c.created_at < wanted.created_before)
        keys = (_ORDERS[wanted.order], campaign.c.id)
        order = [(key.desc() if wanted.descending else key.asc()).nulls_last() for key in keys]
        statement = (
            select(*_COLUMNS)
            .where(*conditions)
            .order_by(*order)
            .limit(request.page_size)
            .offset(request.offset)
        )
        with self.reads.account(account) as connection:
            total = connection.execute(
                select(func.count()).select_from(campaign).where(*conditions)
            ).scalar_one()
            items = tuple(_campaign(row) for row in connection.execute(statement))
        return Page(items, total, request.page, request.page_size)


def outcome_of(account: AccountId, campaign_id: CampaignId) -> "Select[datetime | None, int]":
    """When a campaign was first handed over, and how many left because of it."""
    first = select(func.min(send_batch.c.settled_at)).where(
        send_batch.c.account_id == account,
        send_batch.c.campaign_id == campaign_id,
        send_batch.c.state.in_([BatchState.SETTLED.value, BatchState.UNKNOWN.value]),
    )
    left = select(func.count(consent_event.c.contact_id.distinct())).where(
        consent_event.c.account_id == account,
        consent_event.c.campaign_id == campaign_id,
        consent_event.c.type == ConsentType.WITHDRAWN,
    )
    return select(first.scalar_subquery(), left.scalar_subquery())


def by_id(account: AccountId, campaign_id: CampaignId) -> "Select[tuple[object, ...]]":
    """One campaign of an account."""
    return select(*_COLUMNS).where(campaign.c.account_id == account, campaign.c.id == campaign_id)


def change_of(account: AccountId, campaign_id: CampaignId) -> Update:
    """A change of one campaign of an account."""
    return update(campaign).where(campaign.c.account_id == account, campaign.c.id == campaign_id)
