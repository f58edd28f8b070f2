"""An audience is a value: it can be checked, stored and explained, and adapters can run it."""

import enum
from collections.abc import Mapping
from datetime import date

import attrs

from retail_core.contacts.model import Gender
from retail_core.kernel.ids import ContactId
from retail_core.kernel.money import PriceList
from retail_core.kernel.phones import PhoneNumber

ADULT_AGE_YEARS = 18


def years_before(day: date, years: int) -> date:
    """The latest birthday of somebody who has reached that age on `day`.

    29 February counts as reached on 1 March of other years, so seen from a 29 February the limit
    falls on 28 February.
    """
    year = day.year - years
    try:
        return day.replace(year=year)
    except ValueError:
        return date(year, 2, 28)


class AgeGroup(enum.Enum):
    """The three age groups of the contract, both ends included."""

    FROM_18_TO_24 = "18_24"
    FROM_25_TO_39 = "25_39"
    FROM_40 = "40_plus"

    @property
    def bounds(self) -> tuple[int, int | None]:
        """Lowest and highest age in full years; None = no upper end."""
        return _AGE_BOUNDS[self]


_AGE_BOUNDS: Mapping[AgeGroup, tuple[int, int | None]] = {
    AgeGroup.FROM_18_TO_24: (18, 24),
    AgeGroup.FROM_25_TO_39: (25, 39),
    AgeGroup.FROM_40: (40, None),
}


@attrs.frozen
class BirthdayRange:
    """Birthdays that fit an age: after `after` (if any), and on `until` at the latest."""

    after: date | None
    until: date

    @classmethod
    def of(cls, group: AgeGroup, today: date) -> "BirthdayRange":
        lowest, highest = group.bounds
        after = None if highest is None else years_before(today, highest + 1)
        return cls(after, years_before(today, lowest))

    def holds(self, birthday: date | None) -> bool:
        """An unknown birthday fits no age."""
        if birthday is None or birthday > self.until:
            return False
        return self.after is None or birthday > self.after


class Exclusion(enum.Enum):
    """Why somebody who matches is no recipient; the first that applies counts, in this order."""

    NOT_SUBSCRIBED = "notSubscribed"
    SUPPRESSED = "suppressed"
    EXCLUDED_LISTS = "excludedLists"
    UNDER_AGE = "underAge"
    AGE_UNKNOWN = "ageUnknown"
    FREQUENCY_CAP = "frequencyCap"
    LANDLINE = "landline"
    COUNTRY_NOT_PRICED = "countryNotPriced"


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
class AudienceSpec:
    """Who is meant: all conditions must hold at once."""

    system_list: str | None = attrs.field(
        default=None, validator=attrs.validators.optional(attrs.validators.in_(SYSTEM_LISTS))
    )
    gender: Gender | None = None
    age_group: AgeGroup | None = None

    @property
    def genders(self) -> frozenset[Gender]:
        """Every gender that is demanded; two different ones match nobody."""
        listed = SYSTEM_LISTS[self.system_list][0] if self.system_list else None
        return frozenset(gender for gender in (self.gender, listed) if gender is not None)

    @property
    def age_groups(self) -> frozenset[AgeGroup]:
        """Every age group that is demanded; two different ones match nobody."""
        listed = SYSTEM_LISTS[self.system_list][1] if self.system_list else None
        return frozenset(group for group in (self.age_group, listed) if group is not None)


@attrs.frozen
class AudienceRules:
    """What bears on every audience of a store at a given moment."""

    today: date
    adults_only: bool
    prices: PriceList


@attrs.frozen
class AudienceCount:
    """How many match, how many of them are left out and why, and how many remain."""

    matched: int
    excluded: Mapping[Exclusion, int]

    @property
    def recipients(self) -> int:
        return self.matched - sum(self.excluded.values())


@attrs.frozen
class AudienceMember:
    """A recipient as a preview shows it."""

    id: ContactId
    phone: PhoneNumber = attrs.field(repr=False)
    email: str | None = attrs.field(repr=False)
    first_name: str | None = attrs.field(repr=False)
    last_name: str | None = attrs.field(repr=False)
    gender: Gender | None
    birthday: date | None = attrs.field(repr=False)
