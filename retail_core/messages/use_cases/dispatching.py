"""Dispatch: claim a batch, write down the intent, hand over, settle."""

import enum
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

import attrs

from retail_core.audiences.model import FrequencyCap
from retail_core.contacts.model.number_hash import NumberHash
from retail_core.kernel.errors import Unavailable
from retail_core.kernel.ids import WorkerId
from retail_core.kernel.ports import Clock, Randomness, Transactions
from retail_core.kernel.time.clock import Deadline
from retail_core.kernel.time.zones import local_date
from retail_core.links.codes import LinkCodes
from retail_core.messages import composing, jobs
from retail_core.messages.errors import LeaseLost
from retail_core.messages.model import (
    CALL_SECONDS,
    LEASE_SECONDS,
    Accepted,
    AccessRefused,
    BatchResults,
    ClaimedBatch,
    Dropped,
    NotSent,
    SubmissionOutcome,
    TooLate,
)
from retail_core.messages.ports import GatewayPace, MessagesUnitOfWork, Pause, SmsGateway
from retail_core.messages.quiet_hours import OFF, QuietPolicy, StoreQuiet
from retail_core.messages.use_cases import outcomes
from retail_core.messages.use_cases.calling import Call, note, patiently
from retail_core.messages.use_cases.counting import pause_by_gateway
from retail_core.messages.use_cases.refusing import refuse_erased
from retail_core.messages.use_cases.settling import settle

PACE_WAIT_SECONDS_MAX = 30.0


class DispatchOutcome(enum.Enum):
    """What one call of `DispatchBatch` did."""

    IDLE = "idle"
    SETTLED = "settled"
    PUT_BACK = "put back"
    DEFERRED = "deferred"
    LOST = "lost"


