"""Messages that were handed over, and delivery reports about them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from retail_core.kernel.ids import ReportId
from retail_core.messages.model import DeliveryReport, RawReport


class MessageStore(Protocol):
    """Rows of messages that were handed over, or surely never will be."""

    def apply_reports_across_accounts(
        self, reports: Sequence[DeliveryReport], now: datetime
    ) -> Sequence[DeliveryReport]:
        """Apply reports by provider id; states only climb. Returns those that match no message.

        Locks the rows it changes; keeps the campaigns' counters.
        """
        ...


REPORT_BYTES_TYPICAL = 200
"""What one report takes in a webhook call, to bound how many a transaction reads."""


class ReportStore(Protocol):
    """Delivery reports as they came, and those that match no message yet."""

    def add(self, raw: bytes, arrived_at: datetime) -> None:
        """Store the bytes of one webhook call."""
        ...

    def take_new_across_accounts(self, reports_max: int) -> Sequence[RawReport]:
        """Lock (skipping locked ones) and return unapplied calls, oldest first.

        As many as hold about `reports_max` reports by their size, but one at least.
        """
        ...

    def waiting_across_accounts(self) -> bool:
        """Whether any call is not applied yet."""
        ...

    def mark_applied(self, reports: Sequence[ReportId], now: datetime) -> None:
        """These calls are done: their reports are applied or parked."""
        ...

    def park(self, reports: Sequence[DeliveryReport], now: datetime) -> None:
        """Keep reports that match no message, to be tried again."""
        ...

    def take_parked_across_accounts(
        self, now: datetime, reports_max: int
    ) -> Sequence[DeliveryReport]:
        """Remove and return parked reports that match a message now, or whose time has come."""
        ...
