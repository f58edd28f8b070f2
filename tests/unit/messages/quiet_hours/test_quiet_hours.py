"""Quiet hours against the plainest possible reading of them: asking minute after minute."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from phonenumbers.tzdata import TIMEZONE_DATA

from retail_core.accounts.model import QuietHours, Weekday
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.time.zones import Place, is_zone, place_of
from retail_core.messages.quiet_hours import (
    BUILT_IN,
    HAND_OVER_SECONDS,
    HORIZON_DAYS,
    LOOK_AGAIN_HOURS,
    OFF,
    Holiday,
    QuietRule,
    StoreQuiet,
    easter,
    is_allowed,
    next_allowed,
)

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
ZONES = sorted(available_timezones() - {"Factory", "localtime"})
ATHENS = "Europe/Athens"
FRENCH = BUILT_IN.rules(None, "FR")[0].holidays
NIGHT = QuietRule(time(21), time(9))
# the days on which clocks are put forward or back somewhere, and some on which nothing happens
CHANGES = (
    datetime(2026, 3, 8, tzinfo=UTC),
    datetime(2026, 3, 29, tzinfo=UTC),
    datetime(2026, 4, 5, tzinfo=UTC),
    datetime(2026, 10, 4, tzinfo=UTC),
    datetime(2026, 10, 25, tzinfo=UTC),
    datetime(2026, 11, 1, tzinfo=UTC),
    datetime(2027, 2, 14, tzinfo=UTC),
    datetime(2026, 7, 1, tzinfo=UTC),
    datetime(2026, 12, 24, tzinfo=UTC),
)

clocks = st.builds(time, st.integers(0, 23), st.integers(0, 59))
rules = st.builds(
    QuietRule,
    clocks,
    clocks,
    st.frozensets(st.sampled_from(list(Weekday)), max_size=2),
    st.sampled_from([(), (Holiday.of("03-29"), Holiday.of("10-25"), Holiday.of("easter+1"))]),
)
moments = st.builds(
    lambda day, minutes, seconds: day + timedelta(minutes=minutes, seconds=seconds),
    st.sampled_from(CHANGES),
    st.integers(-1_500, 1_500),
    st.sampled_from([0, 1, 30, 59]),
)


def is_quiet(rule: QuietRule, zone: str, at: datetime) -> bool:
    """What the words say: look at the clock and the calendar there."""
    local = at.astimezone(ZoneInfo(zone))
    if list(Weekday)[local.weekday()] in rule.days:
        return True
    if any(holiday.falls_on(local.date()) for holiday in rule.holidays):
        return True
    clock = local.time()
    if rule.start <= rule.end:
        return rule.start <= clock < rule.end
    return clock >= rule.start or clock < rule.end


@given(
    st.lists(rules, max_size=2), st.lists(st.sampled_from(ZONES), min_size=1, max_size=3), moments
)
def test_the_next_allowed_moment_is_the_earliest_one(
    given_rules: list[QuietRule], zones: list[str], at: datetime
) -> None:
    found = next_allowed(tuple(given_rules), tuple(zones), at)

    last = at + 4 * DAY
    minute = at
    while minute < last and any(
        is_quiet(rule, zone, minute) for rule in given_rules for zone in zones
    ):
        minute = minute.replace(second=0) + MINUTE
    if minute < last:
        assert found == minute
    else:
        assert found is None or found >= last


@given(rules, st.sampled_from(ZONES), moments)
def test_a_single_rule_always_leaves_a_moment(rule: QuietRule, zone: str, at: datetime) -> None:
    found = next_allowed((rule,), (zone,), at)

    assert found is not None
    assert at <= found < at + 5 * DAY
    assert is_allowed((rule,), (zone,), found)
    assert next_allowed((rule,), (zone,), found) == found


@pytest.mark.parametrize("zone", ZONES)
def test_every_zone_has_a_morning_on_every_day_of_a_year(zone: str) -> None:
    at = datetime(2026, 1, 1, 0, 7, tzinfo=UTC)
    for _ in range(365):
        at += DAY
        found = next_allowed((NIGHT,), (zone,), at)
        assert found is not None
        local = found.astimezone(ZoneInfo(zone))
        assert found == at or (local.hour, local.minute) == (9, 0)
        assert found - at <= timedelta(hours=13)


@given(st.sampled_from(ZONES), moments, st.frozensets(st.sampled_from(list(Weekday)), max_size=6))
def test_equal_ends_leave_only_the_quiet_days(
    zone: str, at: datetime, days: frozenset[Weekday]
) -> None:
    rule = QuietRule(time(9), time(9), days)

    local = at.astimezone(ZoneInfo(zone))

    assert is_allowed((rule,), (zone,), at) is (list(Weekday)[local.weekday()] not in days)


@given(moments)
def test_rules_that_leave_nothing_end_the_search(at: datetime) -> None:
    day, night = QuietRule(time(9), time(21)), QuietRule(time(21), time(9))

    assert next_allowed((day, night), (ATHENS,), at) is None
    assert next_allowed((QuietRule(time(0), time(0), frozenset(Weekday)),), (ATHENS,), at) is None


def test_one_weekday_between_holidays_is_found_within_the_horizon() -> None:
    # all but Fridays are quiet; Christmas of 2026 and New Year's Day of 2027 are Fridays
    rule = QuietRule(time(0), time(0), frozenset(Weekday) - {Weekday.FRI}, FRENCH)
    at = datetime(2026, 12, 19, 12, tzinfo=UTC)

    found = next_allowed((rule,), ("Europe/Paris",), at)

    assert found == datetime(2027, 1, 7, 23, tzinfo=UTC)
    assert found - at < timedelta(days=HORIZON_DAYS)


@pytest.mark.parametrize(
    ("year", "sunday"),
    [(2000, date(2000, 4, 23)), (2025, date(2025, 4, 20)), (2026, date(2026, 4, 5)),
     (2027, date(2027, 3, 28)), (2038, date(2038, 4, 25)), (2076, date(2076, 4, 19))],
)  # fmt: skip
def test_easter_falls_where_the_calendar_says(year: int, sunday: date) -> None:
    assert easter(year) == sunday


@pytest.mark.parametrize("text", ["", "13-01", "02-30", "1-1", "easter+", "easter+100", "Easter"])
def test_anything_else_is_no_holiday(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of any text
        Holiday.of(text)


def test_the_holidays_of_france_are_quiet() -> None:
    found = [
        day
        for offset in range(365)
        if any(
            holiday.falls_on(day := date(2026, 1, 1) + timedelta(days=offset)) for holiday in FRENCH
        )
    ]

    assert [f"{day:%m-%d}" for day in found] == [
        "01-01", "04-06", "05-01", "05-08", "05-14", "05-25", "07-14", "08-15", "11-01", "11-11",
        "12-25",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("number", "at", "until"),
    [
        ("+306984303406", "2026-11-24T06:59", "2026-11-24T07:00"),
        ("+306984303406", "2026-11-24T07:00", None),
        ("+306984303406", "2026-11-24T18:59", "2026-11-25T07:00"),  # no time for the call
        ("+306984303406", "2026-11-24T18:58", None),
        ("+12125550100", "2026-11-24T12:00", "2026-11-24T13:00"),
        ("+819012345678", "2026-11-24T12:00", "2026-11-25T00:00"),
        ("+393401234567", "2026-11-22T12:00", "2026-11-23T07:00"),  # a Sunday in Italy
        ("+33612345678", "2026-11-11T12:00", "2026-11-12T07:00"),  # a holiday in France
        ("+61412345678", "2026-11-24T03:00", None),  # 09:00 on Cocos, 14:00 on Lord Howe
        ("+61412345678", "2026-11-24T02:00", "2026-11-24T02:30"),
        ("+80012345678", "2026-11-24T08:00", "2026-11-24T17:00"),  # of no country: the store's
    ],
)
def test_the_built_in_policy_goes_by_the_clock_of_the_recipient(
    number: str, at: str, until: str | None
) -> None:
    quiet = StoreQuiet(BUILT_IN, None, "America/Los_Angeles")
    now = datetime.fromisoformat(at).replace(tzinfo=UTC)

    found = quiet.waits([int(number[1:])], now)

    expected = until and datetime.fromisoformat(until).replace(tzinfo=UTC)
    assert list(found) == ([expected] if expected else [])


def test_a_shops_own_hours_bind_without_any_policy_and_the_stricter_wins() -> None:
    own = QuietHours(time(12), time(15), (Weekday.WED,))
    tuesday_noon = datetime(2026, 11, 24, 10, tzinfo=UTC)
    greek = place_of(PhoneNumber("+306984303406"))

    assert StoreQuiet(OFF).waits([306984303406], tuesday_noon) == {}
    for policy in (OFF, BUILT_IN):
        quiet = StoreQuiet(policy, own)
        assert quiet.waits_until(greek, tuesday_noon) == datetime(2026, 11, 24, 13, tzinfo=UTC)
    evening = datetime(2026, 11, 24, 19, 30, tzinfo=UTC)
    assert StoreQuiet(OFF, own).waits_until(greek, evening) is None
    # the policy's night, then the shop's Wednesday, then the policy's night again
    until = StoreQuiet(BUILT_IN, own).waits_until(greek, evening)
    assert until == datetime(2026, 11, 26, 7, tzinfo=UTC)


def test_without_any_moment_somebody_is_looked_at_again_after_a_day() -> None:
    quiet = StoreQuiet(BUILT_IN, QuietHours(time(9), time(21)))
    now = datetime(2026, 11, 24, 10, tzinfo=UTC)

    until = quiet.waits_until(Place("GR", (ATHENS,)), now)

    assert until == now + timedelta(hours=LOOK_AGAIN_HOURS)


def test_a_window_too_short_for_a_call_is_closed() -> None:
    assert timedelta(seconds=HAND_OVER_SECONDS) >= MINUTE
    own = QuietHours(time(9, 1), time(9))
    greek, now = Place("GR", (ATHENS,)), datetime(2026, 11, 24, 7, tzinfo=UTC)

    assert StoreQuiet(OFF, own).waits_until(greek, now) == now + timedelta(hours=24)
    longer = QuietHours(time(9, 2), time(9))
    assert StoreQuiet(OFF, longer).waits_until(greek, now) is None


numbers = st.one_of(
    st.integers(306900000000, 306999999999),
    st.integers(12120000000, 12139999999),
    st.integers(819010000000, 819099999999),
    st.integers(61400000000, 61499999999),
)


@given(st.lists(st.one_of(st.none(), numbers), max_size=20), moments)
def test_a_batch_is_judged_as_its_recipients_one_by_one(
    phones: list[int | None], now: datetime
) -> None:
    assume(now.tzinfo is UTC)
    quiet = StoreQuiet(BUILT_IN)

    found = quiet.waits(phones, now)

    by_position = {position: until for until, some in found.items() for position in some}
    assert by_position == {
        position: until
        for position, phone in enumerate(phones)
        if phone is not None
        and (until := quiet.waits_until(place_of(PhoneNumber(f"+{phone}")), now)) is not None
    }
    assert all(until > now for until in found)


def test_every_zone_of_the_phone_data_is_known() -> None:
    assert [zone for zones in TIMEZONE_DATA.values() for zone in zones if not is_zone(zone)] == []
