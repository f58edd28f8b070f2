"""A clock that stands still until a test moves it."""

from datetime import UTC, datetime, timedelta

import attrs

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@attrs.define
class FixedClock:
    """Tells the moment it was set to; mutable, since moving it is what it is for."""

    moment: datetime = NOON

    def now(self) -> datetime:
        return self.moment

    def advance(self, by: timedelta) -> None:
        """Let time pass."""
        self.moment += by


@attrs.frozen
class ClockPause:
    """Waits by moving the clock on, so that no test sleeps."""

    clock: FixedClock

    def seconds(self, duration_seconds: float) -> None:
        """A wait of nothing or less is none."""
        self.clock.advance(timedelta(seconds=max(0.0, duration_seconds)))
