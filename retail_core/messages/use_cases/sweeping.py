"""Finding what a dead worker left behind, and work whose nudge got lost."""

from typing import Final

import attrs

from retail_core.kernel.ports import Clock, Transactions
from retail_core.links.codes import CODE_NUMBER_MAX, LinkCodes
from retail_core.messages import composing, jobs
from retail_core.messages.model import ClaimedBatch, Doubtful
from retail_core.messages.ports import MessagesUnitOfWork
from retail_core.messages.use_cases import outcomes
from retail_core.messages.use_cases.settling import settle

STALE_BATCHES_MAX = 20
WOKEN_BATCHES_MAX = 1_000
CLOSED_BATCHES_MAX = 500


@attrs.frozen
class CloseCancelledBatches:
    """Take the batches of cancelled campaigns out of those that wait, so many at a time.

    Nothing of them can be sent any more; it only makes the next claim quicker. Returns how many it
    found. Whoever dies leaves the rest for the next run.
    """

    transactions: Transactions[MessagesUnitOfWork]

    def __call__(self) -> int:
        with self.transactions.across_accounts() as uow:
            return uow.batches.close_cancelled_across_accounts(CLOSED_BATCHES_MAX)


NUMBERS_WARNED_SHARE: Final = 0.8
"""From this share of all message numbers on, the operator is told every hour."""


@attrs.frozen
class NumbersGiven:
    """How many of all message numbers were given out."""

    given: int
    of: int

    @property
    def share(self) -> float:
        return self.given / self.of

    @property
    def is_alarming(self) -> bool:
        return self.share >= NUMBERS_WARNED_SHARE


@attrs.frozen
class WatchNumbers:
    """How far message numbers are used up; whoever runs this must raise an alarm if too far."""

    transactions: Transactions[MessagesUnitOfWork]

    def __call__(self) -> NumbersGiven:
        with self.transactions.across_accounts() as uow:
            return NumbersGiven(uow.numbers.given(), CODE_NUMBER_MAX)


@attrs.frozen
class SweepStaleBatches:
    """Free claims whose lease is over; what was being submitted becomes unknown.

    Nothing that reached the intent is ever queued again by this. Returns how many batches became
    unknown. Queues what waited for the end of quiet hours, and closes batches of cancelled
    campaigns. Nudges dispatch when anything is due, so that a wiped queue heals by itself.
    """

    transactions: Transactions[MessagesUnitOfWork]
    clock: Clock
    codes: LinkCodes

    def __call__(self) -> int:
        now = self.clock.now()
        with self.transactions.across_accounts() as uow:
            uow.batches.free_stale_claims_across_accounts(now)
            if uow.batches.close_cancelled_across_accounts(CLOSED_BATCHES_MAX):
                uow.jobs.add(jobs.close_cancelled_batches())
            uow.batches.wake_across_accounts(now, WOKEN_BATCHES_MAX)
            stale = uow.batches.stale_across_accounts(now, STALE_BATCHES_MAX)
            due = uow.batches.due_across_accounts(now)
            if due:
                for no in range(jobs.DISPATCH_NUDGES_MAX):
                    uow.jobs.add(jobs.sweep_nudge(no))
            if uow.reports.waiting_across_accounts():
                uow.jobs.add(jobs.apply_reports())
        return sum(self._mark_unknown(batch) for batch in stale)

    def _mark_unknown(self, batch: ClaimedBatch) -> bool:
        if batch.ref is None:
            return False
        composed = composing.compose(batch, self.codes)
        results = outcomes.results_of(Doubtful("the worker died"), composed, batch.dropped)
        with self.transactions.begin(batch.key.account) as uow:
            return settle(uow, batch, batch.ref, results, self.clock.now())
