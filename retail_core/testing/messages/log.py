"""The message log in memory: rows, and recipients of batches that have none."""

from collections.abc import Iterator, Sequence
from datetime import datetime

import attrs

from retail_core.campaigns.model import Campaign
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import AccountId, ContactId, MessageNumber, ProviderId
from retail_core.kernel.pages import Page, PageRequest
from retail_core.messages.composing import compiled
from retail_core.messages.model import BatchState, Dropped, MessageKind, MessageState, Recipients
from retail_core.messages.queries import MessageFilter, MessageHistory, MessageRecord
from retail_core.testing.database import MemoryDatabase
from retail_core.testing.messages.batch_waiting import state_of
from retail_core.testing.messages.recipients import merge_columns
from retail_core.testing.messages.singles.rows import StoredSingle
from retail_core.testing.tables import MemoryTables, StoredBatch, StoredMessage

Person = tuple[int, ContactId | None, int | None, str | None, str | None, str | None]
"""Seq, contact, number, first name, last name and e-mail of a recipient."""

_WITHOUT_ROWS = frozenset(
    {BatchState.QUEUED, BatchState.DEFERRED, BatchState.CLAIMED, BatchState.SUBMITTING}
)
_HANDED_OVER = frozenset({BatchState.SUBMITTING, BatchState.SETTLED, BatchState.UNKNOWN})


@attrs.frozen
class MemoryMessageQueries:
    """`MessageQueries` in memory."""

    database: MemoryDatabase

    def page(
        self, account: AccountId, wanted: MessageFilter, request: PageRequest
    ) -> Page[MessageRecord]:
        found = self._found(account, wanted)
        items = tuple(found[request.offset : request.offset + request.page_size])
        return Page(items, len(found), request.page, request.page_size)

    def every(self, account: AccountId, wanted: MessageFilter) -> Iterator[MessageRecord]:
        yield from self._found(account, wanted)

    def find(self, account: AccountId, number: MessageNumber) -> MessageHistory | None:
        with self.database.transaction() as tables:
            found = [each for each in _log(account, tables) if each.number == number]
            if not found:
                return None
            return MessageHistory(found[0], _handed_over(found[0], tables))

    def of_occasions(self, account: AccountId, occasions: Sequence[str]) -> Sequence[MessageRecord]:
        with self.database.transaction() as tables:
            found = [
                single_record(each, tables)
                for each in tables.singles
                if each.account == account and each.single.occasion in occasions
            ]
        return sorted(found, key=lambda record: record.number)

    def _found(self, account: AccountId, wanted: MessageFilter) -> list[MessageRecord]:
        with self.database.transaction() as tables:
            found = [each for each in _log(account, tables) if _fits(each, wanted)]
        return sorted(found, key=lambda record: -record.number)


def _log(account: AccountId, tables: MemoryTables) -> Iterator[MessageRecord]:
    for campaign in tables.campaigns:
        if campaign.account_id == account and campaign.started_at is not None:
            yield from _records(campaign, tables)
    for single in tables.singles:
        if single.account == account:
            yield single_record(single, tables)


def _fits(record: MessageRecord, wanted: MessageFilter) -> bool:
    return (
        record.kind in wanted.kinds
        and wanted.state in (None, record.state)
        and wanted.campaign in (None, record.campaign)
        and wanted.automation in (None, record.automation)
        and wanted.contact in (None, record.contact)
        and (wanted.digits is None or wanted.digits in (record.phone or ""))
        and (wanted.since is None or record.created_at >= wanted.since)
        and (wanted.before is None or record.created_at < wanted.before)
    )


def _handed_over(record: MessageRecord, tables: MemoryTables) -> datetime | None:
    if record.kind is not MessageKind.CAMPAIGN:
        single = tables.singles.get(record.number)
        return None if single is None else single.submitted_at
    campaign = record.campaign and tables.campaigns.get(record.campaign)
    assert campaign, record
    seq = record.number - (campaign.first_number or 0)
    times = [
        batch.submitted_at
        for batch in tables.batches
        if batch.key.campaign == record.campaign
        and batch.state in _HANDED_OVER
        and (seq in batch.recipients.seqs if batch.recipients else _within(batch, seq))
    ]
    return max((at for at in times if at is not None), default=None)


def _within(batch: StoredBatch, seq: int) -> bool:
    first, last = batch.seq_range
    return first <= seq <= last


