"""Questions about contacts that the edge asks directly."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Protocol

import attrs

from retail_core.contacts.model import (
    LIFTED_BY_LINK,
    OPTED_OUT_IN_PERSON,
    ConsentEvent,
    Contact,
    Gender,
    OptOutLink,
    Suppression,
    SuppressionReason,
)
from retail_core.contacts.model.erasure import Engagement, Erasure, ImportTrace, OnList
from retail_core.contacts.model.number_hash import NumberHash
from retail_core.kernel.ids import AccountId, ContactId, ListId, SuppressionId
from retail_core.kernel.pages import Page, PageRequest


@attrs.frozen
class ContactView:
    """A contact as it is shown; `is_suppressed` counts operator-wide entries too."""

    contact: Contact
    is_suppressed: bool


@attrs.frozen(kw_only=True)
class Reachable:
    """The members of a system list: subscribed, not suppressed, not known to be under age.

    `adult_until` is the latest birthday of an adult; `adults_only` leaves out unknown birthdays.
    `born_after` (exclusive) and `born_until` (inclusive) bound the birthday, which must then be
    known.
    """

    adult_until: date
    adults_only: bool
    gender: Gender | None = None
    born_after: date | None = None
    born_until: date | None = None

    def holds(self, view: ContactView) -> bool:
        """The rule in plain words; the database evaluates the same one."""
        contact, born = view.contact, view.contact.birthday
        if not contact.is_subscribed or view.is_suppressed:
            return False
        if self.gender is not None and contact.gender is not self.gender:
            return False
        if born is None:
            return not (self.adults_only or self.born_after or self.born_until)
        return (
            born <= self.adult_until
            and (self.born_after is None or born > self.born_after)
            and (self.born_until is None or born <= self.born_until)
        )


@attrs.frozen(kw_only=True)
class ContactFilter:
    """Which contacts a list shows; all conditions must hold.

    `ids` names them one by one; unknown ones are nobody. `term` is what `search_term` made of the
    search; a contact has all of `tags`, and was put by hand on the list `member_of`.
    """

    term: str | None = None
    is_subscribed: bool | None = None
    tags: tuple[str, ...] = ()
    reachable: Reachable | None = None
    member_of: ListId | None = None
    ids: tuple[ContactId, ...] | None = None


class ContactQueries(Protocol):
    """Reads contacts of one store."""

    def find(self, account: AccountId, contact: ContactId) -> ContactView | None:
        """One contact; None if the store has no such one."""
        ...

    def page(
        self, account: AccountId, which: ContactFilter, page: PageRequest
    ) -> Page[ContactView]:
        """Contacts, the newest first."""
        ...

    def erasure(self, account: AccountId, contact: ContactId) -> Erasure | None:
        """What was erased of somebody who is gone; None if they were not erased."""
        ...

    def every(self, account: AccountId, which: ContactFilter) -> Iterator[Contact]:
        """All of them as of one moment, the newest first; memory does not grow with them.

        A transaction is open until the last was read, or nobody reads on.
        """
        ...

    def consents(
        self, account: AccountId, contact: ContactId, page: PageRequest
    ) -> Page[ConsentEvent] | None:
        """The consent history of a contact, the newest first; None if there is no such one."""
        ...


@attrs.frozen
class NumberStanding:
    """How a store stands to a number: who has it, if anybody, and what bars it."""

    contact: Contact | None = None
    barred_for: frozenset[SuppressionReason] = frozenset()

    @property
    def receives(self) -> bool:
        """Whether messages reach it, as far as its holder has a say in that."""
        is_in = self.contact is not None and self.contact.is_subscribed
        return is_in and not self.barred_for & OPTED_OUT_IN_PERSON

    @property
    def can_come_back(self) -> bool:
        """Whether opting in again would change anything, and nothing else bars the number."""
        is_barred_by_others = bool(self.barred_for - LIFTED_BY_LINK)
        return self.contact is not None and not self.receives and not is_barred_by_others


class OptOutQueries(Protocol):
    """Reads what the page of a link shows."""

    def standing(self, link: OptOutLink, number_hash: NumberHash) -> NumberStanding:
        """How the store of a link stands to its number."""
        ...


class SubjectQueries(Protocol):
    """Reads what a store knows of one person beside contact, consent and messages."""

    def lists(self, account: AccountId, contact: ContactId) -> Sequence[OnList]:
        """The lists they are on by hand, in the order of their ids."""
        ...

    def suppressions(self, account: AccountId, contact: ContactId) -> Sequence[Suppression]:
        """The store's own entries for their number, the newest first."""
        ...

    def imports(self, account: AccountId, contact: ContactId) -> Sequence[ImportTrace]:
        """The rows of imports that brought or changed them, the newest import first."""
        ...

    def engagement(self, account: AccountId, contact: ContactId) -> Engagement:
        """What they did about messages and tags."""
        ...


@attrs.frozen(kw_only=True)
class SuppressionFilter:
    """Which entries a list shows; `digits` stand somewhere in the number, and none means none."""

    digits: str | None = attrs.field(default=None, repr=False)
    reason: SuppressionReason | None = None


class SuppressionQueries(Protocol):
    """Reads the suppression list of one store; operator-wide entries are never shown."""

    def find(self, account: AccountId, suppression: SuppressionId) -> Suppression | None:
        """One entry; None if the store has no such one."""
        ...

    def page(
        self, account: AccountId, which: SuppressionFilter, page: PageRequest
    ) -> Page[Suppression]:
        """Entries, the newest first."""
        ...
