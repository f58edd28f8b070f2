"""Questions about lists, and about an audience that is not frozen yet."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Protocol

from retail_core.audiences.model import (
    ADULT_AGE_YEARS,
    AudienceCount,
    AudienceExplanation,
    AudienceMember,
    AudienceRules,
    AudienceSpec,
    ContactList,
    ListFilter,
    Membership,
    Reach,
    years_before,
)
from retail_core.contacts.queries import ContactView, Reachable
from retail_core.kernel.ids import AccountId, ContactId, ListId
from retail_core.kernel.pages import Page, PageRequest

PREVIEW_MEMBERS_MAX = 10


class ListQueries(Protocol):
    """Reads the own lists of a store and counts who is on them."""

    def find(self, account: AccountId, list_id: ListId) -> ContactList | None:
        """One list; None if the store has no such one."""
        ...

    def by_ids(self, account: AccountId, lists: Collection[ListId]) -> Mapping[ListId, ContactList]:
        """Those of these lists that there are."""
        ...

    def page(self, account: AccountId, name: str, request: PageRequest) -> Page[ContactList]:
        """Lists whose name contains `name`, whatever its case; the newest first."""
        ...

    def by_hand(self, account: AccountId, lists: Collection[ListId]) -> Mapping[ListId, int]:
        """How many contacts were put on each of these lists; one query for all of them."""
        ...

    def reach(self, account: AccountId, today: date) -> Reach:
        """Everybody who may be written to, counted by gender and age by one query."""
        ...

    def members(
        self,
        account: AccountId,
        list_id: ListId,
        is_subscribed: bool | None,  # noqa: FBT001 - None: both
        request: PageRequest,
    ) -> Page[ContactView]:
        """Who was put on a list by hand, the latest first."""
        ...

    def membership(self, account: AccountId, membership: int) -> Membership | None:
        """One membership by its id; None once it is over."""
        ...


class AudienceQueries(Protocol):
    """Evaluates an audience in the database, by the same predicate that freezes it.

    Every question raises `AudienceGone` where something it is made of does not exist any more.
    """

    def count(self, account: AccountId, spec: AudienceSpec, rules: AudienceRules) -> AudienceCount:
        """Matched contacts, and each left-out one under the first reason that applies."""
        ...

    def members(
        self,
        account: AccountId,
        spec: AudienceSpec,
        rules: AudienceRules,
        *,
        name: str | None,
        members_max: int,
    ) -> tuple[int, Sequence[AudienceMember]]:
        """How many recipients (whose name contains `name`) there are, and the first by id."""
        ...

    def explain(
        self, account: AccountId, spec: AudienceSpec, rules: AudienceRules, contact: ContactId
    ) -> AudienceExplanation | None:
        """Every rule and whether it holds for a contact; None if the store has no such one."""
        ...


def reachable(wanted: ListFilter, today: date) -> Reachable:
    """The members of a filtered list, as the contacts' own queries know them."""
    birthdays = wanted.birthdays(today)
    return Reachable(
        adult_until=years_before(today, ADULT_AGE_YEARS),
        adults_only=False,
        gender=wanted.gender,
        born_after=birthdays.after if birthdays else None,
        born_until=birthdays.until if birthdays else None,
    )
