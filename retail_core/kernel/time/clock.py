"""The time, as a port: nothing in the core asks the machine what time it is."""

from datetime import datetime, timedelta
from typing import Protocol, Self

import attrs


class Clock(Protocol):
    """Tells the present moment, and how much time has passed."""

    def now(self) -> datetime:
        """The present moment, aware and in UTC, with microseconds; it may be set, also back."""
        ...

    def elapsed_seconds(self) -> float:
        """Seconds since a moment in the past, whatever the clock is set to; never back.

        They go on while the process or the machine stands still, as far as the machine knows.
        """
        ...


@attrs.frozen
class Deadline:
    """A moment after which something must not begin any more.

    By both clocks, whichever is further on: time that passed while the machine stood still may be
    missing in what has elapsed, until its clock is set right; and a clock may be set back.
    """

    at: datetime
    at_elapsed_seconds: float

    @classmethod
    def after(cls, clock: Clock, seconds: float) -> Self:
        """So many seconds from now."""
        return cls(clock.now() + timedelta(seconds=seconds), clock.elapsed_seconds() + seconds)

    def is_over(self, clock: Clock) -> bool:
        """Whether it has come."""
        return clock.elapsed_seconds() >= self.at_elapsed_seconds or clock.now() >= self.at
