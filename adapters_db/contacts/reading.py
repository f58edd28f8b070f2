"""Questions about contacts on PostgreSQL."""

from collections.abc import Iterator
from typing import Final

import attrs
from sqlalchemy import ColumnElement, Connection, Integer, RowMapping, and_, bindparam, func, select

from adapters_db.connection.connections import psycopg_connection
from adapters_db.connection.questions import Question, Row
from adapters_db.connection.reads import Reads
from adapters_db.contacts.choosing import (
    BY_INDEX,
    COMMON_SHARE,
    IN_ORDER,
    SORTED_CONTACTS_MAX,
    THROUGHOUT,
    chosen,
    is_guessed,
    share,
    some,
)
from adapters_db.contacts.contacts import CONTACT_COLUMNS, EVENT_COLUMNS, contact_of
from adapters_db.contacts.list_conditions import is_suppressed
from adapters_db.contacts.suppressions import SqlSuppressionStore
from adapters_db.tables.contacts import consent_event, consent_subject, contact
from adapters_db.tables.engagement import number_trace
from retail_core.contacts.model import ConsentEvent, Contact, OptOutLink
from retail_core.contacts.model.erasure import Erasure
from retail_core.contacts.model.number_hash import NumberHash
from retail_core.contacts.queries import ContactFilter, ContactView, NumberStanding
from retail_core.kernel.ids import AccountId, ContactId
from retail_core.kernel.pages import Page, PageRequest

CONTACTS_PER_FETCH: Final = 1_000
NEAR_CONTACTS_MAX: Final = 1_000
"""Pages further on are found by their ids alone first."""
EVERYBODY: Final = ContactFilter()
CONTACT_FIELDS: Final = tuple(column.name for column in CONTACT_COLUMNS)
_COUNT: Final = Question.of(
    select(func.count()).select_from(contact).where(contact.c.account_id == bindparam("account"))
)
_PAGE: Final = Question.of(
    select(*CONTACT_COLUMNS, is_suppressed(bindparam("account")).label("is_suppressed"))
    .where(contact.c.account_id == bindparam("account"))
    .order_by(contact.c.id.desc())
    .limit(bindparam("limit", type_=Integer))
    .offset(bindparam("offset", type_=Integer))
)


@attrs.frozen
class SqlContactQueries:
    """`ContactQueries` on PostgreSQL."""

    reads: Reads

    def find(self, account: AccountId, contact_id: ContactId) -> ContactView | None:
        """One contact."""
        with self.reads.account(account) as connection:
            rows = connection.execute(
                select(*CONTACT_COLUMNS, is_suppressed(account).label("is_suppressed")).where(
                    contact.c.account_id == account, contact.c.id == contact_id
                )
            )
            row = rows.mappings().one_or_none()
        return None if row is None else _view(row)

    def page(
        self, account: AccountId, which: ContactFilter, page: PageRequest
    ) -> Page[ContactView]:
        """Contacts, the newest first.

        As a sweep, since row security would hide the indexes of searches and tags; so every
        statement names the account.
        """
        if which == EVERYBODY and page.offset <= NEAR_CONTACTS_MAX:
            return self._page_of_everybody(account, page)
        with self.reads.across_accounts() as connection:
            total, ids = _found(connection, account, which, page)
            rows = connection.execute(
                select(*CONTACT_COLUMNS, is_suppressed(account).label("is_suppressed")).where(
                    contact.c.account_id == account, contact.c.id.in_(ids)
                )
            )
            views = {row["id"]: _view(row) for row in rows.mappings()}
        items = tuple(views[each] for each in sorted(views, reverse=True))
        return Page(items, total, page.page, page.page_size)

    def erasure(self, account: AccountId, contact_id: ContactId) -> Erasure | None:
        """What stayed when they went."""
        columns = consent_subject.c
        with self.reads.account(account) as connection:
            row = connection.execute(
                select(columns.deleted_at, columns.erased).where(
                    columns.account_id == account, columns.contact_id == contact_id
                )
            ).one_or_none()
        return None if row is None or row.erased is None else Erasure(row.deleted_at, row.erased)

    def every(self, account: AccountId, which: ContactFilter) -> Iterator[Contact]:
        """One statement sees the contacts of one moment; a cursor tells them piece by piece."""
        statement = (
            select(*CONTACT_COLUMNS).where(chosen(account, which)).order_by(contact.c.id.desc())
        )
        with self.reads.across_accounts() as connection:
            streamed = connection.execution_options(yield_per=CONTACTS_PER_FETCH)
            with streamed.execute(statement) as rows:
                for row in rows.mappings():
                    yield contact_of(row)

    def _page_of_everybody(self, account: AccountId, page: PageRequest) -> Page[ContactView]:
        """The page that is opened most, as questions that need not be built each time."""
        (counted,), rows = self.reads.ask_across_accounts(
            _COUNT.asked(account=account),
            _PAGE.asked(account=account, limit=page.page_size, offset=page.offset),
        )
        items = tuple(_view_of(row) for row in rows)
        return Page(items, counted[0], page.page, page.page_size)

    def consents(
        self, account: AccountId, contact_id: ContactId, page: PageRequest
    ) -> Page[ConsentEvent] | None:
        """The consent history of a contact, the newest first."""
        with self.reads.account(account) as connection:
            if not _exists(connection, account, contact_id):
                return None
            wanted = and_(
                consent_event.c.account_id == account,
                consent_event.c.contact_id == contact_id,
            )
            total = connection.execute(
                select(func.count()).select_from(consent_event).where(wanted)
            ).scalar_one()
            rows = connection.execute(
                select(*(column.label(name) for name, column in EVENT_COLUMNS.items()))
                .where(wanted)
                .order_by(consent_event.c.id.desc())
                .limit(page.page_size)
                .offset(page.offset)
            )
            items = tuple(ConsentEvent(**row) for row in rows.mappings())
        return Page(items, total, page.page, page.page_size)


