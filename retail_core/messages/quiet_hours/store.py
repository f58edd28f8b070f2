"""The quiet hours that bind one shop's messages at the moment of hand-over."""

import functools
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, cast

import attrs

from retail_core.accounts.model import QuietHours
from retail_core.kernel.addresses.phones import PhoneNumber, calling_code_of, has_sole_country
from retail_core.kernel.time.zones import Place, place_of
from retail_core.messages.quiet_hours.policy import QuietPolicy
from retail_core.messages.quiet_hours.rules import (
    HORIZON_DAYS,
    MINUTE,
    MOMENTS_CACHED_MAX,
    Rules,
    Zones,
    is_allowed,
    next_allowed,
)

HAND_OVER_SECONDS: Final = 60
"""A hand-over begins only if it is still allowed so long afterwards: a call takes its time."""

LOOK_AGAIN_HOURS: Final = 24
"""Whoever may not be sent to at any time is looked at again then: rules can change meanwhile."""

Phones = Sequence[int | None]
"""Numbers as digits without `+`; None where somebody was forgotten."""


@attrs.frozen
class StoreQuiet:
    """A policy and one shop: its own quiet hours, and the zone that counts where none is known."""

    policy: QuietPolicy
    own: QuietHours | None = None
    timezone: str | None = None

    @property
    def binds(self) -> bool:
        """Whether anybody must ever be waited for."""
        return self.policy.binds(self.own)

    def waits_until(self, place: Place, now: datetime) -> datetime | None:
        """Until when somebody there must be waited for; None: not at all."""
        rules = self.policy.rules(self.own, place.country)
        zones = place.zones or (self.timezone or "UTC",)
        moment = _next_hand_over(rules, zones, now.replace(second=0, microsecond=0))
        if moment is None:
            return now + timedelta(hours=LOOK_AGAIN_HOURS)
        return moment if moment > now else None

    def waits(self, phones: Phones, now: datetime) -> Mapping[datetime, Sequence[int]]:
        """The positions of those who must be waited for, by the moment when that is over."""
        if not self.binds or not phones:
            return {}
        sole = _sole_place(phones)
        if sole is not None:
            moment = self.waits_until(sole, now)
            return {} if moment is None else {moment: range(len(phones))}
        moments: dict[Place, datetime | None] = {}
        found: dict[datetime, list[int]] = {}
        for position, phone in enumerate(phones):
            if phone is None:
                continue
            place = place_of(PhoneNumber(f"+{phone}"))
            if place not in moments:
                moments[place] = self.waits_until(place, now)
            until = moments[place]
            if until is not None:
                found.setdefault(until, []).append(position)
        return found


@functools.lru_cache(maxsize=MOMENTS_CACHED_MAX)
def _next_hand_over(rules: Rules, zones: Zones, minute: datetime) -> datetime | None:
    """The first minute at which a hand-over may begin, and is still allowed when it ends."""
    ends = timedelta(seconds=HAND_OVER_SECONDS)
    last, moment = minute + timedelta(days=HORIZON_DAYS), next_allowed(rules, zones, minute)
    while moment is not None and moment < last:
        if is_allowed(rules, zones, moment + ends):
            return moment
        moment = next_allowed(rules, zones, moment + MINUTE)
    return None


def _sole_place(phones: Phones) -> Place | None:
    """The place of all of them, if one look at the lowest and the highest number can tell."""
    numbers = cast("Sequence[int]", phones)
    if None in phones:
        return None
    lowest, highest = f"+{min(numbers)}", f"+{max(numbers)}"
    code = calling_code_of(lowest)
    same = len(lowest) == len(highest) and highest.startswith(f"+{code}")
    if not same or not has_sole_country(code):
        return None
    return place_of(PhoneNumber(lowest))
