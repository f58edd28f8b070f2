"""Ages in full calendar years, and which birthdays they mean on a given day."""

import enum
from collections.abc import Mapping
from datetime import date

import attrs

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
        return cls.between(*group.bounds, today)

    @classmethod
    def between(cls, lowest: int | None, highest: int | None, today: date) -> "BirthdayRange":
        """Ages in full years, both ends included; None = no end."""
        after = None if highest is None else years_before(today, highest + 1)
        return cls(after, years_before(today, lowest or 0))

    def holds(self, birthday: date | None) -> bool:
        """An unknown birthday fits no age."""
        if birthday is None or birthday > self.until:
            return False
        return self.after is None or birthday > self.after
