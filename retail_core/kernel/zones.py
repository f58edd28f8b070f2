"""Local dates and times. Everything else in the system is UTC; zones appear only here."""

import functools
import zoneinfo
from datetime import UTC, date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

_NOT_ZONES: Final = frozenset({"Factory", "localtime"})
"""In the zone database, but of no place: one is a filler, one is whatever the machine is set to."""


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


def full_years(birthday: date, on: date) -> int:
    """Age in full years; who was born on 29 February gets older on 1 March in other years."""
    before_birthday = (on.month, on.day) < (birthday.month, birthday.day)
    return on.year - birthday.year - before_birthday


@functools.cache
def _zone_names() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones()) - _NOT_ZONES
