"""How long a request may take, told to whoever works for it in the same thread."""

import time
from contextvars import ContextVar
from typing import Final

import attrs


@attrs.define
class Deadline:
    """When the time of one request is over; a client that sends steadily earns more of it."""

    seconds: float
    ends: float

    @property
    def remaining_seconds(self) -> float:
        return self.ends - time.monotonic()


_CURRENT: Final[ContextVar[Deadline | None]] = ContextVar("deadline", default=None)


def begin(seconds: float) -> None:
    """The request of this thread has so long from now on."""
    _CURRENT.set(Deadline(seconds, time.monotonic() + seconds))


def extend(seconds: float) -> None:
    """Give the request more time, yet never more than a whole request's from now on."""
    current = _CURRENT.get()
    if current is not None:
        current.ends = min(current.ends + seconds, time.monotonic() + current.seconds)


def end() -> None:
    """Whatever this thread does next belongs to no request."""
    _CURRENT.set(None)


def remaining_seconds() -> float | None:
    """What is left, less than nothing if it is over; None where no request is served."""
    current = _CURRENT.get()
    return None if current is None else current.remaining_seconds