def _records(campaign: Campaign, tables: MemoryTables) -> list[MessageRecord]:
    """The rows, and the recipients of batches that have no rows yet, or never will."""
    batches = [each for each in tables.batches if each.key.campaign == campaign.id]
    waiting = [
        _with_contact(_waiting(campaign, person), tables)
        for batch in batches
        if batch.recipients and state_of(tables, batch) in _WITHOUT_ROWS
        for person in _people(batch.recipients)
    ]
    cancelled = [
        _with_contact(_cancelled(campaign, batch, position), tables)
        for batch in batches
        if batch.recipients and state_of(tables, batch) is BatchState.CANCELLED
        for position in range(len(batch.recipients))
    ]
    return [*waiting, *cancelled] + [
        _with_contact(_written(campaign, row), tables)
        for row in tables.messages
        if row.campaign == campaign.id
    ]


def _people(recipients: Recipients) -> Iterator[Person]:
    return zip(
        recipients.seqs,
        recipients.contacts,
        recipients.phones,
        *merge_columns(recipients),
        strict=True,
    )


def _written(campaign: Campaign, row: StoredMessage) -> MessageRecord:
    person = (row.seq, row.contact, row.phone, row.first_name, row.last_name, row.email)
    return attrs.evolve(
        _waiting(campaign, person),
        state=row.state,
        encoding=row.encoding,
        parts=row.parts,
        credits=row.credits,
        provider_id=ProviderId(row.provider_id) if row.provider_id else None,
        error_code=row.error_code,
        error=row.error,
        sent_at=row.sent_at,
        delivered_at=row.delivered_at,
        failed_at=row.failed_at,
        updated_at=row.updated_at,
    )


def _cancelled(campaign: Campaign, batch: StoredBatch, position: int) -> MessageRecord:
    """What waited when the campaign was cancelled; it is over since then."""
    assert batch.recipients is not None, batch
    assert campaign.plan is not None, campaign
    assert campaign.finished_at is not None, campaign
    person = list(_people(batch.recipients))[position]
    seq, _, _, *values = person
    size = batch.forgotten.get(seq) or compiled(campaign.plan).size(*values)
    return attrs.evolve(
        _waiting(campaign, person),
        state=MessageState.CANCELLED,
        error_code=Dropped.CAMPAIGN_CANCELLED.value,
        encoding=size.encoding,
        parts=size.parts,
        credits=size.parts * batch.recipients.credits_per_part[position],
        updated_at=campaign.finished_at,
    )


def _waiting(campaign: Campaign, person: Person) -> MessageRecord:
    assert campaign.first_number is not None, campaign
    assert campaign.started_at is not None, campaign
    assert campaign.plan is not None, campaign
    seq, contact, phone, first_name, last_name, email = person
    return MessageRecord(
        number=MessageNumber(campaign.first_number + seq),
        kind=MessageKind.CAMPAIGN,
        campaign=campaign.id,
        automation=None,
        contact=contact,
        phone=None if phone is None else PhoneNumber(f"+{phone}"),
        first_name=first_name,
        last_name=last_name,
        email=email,
        contact_first_name=None,
        contact_last_name=None,
        state=MessageState.QUEUED,
        encoding=None,
        parts=None,
        credits=None,
        provider_id=None,
        error_code=None,
        error=None,
        sender=campaign.plan.sender,
        plan=campaign.plan,
        text=None,
        created_at=campaign.started_at,
        sent_at=None,
        delivered_at=None,
        failed_at=None,
        updated_at=campaign.started_at,
    )


def single_record(row: StoredSingle, tables: MemoryTables) -> MessageRecord:
    """A single message as the log shows it."""
    single = row.single
    is_in_hand = row.state is MessageState.SUBMITTING
    record = MessageRecord(
        number=single.number,
        kind=single.kind,
        campaign=single.campaign,
        automation=single.automation,
        contact=single.contact,
        phone=row.phone,
        first_name=None,
        last_name=None,
        email=None,
        contact_first_name=None,
        contact_last_name=None,
        state=MessageState.QUEUED if is_in_hand else row.state,
        encoding=single.size.encoding,
        parts=single.size.parts,
        credits=single.credits,
        provider_id=ProviderId(row.provider_id) if row.provider_id else None,
        error_code=row.error_code,
        error=row.error,
        sender=single.sender,
        plan=None,
        text=row.text,
        created_at=row.created_at,
        sent_at=row.sent_at,
        delivered_at=row.delivered_at,
        failed_at=row.failed_at,
        updated_at=row.updated_at,
    )
    return _with_contact(record, tables)


def _with_contact(record: MessageRecord, tables: MemoryTables) -> MessageRecord:
    """The record with the names that its contact has today."""
    stored = None if record.contact is None else tables.contacts.get(record.contact)
    if stored is None:
        return record
    return attrs.evolve(
        record,
        contact_first_name=stored.contact.first_name,
        contact_last_name=stored.contact.last_name,
    )
