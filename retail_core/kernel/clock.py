"""The time, as a port: nothing in the core asks the machine what time it is."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the present moment, aware and in UTC, with microseconds."""

    def now(self) -> datetime: ...
