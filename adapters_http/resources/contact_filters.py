"""Which contacts a caller asks for: shared by lists and exports of contacts."""

import re
from typing import Final

import attrs

from retail_core.accounts.queries import AccountQueries
from retail_core.audiences.model import (
    ADULT_AGE_YEARS,
    SYSTEM_LISTS,
    AgeGroup,
    BirthdayRange,
    years_before,
)
from retail_core.contacts.model import Gender, search_term
from retail_core.contacts.queries import ContactFilter, Reachable
from retail_core.kernel.clock import Clock
from retail_core.kernel.errors import InvalidField, NotFound, Unauthenticated
from retail_core.kernel.ids import AccountId
from retail_core.kernel.zones import local_date

_OWN_LIST: Final = re.compile(r"-?[1-9][0-9]*")
_GENDERS: Final = "|".join(gender.value for gender in Gender)
_AGES: Final = "|".join(group.value for group in AgeGroup)
_COMBINATION: Final = re.compile(f"gender_({_GENDERS})_age_({_AGES})")
_WORDS: Final = {"true": True, "false": False}


@attrs.frozen
class ContactListQuery:
    """How a list of contacts can be narrowed."""

    q: str | None = None
    is_subscribed: str | None = None
    list_id: str | None = None
    tags: str | None = None


@attrs.frozen
class ContactFilters:
    """Reads the parameters; ages are counted on today's date in the store's zone."""

    accounts: AccountQueries
    clock: Clock

    def read(self, account: AccountId, query: ContactListQuery) -> ContactFilter:
        """Raises InvalidField for what is no list, NotFound for a list that does not exist."""
        tags = (tag.strip().lower() for tag in (query.tags or "").split(","))
        return ContactFilter(
            term=search_term(query.q) if query.q else None,
            is_subscribed=_WORDS.get((query.is_subscribed or "").lower()),
            tags=tuple(tag for tag in tags if tag),
            reachable=self._reachable(account, query.list_id) if query.list_id else None,
        )

    def _reachable(self, account: AccountId, list_id: str) -> Reachable:
        gender, age_group = _meaning(list_id)
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


def _meaning(list_id: str) -> tuple[Gender | None, AgeGroup | None]:
    """What a system list, or a combination of two of them, asks for."""
    if list_id in SYSTEM_LISTS:
        return SYSTEM_LISTS[list_id]
    combination = _COMBINATION.fullmatch(list_id)
    if combination is not None:
        return Gender(combination[1]), AgeGroup(combination[2])
    if _OWN_LIST.fullmatch(list_id):
        raise NotFound("No such list.")
    raise InvalidField("listId", "is not a list")
