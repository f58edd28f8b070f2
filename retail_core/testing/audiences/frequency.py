"""How much marketing a contact had of late, in memory."""

from collections.abc import Iterator
from datetime import date, datetime

from retail_core.audiences.model import CapWindow
from retail_core.kernel.ids import AccountId, CampaignId, ContactId
from retail_core.messages.model import BatchState, Dropped, MessageKind, MessageState
from retail_core.testing.messages.batch_waiting import recipients_of, state_of
from retail_core.testing.messages.recipients import reason_to_drop
from retail_core.testing.tables import MemoryTables, StoredBatch, StoredMessage

_OPEN = frozenset(
    {BatchState.QUEUED, BatchState.DEFERRED, BatchState.CLAIMED, BatchState.SUBMITTING}
)
_OVER = frozenset({MessageState.FAILED, MessageState.CANCELLED})


def had_enough(
    tables: MemoryTables, account: AccountId, contact: ContactId, cap: CapWindow
) -> bool:
    """Whether they had their share, what is planned for them included."""
    campaigns = list(_campaigns(tables, account, contact, cap.since, _OPEN))
    return len(campaigns) + _automations(tables, account, contact, cap) >= cap.messages_max


def reasons_to_drop(
    tables: MemoryTables, batch: StoredBatch, today: date, cap: CapWindow | None
) -> dict[int, Dropped]:
    """Who of a batch must be left out at the hand-over, by position."""
    account, found = batch.key.account, dict[int, Dropped]()
    everybody = recipients_of(batch)
    people = zip(everybody.contacts, everybody.phones, strict=True)
    for position, (contact, phone) in enumerate(people):
        reason = reason_to_drop(tables, account, contact, phone, today)
        if reason is None and cap is not None:
            had = _had_enough_of_others(batch.key.campaign, tables, account, contact, cap)
            reason = Dropped.FREQUENCY_CAP if had else None
        if reason is not None:
            found[position] = reason
    return found


def _had_enough_of_others(
    campaign: CampaignId,
    tables: MemoryTables,
    account: AccountId,
    contact: ContactId,
    cap: CapWindow,
) -> bool:
    """Whether others handed their share over to them, or are just doing so."""
    in_hand = frozenset({BatchState.SUBMITTING})
    campaigns = _campaigns(tables, account, contact, cap.since, in_hand)
    others = [each for each in campaigns if each != campaign]
    return len(others) + _automations(tables, account, contact, cap) >= cap.messages_max


def _campaigns(
    tables: MemoryTables,
    account: AccountId,
    contact: ContactId,
    since: datetime,
    states: frozenset[BatchState],
) -> Iterator[CampaignId]:
    for row in tables.messages:
        if row.account == account and row.contact == contact:
            at = _handed_over_at(row)
            if at is not None and at >= since:
                yield row.campaign
    for batch in tables.batches:
        if batch.key.account != account or batch.recipients is None:
            continue
        if state_of(tables, batch) not in states:
            continue
        for position, each in enumerate(batch.recipients.contacts):
            if each == contact and position not in batch.dropped:
                yield batch.key.campaign


def _automations(
    tables: MemoryTables, account: AccountId, contact: ContactId, cap: CapWindow
) -> int:
    return sum(
        row.account == account
        and row.single.contact == contact
        and row.single.kind is MessageKind.AUTOMATION
        and (row.state not in _OVER or row.sent_at is not None)
        and (row.submitted_at is None or row.submitted_at >= cap.since)
        for row in tables.singles
    )


def _handed_over_at(row: StoredMessage) -> datetime | None:
    if row.state is MessageState.UNKNOWN:
        return row.updated_at
    return row.sent_at or row.delivered_at
