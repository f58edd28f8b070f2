"""Own lists and who is on them, on PostgreSQL."""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any, Final

import attrs
from sqlalchemy import Connection, Row, Select, any_, delete, exists, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from adapters_db.contacts.list_conditions import fits_filter
from adapters_db.tables.audiences import contact_list, engagement_fact, list_member
from adapters_db.tables.campaigns import campaign
from adapters_db.tables.contacts import contact
from retail_core.audiences.errors import AlreadyMember, ListNameTaken
from retail_core.audiences.model import (
    ContactList,
    ContactRange,
    EngagementFact,
    ListDraft,
    ListFilter,
    Membership,
    SyncStep,
)
from retail_core.campaigns.model import CampaignState
from retail_core.kernel.ids import AccountId, ContactId, ListId

NAME_UNIQUE: Final = "contact_list_account_id_name_key"
_NOT_OVER: Final = (
    CampaignState.DRAFT,
    CampaignState.SCHEDULED,
    CampaignState.SENDING,
    CampaignState.PAUSED,
)


def list_of(row: "Row[Any]") -> ContactList:
    """The list in a row with all columns."""
    gender_and_ages = ListFilter(row.filter_gender, row.filter_age_min, row.filter_age_max)
    draft = ListDraft(row.name, row.description, gender_and_ages)
    return ContactList(ListId(row.id), draft, row.created_at, row.updated_at)


def lists_of(account: AccountId, lists: Collection[ListId]) -> "Select[Any]":
    """Some lists of an account."""
    return select(contact_list).where(
        contact_list.c.account_id == account, contact_list.c.id.in_(lists)
    )


@attrs.frozen
class SqlListStore:
    """`ListStore` on PostgreSQL."""

    connection: Connection

    def add(self, account: AccountId, draft: ListDraft, now: datetime) -> ContactList:
        """Insert a list; on a known name no id is lost and the transaction stays usable."""
        row = self.connection.execute(
            insert(contact_list)
            .values(account_id=account, created_at=now, updated_at=now, **_values(draft))
            .on_conflict_do_nothing(constraint=NAME_UNIQUE)
            .returning(contact_list)
        ).one_or_none()
        if row is None:
            raise ListNameTaken
        return list_of(row)

    def lock(self, account: AccountId, list_id: ListId) -> ContactList | None:
        """Lock the row until the end."""
        row = self.connection.execute(lists_of(account, [list_id]).with_for_update()).one_or_none()
        return None if row is None else list_of(row)

    def hold(self, account: AccountId, lists: Collection[ListId]) -> Mapping[ListId, ContactList]:
        """Keep the rows from being deleted; one statement, none where no list is named."""
        if not lists:
            return {}
        statement = lists_of(account, lists).order_by(contact_list.c.id)
        rows = self.connection.execute(statement.with_for_update(read=True, key_share=True))
        return {found.id: found for found in map(list_of, rows)}

    def save(self, account: AccountId, changed: ContactList) -> None:
        """Write all fields; a known name leaves the transaction usable."""
        try:
            with self.connection.begin_nested():
                self.connection.execute(
                    update(contact_list)
                    .where(contact_list.c.account_id == account, contact_list.c.id == changed.id)
                    .values(updated_at=changed.updated_at, **_values(changed.draft))
                )
        except IntegrityError as error:
            if NAME_UNIQUE in str(error.orig):
                raise ListNameTaken from None
            raise

    def remove(self, account: AccountId, list_id: ListId) -> None:
        """Delete the row; memberships go with it."""
        self.connection.execute(
            delete(contact_list).where(
                contact_list.c.account_id == account, contact_list.c.id == list_id
            )
        )


