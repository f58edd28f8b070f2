"""Ages, lists and counts of an audience."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retail_core.audiences.model import (
    AgeGroup,
    AudienceCount,
    AudienceSpec,
    BirthdayRange,
    Exclusion,
    years_before,
)
from retail_core.contacts.model import Gender

DAYS = st.dates(date(2024, 1, 1), date(2032, 12, 31))
BIRTHDAYS = st.dates(date(1920, 1, 1), date(2024, 12, 31))


def age_on(day: date, born: date) -> int:
    """Full calendar years; 29 February counts as reached on 1 March of other years."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


@pytest.mark.parametrize(
    ("day", "latest"),
    [
        (date(2026, 11, 24), date(2008, 11, 24)),
        (date(2028, 2, 29), date(2010, 2, 28)),
        (date(2026, 2, 28), date(2008, 2, 28)),
        (date(2026, 3, 1), date(2008, 3, 1)),
    ],
)
def test_eighteen_is_reached_on_the_birthday(day: date, latest: date) -> None:
    assert years_before(day, 18) == latest


@given(day=DAYS, born=BIRTHDAYS)
def test_whoever_was_born_on_the_latest_birthday_or_before_has_the_age(
    day: date, born: date
) -> None:
    assert (born <= years_before(day, 18)) == (age_on(day, born) >= 18)


@given(day=DAYS, born=BIRTHDAYS, group=st.sampled_from(AgeGroup))
def test_an_age_group_holds_exactly_its_ages(day: date, born: date, group: AgeGroup) -> None:
    lowest, highest = group.bounds
    age = age_on(day, born)

    held = BirthdayRange.of(group, day).holds(born)

    assert held == (lowest <= age and (highest is None or age <= highest))


def test_an_unknown_birthday_fits_no_age() -> None:
    assert not BirthdayRange.of(AgeGroup.FROM_40, date(2026, 1, 1)).holds(None)


def test_a_list_and_a_filter_must_hold_together() -> None:
    spec = AudienceSpec("gender_male", Gender.FEMALE, AgeGroup.FROM_40)

    assert spec.genders == {Gender.MALE, Gender.FEMALE}
    assert spec.age_groups == {AgeGroup.FROM_40}
    assert AudienceSpec("age_40_plus", age_group=AgeGroup.FROM_18_TO_24).age_groups == {
        AgeGroup.FROM_18_TO_24,
        AgeGroup.FROM_40,
    }


def test_the_list_of_all_demands_nothing() -> None:
    assert not AudienceSpec("all").genders
    assert not AudienceSpec("all").age_groups


def test_a_list_that_does_not_exist_is_no_audience() -> None:
    with pytest.raises(ValueError, match="system_list"):
        AudienceSpec("age_0_17")


def test_recipients_are_those_whom_no_reason_left_out() -> None:
    count = AudienceCount(10, {Exclusion.LANDLINE: 2, Exclusion.SUPPRESSED: 1})

    assert count.recipients == 7
