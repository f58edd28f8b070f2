"""Local dates and times. Everything else in the system is UTC; zones appear only here."""

import functools
import zoneinfo
from datetime import UTC, date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

import attrs
from phonenumbers.tzdata import TIMEZONE_DATA

from retail_core.kernel.addresses.phones import (
    PhoneNumber,
    calling_code_of,
    calling_code_of_country,
    country_of,
)

_NOT_ZONES: Final = frozenset({"Factory", "localtime"})
"""In the zone database, but of no place: one is a filler, one is whatever the machine is set to."""

PLACE_DIGITS: Final = 7
"""Country and zones of a number follow from so many of its first digits."""
PLACES_CACHED_MAX: Final = 65_536

NORTH_AMERICA: Final = "1"
"""The calling code whose numbers, mobile ones too, belong to the place of their area code."""

_KAZAKHSTAN: Final = "KZ"


@attrs.frozen(cache_hash=True)
class Place:
    """Where a number is at home: its country, and every zone in which its owner may live."""

    country: str
    zones: tuple[str, ...]


def is_zone(name: str) -> bool:
    """Whether this is the IANA name of a time zone, spelled exactly."""
    return name in _zone_names()


def local_date(instant: datetime, zone: str) -> date:
    """The date on the calendar in that zone at an instant."""
    return instant.astimezone(ZoneInfo(zone)).date()


def local_to_utc(day: date, at: time, zone: str) -> datetime | None:
    """The instant at which clocks in that zone show this time.

    None if they skip it (spring); the earlier one if they show it twice (autumn).
    """
    wall = datetime.combine(day, at.replace(tzinfo=None, fold=0), ZoneInfo(zone))
    instant = wall.astimezone(UTC)
    there_and_back = instant.astimezone(wall.tzinfo)
    if there_and_back.replace(tzinfo=None) != wall.replace(tzinfo=None):
        return None
    return instant


def day_start(day: date, zone: str) -> datetime:
    """The first instant of a day in that zone, also where clocks skip midnight or show it twice.

    Raises `OverflowError` at the ends of the calendar.
    """
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def place_of(number: PhoneNumber) -> Place:
    """Where a number is at home; without zones if nobody can say."""
    prefix = number[1 : 1 + PLACE_DIGITS]
    place = _places.get(prefix)
    if place is None:
        if len(_places) >= PLACES_CACHED_MAX:
            _places.clear()
        place = _places[prefix] = place_in(country_of(number), prefix)
    return place


def place_in(country: str, digits: str) -> Place:
    """The place of numbers of a country that begin with these digits (with country code).

    The digits matter only in North America; elsewhere they may be empty.
    """
    code = calling_code_of(f"+{digits}") or calling_code_of_country(country)
    if code == NORTH_AMERICA:
        longer = (digits[:length] for length in range(PLACE_DIGITS, 0, -1))
        zones = next((TIMEZONE_DATA[each] for each in longer if each in TIMEZONE_DATA), ())
        return Place(country, zones)
    # mobile numbers move about in their country; Kazakhstan shares its code with Russia
    return Place(
        country, _kazakh_zones() if country == _KAZAKHSTAN else TIMEZONE_DATA.get(code, ())
    )


def full_years(birthday: date, on: date) -> int:
    """Age in full years; who was born on 29 February gets older on 1 March in other years."""
    before_birthday = (on.month, on.day) < (birthday.month, birthday.day)
    return on.year - birthday.year - before_birthday


_places: Final[dict[str, Place]] = {}


@functools.cache
def _kazakh_zones() -> tuple[str, ...]:
    own = (zones for prefix, zones in TIMEZONE_DATA.items() if prefix.startswith("77"))
    return tuple(sorted({zone for zones in own for zone in zones}))


@functools.cache
def _zone_names() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones()) - _NOT_ZONES
