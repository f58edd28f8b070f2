"""Batches, message numbers, and the counters of campaigns."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from retail_core.audiences.model import AudienceRules, AudienceSpec, CapWindow
from retail_core.kernel.ids import AccountId, CampaignId, ContactId, MessageNumber, WorkerId
from retail_core.messages.model import (
    BatchResults,
    CampaignTurn,
    ClaimedBatch,
    Dropped,
    FrozenAudience,
    MergeGroup,
    ProgressChange,
    Settlement,
)
from retail_core.templates.rendering import Field


class MessageNumbers(Protocol):
    """The one sequence of message numbers over all accounts and kinds."""

    def reserve_block(self, size: int) -> MessageNumber:
        """Reserve `size` consecutive numbers and return the first. Raises `NumbersUsedUp`.

        A block is never given twice, also not after a rollback (then it is simply lost): so it
        comes after everything that may still refuse. Nothing stays locked, however long the
        transaction lasts.
        """
        ...

    def given(self) -> int:
        """How many numbers were given out, those that got lost included."""
        ...


class BatchStore(Protocol):
    """The frozen recipients of campaigns, in batches; each verb is guarded by the batch's state."""

    def freeze(
        self,
        account: AccountId,
        campaign: CampaignId,
        spec: AudienceSpec,
        rules: AudienceRules,
        merge_fields: frozenset[Field],
        batch_messages_max: int,
        now: datetime,
    ) -> FrozenAudience:
        """Freeze ids, numbers, prices and used merge values of all recipients, in one statement.

        Every contact lands in exactly one batch. `merge_fields` are those that the text uses.
        """
        ...

    def departed(
        self, account: AccountId, campaign: CampaignId, since: datetime
    ) -> Sequence[ContactId]:
        """Those of the recipients that wait whom the store deleted or erased after `since`.

        An audience may freeze who is just being removed, and neither sees what the other does.
        """
        ...

    def merge_groups(
        self, account: AccountId, campaign: CampaignId, shaped: frozenset[Field]
    ) -> Iterable[MergeGroup]:
        """The frozen recipients, grouped by what the size of their text depends on.

        Instead of a value of the `shaped` fields the stand-in of its shape may be given.
        """
        ...

    def rejoin(self, account: AccountId, campaign: CampaignId) -> None:
        """Give the queued batches of a paused campaign fresh turns, as if it began now.

        Deferred ones are queued as well: whether they must go on waiting is asked anew.
        """
        ...

    def in_flight_groups(
        self, account: AccountId, campaign: CampaignId, shaped: frozenset[Field]
    ) -> Iterable[MergeGroup]:
        """As `merge_groups`, of the recipients of batches that are being submitted.

        With the campaign's row locked these are all that may still be handed over, should its
        state change now.
        """
        ...

    def close_cancelled_across_accounts(self, batches_max: int) -> int:
        """Cancel batches of cancelled campaigns that are queued, deferred or claimed.

        Returns how many. Locks them, skipping locked ones.
        """
        ...

    def claim_across_accounts(
        self, worker: WorkerId, now: datetime, lease_until: datetime
    ) -> ClaimedBatch | None:
        """Claim one due batch of a sending campaign, fair between accounts.

        None when nothing is due, or while the gateway rests. Where its breaker is open and its
        rest is over, one claim splits a single message off as the probe, and the gateway rests
        until that claim's lease is over. Locks the batch's row, skipping locked ones.
        """
        ...

    def commit_intent(
        self,
        batch: ClaimedBatch,
        ref: UUID,
        lease_until: datetime,
        today: date,
        cap: CapWindow | None = None,
    ) -> Mapping[int, Dropped]:
        """Mark a claimed batch as submitting under a fresh `ref`; returns who must be left out.

        With a `cap`, who had or is getting so much marketing of the store is left out as well: the
        store's intents then wait for each other, so that no two count past one another.

        The answer maps positions in the batch to reasons: consent, suppression, number, existence
        and age (on the store's day, `today`) are read again here, and this read is the moment of
        hand-over. Raises `LeaseLost`
        unless the batch is still claimed by this worker and attempt and its campaign is sending.
        """
        ...

    def leave_out(self, batch: ClaimedBatch, dropped: Mapping[int, Dropped]) -> None:
        """Write down who is left out of a batch, in the transaction that has just marked it."""
        ...

    def settle(
        self, batch: ClaimedBatch, ref: UUID, results: BatchResults, now: datetime
    ) -> Settlement | None:
        """Write the message rows of a submitting or unknown batch; guarded by `ref`.

        From submitting, all rows are new. From unknown, only rows that are still unknown change.
        Results that are UNKNOWN leave the batch unknown. None: somebody else settled it.
        """
        ...

    def put_back(
        self, batch: ClaimedBatch, not_before: datetime | None, *, failed_try: bool
    ) -> bool:
        """Queue a claimed or submitting batch again: surely nothing of it was handed over.

        False if this worker and attempt no longer own it.
        """
        ...

    def defer(self, batch: ClaimedBatch, waits: Mapping[datetime, Sequence[int]]) -> bool:
        """Let some of a claimed batch wait until given moments; the others stay in hand.

        `waits` maps each moment to the positions of who waits for it: they move, with their seqs
        and so with what is held for them, to a deferred batch of their own; where nobody stays,
        the batch itself is deferred too. False if this worker and attempt no longer own it. The
        campaign's row must be locked.
        """
        ...

    def wake_across_accounts(self, now: datetime, batches_max: int) -> int:
        """Queue deferred batches whose moment has come, with fresh turns; returns how many.

        Locks them, skipping locked ones.
        """
        ...

    def split(self, batch: ClaimedBatch, not_before: datetime) -> bool:
        """Replace a refused batch of two or more by its halves, both queued."""
        ...

    def stale_across_accounts(self, now: datetime, batches_max: int) -> Sequence[ClaimedBatch]:
        """Lock (skipping locked ones) submitting batches whose lease is over."""
        ...

    def free_stale_claims_across_accounts(self, now: datetime) -> int:
        """Queue claimed batches again whose lease is over: nothing was handed over."""
        ...

    def due_across_accounts(self, now: datetime) -> bool:
        """Whether any batch could be claimed now: also not while the gateway rests."""
        ...


class CampaignProgress(Protocol):
    """The counters of a campaign, kept in the transaction that changes the rows they count."""

    def record(
        self, account: AccountId, campaign: CampaignId, change: ProgressChange, now: datetime
    ) -> CampaignTurn | None:
        """Add `change`; a running campaign with nobody left waiting becomes completed.

        One that is sending and `fails_too_often`, counted since its owner last resumed it, becomes
        paused. Returns what it became by this change; None if it is what it was. Locks the
        campaign's row.
        """
        ...

    def lock_unless_cancelled(self, account: AccountId, campaign: CampaignId) -> bool:
        """Lock the campaign's row, so that nobody cancels it meanwhile; False if it is cancelled.

        Whoever returns a batch to those that wait must hold this lock.
        """
        ...

    def pause_by_gateway(
        self, account: AccountId, campaign: CampaignId, reason: str, now: datetime
    ) -> bool:
        """Pause a sending campaign because the gateway refuses us; False if it was not sending."""
        ...
