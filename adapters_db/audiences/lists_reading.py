"""Questions about own lists on PostgreSQL."""

from collections.abc import Collection, Mapping
from datetime import date

import attrs
from sqlalchemy import DateTime, Integer, cast, extract, func, literal, select

from adapters_db.audiences.lists import list_of, lists_of
from adapters_db.connection.reads import Reads
from adapters_db.contacts.contacts import CONTACT_COLUMNS, contact_of
from adapters_db.contacts.list_conditions import is_suppressed
from adapters_db.tables.audiences import contact_list, list_member
from adapters_db.tables.contacts import contact
from retail_core.audiences.model import ContactList, Membership, Reach
from retail_core.contacts.queries import ContactView
from retail_core.kernel.ids import AccountId, ContactId, ListId
from retail_core.kernel.pages import Page, PageRequest


@attrs.frozen
class SqlListQueries:
    """`ListQueries` on PostgreSQL."""

    reads: Reads

    def find(self, account: AccountId, list_id: ListId) -> ContactList | None:
        """One list."""
        return self.by_ids(account, [list_id]).get(list_id)

    def by_ids(self, account: AccountId, lists: Collection[ListId]) -> Mapping[ListId, ContactList]:
        """Some lists; no statement where none is asked for."""
        if not lists:
            return {}
        with self.reads.account(account) as connection:
            rows = connection.execute(lists_of(account, lists))
            return {found.id: found for found in map(list_of, rows)}

    def page(self, account: AccountId, name: str, request: PageRequest) -> Page[ContactList]:
        """Lists, the newest first."""
        conditions = [contact_list.c.account_id == account]
        if name:
            conditions.append(contact_list.c.name.icontains(name, autoescape=True))
        statement = (
            select(contact_list)
            .where(*conditions)
            .order_by(contact_list.c.id.desc())
            .limit(request.page_size)
            .offset(request.offset)
        )
        with self.reads.account(account) as connection:
            total = connection.execute(
                select(func.count()).select_from(contact_list).where(*conditions)
            ).scalar_one()
            items = tuple(map(list_of, connection.execute(statement)))
        return Page(items, total, request.page, request.page_size)

    def by_hand(self, account: AccountId, lists: Collection[ListId]) -> Mapping[ListId, int]:
        """One query for all of them."""
        if not lists:
            return {}
        statement = (
            select(list_member.c.list_id, func.count())
            .where(list_member.c.account_id == account, list_member.c.list_id.in_(lists))
            .group_by(list_member.c.list_id)
        )
        with self.reads.account(account) as connection:
            return {ListId(each): count for each, count in connection.execute(statement)}

    def reach(self, account: AccountId, today: date) -> Reach:
        """Along the index first, by birthday; ages are made of those groups, not of contacts.

        As a sweep, since row security would read the table for what the index alone tells.
        """
        born = (
            select(contact.c.gender, contact.c.birthday, func.count().label("number"))
            .where(
                contact.c.account_id == account, contact.c.is_subscribed, ~is_suppressed(account)
            )
            .group_by(contact.c.gender, contact.c.birthday)
            .subquery()
        )
        lived = func.age(cast(literal(today), DateTime), cast(born.c.birthday, DateTime))
        age = cast(extract("year", lived), Integer)
        statement = select(born.c.gender, age, func.sum(born.c.number)).group_by(born.c.gender, age)
        with self.reads.across_accounts() as connection:
            rows = connection.execute(statement).all()
        return Reach({(gender, years): int(number) for gender, years, number in rows})

    def members(
        self,
        account: AccountId,
        list_id: ListId,
        is_subscribed: bool | None,  # noqa: FBT001 - None: both
        request: PageRequest,
    ) -> Page[ContactView]:
        """In the order in which they were put on it."""
        conditions = [
            list_member.c.account_id == account,
            list_member.c.list_id == list_id,
            contact.c.account_id == account,
            contact.c.id == list_member.c.contact_id,
        ]
        if is_subscribed is not None:
            conditions.append(contact.c.is_subscribed.is_(is_subscribed))
        statement = (
            select(*CONTACT_COLUMNS, is_suppressed(account).label("is_suppressed"))
            .where(*conditions)
            .order_by(list_member.c.id.desc())
            .limit(request.page_size)
            .offset(request.offset)
        )
        with self.reads.account(account) as connection:
            total = connection.execute(
                select(func.count()).select_from(list_member, contact).where(*conditions)
            ).scalar_one()
            rows = connection.execute(statement).mappings()
            items = tuple(ContactView(contact_of(row), row["is_suppressed"]) for row in rows)
        return Page(items, total, request.page, request.page_size)

    def membership(self, account: AccountId, membership: int) -> Membership | None:
        """By its id."""
        columns = list_member.c
        statement = select(columns.id, columns.list_id, columns.contact_id, columns.created_at)
        with self.reads.account(account) as connection:
            row = connection.execute(
                statement.where(columns.account_id == account, columns.id == membership)
            ).one_or_none()
        if row is None:
            return None
        return Membership(row.id, ListId(row.list_id), ContactId(row.contact_id), row.created_at)
