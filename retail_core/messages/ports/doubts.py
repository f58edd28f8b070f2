"""Messages in doubt, and asking the gateway about messages without a final state."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from retail_core.kernel.ids import AccountId, CampaignId, ProviderId
from retail_core.messages.model import (
    Askable,
    Doubt,
    DueMessages,
    Finding,
    HeldShare,
    MessageKey,
    PutOff,
    Resolved,
)


class DoubtStore(Protocol):
    """The messages whose outcome is not known for certain: settling a batch adds them, whatever
    resolves them takes them out, and their hold is settled once.
    """

    def take_matching_reports_across_accounts(
        self, now: datetime, reports_max: int
    ) -> Sequence[Finding]:
        """Remove and return parked reports that can be about one message only.

        In this order: the provider id of an unknown message; our own reference; the number, if
        exactly one unknown message of that number, single ones included, was handed over within
        the window around the report (`REPORTED_EARLIER_MAX`, `REPORTED_LATER_MAX`), and nothing is
        being submitted to that number. All others stay parked. A reference counts only if the
        number, where the report tells one, is the message's.

        What was found by number is not certain. A message that was found by it once is found by
        further reports with the same provider id, and by none with another.
        """
        ...

    def resolve_across_accounts(
        self, findings: Sequence[Finding], now: datetime
    ) -> Sequence[Resolved]:
        """Apply findings (one per message); states only climb, from whichever state.

        Returns those messages that changed. A finding with another provider id than the message's
        changes nothing. One that is not certain moves the state and settles nothing: the message
        stays in doubt until a certain one comes. Locks the messages' rows in their order.
        """
        ...

    def waiting_across_accounts(
        self, campaign: CampaignId | None, after: MessageKey | None, doubts_max: int
    ) -> Sequence[Doubt]:
        """Messages that are unknown, or hold credits in doubt; of one campaign or of all.

        In their order, behind `after`.

        Single messages come first, and are those of `NO_CAMPAIGN`.
        """
        ...

    def settle_overdue_across_accounts(
        self, before: datetime, now: datetime, messages_max: int
    ) -> Sequence[HeldShare]:
        """Settle the credits of messages that are unknown since before a moment.

        Skips locked ones. The messages stay unknown; each campaign's share is returned. Single
        messages are settled by their own store.
        """
        ...

    def close_batches_across_accounts(self, before: datetime, batches_max: int) -> int:
        """Empty batches that are unknown since before a moment: no late answer comes any more."""
        ...

    def held(self, account: AccountId, campaign: CampaignId) -> int:
        """The credits that a campaign holds for its messages in doubt."""
        ...

    def leftover_holds_across_accounts(
        self, since: datetime, campaigns_max: int
    ) -> Sequence[HeldShare]:
        """What campaigns that ended since hold, but not for messages in doubt; there should be
        nothing.

        Locks the campaigns' rows.
        """
        ...


class LookUpStore(Protocol):
    """Which messages the gateway was asked about, and which are to be asked about."""

    def begin_slice_across_accounts(
        self, now: datetime, lease_until: datetime, round_at: datetime
    ) -> int | None:
        """How many messages were asked about in the round of a moment; None: another slice is at
        work. Until the lease is over nobody else begins one.
        """
        ...

    def end_slice_across_accounts(self, lease_until: datetime, asked: int) -> None:
        """A slice is over, that had this lease and asked about so many messages of its round."""
        ...

    def due_across_accounts(
        self, now: datetime, batches_max: int, messages_max: int
    ) -> DueMessages:
        """Messages in sent or unknown with a provider id whose time has come.

        Stores take turns, from one call to the next too: each is served before one of them is
        served twice. Within a store those never asked come first. Of single messages at most half
        as many as of all. Reads the messages of so many batches at most; a batch with none that is
        due waits for its next time (`LOOK_UP_AFTER`), the others go to the end of their store's
        line. Locks the batches, and skips locked ones.
        """
        ...

    def open_of_campaign(
        self, account: AccountId, campaign: CampaignId, messages_max: int
    ) -> Sequence[Askable]:
        """A campaign's messages in sent or unknown with a provider id, oldest asked first."""
        ...

    def find(self, account: AccountId, provider_ids: Sequence[ProviderId]) -> Sequence[Askable]:
        """The account's messages with these provider ids, in whichever state."""
        ...

    def note_asked_across_accounts(self, messages: Sequence[MessageKey], now: datetime) -> None:
        """Remember that the gateway was asked about these messages."""
        ...

    def put_off_across_accounts(self, messages: Sequence[PutOff]) -> None:
        """These messages are not due before their time; each age that has come stays to be used."""
        ...
