"""Quiet hours: when marketing may be handed over, by the clocks where its recipient lives."""

from retail_core.messages.quiet_hours.policy import (
    BUILT_IN,
    OFF,
    QuietPolicy,
)
from retail_core.messages.quiet_hours.rules import (
    HORIZON_DAYS,
    Holiday,
    QuietRule,
    easter,
    is_allowed,
    next_allowed,
)
from retail_core.messages.quiet_hours.store import (
    HAND_OVER_SECONDS,
    LOOK_AGAIN_HOURS,
    StoreQuiet,
)

__all__ = [
    "BUILT_IN",
    "HAND_OVER_SECONDS",
    "HORIZON_DAYS",
    "LOOK_AGAIN_HOURS",
    "OFF",
    "Holiday",
    "QuietPolicy",
    "QuietRule",
    "StoreQuiet",
    "easter",
    "is_allowed",
    "next_allowed",
]
