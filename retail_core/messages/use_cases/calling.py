"""Whether the gateway may be called, and what each call tells all workers of it."""

import contextlib
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

import attrs

from retail_core.kernel.errors import Unavailable
from retail_core.kernel.ports import Clock, Transactions
from retail_core.messages.model import Doubtful, NotSent, SubmissionOutcome, TooLate
from retail_core.messages.ports import MessagesUnitOfWork, Pause

BOOK_AGAIN_SECONDS = 0.5
Result = TypeVar("Result")


@attrs.frozen
class Call:
    """A call that may be made: the gateway's strain when it was allowed, and if it is a probe."""

    strain: int = 0
    is_probe: bool = False


def may_call(uow: MessagesUnitOfWork, now: datetime, lease_until: datetime) -> Call | None:
    """Allow one call; None while the gateway rests. A probe is allowed once for all workers.

    Nobody waits for whoever is at it: they probe, or tell of a call, or were halted in between.
    """
    seen = uow.gateway_health.look()
    probes = seen.level > 0 and not seen.is_resting(now)
    health = uow.gateway_health.lock_unless_held() if probes else seen
    if health is None or health.is_resting(now):
        return None
    if health.level == 0:
        return Call(health.strain)
    uow.gateway_health.save(health.probing(lease_until))
    return Call(health.strain, is_probe=True)


def note(
    transactions: Transactions[MessagesUnitOfWork],
    call: Call,
    outcome: SubmissionOutcome | None,
    now: datetime,
) -> None:
    """Tell all workers how the gateway does; None: nothing was handed over after all.

    It is advice: nothing waits for it, and where it gets lost, the next call tells it again. Who
    came too late says nothing: what they knew of the gateway is as old as their lease.
    """
    if isinstance(outcome, TooLate):
        return
    went_well = not isinstance(outcome, NotSent | Doubtful)
    if went_well and not call.strain and not call.is_probe:
        return
    with contextlib.suppress(Unavailable), transactions.across_accounts() as uow:
        health = uow.gateway_health.lock()
        uow.gateway_health.save(health.after(outcome, is_probe=call.is_probe, now=now))


def patiently(work: Callable[[], Result], clock: Clock, pause: Pause, until: datetime) -> Result:
    """Book what only this process knows, again and again while the database is away.

    Not for longer than a lease: by then the sweep has taken over. Repeating is safe also where
    only the answer to a commit got lost: every verb is guarded by the state it leaves.
    """
    while True:
        try:
            return work()
        except Unavailable:
            if clock.now() >= until:
                raise
        pause.seconds(BOOK_AGAIN_SECONDS)
