"""Contacts and the ledger of consent on PostgreSQL."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import attrs
from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    and_,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.dialects.postgresql import insert as insert_or_skip
from sqlalchemy.exc import IntegrityError

from adapters_db.connection.connections import psycopg_connection
from adapters_db.tables.contacts import consent_event, consent_subject, contact
from retail_core.contacts.errors import PhoneTaken
from retail_core.contacts.model import (
    DECIDING_TYPES,
    ConsentEvent,
    ConsentFact,
    ConsentSource,
    ConsentType,
    Contact,
    ContactDraft,
)
from retail_core.contacts.model.erasure import Erased
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import AccountId, ContactId

CONTACT_COLUMNS: Final = [contact.c[field.name] for field in attrs.fields(Contact)]
EVENT_COLUMNS: Final = {
    "id": consent_event.c.id,
    "contact": consent_event.c.contact_id,
    "type": consent_event.c.type,
    "source": consent_event.c.source,
    "source_ref": consent_event.c.source_ref,
    "text": consent_event.c.consent_text,
    "text_version": consent_event.c.consent_text_version,
    "statement": consent_event.c.statement,
    "ip": consent_event.c.ip,
    "user_agent": consent_event.c.user_agent,
    "locale": consent_event.c.locale,
    "actor": consent_event.c.actor_user_id,
    "campaign": consent_event.c.campaign_id,
    "at": consent_event.c.occurred_at,
    "created_at": consent_event.c.created_at,
}
PHONE_UNIQUE: Final = "contact_account_id_phone_key"

# Readers and writers of one store: who writes numbers down shares the lock, who removes people is
# alone. So an erasure is either seen by the look at erased numbers, or sees what was written.
_ADDING: Final = "SELECT pg_advisory_xact_lock_shared(hashtext('people_leave'), %(account)s)"
_REMOVING: Final = "SELECT pg_advisory_xact_lock(hashtext('people_leave'), %(account)s)"


def contact_of(row: RowMapping) -> Contact:
    """The contact in a row that has `CONTACT_COLUMNS`."""
    return Contact(**{column.name: row[column] for column in CONTACT_COLUMNS})


@attrs.frozen
class SqlContactStore:
    """`ContactStore` on PostgreSQL."""

    connection: Connection

    def lock_for_adding(self, account: AccountId) -> None:
        """A lock first, so that every later statement sees what was committed before it."""
        psycopg_connection(self.connection).execute(_ADDING, {"account": account})

    def lock_for_removing(self, account: AccountId) -> None:
        """The same lock, alone."""
        psycopg_connection(self.connection).execute(_REMOVING, {"account": account})

    def add(self, account: AccountId, draft: ContactDraft) -> Contact:
        """Insert a contact; on a known number no id is lost and the transaction stays usable."""
        inserted = self.connection.execute(
            insert_or_skip(contact)
            .values(account_id=account, **_values(draft))
            .on_conflict_do_nothing(constraint=PHONE_UNIQUE)
            .returning(contact.c.id)
        ).scalar()
        if inserted is None:
            raise PhoneTaken
        fields = attrs.asdict(draft, recurse=False)
        return Contact(id=ContactId(inserted), **fields)

    def lock(self, account: AccountId, contact_id: ContactId) -> Contact | None:
        """Lock the row of a contact until the end."""
        return self._locked(account, contact.c.id == contact_id)

    def lock_by_phone(self, account: AccountId, phone: PhoneNumber) -> Contact | None:
        """Lock the row of the contact with a number until the end."""
        return self._locked(account, contact.c.phone == phone)

    def _locked(self, account: AccountId, which: ColumnElement[bool]) -> Contact | None:
        row = (
            self.connection.execute(
                select(*CONTACT_COLUMNS)
                .where(contact.c.account_id == account, which)
                .with_for_update()
            )
            .mappings()
            .one_or_none()
        )
        return None if row is None else contact_of(row)

    def save(self, account: AccountId, entity: Contact) -> None:
        """Write all fields; a known number leaves the transaction usable."""
        try:
            with self.connection.begin_nested():
                self.connection.execute(
                    update(contact)
                    .where(contact.c.account_id == account, contact.c.id == entity.id)
                    .values(**_values(entity))
                )
        except IntegrityError as error:
            if PHONE_UNIQUE in str(error.orig):
                raise PhoneTaken from None
            raise

    def remove(self, account: AccountId, contacts: Collection[ContactId]) -> None:
        """Delete contacts."""
        self.connection.execute(
            delete(contact).where(contact.c.account_id == account, contact.c.id.in_(contacts))
        )


@attrs.frozen
class SqlConsentLedger:
    """`ConsentLedger` on PostgreSQL, which lets nobody change or remove a fact."""

    connection: Connection

    def append(self, account: AccountId, fact: ConsentFact) -> None:
        """Write one fact."""
        self.connection.execute(
            insert(consent_event).values(
                account_id=account,
                contact_id=fact.contact,
                type=fact.type,
                source=fact.source,
                source_ref=fact.source_ref,
                consent_text=fact.text,
                consent_text_version=fact.text_version,
                statement=fact.statement,
                ip=fact.ip,
                user_agent=fact.user_agent,
                locale=fact.locale,
                actor_user_id=fact.actor,
                campaign_id=fact.campaign,
                occurred_at=fact.at,
            )
        )

    def latest_type(self, account: AccountId, contact_id: ContactId) -> ConsentType | None:
        """The newest fact that decides anything."""
        return self.connection.execute(
            select(consent_event.c.type)
            .where(
                consent_event.c.account_id == account,
                consent_event.c.contact_id == contact_id,
                consent_event.c.type.in_(DECIDING_TYPES),
            )
            .order_by(consent_event.c.id.desc())
            .limit(1)
        ).scalar()

    def latest_fact(
        self, account: AccountId, contact_id: ContactId
    ) -> tuple[ConsentType, ConsentSource] | None:
        """The newest fact that decides anything."""
        row = self.connection.execute(
            select(consent_event.c.type, consent_event.c.source)
            .where(
                consent_event.c.account_id == account,
                consent_event.c.contact_id == contact_id,
                consent_event.c.type.in_(DECIDING_TYPES),
            )
            .order_by(consent_event.c.id.desc())
            .limit(1)
        ).one_or_none()
        return None if row is None else (row.type, row.source)

    def latest_types(
        self, account: AccountId, contacts: Collection[ContactId]
    ) -> Mapping[ContactId, ConsentType]:
        """The newest fact of each."""
        columns = consent_event.c
        rows = self.connection.execute(
            select(columns.contact_id, columns.type)
            .ext(distinct_on(columns.contact_id))
            .where(
                columns.account_id == account,
                columns.contact_id.in_(contacts),
                columns.type.in_(DECIDING_TYPES),
            )
            .order_by(columns.contact_id, columns.id.desc())
        )
        return {ContactId(row.contact_id): row.type for row in rows}

    def is_asked(self, account: AccountId, contact_id: ContactId) -> bool:
        """The newest fact, over the index of persons."""
        newest = self.connection.execute(
            select(consent_event.c.type)
            .where(consent_event.c.account_id == account, consent_event.c.contact_id == contact_id)
            .order_by(consent_event.c.id.desc())
            .limit(1)
        ).scalar()
        return newest is ConsentType.REQUESTED

    def history(self, account: AccountId, contact_id: ContactId) -> Sequence[ConsentEvent]:
        """All facts of a contact, the oldest first."""
        rows = self.connection.execute(
            select(*(column.label(name) for name, column in EVENT_COLUMNS.items()))
            .where(
                consent_event.c.account_id == account,
                consent_event.c.contact_id == contact_id,
            )
            .order_by(consent_event.c.id)
        )
        return [ConsentEvent(**row) for row in rows.mappings()]

    def remember_deleted(
        self,
        account: AccountId,
        hashes: Mapping[ContactId, bytes],
        at: datetime,
        erased: Erased | None = None,
    ) -> None:
        """Keep whose facts they are."""
        rows = [
            {
                "account_id": account,
                "contact_id": contact_id,
                "phone_hash": phone_hash,
                "deleted_at": at,
                "erased": erased,
            }
            for contact_id, phone_hash in hashes.items()
        ]
        if rows:
            statement = insert_or_skip(consent_subject).on_conflict_do_nothing()
            self.connection.execute(statement, rows)

    def forget_origins(self, account: AccountId, contact_id: ContactId) -> int:
        """The one change that the database allows."""
        theirs = and_(
            consent_event.c.account_id == account, consent_event.c.contact_id == contact_id
        )
        self.connection.execute(
            update(consent_event)
            .where(theirs, func.num_nonnulls(consent_event.c.ip, consent_event.c.user_agent) > 0)
            .values(ip=None, user_agent=None)
        )
        count = select(func.count()).select_from(consent_event).where(theirs)
        return self.connection.execute(count).scalar_one()


def _values(draft: ContactDraft) -> dict[str, Any]:
    values: dict[str, Any] = {
        field.name: getattr(draft, field.name) for field in attrs.fields(ContactDraft)
    }
    return {**values, "search_text": draft.search_text}
