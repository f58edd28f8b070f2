"""Single messages, as sending sees them."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from retail_core.kernel.ids import AccountId, MessageNumber
from retail_core.messages.model import (
    ClaimedSingle,
    DeliveryReport,
    NewSingle,
    SingleResult,
    SingleShare,
)


class SingleMessageStore(Protocol):
    """Messages that are sent one by one; each verb is guarded by the state it leaves."""

    def add(self, account: AccountId, single: NewSingle, now: datetime) -> bool:
        """Plan a message; its credits must be held in the same transaction.

        False, and no change, if its occasion was used before.
        """
        ...

    def add_failed(
        self, account: AccountId, single: NewSingle, error_code: str, now: datetime
    ) -> bool:
        """Keep an attempt that could not be planned; it costs nothing and is never sent."""
        ...

    def due_account_across_accounts(self, now: datetime) -> AccountId | None:
        """An account with a message that is due: what somebody waits for first, then the oldest."""
        ...

    def commit_intent(
        self,
        account: AccountId,
        ref: UUID,
        now: datetime,
        lease_until: datetime,
        today: date,
        singles_max: int,
        numbers: Sequence[MessageNumber] | None = None,
    ) -> Sequence[ClaimedSingle]:
        """Mark due messages (or these, due or not) as submitting under a fresh `ref`.

        Consent, suppression, number, existence and, for automations, age (on the store's day,
        `today`) are read in the same statement: this is the moment of hand-over. Those dropped
        become cancelled, and their credits must be released in this transaction. Locks the rows,
        skipping locked ones.
        """
        ...

    def settle(
        self, account: AccountId, ref: UUID, results: Sequence[SingleResult], now: datetime
    ) -> Sequence[SingleShare]:
        """Write results of messages that are submitting, or unknown, under `ref`.

        Returns the shares of those that reached another state than unknown and held credits.
        """
        ...

    def put_back(
        self,
        account: AccountId,
        ref: UUID,
        not_before: datetime | None,
        *,
        failed_try: bool,
        numbers: Sequence[MessageNumber] | None = None,
    ) -> int:
        """Queue messages (default: all) submitting under `ref` again: surely nothing was sent."""
        ...

    def mark_unknown_across_accounts(self, now: datetime) -> int:
        """Messages in a call whose lease is over are unknown from now on; their hold stays."""
        ...

    def due_across_accounts(self, now: datetime) -> bool:
        """Whether any message could be sent now."""
        ...

    def apply_reports_across_accounts(
        self, reports: Sequence[DeliveryReport], now: datetime
    ) -> tuple[Sequence[DeliveryReport], Sequence[SingleShare]]:
        """Apply reports by provider id or by our reference; states only climb.

        Returns those that match no message, and the shares of messages that were unknown.
        """
        ...

    def settle_overdue_across_accounts(
        self, before: datetime, now: datetime, singles_max: int
    ) -> Sequence[SingleShare]:
        """Settle the credits of messages that are unknown since before a moment.

        Skips locked ones. The messages stay unknown.
        """
        ...
