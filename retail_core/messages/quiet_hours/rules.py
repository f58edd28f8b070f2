"""One rule of quiet hours, and the next moment at which several rules allow to send."""

import functools
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import attrs

from retail_core.accounts.model import QuietHours, Weekday

HORIZON_DAYS: Final = 60
"""So far the next moment is looked for; six quiet days a week and holidays leave one within it."""

MINUTE: Final = timedelta(minutes=1)
MOMENTS_CACHED_MAX: Final = 4_096

_DAY: Final = timedelta(days=1)
_WEEKDAYS: Final = tuple(Weekday)
_DATED: Final = re.compile(r"(\d\d)-(\d\d)", re.ASCII)
_MOVABLE: Final = re.compile(r"easter([+-]\d{1,2})?", re.ASCII)
_LEAP_YEAR: Final = 2000


@attrs.frozen
class Holiday:
    """A public holiday: a date of every year, or so many days after (Western) Easter Sunday."""

    month: int = 0
    day: int = 0
    after_easter: int = 0

    @classmethod
    def of(cls, text: str) -> "Holiday":
        """Read `05-01` (month and day) or `easter+39`; raises ValueError for anything else."""
        if found := _DATED.fullmatch(text):
            month, day = int(found[1]), int(found[2])
            date(_LEAP_YEAR, month, day)
            return cls(month, day)
        if found := _MOVABLE.fullmatch(text):
            return cls(after_easter=int(found[1] or 0))
        raise ValueError("is no holiday such as 05-01 or easter+39")

    def falls_on(self, day: date) -> bool:
        """Whether it is this day."""
        if self.month:
            return (day.month, day.day) == (self.month, self.day)
        return day - timedelta(days=self.after_easter) == easter(day.year)


@attrs.frozen(cache_hash=True)
class QuietRule:
    """When nothing is sent: from `start` to `end`, and all day on some weekdays and holidays.

    The window may cross midnight; equal ends mean that there is none.
    """

    start: time
    end: time
    days: frozenset[Weekday] = frozenset()
    holidays: tuple[Holiday, ...] = ()

    @classmethod
    def of_store(cls, own: QuietHours) -> "QuietRule":
        """What a shop set for itself."""
        return cls(own.start, own.end, frozenset(own.days))

    def quiet_for(self, local: datetime) -> timedelta:
        """How long, by the clock on the wall, it is quiet from a local time; zero: it is not."""
        if self._is_quiet_day(local.date()):
            return datetime.combine(local.date(), time()) + _DAY - local
        at, ends_today = local.time(), datetime.combine(local.date(), self.end)
        if self.start < self.end:
            return ends_today - local if self.start <= at < self.end else timedelta(0)
        if self.start > self.end and at < self.end:
            return ends_today - local
        if self.start > self.end and at >= self.start:
            return ends_today + _DAY - local
        return timedelta(0)

    def _is_quiet_day(self, day: date) -> bool:
        is_quiet = _WEEKDAYS[day.weekday()] in self.days
        return is_quiet or any(holiday.falls_on(day) for holiday in self.holidays)


Rules = tuple[QuietRule, ...]
Zones = tuple[str, ...]


def is_allowed(rules: Rules, zones: Zones, at: datetime) -> bool:
    """Whether every rule allows to send at a moment, in every one of the zones."""
    return not any(_waits(rules, zones, at))


def next_allowed(rules: Rules, zones: Zones, at: datetime) -> datetime | None:
    """The first moment from `at` on that is allowed: `at` itself, or a full minute.

    None if there is none within the horizon.
    """
    if is_allowed(rules, zones, at):
        return at
    return _next_minute(rules, zones, _full_minute(at))


@functools.lru_cache(maxsize=MOMENTS_CACHED_MAX)
def _next_minute(rules: Rules, zones: Zones, minute: datetime) -> datetime | None:
    last = minute + timedelta(days=HORIZON_DAYS)
    while minute < last:
        waits = list(_waits(rules, zones, minute))
        if not waits:
            return minute
        minute += max(waits)
    return None


def _waits(rules: Rules, zones: Zones, at: datetime) -> Iterator[timedelta]:
    """Of every rule that forbids it: for how long it surely goes on to, at least.

    Where clocks are put forward or back meanwhile, only the next minute is sure.
    """
    for zone in map(_zone, zones):
        there = at.astimezone(zone)
        local = there.replace(tzinfo=None)
        for rule in rules:
            wait = rule.quiet_for(local)
            if wait:
                ahead = (at + wait).astimezone(zone)
                yield wait if ahead.utcoffset() == there.utcoffset() else MINUTE


@functools.cache
def _zone(name: str) -> ZoneInfo:
    """Kept for good: the library itself keeps only a few, and some numbers have dozens."""
    return ZoneInfo(name)


def _full_minute(at: datetime) -> datetime:
    """The first full minute from a moment on; offsets of zones are of full minutes today."""
    full = at.astimezone(UTC).replace(second=0, microsecond=0)
    return full if full == at else full + MINUTE


@functools.lru_cache(maxsize=512)
def easter(year: int) -> date:
    """Easter Sunday of the Western churches (the Gregorian rule of Meeus, Jones and Butcher)."""
    century, rest = divmod(year, 100)
    golden = year % 19
    corrected = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - century // 4 - corrected + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (rest // 4) - epact - rest % 4) % 7
    late = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)
