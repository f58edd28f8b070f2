"""What lists need from the world."""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Protocol

from retail_core.accounts.ports import AccountStore
from retail_core.audiences.model import (
    ContactList,
    ContactRange,
    EngagementFact,
    ListDraft,
    Membership,
    SyncStep,
)
from retail_core.contacts.ports import ContactStore
from retail_core.kernel.ids import AccountId, ContactId, ListId
from retail_core.kernel.ports import Work


class ListStore(Protocol):
    """The own lists of a store; their names are unique."""

    def add(self, account: AccountId, draft: ListDraft, now: datetime) -> ContactList:
        """A new list without members. Raises `ListNameTaken`."""
        ...

    def lock(self, account: AccountId, list_id: ListId) -> ContactList | None:
        """Read a list and lock it until the end, against those who `hold` it too."""
        ...

    def hold(self, account: AccountId, lists: Collection[ListId]) -> Mapping[ListId, ContactList]:
        """Those of these lists that there are; until the end nobody can remove them."""
        ...

    def save(self, account: AccountId, changed: ContactList) -> None:
        """Write all that a locked list says. Raises `ListNameTaken`."""
        ...

    def remove(self, account: AccountId, list_id: ListId) -> None:
        """Delete a locked list and who is on it; the contacts stay."""
        ...


class ListMembers(Protocol):
    """Who was put on which list by hand; for a filtered list, who fitted when it was synced."""

    def add(
        self, account: AccountId, list_id: ListId, contact: ContactId, now: datetime
    ) -> Membership:
        """Put a locked contact on a held list. Raises `AlreadyMember`."""
        ...

    def remove(self, account: AccountId, list_id: ListId, contact: ContactId) -> None:
        """Take somebody off a list; nothing happens if they are not on it."""
        ...

    def sync(
        self,
        account: AccountId,
        fitting: ContactList,
        today: date,
        now: datetime,
        contacts: ContactRange,
    ) -> SyncStep:
        """Write down who of the next contacts fits the filter of a locked list today."""
        ...


class ListUses(Protocol):
    """The campaigns that name a list, seen from here."""

    def is_needed(self, account: AccountId, list_id: ListId) -> bool:
        """Whether a campaign that is not over names it: as audience, exclusion or in a segment."""
        ...

    def let_go(self, account: AccountId, list_id: ListId) -> None:
        """Campaigns that are over and were sent to it forget which list it was."""
        ...


class EngagementFacts(Protocol):
    """What people did about messages, as far as segments ask: the last time of each kind."""

    def record(self, account: AccountId, fact: EngagementFact) -> None:
        """Remember the deed of a contact; an older one of its kind and campaign is nothing new."""
        ...


class AudiencesUnitOfWork(Work, Protocol):
    """One transaction over lists and who is on them."""

    @property
    def accounts(self) -> AccountStore: ...
    @property
    def contacts(self) -> ContactStore: ...
    @property
    def lists(self) -> ListStore: ...
    @property
    def list_members(self) -> ListMembers: ...
    @property
    def list_uses(self) -> ListUses: ...