@attrs.frozen
class SqlContactOwners:
    """`ContactOwners` on PostgreSQL."""

    reads: Reads

    def find_across_accounts(self, contact_id: ContactId) -> AccountId | None:
        """Whose contact it is."""
        with self.reads.across_accounts() as connection:
            owner = connection.execute(
                select(contact.c.account_id).where(contact.c.id == contact_id)
            ).scalar()
        return None if owner is None else AccountId(owner)

    def former_hash(self, account: AccountId, contact_id: ContactId) -> bytes | None:
        """What stayed of the deleted."""
        columns = consent_subject.c
        with self.reads.account(account) as connection:
            found = connection.execute(
                select(columns.phone_hash).where(
                    columns.account_id == account, columns.contact_id == contact_id
                )
            ).scalar()
        return None if found is None else bytes(found)


@attrs.frozen
class SqlOptOutQueries:
    """`OptOutQueries` on PostgreSQL."""

    reads: Reads

    def standing(self, link: OptOutLink, number_hash: NumberHash) -> NumberStanding:
        """One look for the contact, by whatever is known of the number, and one at what bars it."""
        with self.reads.account(link.account) as connection:
            statement = select(*CONTACT_COLUMNS).where(
                contact.c.account_id == link.account, _is_last_holder(link)
            )
            row = connection.execute(statement).mappings().one_or_none()
            found = None if row is None else contact_of(row)
            holder = found if found and link.means(found, number_hash) else None
            phone = holder.phone if holder else link.phone
            suppressions = SqlSuppressionStore(connection)
            if phone is not None:
                return NumberStanding(holder, suppressions.reasons(link.account, phone))
            if link.phone_hash is not None:
                barred_for = suppressions.hash_reasons(link.account, link.phone_hash)
                return NumberStanding(None, barred_for)
        return NumberStanding()


def _is_last_holder(link: OptOutLink) -> ColumnElement[bool]:
    """Who has the number of a link, or was last given it once it had been forgotten."""
    if link.phone is not None:
        return contact.c.phone == link.phone
    if link.phone_hash is None:
        return contact.c.id == link.contact
    last = select(number_trace.c.contact_id).where(
        number_trace.c.account_id == link.account, number_trace.c.phone_hash == link.phone_hash
    )
    return contact.c.id == last.scalar_subquery()


def _found(
    connection: Connection, account: AccountId, which: ContactFilter, page: PageRequest
) -> tuple[int, list[int]]:
    """How many there are, and which of them are on a page."""
    wanted = chosen(account, which)
    driver = psycopg_connection(connection)
    if is_guessed(which):
        common = connection.execute(share(which, account)).scalar_one() or 0.0
        driver.execute(THROUGHOUT if common > COMMON_SHARE else BY_INDEX)
    count = select(func.count()).select_from(contact).where(wanted)
    total = connection.execute(count).scalar_one()
    if is_guessed(which) and total > SORTED_CONTACTS_MAX:
        driver.execute(IN_ORDER)
    return total, list(connection.execute(some(wanted, total, page)).scalars())


def _exists(connection: Connection, account: AccountId, contact_id: ContactId) -> bool:
    found = connection.execute(
        select(contact.c.id).where(contact.c.account_id == account, contact.c.id == contact_id)
    )
    return found.scalar() is not None


def _view_of(row: Row) -> ContactView:
    *fields, is_barred = row
    return ContactView(Contact(**dict(zip(CONTACT_FIELDS, fields, strict=True))), is_barred)


def _view(row: RowMapping) -> ContactView:
    return ContactView(contact_of(row), row["is_suppressed"])
