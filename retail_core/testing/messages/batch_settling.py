"""Settling a batch in memory: its rows, who is in doubt, and what becomes of the batch."""

from datetime import datetime

import attrs

from retail_core.messages.model import (
    LOOK_UP_AFTER,
    BatchResults,
    BatchState,
    Dropped,
    MessageKey,
    MessageState,
    Settlement,
)
from retail_core.testing.messages.rows import (
    answered_row,
    forgotten_row,
    new_row,
    resolved_row,
)
from retail_core.testing.tables import MemoryTables, StoredBatch, StoredDoubt

_TOLD = frozenset({MessageState.SENT, MessageState.FAILED})
_HANDED_OVER = frozenset({MessageState.SENT, MessageState.UNKNOWN})


def write_rows(
    tables: MemoryTables, stored: StoredBatch, results: BatchResults, now: datetime
) -> Settlement:
    """All rows of a batch that was being submitted."""
    assert stored.recipients is not None, stored
    positions = range(len(stored.recipients))
    for position in positions:
        row = new_row(stored.key, stored.recipients, results, position, now)
        if row.error_code == Dropped.ERASED.value:
            row = forgotten_row(row)
        tables.messages.insert((row.campaign, row.seq), row)
        if row.state is MessageState.UNKNOWN:
            message = MessageKey(row.campaign, row.seq, row.account)
            doubt = StoredDoubt(message, row.phone, now, row.credits)
            tables.doubts.insert((row.campaign, row.seq), doubt)
    return Settlement(MessageState.QUEUED, positions)


def resolve_rows(
    tables: MemoryTables, stored: StoredBatch, results: BatchResults, now: datetime
) -> Settlement:
    """The rows of a batch that are still unknown; the others only learn their provider ids."""
    assert stored.recipients is not None, stored
    positions, without_hold = [], set()
    reported: dict[int, MessageState] = {}
    for position, seq in enumerate(stored.recipients.seqs):
        key = (stored.key.campaign, seq)
        row = tables.messages.get(key)
        assert row is not None, key
        if row.state is MessageState.CANCELLED:
            continue
        doubt, told = tables.doubts.get(key), results.states[position]
        if row.state is not MessageState.UNKNOWN and doubt and told in _TOLD:
            reported[position] = row.state
            tables.messages.put(key, answered_row(row, results, position, now))
        elif row.state is not MessageState.UNKNOWN:
            learnt = row.provider_id or results.provider_ids[position]
            tables.messages.put(key, attrs.evolve(row, provider_id=learnt))
            continue
        else:
            tables.messages.put(key, resolved_row(row, results, position, now))
        positions.append(position)
        if told is MessageState.UNKNOWN:
            continue
        tables.doubts.remove(key)
        if doubt is not None and doubt.credits_settled_at is not None:
            without_hold.add(position)
    return Settlement(MessageState.UNKNOWN, positions, frozenset(without_hold), reported)


def settled_batch(stored: StoredBatch, results: BatchResults, now: datetime) -> StoredBatch:
    """The batch after it was settled; what is in doubt keeps its recipients."""
    assert stored.recipients is not None, stored
    doubtful = MessageState.UNKNOWN in results.states
    seqs = stored.recipients.seqs
    look_up_at = stored.look_up_at
    if not _HANDED_OVER.isdisjoint(results.states):
        look_up_at = now + LOOK_UP_AFTER[0]
    return attrs.evolve(
        stored,
        state=BatchState.UNKNOWN if doubtful else BatchState.SETTLED,
        recipients=stored.recipients if doubtful else None,
        seq_range=(min(seqs), max(seqs)),
        lease_until=None,
        settled_at=now,
        look_up_at=look_up_at,
    )
