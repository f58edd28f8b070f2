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
