"""Single messages in doubt or without a final state, in memory."""

from collections.abc import Sequence
from datetime import UTC, datetime

import attrs

from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import AccountId, ProviderId
from retail_core.messages.model import (
    Askable,
    Doubt,
    Finding,
    MessageKey,
    MessageState,
    PutOff,
    Resolved,
    next_look_up,
)
from retail_core.testing.kernel.table import sees
from retail_core.testing.messages.singles.rows import StoredSingle
from retail_core.testing.messages.turns import in_turns
from retail_core.testing.tables import MemoryTables

_OPEN = frozenset({MessageState.UNKNOWN, MessageState.SENT})
_HANDED_OVER = _OPEN | {MessageState.FAILED, MessageState.DELIVERED}
_EVER = datetime.max.replace(tzinfo=UTC)


def resolve(
    tables: MemoryTables, bound_to: AccountId | None, finding: Finding, now: datetime
) -> Sequence[Resolved]:
    """Apply a finding; nothing, if it changes nothing."""
    row = next((row for row in tables.singles if row.single.number == finding.message.seq), None)
    if row is None or not sees(bound_to, row.account) or row.state not in _HANDED_OVER:
        return ()
    if None not in (row.provider_id, finding.provider_id) and (
        row.provider_id != finding.provider_id
    ):
        return ()
    changed = _found(row, finding)
    if changed == row:
        return ()
    tables.singles.put(
        row.single.number, attrs.evolve(changed, updated_at=max(row.updated_at, now))
    )
    credits = row.single.credits if row.holds and not changed.holds else 0
    reason = row.single.reason
    return [Resolved(_key(row), row.state, changed.state, credits, reason)]


def waiting(tables: MemoryTables, bound_to: AccountId | None) -> Sequence[Doubt]:
    """All that are in doubt."""
    return [
        Doubt(
            message=_key(row),
            number=row.single.number,
            since=row.submitted_at,
            credits=row.single.credits,
            credits_settled=not row.holds,
            provider_id=row.provider_id,
            state=row.state,
        )
        for row in tables.singles
        if is_in_doubt(row) and row.submitted_at and sees(bound_to, row.account)
    ]


def is_in_doubt(row: StoredSingle) -> bool:
    """Whether it is unknown, or holds credits although a report told that is not certain."""
    return row.state is MessageState.UNKNOWN or (row.holds and row.reported_id is not None)


def due(
    tables: MemoryTables, now: datetime, after: AccountId, singles_max: int
) -> tuple[list[AccountId], list[Askable]]:
    """Whose turn it is behind a store, and theirs that are due: of each in turn the longest due."""
    found = [
        (
            row.look_up_at,
            row.single.number,
            row.account,
            _askable(row, row.provider_id, row.submitted_at),
        )
        for row in tables.singles
        if row.state in _OPEN and row.provider_id and row.look_up_at and row.look_up_at <= now
    ]
    found.sort(key=lambda each: each[:2])
    accounts, rows = in_turns(found, lambda each: each[2], after, singles_max)
    return accounts, [each[3] for each in rows]


def find(
    tables: MemoryTables,
    bound_to: AccountId | None,
    account: AccountId,
    provider_ids: Sequence[ProviderId],
) -> list[Askable]:
    """Those with these provider ids."""
    return [
        _askable(row, row.provider_id)
        for row in tables.singles
        if row.account == account
        and sees(bound_to, account)
        and row.provider_id is not None
        and row.provider_id in provider_ids
    ]


def note_asked(
    tables: MemoryTables, bound_to: AccountId | None, messages: Sequence[MessageKey], now: datetime
) -> None:
    """Those of these that are single wait for their next age, if there is one."""
    numbers = {each.seq for each in messages if each.is_single}
    for row in list(tables.singles):
        if row.single.number in numbers and sees(bound_to, row.account) and row.submitted_at:
            again = next_look_up(row.submitted_at, now)
            tables.singles.put(row.single.number, attrs.evolve(row, look_up_at=again))


def put_off(tables: MemoryTables, bound_to: AccountId | None, messages: Sequence[PutOff]) -> None:
    """Those of these that are single are not due before their time."""
    times = {each.message.seq: each.again_at for each in messages if each.message.is_single}
    for row in list(tables.singles):
        if row.single.number in times and sees(bound_to, row.account):
            again = times[row.single.number]
            tables.singles.put(row.single.number, attrs.evolve(row, look_up_at=again))


def knows(tables: MemoryTables, provider_id: ProviderId | None) -> bool:
    """Whether a single message has this id."""
    return provider_id is not None and any(row.provider_id == provider_id for row in tables.singles)


def of_phone(
    tables: MemoryTables, phone: PhoneNumber | None, first: datetime, last: datetime
) -> list[tuple[MessageKey, str | None, str | None]]:
    """Those in doubt that were handed over to a number within a window, with both their ids."""
    return [
        (_key(row), row.provider_id, row.reported_id)
        for row in tables.singles
        if phone is not None
        and row.phone == phone
        and (row.state is MessageState.UNKNOWN or row.reported_id is not None)
        and row.submitted_at
        and first <= row.submitted_at <= last
    ]


def is_submitted_to(tables: MemoryTables, phone: PhoneNumber | None) -> bool:
    """Whether a single message is being handed over to a number."""
    return phone is not None and any(
        row.phone == phone and row.state is MessageState.SUBMITTING for row in tables.singles
    )


def _found(row: StoredSingle, finding: Finding) -> StoredSingle:
    """The row after a finding, as for a campaign's message."""
    state = max(row.state, finding.state)
    was_unknown = row.state is MessageState.UNKNOWN
    fails = finding.failed_at is not None and finding.failed_at < (row.failed_at or _EVER)
    if finding.is_certain:
        holds, reported_id = row.holds and state is MessageState.UNKNOWN, None
        provider_id = row.provider_id or finding.provider_id
    else:
        holds, provider_id, reported_id = row.holds, row.provider_id, row.reported_id
        if reported_id is None:
            reported_id = finding.provider_id or ""
    return attrs.evolve(
        row,
        state=state,
        holds=holds,
        provider_id=provider_id,
        reported_id=reported_id,
        sent_at=_earliest(row.sent_at, finding.sent_at),
        delivered_at=_earliest(row.delivered_at, finding.delivered_at),
        failed_at=_earliest(row.failed_at, finding.failed_at),
        error=finding.error if was_unknown or fails else row.error,
        error_code=finding.error_code if was_unknown else row.error_code,
    )


def _earliest(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((at for at in (one, other) if at is not None), default=None)


def _askable(row: StoredSingle, provider_id: ProviderId, since: datetime | None = None) -> Askable:
    return Askable(_key(row), row.single.number, provider_id, row.state, since)


def _key(row: StoredSingle) -> MessageKey:
    return MessageKey.of_single(row.account, row.single.number)
