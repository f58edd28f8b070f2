"""Messages that were handed over, and delivery reports about them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from retail_core.kernel.ids import ReportId
from retail_core.messages.model import (
    BatchKey,
    DeliveryReport,
    ParkedReport,
    RawReport,
    WebhookCall,
)


class MessageStore(Protocol):
    """Rows of messages that were handed over, or surely never will be."""

    def apply_reports_across_accounts(
        self, reports: Sequence[DeliveryReport], now: datetime, *, everywhere: bool = False
    ) -> Sequence[DeliveryReport]:
        """Apply reports by provider id; states only climb. Returns those that match no message.

        Those handed over within `REPORTED_WITHIN` are looked for; `everywhere` goes on to those
        within `REPORTED_AT_MOST_WITHIN`, at a cost that grows with them. Locks the rows it changes;
        keeps the campaigns' counters.
        """
        ...


class ReportInbox(Protocol):
    """The door for webhook calls: what it took in is on disk and will be applied soon."""

    def take_in(self, call: WebhookCall) -> None:
        """Store one call; returns only once it is committed.

        A nudge to apply it follows within a second. Raises `Unavailable`: then nobody can tell
        whether it is stored, and the gateway must send it again, which never hurts.
        """
        ...


REPORT_BYTES_TYPICAL = 200
"""What one report takes in a webhook call, to bound how many a transaction reads."""


class ReportStore(Protocol):
    """Delivery reports as they came, and those that match no message yet."""

    def add(self, calls: Sequence[WebhookCall]) -> None:
        """Store calls as they came."""
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

    def replay_across_accounts(
        self, since: datetime | None, until: datetime, after: ReportId, calls_max: int
    ) -> Sequence[ReportId]:
        """Make applied calls unapplied again, oldest first, from those behind `after`.

        Only those that arrived from `since` to `until`. Returns which; none: there are no more.
        """
        ...

    def park(self, reports: Sequence[DeliveryReport], now: datetime) -> None:
        """Keep reports that match no message, to be tried again."""
        ...

    def park_again(self, reports: Sequence[ParkedReport]) -> None:
        """Keep reports that were taken and still match no message."""
        ...

    def take_parked_across_accounts(
        self, now: datetime, reports_max: int
    ) -> Sequence[ParkedReport]:
        """Remove and return parked reports whose time has come, longest due first.

        Skips locked ones.
        """
        ...

    def take_parked_of_batch_across_accounts(
        self, batch: BatchKey, reports_max: int
    ) -> Sequence[ParkedReport]:
        """Remove and return parked reports about messages of a settled batch, but none in doubt.

        Also those that would be tried no more. Skips locked ones.
        """
        ...
