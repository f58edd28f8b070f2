"""Contacts and consent in memory."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime

import attrs

from retail_core.contacts.errors import PhoneTaken
from retail_core.contacts.model import (
    DECIDING_TYPES,
    ConsentEvent,
    ConsentFact,
    ConsentSource,
    ConsentType,
    Contact,
    ContactDraft,
    OptOutLink,
    TagChange,
    TagCounts,
)
from retail_core.contacts.model.erasure import Erased, Erasure
from retail_core.contacts.model.number_hash import NumberHash
from retail_core.contacts.queries import ContactFilter, ContactView, NumberStanding
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import (
    SYSTEM_ACCOUNT,
    AccountId,
    ConsentEventId,
    ContactId,
)
from retail_core.kernel.pages import Page, PageRequest
from retail_core.kernel.time.clock import Clock
from retail_core.testing.contacts.suppressions import MemorySuppressionStore, cut, suppressions_of
from retail_core.testing.database import MemoryDatabase
from retail_core.testing.engagement.number_traces import MemoryNumberTraces
from retail_core.testing.kernel.table import DuplicateRow, sees
from retail_core.testing.tables import MemoryTables, StoredConsent, StoredContact


@attrs.frozen
class MemoryContactStore:
    """`ContactStore` in memory."""

    tables: MemoryTables
    bound_to: AccountId | None

    def lock_for_adding(self, account: AccountId) -> None:
        """Transactions are serial here: nothing needs a lock."""

    def lock_for_removing(self, account: AccountId) -> None:
        """Nor does this."""

    def add(self, account: AccountId, draft: ContactDraft) -> Contact:
        contact_id = ContactId(self.tables.contact_ids.take())
        contact = Contact(id=contact_id, **attrs.asdict(draft, recurse=False))
        self._put(account, contact)
        return contact

    def lock(self, account: AccountId, contact_id: ContactId) -> Contact | None:
        """Transactions are serial here: nothing needs a lock."""
        stored = self.tables.contacts.get(contact_id)
        if stored is None or stored.account != account or not sees(self.bound_to, account):
            return None
        return stored.contact

    def lock_by_phone(self, account: AccountId, phone: PhoneNumber) -> Contact | None:
        for stored in self.tables.contacts:
            if stored.account == account and stored.contact.phone == phone:
                return self.lock(account, stored.contact.id)
        return None

    def save(self, account: AccountId, contact: Contact) -> None:
        if self.lock(account, contact.id) is not None:
            self._put(account, contact)

    def remove(self, account: AccountId, contacts: Collection[ContactId]) -> None:
        for contact_id in contacts:
            self._remove(account, contact_id)

    def _remove(self, account: AccountId, contact_id: ContactId) -> None:
        if self.lock(account, contact_id) is not None:
            self.tables.contacts.remove(contact_id)
            for member in [key for key, _ in self.tables.list_members.items()]:
                if member[2] == contact_id:
                    self.tables.list_members.remove(member)
            for fact in [key for key, _ in self.tables.engagement_facts.items()]:
                if fact[1] == contact_id:
                    self.tables.engagement_facts.remove(fact)

    def _put(self, account: AccountId, contact: Contact) -> None:
        try:
            self.tables.contacts.put(contact.id, StoredContact(account, contact))
        except DuplicateRow:
            raise PhoneTaken from None


@attrs.frozen
class MemoryConsentLedger:
    """`ConsentLedger` in memory."""

    tables: MemoryTables
    bound_to: AccountId | None
    clock: Clock

    def append(self, account: AccountId, fact: ConsentFact) -> None:
        event_id = ConsentEventId(self.tables.consent_ids.take())
        fields = attrs.asdict(fact, recurse=False)
        event = ConsentEvent(id=event_id, created_at=self.clock.now(), **fields)
        self.tables.consents.insert(event_id, StoredConsent(account, event))

    def latest_type(self, account: AccountId, contact_id: ContactId) -> ConsentType | None:
        if not sees(self.bound_to, account):
            return None
        events = consents_of(self.tables, account, contact_id)
        deciding = [event.type for event in events if event.type in DECIDING_TYPES]
        return deciding[-1] if deciding else None

    def latest_fact(
        self, account: AccountId, contact_id: ContactId
    ) -> tuple[ConsentType, ConsentSource] | None:
        if not sees(self.bound_to, account):
            return None
        events = consents_of(self.tables, account, contact_id)
        deciding = [(each.type, each.source) for each in events if each.type in DECIDING_TYPES]
        return deciding[-1] if deciding else None

    def latest_types(
        self, account: AccountId, contacts: Collection[ContactId]
    ) -> Mapping[ContactId, ConsentType]:
        latest = {each: self.latest_type(account, each) for each in contacts}
        return {each: kind for each, kind in latest.items() if kind is not None}

    def is_asked(self, account: AccountId, contact_id: ContactId) -> bool:
        if not sees(self.bound_to, account):
            return False
        events = consents_of(self.tables, account, contact_id)
        return bool(events) and events[-1].type is ConsentType.REQUESTED

    def history(self, account: AccountId, contact_id: ContactId) -> Sequence[ConsentEvent]:
        if not sees(self.bound_to, account):
            return ()
        return consents_of(self.tables, account, contact_id)

    def remember_deleted(
        self,
        account: AccountId,
        hashes: Mapping[ContactId, bytes],
        at: datetime,
        erased: Erased | None = None,
    ) -> None:
        for contact_id, phone_hash in hashes.items():
            name = (account, contact_id)
            if name not in self.tables.consent_subjects:
                self.tables.consent_subjects.insert(name, (phone_hash, at))
                if erased is not None:
                    self.tables.erasures.insert(name, Erasure(at, erased))

    def forget_origins(self, account: AccountId, contact_id: ContactId) -> int:
        if not sees(self.bound_to, account):
            return 0
        events = consents_of(self.tables, account, contact_id)
        for event in events:
            nameless = attrs.evolve(event, ip=None, user_agent=None)
            self.tables.consents.put(event.id, StoredConsent(account, nameless))
        return len(events)


@attrs.frozen
class MemoryContactSets:
    """`ContactSets` in memory."""

    tables: MemoryTables
    bound_to: AccountId | None

    def count(self, account: AccountId, which: ContactFilter, change: TagChange) -> TagCounts:
        found = self._chosen(account, which)
        lacking = [contact for contact in found if change.is_needed(contact.tags)]
        fitting = [contact for contact in lacking if change.fits(contact.tags)]
        return TagCounts(matched=len(found), lacking=len(lacking), fitting=len(fitting))

    def retag(
        self,
        account: AccountId,
        which: ContactFilter,
        change: TagChange,
        contacts_max: int,
        now: datetime,
    ) -> int:
        fitting = [
            contact
            for contact in self._chosen(account, which)
            if change.is_needed(contact.tags) and change.fits(contact.tags)
        ]
        store = MemoryContactStore(self.tables, self.bound_to)
        for contact in fitting[:contacts_max]:
            tags = change.of(contact.tags)
            store.save(account, attrs.evolve(contact, tags=tags, updated_at=now))
        return len(fitting[:contacts_max])

    def choose(
        self, account: AccountId, which: ContactFilter, contacts_max: int
    ) -> Sequence[Contact]:
        return self._chosen(account, which)[:contacts_max]

    def _chosen(self, account: AccountId, which: ContactFilter) -> list[Contact]:
        if not sees(self.bound_to, account):
            return []
        return [view.contact for view in reversed(chosen(self.tables, account, which))]


@attrs.frozen
class MemoryContactQueries:
    """`ContactQueries` in memory."""

    database: MemoryDatabase

    def find(self, account: AccountId, contact_id: ContactId) -> ContactView | None:
        with self.database.transaction() as tables:
            contact = MemoryContactStore(tables, account).lock(account, contact_id)
            return None if contact is None else view_of(tables, account, contact)

    def page(
        self, account: AccountId, which: ContactFilter, page: PageRequest
    ) -> Page[ContactView]:
        with self.database.transaction() as tables:
            found = chosen(tables, account, which)
        return cut(found, page)

    def erasure(self, account: AccountId, contact_id: ContactId) -> Erasure | None:
        with self.database.transaction() as tables:
            return tables.erasures.get((account, contact_id))

    def every(self, account: AccountId, which: ContactFilter) -> Iterator[Contact]:
        with self.database.transaction() as tables:
            found = chosen(tables, account, which)
        for view in found:
            yield view.contact

    def consents(
        self, account: AccountId, contact_id: ContactId, page: PageRequest
    ) -> Page[ConsentEvent] | None:
        with self.database.transaction() as tables:
            if MemoryContactStore(tables, account).lock(account, contact_id) is None:
                return None
            return cut(consents_of(tables, account, contact_id)[::-1], page)


@attrs.frozen
class MemoryContactOwners:
    """`ContactOwners` in memory."""

    database: MemoryDatabase

    def find_across_accounts(self, contact_id: ContactId) -> AccountId | None:
        with self.database.transaction() as tables:
            stored = tables.contacts.get(contact_id)
            return None if stored is None else stored.account

    def former_hash(self, account: AccountId, contact_id: ContactId) -> bytes | None:
        with self.database.transaction() as tables:
            subject = tables.consent_subjects.get((account, contact_id))
            return None if subject is None else subject[0]


@attrs.frozen
class MemoryOptOutQueries:
    """`OptOutQueries` in memory."""

    database: MemoryDatabase

    def standing(self, link: OptOutLink, number_hash: NumberHash) -> NumberStanding:
        with self.database.transaction() as tables:
            found = self._contact(tables, link)
            contact = found if found and link.means(found, number_hash) else None
            suppressions = MemorySuppressionStore(tables, link.account)
            phone = contact.phone if contact else link.phone
            if phone is not None:
                return NumberStanding(contact, suppressions.reasons(link.account, phone))
            if link.phone_hash is not None:
                barred_for = suppressions.hash_reasons(link.account, link.phone_hash)
                return NumberStanding(None, barred_for)
        return NumberStanding()

    def _contact(self, tables: MemoryTables, link: OptOutLink) -> Contact | None:
        contacts = MemoryContactStore(tables, link.account)
        if link.phone is not None:
            return contacts.lock_by_phone(link.account, link.phone)
        last = link.contact
        if link.phone_hash is not None:
            last = MemoryNumberTraces(tables, link.account).holder(link.account, link.phone_hash)
        return None if last is None else contacts.lock(link.account, last)


def consents_of(
    tables: MemoryTables, account: AccountId, contact_id: ContactId
) -> list[ConsentEvent]:
    """The facts of a contact, the oldest first."""
    return [
        stored.event
        for stored in tables.consents
        if stored.account == account and stored.event.contact == contact_id
    ]


def view_of(tables: MemoryTables, account: AccountId, contact: Contact) -> ContactView:
    """A contact as it is shown."""
    barred = suppressions_of(tables, (account, SYSTEM_ACCOUNT), contact.phone)
    return ContactView(contact, bool(barred))


def chosen(tables: MemoryTables, account: AccountId, which: ContactFilter) -> list[ContactView]:
    """The contacts that a filter means, the newest first."""
    views = [
        view_of(tables, account, stored.contact)
        for stored in tables.contacts
        if stored.account == account
    ]
    found = [
        view
        for view in views
        if _fits(view, which)
        and (
            which.member_of is None
            or (account, which.member_of, view.contact.id) in tables.list_members
        )
    ]
    return sorted(found, key=lambda view: -view.contact.id)


def _fits(view: ContactView, which: ContactFilter) -> bool:
    contact = view.contact
    return (
        (which.ids is None or contact.id in which.ids)
        and (not which.term or which.term in contact.search_text)
        and which.is_subscribed in (None, contact.is_subscribed)
        and set(which.tags) <= set(contact.tags)
        and (which.reachable is None or which.reachable.holds(view))
    )
