"""Which contacts a caller asks for: shared by lists and exports of contacts."""

import re
from typing import Annotated, Final

import attrs

from adapters_http.web.fields import Described
from retail_core.accounts.queries import AccountQueries
from retail_core.audiences.errors import ListNotFound
from retail_core.audiences.model import (
    ADULT_AGE_YEARS,
    SYSTEM_LISTS,
    AgeGroup,
    BirthdayRange,
    ContactList,
    years_before,
)
from retail_core.audiences.queries import ListQueries, reachable
from retail_core.contacts.model import Gender, search_term
from retail_core.contacts.queries import ContactFilter, ContactQueries, ContactView, Reachable
from retail_core.kernel.errors import InvalidField, Unauthenticated
from retail_core.kernel.ids import ID_MAX, AccountId, ListId
from retail_core.kernel.pages import Page, PageRequest
from retail_core.kernel.time.clock import Clock
from retail_core.kernel.time.zones import local_date

_OWN_LIST: Final = re.compile(r"-?[1-9][0-9]*")
_GENDERS: Final = "|".join(gender.value for gender in Gender)
_AGES: Final = "|".join(group.value for group in AgeGroup)
_COMBINATION: Final = re.compile(f"gender_({_GENDERS})_age_({_AGES})")
_WORDS: Final = {"true": True, "false": False}


@attrs.frozen
class ContactListQuery:
    """How a list of contacts can be narrowed."""

    q: Annotated[str, Described("Part of the number, the e-mail or the names")] | None = None
    is_subscribed: Annotated[str, Described("true or false")] | None = None
    list_id: Annotated[str, Described("An own list or a system list")] | None = None
    tags: Annotated[str, Described("A comma list; a contact must have all of them")] | None = None


def is_subscribed(word: str | None) -> bool | None:
    """`true` or `false` in any case; other words are ignored."""
    return _WORDS.get((word or "").lower())


@attrs.frozen
class ListContacts:
    """Who is on an own list: by hand, or by its filter as of now."""

    lists: ListQueries
    contacts: ContactQueries
    accounts: AccountQueries
    clock: Clock

    def own(self, account: AccountId, text: str) -> ContactList:
        """A list by its id. Raises `ListNotFound`."""
        if text.startswith("-") or len(text) > len(str(ID_MAX)) or int(text) > ID_MAX:
            raise ListNotFound
        found = self.lists.find(account, ListId(int(text)))
        if found is None:
            raise ListNotFound
        return found

    def narrowed(self, account: AccountId, which: ContactFilter, own: ContactList) -> ContactFilter:
        """The same contacts, as far as they are on the list."""
        if not own.is_filtered:
            return attrs.evolve(which, member_of=own.id)
        known = self.accounts.find(account)
        if known is None:
            raise Unauthenticated
        today = local_date(self.clock.now(), known.timezone or "UTC")
        return attrs.evolve(which, reachable=reachable(own.draft.filter, today))

    def page(
        self,
        account: AccountId,
        own: ContactList,
        is_subscribed: bool | None,  # noqa: FBT001 - None: both
        request: PageRequest,
    ) -> Page[ContactView]:
        """A page of its members."""
        if not own.is_filtered:
            return self.lists.members(account, own.id, is_subscribed, request)
        which = self.narrowed(account, ContactFilter(is_subscribed=is_subscribed), own)
        return self.contacts.page(account, which, request)

    def count(self, account: AccountId, own: ContactList) -> int:
        """How many are on it."""
        return self.page(account, own, None, PageRequest(1, 1)).total


@attrs.frozen
class ContactFilters:
    """Reads the parameters; ages are counted on today's date in the store's zone."""

    accounts: AccountQueries
    clock: Clock
    lists: ListContacts

    def read(
        self, account: AccountId, query: ContactListQuery, list_path: str = "listId"
    ) -> ContactFilter:
        """Raises InvalidField for what is no list, ListNotFound for one that does not exist."""
        tags = (tag.strip().lower() for tag in (query.tags or "").split(","))
        found = ContactFilter(
            term=search_term(query.q) if query.q else None,
            is_subscribed=is_subscribed(query.is_subscribed),
            tags=tuple(tag for tag in tags if tag),
        )
        if not query.list_id:
            return found
        if _OWN_LIST.fullmatch(query.list_id):
            own = self.lists.own(account, query.list_id)
            return self.lists.narrowed(account, found, own)
        return attrs.evolve(found, reachable=self._reachable(account, query.list_id, list_path))

    def _reachable(self, account: AccountId, list_id: str, list_path: str) -> Reachable:
        gender, age_group = _meaning(list_id, list_path)
        known = self.accounts.find(account)
        if known is None:
            raise Unauthenticated
        today = local_date(self.clock.now(), known.timezone or "UTC")
        ages = BirthdayRange.of(age_group, today) if age_group else None
        return Reachable(
            adult_until=years_before(today, ADULT_AGE_YEARS),
            adults_only=known.adults_only,
            gender=gender,
            born_after=ages.after if ages else None,
            born_until=ages.until if ages else None,
        )


def _meaning(list_id: str, list_path: str) -> tuple[Gender | None, AgeGroup | None]:
    """What a system list, or a combination of two of them, asks for."""
    if list_id in SYSTEM_LISTS:
        return SYSTEM_LISTS[list_id]
    combination = _COMBINATION.fullmatch(list_id)
    if combination is not None:
        return Gender(combination[1]), AgeGroup(combination[2])
    raise InvalidField(list_path, "is not a list")