@attrs.frozen
class SqlListMembers:
    """`ListMembers` on PostgreSQL."""

    connection: Connection

    def add(
        self, account: AccountId, list_id: ListId, contact_id: ContactId, now: datetime
    ) -> Membership:
        """One row; its key decides."""
        made = self.connection.execute(
            insert(list_member)
            .values(account_id=account, list_id=list_id, contact_id=contact_id, created_at=now)
            .on_conflict_do_nothing()
            .returning(list_member.c.id)
        ).scalar()
        if made is None:
            raise AlreadyMember
        return Membership(made, list_id, contact_id, now)

    def remove(self, account: AccountId, list_id: ListId, contact_id: ContactId) -> None:
        """Delete the row, if there is one."""
        self.connection.execute(
            _members(account, list_id).where(list_member.c.contact_id == contact_id)
        )

    def sync(
        self,
        account: AccountId,
        fitting: ContactList,
        today: date,
        now: datetime,
        contacts: ContactRange,
    ) -> SyncStep:
        """Three statements over a range of the contacts' key; who is on it stays as they are."""
        last = self.connection.execute(_last_of(account, contacts)).scalar()
        if last is None:
            return SyncStep(0, 0, None)
        fits = fits_filter(account, fitting.draft.filter, today)
        whose = contact.c.id == list_member.c.contact_id
        gone = self.connection.execute(
            _members(account, fitting.id).where(
                list_member.c.contact_id > contacts.after,
                list_member.c.contact_id <= last,
                ~exists().where(contact.c.account_id == account, whose, fits),
            )
        ).rowcount
        columns = ["account_id", "list_id", "contact_id", "created_at"]
        on_it = (list_member.c.account_id == account, list_member.c.list_id == fitting.id, whose)
        chosen = (
            select(literal(account), literal(fitting.id), contact.c.id, literal(now))
            .where(contact.c.account_id == account, fits, ~exists().where(*on_it))
            .where(contact.c.id > contacts.after, contact.c.id <= last)
            .order_by(contact.c.id)
        )
        come = self.connection.execute(
            insert(list_member).from_select(columns, chosen).on_conflict_do_nothing(),
            execution_options={"preserve_rowcount": True},
        ).rowcount
        return SyncStep(come, gone, ContactId(last))


@attrs.frozen
class SqlListUses:
    """`ListUses` on PostgreSQL."""

    connection: Connection

    def is_needed(self, account: AccountId, list_id: ListId) -> bool:
        """Any campaign that is not over; they are few beside contacts and messages."""
        return bool(
            self.connection.execute(
                select(
                    exists().where(
                        campaign.c.account_id == account,
                        campaign.c.state.in_(_NOT_OVER),
                        literal(list_id) == any_(campaign.c.named_list_ids),
                    )
                )
            ).scalar()
        )

    def let_go(self, account: AccountId, list_id: ListId) -> None:
        """The reference goes; that there was one stays."""
        self.connection.execute(
            update(campaign)
            .where(campaign.c.account_id == account, campaign.c.list_id == list_id)
            .values(list_id=None, list_is_gone=True)
        )


@attrs.frozen
class SqlEngagementFacts:
    """`EngagementFacts` on PostgreSQL."""

    connection: Connection

    def record(self, account: AccountId, fact: EngagementFact) -> None:
        """One row a contact, kind and campaign, with the latest time."""
        row = insert(engagement_fact).values(
            account_id=account,
            contact_id=fact.contact,
            kind=fact.kind,
            campaign_id=fact.campaign,
            at=fact.at,
        )
        latest = func.greatest(engagement_fact.c.at, row.excluded.at)
        columns = ["account_id", "contact_id", "kind", "campaign_id"]
        self.connection.execute(
            row.on_conflict_do_update(index_elements=columns, set_={"at": latest})
        )


def _last_of(account: AccountId, contacts: ContactRange) -> "Select[Any]":
    some = (
        select(contact.c.id)
        .where(contact.c.account_id == account, contact.c.id > contacts.after)
        .order_by(contact.c.id)
        .limit(contacts.contacts_max)
    )
    return select(func.max(some.subquery().c.id))


def _members(account: AccountId, list_id: ListId) -> Any:  # noqa: ANN401 - a DELETE
    return delete(list_member).where(
        list_member.c.account_id == account, list_member.c.list_id == list_id
    )


def _values(draft: ListDraft) -> Mapping[str, object]:
    return {
        "name": draft.name,
        "description": draft.description,
        "filter_gender": draft.filter.gender,
        "filter_age_min": draft.filter.age_min,
        "filter_age_max": draft.filter.age_max,
    }
