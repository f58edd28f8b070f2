"""The one transaction that books a batch: message rows, credits, counters, nudges."""

from collections import Counter
from datetime import datetime
from typing import Final
from uuid import UUID

from retail_core.messages import jobs
from retail_core.messages.model import (
    BatchResults,
    ClaimedBatch,
    MessageState,
    ProgressChange,
    Settlement,
)
from retail_core.messages.ports import MessagesUnitOfWork
from retail_core.messages.use_cases.counting import count

_RESULTS: Final = (
    MessageState.SENT,
    MessageState.FAILED,
    MessageState.UNKNOWN,
    MessageState.CANCELLED,
)


def settle(
    uow: MessagesUnitOfWork,
    batch: ClaimedBatch,
    ref: UUID,
    results: BatchResults,
    now: datetime,
) -> bool:
    """Book the results of a batch; False (and no change) if somebody else settled it.

    Locks, in this order: the batch, its message rows, the campaign, the wallet.
    """
    settlement = uow.batches.settle(batch, ref, results, now)
    if settlement is None:
        return False
    changed = results.at(settlement.positions)
    held = _with_hold(settlement, results, changed)
    captured = held.credits_in(MessageState.SENT)
    released = held.credits_in(MessageState.FAILED, MessageState.CANCELLED)
    change = _progress(settlement, changed, captured, released)
    count(uow, batch.key.account, batch.key.campaign, change, now)
    uow.credits.settle(
        batch.key.account,
        _credits_key(ref, settlement, changed),
        captured=captured,
        released=released,
        campaign=batch.key.campaign,
        reason=f"sms:send:campaign:{batch.key.campaign}",
        messages=held.count(MessageState.SENT),
    )
    if any(changed.provider_ids):
        uow.jobs.add(jobs.match_parked_reports(batch.key))
    if MessageState.UNKNOWN in changed.states:
        uow.jobs.add(jobs.resolve_by_reports())
    return True


def _with_hold(
    settlement: Settlement, results: BatchResults, changed: BatchResults
) -> BatchResults:
    """The results of those for whom credits are still held."""
    if not settlement.without_hold:
        return changed
    return results.at([at for at in settlement.positions if at not in settlement.without_hold])


def _credits_key(ref: UUID, settlement: Settlement, changed: BatchResults) -> str:
    """A key that moves credits once, also where unknown rows are resolved a few at a time.

    A row leaves UNKNOWN once, so the first that does so names the late settlement.
    """
    if settlement.previous is not MessageState.UNKNOWN:
        return str(ref)
    resolved = [
        position
        for position, state in zip(settlement.positions, changed.states, strict=True)
        if state is not MessageState.UNKNOWN
    ]
    return f"{ref}:late:{min(resolved, default='none')}"


def _progress(
    settlement: Settlement, changed: BatchResults, captured: int, released: int
) -> ProgressChange:
    size = len(settlement.positions)
    late = settlement.previous is MessageState.UNKNOWN
    counts = Counter({state: changed.count(state) for state in _RESULTS})
    if late:
        counts[MessageState.UNKNOWN] -= size
    told = dict(zip(settlement.positions, changed.states, strict=True))
    for position, before in settlement.reported.items():
        counts[MessageState.UNKNOWN] += 1
        counts[told[position]] -= 1
        counts[before] -= 1
        counts[max(before, told[position])] += 1
    return ProgressChange(
        queued=0 if late else -size,
        **{state.word: counts[state] for state in (*_RESULTS, MessageState.DELIVERED)},
        captured=captured,
        released=released,
    )
