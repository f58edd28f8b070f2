"""A clock that stands still until a test moves it."""

from datetime import UTC, datetime, timedelta

import attrs

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@attrs.define
class FixedClock:
    """Tells the moment it was set to; mutable, since moving it is what it is for.

    `wrong_by` is what somebody set it to differ by: then what has elapsed is not what it shows.
    """

    moment: datetime = NOON
    wrong_by: timedelta = timedelta(0)

    def now(self) -> datetime:
        return self.moment + self.wrong_by

    def elapsed_seconds(self) -> float:
        return (self.moment - LONG_AGO).total_seconds()

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
