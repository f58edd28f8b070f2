"""What the contacts room needs from the world: its rows, the ledger of consent, the way out."""

from datetime import datetime
from typing import Protocol

import attrs

from retail_core.contacts.model import (
    ConsentFact,
    ConsentType,
    Contact,
    ContactDraft,
    SuppressionEntry,
    SuppressionReason,
)
from retail_core.kernel.ids import AccountId, CampaignId, ContactId, MessageNumber
from retail_core.kernel.phones import PhoneNumber
from retail_core.kernel.ports import Work


class ContactStore(Protocol):
    """The contacts of a store; its numbers are unique."""

    def add(self, account: AccountId, draft: ContactDraft) -> Contact:
        """Insert a contact. Raises `PhoneTaken`."""
        ...

    def lock(self, account: AccountId, contact: ContactId) -> Contact | None:
        """Read a contact and lock its row until the end; None if the store has no such one."""
        ...

    def save(self, account: AccountId, contact: Contact) -> None:
        """Write all fields of a locked contact. Raises `PhoneTaken`."""
        ...

    def remove(self, account: AccountId, contact: ContactId) -> None:
        """Delete a locked contact; nothing happens if it is gone."""
        ...


class ConsentLedger(Protocol):
    """Append-only: no fact is ever changed or taken back."""

    def append(self, account: AccountId, fact: ConsentFact) -> None:
        """Write one change of consent."""
        ...

    def latest_type(self, account: AccountId, contact: ContactId) -> ConsentType | None:
        """What happened last; None for a contact without any fact."""
        ...

    def remember_deleted(
        self, account: AccountId, contact: ContactId, phone_hash: bytes, at: datetime
    ) -> None:
        """Keep by hash alone whose facts these are, once the contact is deleted."""
        ...


class SuppressionStore(Protocol):
    """Numbers that are not sent to. A row is an active suppression; lifting removes it."""

    def add(self, account: AccountId, entry: SuppressionEntry) -> bool:
        """Bar a number; False if it is barred for that reason already."""
        ...

    def lift(
        self, account: AccountId, phone: PhoneNumber, reasons: frozenset[SuppressionReason]
    ) -> frozenset[SuppressionReason]:
        """Remove the store's own entries with these reasons; returns which there were."""
        ...

    def reasons(self, account: AccountId, phone: PhoneNumber) -> frozenset[SuppressionReason]:
        """Why a number is barred, operator-wide entries included; empty if it is not."""
        ...


class MessageTraces(Protocol):
    """What other rooms keep about a person, seen from here."""

    def forget_contact(self, account: AccountId, contact: ContactId) -> None:
        """Take number, name and text out of his messages; the rows stay for the books."""
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


@attrs.frozen
class MessageOrigin:
    """Whom a message went to and when it was planned; `contact` is None once he is deleted.

    `is_confirmation` says that it asked for a double opt-in.
    """

    account: AccountId
    contact: ContactId | None
    campaign: CampaignId | None
    at: datetime
    is_confirmation: bool = False


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
