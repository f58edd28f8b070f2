"""The machine's own clock and randomness."""

import secrets
from datetime import UTC, datetime

import attrs


@attrs.frozen
class SystemClock:
    """The present moment, in UTC."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@attrs.frozen
class SystemRandomness:
    """Unpredictable bytes from the operating system."""

    def token(self, size_bytes: int) -> bytes:
        return secrets.token_bytes(size_bytes)
