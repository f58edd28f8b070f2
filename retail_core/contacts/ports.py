"""What the contacts room needs from the world: its rows, the ledger of consent, the way out."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

import attrs

from retail_core.contacts.model import (
    ConsentEvent,
    ConsentFact,
    ConsentSource,
    ConsentType,
    Contact,
    ContactDraft,
    Suppression,
    SuppressionEntry,
    SuppressionReason,
    SuppressionTerms,
    TagChange,
    TagCounts,
)
from retail_core.contacts.model.erasure import Erased
from retail_core.contacts.queries import ContactFilter
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import (
    AccountId,
    CampaignId,
    ContactId,
    MessageNumber,
    SuppressionId,
)
from retail_core.kernel.ports import Work


class ContactStore(Protocol):
    """The contacts of a store; its numbers are unique."""

    def lock_for_adding(self, account: AccountId) -> None:
        """Until the end nobody of the store is deleted or erased; waits for whoever just is.

        For all that writes numbers of people down: what it reads after this about erased numbers
        stays true. Others may do so at once. To be called before contacts, batches and the wallet
        are locked.
        """
        ...

    def lock_for_removing(self, account: AccountId) -> None:
        """Until the end nobody else of the store adds, freezes or removes people; waits for them.

        To be called first of all locks but that of an import.
        """
        ...

    def add(self, account: AccountId, draft: ContactDraft) -> Contact:
        """Insert a contact. Raises `PhoneTaken`."""
        ...

    def lock(self, account: AccountId, contact: ContactId) -> Contact | None:
        """Read a contact and lock its row until the end; None if the store has no such one."""
        ...

    def lock_by_phone(self, account: AccountId, phone: PhoneNumber) -> Contact | None:
        """Read the contact with a number and lock its row until the end; None if there is none."""
        ...

    def save(self, account: AccountId, contact: Contact) -> None:
        """Write all fields of a locked contact. Raises `PhoneTaken`."""
        ...

    def remove(self, account: AccountId, contacts: Collection[ContactId]) -> None:
        """Delete locked contacts; nothing happens for one that is gone."""
        ...


class ContactSets(Protocol):
    """Many contacts of a store at once, chosen by a filter."""

    def count(self, account: AccountId, which: ContactFilter, change: TagChange) -> TagCounts:
        """How many there are, and how a change of tags would find them."""
        ...

    def retag(
        self,
        account: AccountId,
        which: ContactFilter,
        change: TagChange,
        contacts_max: int,
        now: datetime,
    ) -> int:
        """Change the tags of those who need it and have room; returns how many were changed.

        Locks them in the order of their ids, the lowest first.
        """
        ...

    def choose(
        self, account: AccountId, which: ContactFilter, contacts_max: int
    ) -> Sequence[Contact]:
        """Some of them, the lowest ids first, locked in this order until the end."""
        ...


class ConsentLedger(Protocol):
    """Append-only: no fact is ever changed or taken back."""

    def append(self, account: AccountId, fact: ConsentFact) -> None:
        """Write one change of consent."""
        ...

    def latest_type(self, account: AccountId, contact: ContactId) -> ConsentType | None:
        """What was decided last; None for a contact of whom nothing ever was."""
        ...

    def latest_fact(
        self, account: AccountId, contact: ContactId
    ) -> tuple[ConsentType, ConsentSource] | None:
        """What was decided last and where; None for a contact of whom nothing ever was."""
        ...

    def latest_types(
        self, account: AccountId, contacts: Collection[ContactId]
    ) -> Mapping[ContactId, ConsentType]:
        """What each decided last; nobody of whom nothing ever was decided is named."""
        ...

    def is_asked(self, account: AccountId, contact: ContactId) -> bool:
        """Whether the newest fact of all is a request, which may still be answered."""
        ...

    def history(self, account: AccountId, contact: ContactId) -> Sequence[ConsentEvent]:
        """All facts of a contact, the oldest first."""
        ...

    def remember_deleted(
        self,
        account: AccountId,
        hashes: Mapping[ContactId, bytes],
        at: datetime,
        erased: Erased | None = None,
    ) -> None:
        """Keep by hash alone whose facts these are, once contacts are deleted, or `erased`."""
        ...

    def forget_origins(self, account: AccountId, contact: ContactId) -> int:
        """Empty address and browser of all their facts; returns how many facts there are."""
        ...


class SuppressionStore(Protocol):
    """Numbers that are not sent to. A row is an active suppression; lifting removes it."""

    def add(self, account: AccountId, entry: SuppressionEntry) -> SuppressionId | None:
        """Bar a number; None if it is barred for that reason already."""
        ...

    def add_all(
        self, account: AccountId, phones: Collection[PhoneNumber], terms: SuppressionTerms
    ) -> int:
        """Bar many numbers for one reason; returns how many were not barred for it before."""
        ...

    def lock(self, account: AccountId, suppression: SuppressionId) -> Suppression | None:
        """Read an entry of the store and lock it until the end; None if it has no such one."""
        ...

    def remove(self, account: AccountId, suppression: SuppressionId) -> None:
        """Take a locked entry off the list; nothing happens if it is gone."""
        ...

    def lift(
        self, account: AccountId, phone: PhoneNumber, reasons: frozenset[SuppressionReason]
    ) -> frozenset[SuppressionReason]:
        """Remove the store's own entries with these reasons; returns which there were."""
        ...

    def reasons(self, account: AccountId, phone: PhoneNumber) -> frozenset[SuppressionReason]:
        """Why a number is barred, operator-wide entries included; empty if it is not."""
        ...

    def add_erased(self, account: AccountId, phone_hash: bytes, at: datetime) -> None:
        """Remember an erased number by its hash alone; nothing happens if it is known as erased."""
        ...

    def add_forgotten(self, account: AccountId, phone_hash: bytes, terms: SuppressionTerms) -> bool:
        """Bar a number of which only the hash is left; False if the hash is barred already.

        Whoever writes the number down again has `name_forgotten` called.
        """
        ...

    def name_forgotten(self, account: AccountId, hashes: Mapping[PhoneNumber, bytes]) -> None:
        """Bar those of these numbers by number that were barred while they were forgotten.

        Their hashes are free then. Erased numbers are left to `bar_erased`.
        """
        ...

    def is_erased(self, account: AccountId, phone_hash: bytes) -> bool:
        """Whether the store has erased the number with this hash."""
        ...

    def has_erased(self, account: AccountId) -> bool:
        """Whether the store bars any number by its hash alone: those it meets must be looked at."""
        ...

    def find_erased(
        self, account: AccountId, hashes: Mapping[PhoneNumber, bytes]
    ) -> frozenset[PhoneNumber]:
        """Those of these numbers that the store has erased, told by their hashes alone."""
        ...

    def bar_erased(
        self, account: AccountId, hashes: Mapping[PhoneNumber, bytes], at: datetime
    ) -> frozenset[PhoneNumber]:
        """Bar those of these numbers, by number, that an erasure left only as a hash.

        Returns all that are known so, also those that were barred by number before.
        """
        ...


