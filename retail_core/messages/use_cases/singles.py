"""Single messages: marked, handed over in one call per store, settled one by one."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import attrs

from retail_core.contacts.model.number_hash import NumberHash
from retail_core.kernel.errors import Unavailable
from retail_core.kernel.ids import AccountId, MessageNumber
from retail_core.kernel.ports import Clock, Randomness, Transactions
from retail_core.kernel.time.clock import Deadline
from retail_core.kernel.time.zones import local_date
from retail_core.messages import jobs
from retail_core.messages.model import (
    CALL_SECONDS,
    LEASE_SECONDS,
    SINGLES_PER_CALL_MAX,
    SUBMIT_ATTEMPTS_MAX,
    AccessRefused,
    BatchRefused,
    ClaimedSingle,
    MessageState,
    NotSent,
    OutgoingMessage,
    SingleShare,
    SubmissionOutcome,
    TooLate,
    single_credits_key,
)
from retail_core.messages.ports import GatewayPace, MessagesUnitOfWork, Pause, SmsGateway
from retail_core.messages.quiet_hours import OFF, QuietPolicy
from retail_core.messages.use_cases import outcomes
from retail_core.messages.use_cases.calling import Call, may_call, note, patiently
from retail_core.messages.use_cases.holding_back import hold_back
from retail_core.messages.use_cases.refusing import refuse_erased_singles

PACE_WAIT_SECONDS_MAX = 30.0

Answer = tuple[Sequence[ClaimedSingle], SubmissionOutcome]
"""Messages of one call, and what became of it."""


@attrs.frozen
class SendSingleMessages:
    """Send what is due of one account. Safe to run twice, side by side, and to die in at any line.

    What may have been handed over is never handed over again, as with batches: the intent is
    committed before the socket is touched. And as with batches nothing is handed over when less
    than a call (`call_seconds`) is left of the lease. Returns how many messages were in the calls.
    """

    transactions: Transactions[MessagesUnitOfWork]
    gateway: SmsGateway
    pace: GatewayPace
    pause: Pause
    clock: Clock
    randomness: Randomness
    number_hash: NumberHash
    lease_seconds: int = LEASE_SECONDS
    call_seconds: float = CALL_SECONDS
    quiet_policy: QuietPolicy = OFF

    def __call__(self) -> int:
        """0: nothing is due, or the gateway rests. Raises `Unavailable`."""
        with self.transactions.across_accounts() as uow:
            account = uow.singles.due_account_across_accounts(self.clock.now())
        return 0 if account is None else self.send(account)

    def send(self, account: AccountId, numbers: Sequence[MessageNumber] | None = None) -> int:
        """Send what is due of an account, or these of its messages whether due or not."""
        now = self.clock.now()
        with self.transactions.across_accounts() as uow:
            call = may_call(uow, now, self._lease_from(now))
        if call is None:
            return 0
        self._wait_for_pace(account)
        ref = UUID(bytes=self.randomness.token(16), version=4)
        deadline = Deadline.after(self.clock, self.lease_seconds - self.call_seconds)
        try:
            singles = self._commit_intent(account, ref, call, numbers)
        except Unavailable:
            # the intent may be committed all the same, but the socket was not touched
            self._patiently(lambda: self._give_up(account, ref))
            raise
        if not singles:
            note(self.transactions, call, None, self.clock.now())
            return 0
        answers = list(self._submit(account, singles, deadline))
        note(self.transactions, call, _last_told(answers), self.clock.now())
        self._patiently(lambda: self._finish(account, ref, call, answers))
        return len(singles)

    def _commit_intent(
        self,
        account: AccountId,
        ref: UUID,
        call: Call,
        numbers: Sequence[MessageNumber] | None,
    ) -> Sequence[ClaimedSingle]:
        """Those to hand over; the credits of those dropped come back at once."""
        now = self.clock.now()
        singles_max = 1 if call.is_probe else SINGLES_PER_CALL_MAX
        with self.transactions.begin(account) as uow:
            today = local_date(now, uow.accounts.get(account).timezone or "UTC")
            claimed = uow.singles.commit_intent(
                account, ref, now, self._lease_from(now), today, singles_max, numbers
            )
            dropped = [each for each in claimed if each.dropped is not None]
            book(uow, [_dropped_share(account, each) for each in dropped])
            left = [each for each in claimed if each.dropped is None]
            kept, refused = refuse_erased_singles(uow, account, ref, left, self.number_hash, now)
            book(uow, refused)
            awake, too_late = hold_back(uow, account, ref, kept, self.quiet_policy, now)
            book(uow, too_late)
        return awake

    def _submit(
        self, account: AccountId, singles: Sequence[ClaimedSingle], deadline: Deadline
    ) -> Iterator[Answer]:
        """One call; where it is refused as a whole, nothing was sent: then its halves."""
        outcome = self.gateway.submit(
            [OutgoingMessage(each.number, each.phone, each.sender, each.text) for each in singles],
            deadline,
        )
        if not isinstance(outcome, BatchRefused) or len(singles) == 1:
            yield singles, outcome
            return
        half = len(singles) // 2
        for part in (singles[:half], singles[half:]):
            if not deadline.is_over(self.clock):
                self._wait_for_pace(account)
            yield from self._submit(account, part, deadline)

    def _finish(self, account: AccountId, ref: UUID, call: Call, answers: Sequence[Answer]) -> None:
        now = self.clock.now()
        with self.transactions.begin(account) as uow:
            for singles, outcome in answers:
                if isinstance(outcome, TooLate):
                    self._put_back_at_once(uow, account, ref, singles)
                again = [each for each in singles if _is_tried_again(outcome, each, call)]
                if again:
                    self._put_back(uow, account, ref, call, again, outcome)
                over = [each for each in singles if each not in again]
                results = outcomes.single_results(outcome, over) if over else ()
                book(uow, uow.singles.settle(account, ref, results, now))
                if any(each.state is MessageState.UNKNOWN for each in results):
                    uow.jobs.add(jobs.resolve_by_reports())

    def _put_back(
        self,
        uow: MessagesUnitOfWork,
        account: AccountId,
        ref: UUID,
        call: Call,
        singles: Sequence[ClaimedSingle],
        outcome: SubmissionOutcome,
    ) -> None:
        spread = int.from_bytes(self.randomness.token(2)) / 65_536
        not_sent = outcome if isinstance(outcome, NotSent) else NotSent("refused")
        delay = outcomes.retry_delay_seconds(not_sent, min(each.tries for each in singles), spread)
        not_before = self.clock.now() + timedelta(seconds=delay)
        numbers = [each.number for each in singles]
        failed_try = not call.is_probe
        uow.singles.put_back(account, ref, not_before, failed_try=failed_try, numbers=numbers)
        uow.jobs.add(jobs.send_singles(account, numbers[0], not_before))

    def _put_back_at_once(
        self,
        uow: MessagesUnitOfWork,
        account: AccountId,
        ref: UUID,
        singles: Sequence[ClaimedSingle],
    ) -> None:
        """Nothing was wrong with them; those that are called unknown by now are not put back."""
        numbers = [each.number for each in singles]
        uow.singles.put_back(account, ref, None, failed_try=False, numbers=numbers)
        uow.jobs.add(jobs.send_singles(account, numbers[0], None))

    def _give_up(self, account: AccountId, ref: UUID) -> None:
        with self.transactions.begin(account) as uow:
            uow.singles.put_back(account, ref, None, failed_try=False)

    def _wait_for_pace(self, account: AccountId) -> None:
        self.pause.seconds(min(self.pace.reserve(account), PACE_WAIT_SECONDS_MAX))

    def _patiently(self, work: Callable[[], None]) -> None:
        patiently(work, self.clock, self.pause, self._lease_from(self.clock.now()))

    def _lease_from(self, now: datetime) -> datetime:
        return now + timedelta(seconds=self.lease_seconds)


@attrs.frozen
class SweepSingleMessages:
    """Find what dead senders left behind, and messages whose nudge got lost.

    Returns how many messages became unknown; none that reached the intent is queued again.
    """

    transactions: Transactions[MessagesUnitOfWork]
    clock: Clock

    def __call__(self) -> int:
        now = self.clock.now()
        with self.transactions.across_accounts() as uow:
            unknown = uow.singles.mark_unknown_across_accounts(now)
            if unknown:
                uow.jobs.add(jobs.resolve_by_reports())
            if uow.singles.due_across_accounts(now):
                uow.jobs.add(jobs.sweep_singles_nudge())
        return unknown


def book(
    uow: MessagesUnitOfWork, shares: Sequence[SingleShare], *, failed_was_accepted: bool = False
) -> None:
    """Settle the credits of messages: what the gateway took is paid, what it did not comes back.

    Whatever it reports, failed too, it had taken before.
    """
    for share in sorted(shares, key=lambda each: (each.account, each.number)):
        is_refused = share.state is MessageState.FAILED and not failed_was_accepted
        is_free = is_refused or share.state is MessageState.CANCELLED
        move(uow, share, captured=0 if is_free else share.credits)


def move(uow: MessagesUnitOfWork, share: SingleShare, captured: int) -> None:
    """Capture so much of what was held for one message; the rest comes back."""
    uow.credits.settle(
        share.account,
        single_credits_key(share.number),
        captured=captured,
        released=share.credits - captured,
        campaign=None,
        reason=share.reason,
        messages=int(captured > 0),
        message=share.number,
    )


def _dropped_share(account: AccountId, single: ClaimedSingle) -> SingleShare:
    return SingleShare(
        account, single.number, single.credits, single.reason, MessageState.CANCELLED
    )


def _last_told(answers: Sequence[Answer]) -> SubmissionOutcome:
    """What the gateway said last; calls that were not made any more say nothing."""
    told = [outcome for _, outcome in answers if not isinstance(outcome, TooLate)]
    return told[-1] if told else answers[-1][1]


def _is_tried_again(outcome: SubmissionOutcome, single: ClaimedSingle, call: Call) -> bool:
    if not isinstance(outcome, NotSent | AccessRefused):
        return False
    return call.is_probe or single.tries + 1 < SUBMIT_ATTEMPTS_MAX
