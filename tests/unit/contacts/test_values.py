"""What people type into the fields of a contact."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retail_core.contacts.errors import InvalidBirthday, InvalidTags
from retail_core.contacts.model import SEARCH_SEPARATOR, folded_fields, search_term
from retail_core.contacts.model.number_hash import NumberHash
from retail_core.contacts.model.values import (
    check_birthday,
    read_birthday,
    read_email,
    read_tags,
    split_tags,
)
from retail_core.kernel.addresses.phones import PhoneNumber

TODAY = date(2026, 11, 24)


@given(st.dates(min_value=date(1876, 11, 24), max_value=date(2026, 11, 23)))
def test_a_date_of_the_last_150_years_is_a_birthday(day: date) -> None:
    assert read_birthday(day.isoformat(), TODAY) == day
    assert check_birthday(day, TODAY) == day


@given(
    st.dates(max_value=date(1876, 11, 23)) | st.dates(min_value=date(2026, 11, 24)),
)
def test_any_other_date_is_not(day: date) -> None:
    with pytest.raises(InvalidBirthday):
        read_birthday(day.isoformat(), TODAY)


@given(
    st.datetimes(
        min_value=datetime(1900, 1, 2),  # noqa: DTZ001 - the strategy adds the zone
        max_value=datetime(2020, 1, 1),  # noqa: DTZ001 - as above
        timezones=st.timezones(),
    )
)
def test_of_a_moment_the_date_in_utc_counts(moment: datetime) -> None:
    whole = moment.replace(microsecond=0)
    offset = whole.utcoffset()
    if offset is None or offset.total_seconds() % 60:
        return  # ISO texts know no offsets of odd seconds
    assert read_birthday(whole.isoformat(), TODAY) == whole.astimezone(UTC).date()


@given(st.text(max_size=30))
def test_no_text_breaks_a_birthday(text: str) -> None:
    try:
        day = read_birthday(text, TODAY)
    except InvalidBirthday:
        return
    assert day is None or day < TODAY


@pytest.mark.parametrize(
    "text",
    ["20260101", "2026-W01-1", "1990-5-17", "1990-05-17Z", "1990-05-17T24:61", "17.05.1990", "0"],
)
def test_other_forms_of_a_date_are_refused(text: str) -> None:
    with pytest.raises(InvalidBirthday):
        read_birthday(text, TODAY)


def test_the_birthday_of_29_february_has_a_limit_too() -> None:
    leap_day = date(2024, 2, 29)

    assert check_birthday(date(1874, 3, 1), leap_day) == date(1874, 3, 1)
    with pytest.raises(InvalidBirthday):
        check_birthday(date(1874, 2, 28), leap_day)


@given(st.lists(st.text(alphabet="aB ;,|", max_size=4), max_size=5))
def test_tags_are_clean_or_refused(tags: list[str]) -> None:
    try:
        clean = read_tags(tags)
    except InvalidTags:
        return
    assert len(set(clean)) == len(clean)
    assert all(tag == tag.strip().lower() and not set(tag) & set(",;|") for tag in clean)
    assert read_tags(clean) == clean
    assert split_tags(",".join(clean)) == clean


def test_an_email_is_lowered_and_a_blank_one_is_none() -> None:
    assert read_email(" A@B.GR ") == "a@b.gr"
    assert read_email("  ") is None


@given(st.text(max_size=20), st.text(max_size=20))
def test_whatever_is_part_of_a_name_finds_it(name: str, more: str) -> None:
    whole = SEARCH_SEPARATOR.join(folded_fields("+306900000001", None, name, more))

    assert search_term(name) in whole
    assert whole.count(SEARCH_SEPARATOR) == 3


@given(st.text())
def test_no_search_reaches_over_the_end_of_a_field(text: str) -> None:
    assert SEARCH_SEPARATOR not in search_term(text)


def test_a_number_has_one_hash_per_secret() -> None:
    phone = PhoneNumber("+306900000001")
    first, second = NumberHash.derived(b"a"), NumberHash.derived(b"b")

    assert first.of(phone) == NumberHash.derived(b"a").of(phone)
    assert len({first.of(phone), second.of(phone), NumberHash(b"a").of(phone)}) == 3
    assert "secret" not in repr(first)