@attrs.frozen
class DispatchBatch:
    """Send one batch. Safe to run twice, side by side, and to die in at any line.

    What may have been handed over is never handed over again: the intent is committed before the
    socket is touched, and only an outcome that surely sent nothing puts the batch back. Nothing
    is handed over when less than a call (`call_seconds`) is left of the lease: once it is over the
    batch is called unknown, and whoever is in it may leave, be erased, or be settled.
    """

    transactions: Transactions[MessagesUnitOfWork]
    gateway: SmsGateway
    pace: GatewayPace
    pause: Pause
    clock: Clock
    randomness: Randomness
    codes: LinkCodes
    number_hash: NumberHash
    lease_seconds: int = LEASE_SECONDS
    call_seconds: float = CALL_SECONDS
    quiet_policy: QuietPolicy = OFF
    cap: FrequencyCap | None = None

    def __call__(self, worker: WorkerId) -> DispatchOutcome:
        """Claim and send one due batch; IDLE when none is due. Raises `Unavailable`."""
        now = self.clock.now()
        with self.transactions.across_accounts() as uow:
            batch = uow.batches.claim_across_accounts(worker, now, self._lease_from(now))
        if batch is None:
            return DispatchOutcome.IDLE
        # some may have to wait for the end of their night; asked again if the pace made us wait
        awake = self._defer_the_quiet(batch, now)
        if awake is not None:
            self.pause.seconds(min(self.pace.reserve(batch.key.account), PACE_WAIT_SECONDS_MAX))
            awake = self._defer_the_quiet(awake, self.clock.now())
        if awake is None:
            self._note(batch, None)
            return DispatchOutcome.DEFERRED
        return self._send(awake)

    def _send(self, batch: ClaimedBatch) -> DispatchOutcome:
        composed = composing.compose(batch, self.codes)
        ref = UUID(bytes=self.randomness.token(16), version=4)
        deadline = Deadline.after(self.clock, self.lease_seconds - self.call_seconds)
        try:
            dropped = self._commit_intent(batch, ref)
        except LeaseLost:
            self._note(batch, None)
            return self._give_up(batch)
        except Unavailable:
            # the intent may be committed all the same, but the socket was not touched
            return self._patiently(lambda: self._take_back(batch, ref, composed))
        outgoing = composed.outgoing(dropped)
        outcome = self.gateway.submit(outgoing, deadline) if outgoing else Accepted(())
        self._note(batch, outcome if outgoing else None)
        return self._patiently(lambda: self._finish(batch, ref, composed, dropped, outcome))

    def _defer_the_quiet(self, batch: ClaimedBatch, now: datetime) -> ClaimedBatch | None:
        """Let those wait who may not be sent to now; the rest, or None if nobody stays in hand."""
        quiet = StoreQuiet(self.quiet_policy, batch.quiet_hours, batch.timezone)
        waits = quiet.waits(batch.recipients.phones, now)
        if not waits:
            return batch
        key = batch.key
        with self.transactions.begin(key.account) as uow:
            # if it was cancelled or taken over meanwhile, nothing of it is in our hands
            is_open = uow.progress.lock_unless_cancelled(key.account, key.campaign)
            is_ours = is_open and uow.batches.defer(batch, waits)
        return batch.without(waits.values()) if is_ours else None

    def _note(self, batch: ClaimedBatch, outcome: SubmissionOutcome | None) -> None:
        call = Call(batch.strain, batch.is_probe)
        note(self.transactions, call, outcome, self.clock.now())

    def _patiently(self, book: Callable[[], DispatchOutcome]) -> DispatchOutcome:
        return patiently(book, self.clock, self.pause, self._lease_from(self.clock.now()))

    def _commit_intent(self, batch: ClaimedBatch, ref: UUID) -> Mapping[int, Dropped]:
        now = self.clock.now()
        lease_until, cap = self._lease_from(now), self.cap.at(now) if self.cap else None
        today = local_date(now, batch.timezone or "UTC")
        with self.transactions.begin(batch.key.account) as uow:
            dropped = uow.batches.commit_intent(batch, ref, lease_until, today, cap)
            return refuse_erased(uow, batch, dropped, self.number_hash)

    def _give_up(self, batch: ClaimedBatch) -> DispatchOutcome:
        """The campaign was paused meanwhile, or somebody else owns the batch.

        A batch that is still ours waits again at once, not only when its lease is over.
        """
        with self.transactions.begin(batch.key.account) as uow:
            is_ours = uow.batches.put_back(batch, None, failed_try=False)
        return DispatchOutcome.PUT_BACK if is_ours else DispatchOutcome.LOST

    def _take_back(
        self, batch: ClaimedBatch, ref: UUID, composed: composing.ComposedBatch
    ) -> DispatchOutcome:
        """As `_give_up`; but an intent that may be committed was counted by who cancelled since."""
        with self.transactions.begin(batch.key.account) as uow:
            if uow.progress.lock_unless_cancelled(batch.key.account, batch.key.campaign):
                is_ours = uow.batches.put_back(batch, None, failed_try=False)
                return DispatchOutcome.PUT_BACK if is_ours else DispatchOutcome.LOST
        results = outcomes.all_dropped(composed, {}, Dropped.CAMPAIGN_CANCELLED)
        return self._settle(batch, ref, results)

    def _finish(
        self,
        batch: ClaimedBatch,
        ref: UUID,
        composed: composing.ComposedBatch,
        dropped: Mapping[int, Dropped],
        outcome: SubmissionOutcome,
    ) -> DispatchOutcome:
        # that a probe was not sent says nothing about its message
        tries = 0 if batch.is_probe else batch.tries
        verdict = outcomes.judge(outcome, len(composed) - len(dropped), tries)
        if verdict is outcomes.Verdict.SETTLE:
            return self._settle(batch, ref, outcomes.results_of(outcome, composed, dropped))
        reason = Dropped.CAMPAIGN_CANCELLED
        with self.transactions.begin(batch.key.account) as uow:
            if uow.progress.lock_unless_cancelled(batch.key.account, batch.key.campaign):
                if self._return(uow, batch, outcome, verdict):
                    return DispatchOutcome.PUT_BACK
                if not isinstance(outcome, TooLate):
                    return DispatchOutcome.LOST
                reason = Dropped.TOO_LATE
        return self._settle(batch, ref, outcomes.all_dropped(composed, dropped, reason))

    def _settle(self, batch: ClaimedBatch, ref: UUID, results: BatchResults) -> DispatchOutcome:
        with self.transactions.begin(batch.key.account) as uow:
            settled = settle(uow, batch, ref, results, self.clock.now())
        return DispatchOutcome.SETTLED if settled else DispatchOutcome.LOST

    def _return(
        self,
        uow: MessagesUnitOfWork,
        batch: ClaimedBatch,
        outcome: SubmissionOutcome,
        verdict: outcomes.Verdict,
    ) -> bool:
        """Queue the batch again, or its halves; a gateway that refuses us pauses the campaign.

        False if it is not ours any more: then nothing changes.
        """
        not_before = self._not_before(outcome, batch.tries)
        refused = isinstance(outcome, AccessRefused)
        failed_try = not isinstance(outcome, AccessRefused | TooLate) and not batch.is_probe
        if verdict is outcomes.Verdict.SPLIT:
            is_ours = uow.batches.split(batch, self.clock.now())
        else:
            is_ours = uow.batches.put_back(batch, not_before, failed_try=failed_try)
        if not is_ours:
            return False
        if refused:
            pause_by_gateway(uow, batch.key.account, batch.key.campaign, self.clock.now())
        else:
            uow.jobs.add(jobs.dispatch_again(batch.key, batch.attempt, not_before))
        return True

    def _not_before(self, outcome: SubmissionOutcome, tries: int) -> datetime | None:
        if not isinstance(outcome, NotSent):
            return None
        spread = int.from_bytes(self.randomness.token(2)) / 65_536
        delay_seconds = outcomes.retry_delay_seconds(outcome, tries, spread)
        return self.clock.now() + timedelta(seconds=delay_seconds)

    def _lease_from(self, now: datetime) -> datetime:
        return now + timedelta(seconds=self.lease_seconds)
