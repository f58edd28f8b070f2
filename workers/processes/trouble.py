"""Something that does not answer: said once when it begins and once when it is over."""

from typing import Final

import attrs
from loguru import logger

PAUSE_SECONDS_FIRST: Final = 0.5
PAUSE_SECONDS_MAX: Final = 2.0
"""Recovery is promised within a lease and five seconds, and each look costs one connection."""


@attrs.define
class Trouble:
    """One thing outside that a loop needs; for one thread."""

    subject: str
    _failures: int = attrs.field(default=0, init=False)

    def met(self, error: Exception) -> float:
        """It does not answer. Returns how many seconds to leave it alone, doubled each time."""
        if self._failures == 0:
            logger.warning("{} does not answer; trying again: {}", self.subject, error)
        self._failures += 1
        pause: float = PAUSE_SECONDS_FIRST * 2 ** min(self._failures - 1, 16)
        return min(pause, PAUSE_SECONDS_MAX)

    def over(self) -> None:
        """It answered."""
        if self._failures:
            logger.info("{} answers again", self.subject, failures=self._failures)
        self._failures = 0