class MessageTraces(Protocol):
    """What other rooms keep about a person, seen from here."""

    def forget(self, account: AccountId, contacts: Collection[ContactId]) -> int:
        """Take numbers, names and texts out of their messages; the rows stay for the books.

        Returns how many messages there were, sent or waiting. Locks batches in their order.
        """
        ...

    def hold(self, account: AccountId, contact: ContactId) -> bool:
        """Whether a message to them is just being submitted, a test of their number included.

        Until the end none can begin to be.
        """
        ...


class PersonTraces(Protocol):
    """What else is kept about a person.

    Lists, what they did, rows of imports and what was wrong in them, test messages to their number,
    kept replies.
    """

    def forget(self, account: AccountId, contact: ContactId, phone: PhoneNumber) -> tuple[int, int]:
        """Remove all of it; returns how many memberships and how many things that they did."""
        ...


@attrs.frozen(kw_only=True)
class LastHandOver:
    """When a store last handed a message to a number, from which sender; and its last campaign.

    `country` is that as in which the store writes numbers.
    """

    account: AccountId
    country: str
    at: datetime
    sender: str
    campaign: CampaignId | None = None
    campaign_at: datetime | None = None


class NumberTraces(Protocol):
    """Which stores wrote to a number, and when last, also where its contact or messages are gone.

    A message counts once it may have reached the gateway, whatever became of it there.
    """

    def keep(self, account: AccountId, hashes: Mapping[ContactId, bytes], since: datetime) -> None:
        """Remember by the hash of their number when each of these contacts was last written to.

        Also to which number each of their messages went, so that its link still means that number.
        To be called before their messages are forgotten or their number changes; what was before
        `since` is not kept. Locks the batches that they are in, in their order.
        """
        ...

    def has_any(self, account: AccountId) -> bool:
        """Whether the store has forgotten any number it wrote to, so that it may meet it again."""
        ...

    def recognise(self, account: AccountId, hashes: Mapping[PhoneNumber, bytes]) -> None:
        """Remember which contacts have these numbers now that were forgotten before."""
        ...

    def holder(self, account: AccountId, phone_hash: bytes) -> ContactId | None:
        """The contact that was last given a forgotten number; it may have another one by now."""
        ...

    def last_hand_overs_across_accounts(
        self, hashes: Mapping[PhoneNumber, bytes], since: datetime
    ) -> Mapping[PhoneNumber, Sequence[LastHandOver]]:
        """The stores that wrote to each of these numbers since then, by their ids.

        A number that nobody wrote to is not named. Stores whose account is being erased are left
        out.
        """
        ...


class ContactsUnitOfWork(Work, Protocol):
    """One transaction over contacts, their consent and their suppressions."""

    @property
    def contacts(self) -> ContactStore: ...
    @property
    def consents(self) -> ConsentLedger: ...
    @property
    def suppressions(self) -> SuppressionStore: ...
    @property
    def message_traces(self) -> MessageTraces: ...
    @property
    def contact_sets(self) -> ContactSets: ...
    @property
    def person_traces(self) -> PersonTraces: ...
    @property
    def number_traces(self) -> NumberTraces: ...


@attrs.frozen
class MessageOrigin:
    """Whom a message went to and when it was planned; `contact` is None once they are deleted.

    `phone` is the number it went to, or goes to; once that was forgotten, `phone_hash` is what was
    kept of it. `is_confirmation` says that it asked for a double opt-in, `is_test` that it was for
    the owner to try.
    """

    account: AccountId
    contact: ContactId | None
    campaign: CampaignId | None
    at: datetime
    is_confirmation: bool = False
    is_test: bool = False
    phone: PhoneNumber | None = attrs.field(default=None, repr=False)
    phone_hash: bytes | None = attrs.field(default=None, repr=False)


class MessageOrigins(Protocol):
    """Finds by its number the message that carried a link."""

    def find_across_accounts(self, number: MessageNumber) -> MessageOrigin | None:
        """The origin of a message, or of a planned one; None if there is no such message."""
        ...


class ContactOwners(Protocol):
    """Finds whose a contact is, for links that claim to know it."""

    def find_across_accounts(self, contact: ContactId) -> AccountId | None:
        """The store of a contact; None if there is no such contact."""
        ...

    def former_hash(self, account: AccountId, contact: ContactId) -> bytes | None:
        """The hash of the number of a contact that the store has deleted; None if it has not."""
        ...
