"""Lists: contacts picked by hand, or a filter that is evaluated whenever it is used."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final

import attrs

from retail_core.audiences.model.ages import ADULT_AGE_YEARS, AgeGroup, BirthdayRange
from retail_core.contacts.model import KEEP, Gender, Keep
from retail_core.kernel.errors import InvalidField
from retail_core.kernel.ids import ContactId, ListId

NAME_CHARACTERS_MAX: Final = 160
DESCRIPTION_CHARACTERS_MAX: Final = 400
FILTER_AGE_YEARS_MAX: Final = 150

SYSTEM_LISTS: Mapping[str, tuple[Gender | None, AgeGroup | None]] = {
    "all": (None, None),
    "gender_male": (Gender.MALE, None),
    "gender_female": (Gender.FEMALE, None),
    "gender_other": (Gender.OTHER, None),
    "gender_prefer_not_to_say": (Gender.PREFER_NOT_TO_SAY, None),
    "age_18_24": (None, AgeGroup.FROM_18_TO_24),
    "age_25_39": (None, AgeGroup.FROM_25_TO_39),
    "age_40_plus": (None, AgeGroup.FROM_40),
}


@attrs.frozen
class ListFilter:
    """Who is on a filtered list: None means any; ages in full years, both ends included.

    Raises `InvalidField` for ages that nobody can have.
    """

    gender: Gender | None = None
    age_min: int | None = None
    age_max: int | None = None

    def __attrs_post_init__(self) -> None:
        for name, age in (("filterAgeMin", self.age_min), ("filterAgeMax", self.age_max)):
            if age is not None and not 0 <= age <= FILTER_AGE_YEARS_MAX:
                raise InvalidField(name, f"must be from 0 to {FILTER_AGE_YEARS_MAX}")
        if self.age_min is not None and self.age_max is not None and self.age_min > self.age_max:
            raise InvalidField("filterAgeMax", "must not be below filterAgeMin")

    @property
    def is_set(self) -> bool:
        return self.gender is not None or self.has_ages

    @property
    def has_ages(self) -> bool:
        return self.age_min is not None or self.age_max is not None

    def birthdays(self, today: date) -> BirthdayRange | None:
        """The birthdays that fit today; None where no age is asked for."""
        if not self.has_ages:
            return None
        return BirthdayRange.between(self.age_min, self.age_max, today)


NO_FILTER: Final = ListFilter()


@attrs.frozen
class ListDraft:
    """What a list says of itself. Raises `InvalidField`."""

    name: str
    description: str | None = None
    filter: ListFilter = NO_FILTER

    def __attrs_post_init__(self) -> None:
        if not 1 <= len(self.name) <= NAME_CHARACTERS_MAX:
            raise InvalidField("name", f"must have 1 to {NAME_CHARACTERS_MAX} characters")
        if len(self.description or "") > DESCRIPTION_CHARACTERS_MAX:
            text = f"must have at most {DESCRIPTION_CHARACTERS_MAX} characters"
            raise InvalidField("description", text)


@attrs.frozen
class ListChanges:
    """What an edit of a list replaces: None clears, `KEEP` leaves alone."""

    name: str | Keep = KEEP
    description: str | Keep | None = KEEP
    gender: Gender | Keep | None = KEEP
    age_min: int | Keep | None = KEEP
    age_max: int | Keep | None = KEEP

    def applied_to(self, draft: ListDraft) -> ListDraft:
        """Raises `InvalidField`; a new bound is checked against the other, whoever set it."""
        was = draft.filter
        name, description = self.name, self.description
        return ListDraft(
            draft.name if isinstance(name, Keep) else name,
            draft.description if isinstance(description, Keep) else description,
            ListFilter(
                was.gender if isinstance(self.gender, Keep) else self.gender,
                was.age_min if isinstance(self.age_min, Keep) else self.age_min,
                was.age_max if isinstance(self.age_max, Keep) else self.age_max,
            ),
        )


@attrs.frozen
class ContactList:
    """An own list of a store."""

    id: ListId
    draft: ListDraft
    created_at: datetime
    updated_at: datetime

    @property
    def is_filtered(self) -> bool:
        return self.draft.filter.is_set


@attrs.frozen
class Membership:
    """That somebody was put on a list by hand."""

    id: int
    list: ListId
    contact: ContactId
    created_at: datetime


@attrs.frozen
class ContactRange:
    """So many contacts by id, behind one of them."""

    after: ContactId
    contacts_max: int


@attrs.frozen
class SyncStep:
    """How many came on a list and went off it, and up to which contact; None: there was none."""

    added: int
    removed: int
    last: ContactId | None


@attrs.frozen
class Reach:
    """How many contacts a store may write to, by gender and age in full years.

    In it are those who are subscribed and not suppressed. One count answers for all system lists
    and all filtered lists.
    """

    counts: Mapping[tuple[Gender | None, int | None], int]

    def of_filter(self, wanted: ListFilter) -> int:
        """How many fit; nobody who is known to be under age does."""
        return self._of(wanted.gender, wanted.age_min, wanted.age_max, known=wanted.has_ages)

    def of_system_list(self, name: str, *, adults_only: bool) -> int:
        """How many are on a system list; with `adults_only`, none of unknown age."""
        gender, group = SYSTEM_LISTS[name]
        lowest, highest = group.bounds if group else (None, None)
        return self._of(gender, lowest, highest, known=adults_only or group is not None)

    def _of(
        self, gender: Gender | None, lowest: int | None, highest: int | None, *, known: bool
    ) -> int:
        lowest = max(lowest or 0, ADULT_AGE_YEARS)
        return sum(
            count
            for (whose, age), count in self.counts.items()
            if gender in (None, whose)
            and (
                not known if age is None else lowest <= age <= (age if highest is None else highest)
            )
        )


def member_counts(
    lists: Sequence[ContactList], reach: Reach, by_hand: Mapping[ListId, int]
) -> Mapping[ListId, int]:
    """How many are on each list: those who fit its filter now, or those who were put on it."""
    return {
        each.id: reach.of_filter(each.draft.filter) if each.is_filtered else by_hand.get(each.id, 0)
        for each in lists
    }
