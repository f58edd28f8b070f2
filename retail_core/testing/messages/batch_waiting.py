"""Batches in memory that wait: queued again, or deferred in parts."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import attrs

from retail_core.campaigns.model import CampaignState
from retail_core.messages.model import BatchState, Recipients
from retail_core.testing.tables import MemoryTables, StoredBatch

WAITING = frozenset({BatchState.QUEUED, BatchState.DEFERRED, BatchState.CLAIMED})


def state_of(tables: MemoryTables, batch: StoredBatch) -> BatchState:
    """The batch's state; what waits is cancelled with its campaign."""
    campaign = tables.campaigns.get(batch.key.campaign)
    is_cancelled = campaign is not None and campaign.state is CampaignState.CANCELLED
    return BatchState.CANCELLED if is_cancelled and batch.state in WAITING else batch.state


def recipients_of(batch: StoredBatch) -> Recipients:
    """The recipients of a batch that has not settled."""
    assert batch.recipients is not None, batch
    return batch.recipients


def queued(batch: StoredBatch, not_before: datetime | None) -> StoredBatch:
    """The batch, waiting again."""
    return attrs.evolve(
        batch,
        state=BatchState.QUEUED,
        ref=None,
        worker=None,
        lease_until=None,
        not_before=not_before,
    )


def parted(stored: StoredBatch, waits: Mapping[datetime, Sequence[int]]) -> list[StoredBatch]:
    """What stays in hand, if anything, then a deferred part for each moment."""
    everybody = recipients_of(stored)
    apart = {position for positions in waits.values() for position in positions}
    stay = [position for position in range(len(everybody)) if position not in apart]
    parts = [
        attrs.evolve(
            queued(stored, moment),
            state=BatchState.DEFERRED,
            recipients=everybody.at(waits[moment]),
        )
        for moment in sorted(waits)
    ]
    if stay:
        parts.insert(0, attrs.evolve(stored, recipients=everybody.at(stay)))
    return parts


def over(batches: Iterable[StoredBatch], now: datetime, batches_max: int) -> list[StoredBatch]:
    """The deferred ones whose moment has come, in the order of their turns."""
    due = [
        (batch.not_before, batch.turn, batch.key.campaign, batch.key.no, batch)
        for batch in batches
        if batch.state is BatchState.DEFERRED and batch.not_before and batch.not_before <= now
    ]
    some = sorted(due, key=lambda each: each[:4])[:batches_max]
    return [each[-1] for each in sorted(some, key=lambda each: each[1:4])]
