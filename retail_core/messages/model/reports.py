"""Delivery reports on their way: as they came, and waiting for a message they could be about."""

from datetime import datetime, timedelta
from typing import Final

import attrs

from retail_core.messages.model.states import DeliveryReport

PARKED_WAITS: Final = (
    timedelta(seconds=5),
    timedelta(minutes=1),
    timedelta(minutes=10),
    timedelta(hours=1),
)
"""So long a parked report waits for each next try; the last wait is repeated.

The first is short: its message may have been booked while it was just being parked, so that nobody
was nudged for it.
"""

REPORTED_WITHIN: Final = timedelta(days=7)
"""So long after its hand-over a message's reports find it at once; later ones with a second try."""

REPORTED_AT_MOST_WITHIN: Final = timedelta(days=400)
"""Later than this nothing is found: by then a message loses the gateway's id."""

PARKED_LIFE: Final = timedelta(hours=72)
"""So long a parked report is tried; after that it is only kept."""


@attrs.frozen
class WebhookCall:
    """The bytes of one call of the gateway: one report or an array of them."""

    raw: bytes = attrs.field(repr=False)
    arrived_at: datetime


@attrs.frozen
class ParkedReport:
    """A report that matches no message yet; `next_try_at` is None once it is tried no more."""

    report: DeliveryReport
    parked_at: datetime
    tries: int
    next_try_at: datetime | None

    @classmethod
    def first(cls, report: DeliveryReport, now: datetime) -> "ParkedReport":
        """Park a report that just arrived."""
        return cls(report, now, 0, now + PARKED_WAITS[0])

    @property
    def is_sought_everywhere(self) -> bool:
        """The first try after it was parked goes back as far as there are messages with ids."""
        return self.tries == 0

    def tried(self, now: datetime) -> "ParkedReport":
        """It was tried in vain: wait longer, or no more."""
        tries = self.tries + 1
        at = now + PARKED_WAITS[min(tries, len(PARKED_WAITS) - 1)]
        is_over = at > self.parked_at + PARKED_LIFE
        return attrs.evolve(self, tries=tries, next_try_at=None if is_over else at)
