"""The machine's own clock, sleep and randomness."""

import secrets
import time
from datetime import UTC, datetime

import attrs


@attrs.frozen
class SystemClock:
    """The present moment, in UTC."""

    def now(self) -> datetime:
        return datetime.now(UTC)


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
