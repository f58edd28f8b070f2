from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retail_core.kernel.time.zones import day_start, full_years, is_zone, local_date, local_to_utc

ATHENS = "Europe/Athens"


@pytest.mark.parametrize("name", ["Europe/Athens", "America/New_York", "UTC", "Asia/Kathmandu"])
def test_iana_names_are_zones(name: str) -> None:
    assert is_zone(name)


@pytest.mark.parametrize(
    "name",
    ["", "Athens", "europe/athens", "../etc/passwd", "+02:00", "localtime", "\x00"],
)
def test_anything_else_is_no_zone(name: str) -> None:
    assert not is_zone(name)


def test_the_day_begins_when_it_begins_there() -> None:
    instant = datetime(2026, 7, 1, 21, 30, tzinfo=UTC)

    assert local_date(instant, ATHENS) == date(2026, 7, 2)
    assert local_date(instant, "UTC") == date(2026, 7, 1)


def test_a_local_time_has_its_instant() -> None:
    assert local_to_utc(date(2026, 7, 1), time(9), ATHENS) == datetime(2026, 7, 1, 6, tzinfo=UTC)


def test_a_time_that_clocks_skip_has_no_instant() -> None:
    assert local_to_utc(date(2026, 3, 29), time(3, 30), ATHENS) is None


def test_of_a_time_that_clocks_show_twice_the_earlier_counts() -> None:
    assert local_to_utc(date(2026, 10, 25), time(3, 30), ATHENS) == datetime(
        2026, 10, 25, 0, 30, tzinfo=UTC
    )


@given(
    instant=st.datetimes(
        datetime(1990, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
        datetime(2100, 1, 1),  # noqa: DTZ001
        timezones=st.just(UTC),
    )
)
def test_there_and_back_gives_the_same_wall_clock(instant: datetime) -> None:
    day = local_date(instant, ATHENS)
    found = local_to_utc(day, time(12), ATHENS)

    assert found is not None
    assert abs(found - instant) < timedelta(hours=14)
    assert local_date(found, ATHENS) == day


@pytest.mark.parametrize(
    ("day", "zone", "first"),
    [
        (date(2026, 11, 24), ATHENS, datetime(2026, 11, 23, 22, tzinfo=UTC)),
        # clocks go from 23:59:59 to 01:00
        (date(2018, 11, 4), "America/Sao_Paulo", datetime(2018, 11, 4, 3, tzinfo=UTC)),
        # clocks go from 00:59:59 back to 00:00, an hour into the day
        (date(2026, 11, 1), "America/Havana", datetime(2026, 11, 1, 4, tzinfo=UTC)),
    ],
)
def test_a_day_starts_at_its_first_instant(day: date, zone: str, first: datetime) -> None:
    assert day_start(day, zone) == first


@pytest.mark.parametrize(
    ("on", "age"),
    [
        (date(2026, 5, 9), 25),
        (date(2026, 5, 10), 26),
        (date(2026, 5, 11), 26),
    ],
)
def test_age_grows_on_the_birthday(on: date, age: int) -> None:
    assert full_years(date(2000, 5, 10), on) == age


def test_who_was_born_on_a_leap_day_gets_older_on_the_first_of_march() -> None:
    born = date(2008, 2, 29)

    assert full_years(born, date(2026, 2, 28)) == 17
    assert full_years(born, date(2026, 3, 1)) == 18
    assert full_years(born, date(2028, 2, 29)) == 20
