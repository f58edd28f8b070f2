"""The machine's own clock, sleep and randomness."""

import secrets
import time
from datetime import UTC, datetime
from typing import Final

import attrs

SINCE_BOOT: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""On Linux the other clock stands still while the machine sleeps."""


@attrs.frozen
class SystemClock:
    """The present moment, in UTC, and the time since the machine was started."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def elapsed_seconds(self) -> float:
        return time.clock_gettime(SINCE_BOOT)


@attrs.frozen
class SystemPause:
    """Sleeps."""

    def seconds(self, duration_seconds: float) -> None:
        if duration_seconds > 0:
            time.sleep(duration_seconds)


@attrs.frozen
class SystemRandomness:
    """Unpredictable bytes from the operating system."""

    def token(self, size_bytes: int) -> bytes:
        return secrets.token_bytes(size_bytes)
