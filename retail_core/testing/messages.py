"""Messages, their log and delivery reports in memory."""

from collections.abc import Iterator, Sequence
from datetime import datetime

import attrs

from retail_core.campaigns.model import Campaign
from retail_core.contacts.ports import MessageOrigin
from retail_core.kernel.ids import (
    AccountId,
    CampaignId,
    ContactId,
    MessageNumber,
    ProviderId,
    ReportId,
)
from retail_core.kernel.pages import Page, PageRequest
from retail_core.kernel.phones import PhoneNumber
from retail_core.messages.composing import compiled
from retail_core.messages.model import (
    BatchState,
    DeliveryReport,
    MessageState,
    ProgressChange,
    RawReport,
    Recipients,
)
from retail_core.messages.ports import REPORT_BYTES_TYPICAL
from retail_core.messages.queries import MessageFilter, MessageRecord
from retail_core.testing.campaigns import with_progress
from retail_core.testing.database import MemoryDatabase
from retail_core.testing.message_rows import forgotten_row, reported_row
from retail_core.testing.recipients import merge_columns, without_person
from retail_core.testing.table import sees
from retail_core.testing.tables import MemoryTables, StoredBatch, StoredMessage, StoredReport

Person = tuple[int, ContactId | None, int | None, str | None, str | None, str | None]
"""Seq, contact, number, first name, last name and e-mail of a recipient."""

_WITHOUT_ROWS = frozenset({BatchState.QUEUED, BatchState.CLAIMED, BatchState.SUBMITTING})


@attrs.frozen
class MemoryMessageStore:
    """`MessageStore` in memory, and what the contacts room asks about messages."""

    tables: MemoryTables
    bound_to: AccountId | None

    def apply_reports_across_accounts(
        self, reports: Sequence[DeliveryReport], now: datetime
    ) -> Sequence[DeliveryReport]:
        return [report for report in reports if not self._apply(report, now)]

    def _apply(self, report: DeliveryReport, now: datetime) -> bool:
        """False if no message has the report's provider id."""
        for row in self.tables.messages:
            if row.provider_id == report.provider_id and sees(self.bound_to, row.account):
                changed = reported_row(row, report, now)
                self.tables.messages.put((row.campaign, row.seq), changed)
                self._count(row, changed, now)
                return True
        return False

    def _count(self, before: StoredMessage, after: StoredMessage, now: datetime) -> None:
        campaign = self.tables.campaigns.get(before.campaign)
        if campaign is not None and before.state is not after.state:
            change = ProgressChange(**{before.state.word: -1, after.state.word: 1})
            self.tables.campaigns.put(campaign.id, with_progress(campaign, change, now))

    def forget_contact(self, account: AccountId, contact: ContactId) -> None:
        """Take person, number and name off all messages, sent or still waiting."""
        if not sees(self.bound_to, account):
            return
        for batch in self.tables.batches:
            if batch.key.account == account:
                self._forget_waiting(batch, contact)
        for row in self.tables.messages:
            if (row.account, row.contact) == (account, contact):
                self.tables.messages.put((row.campaign, row.seq), forgotten_row(row))

    def _forget_waiting(self, batch: StoredBatch, contact: ContactId) -> None:
        """Take him out of a batch, but keep what his text would have cost: credits are held."""
        campaign = self.tables.campaigns.get(batch.key.campaign)
        if batch.recipients is None or contact not in batch.recipients.contacts:
            return
        assert campaign is not None, batch
        assert campaign.plan is not None, campaign
        position = list(batch.recipients.contacts).index(contact)
        seq = batch.recipients.seqs[position]
        first_name, last_name, email = (each[position] for each in merge_columns(batch.recipients))
        size = compiled(campaign.plan).size(first_name, last_name, email)
        forgotten = attrs.evolve(
            batch,
            recipients=without_person(batch.recipients, position),
            forgotten={**batch.forgotten, seq: size},
        )
        self.tables.batches.put((batch.key.campaign, batch.key.no), forgotten)


@attrs.frozen
class MemoryReportStore:
    """`ReportStore` in memory."""

    tables: MemoryTables

    def add(self, raw: bytes, arrived_at: datetime) -> None:
        report_id = ReportId(self.tables.report_ids.take())
        stored = StoredReport(RawReport(report_id, raw, arrived_at))
        self.tables.reports.insert(report_id, stored)

    def take_new_across_accounts(self, reports_max: int) -> Sequence[RawReport]:
        """As many as together are not much larger than so many reports."""
        taken: list[RawReport] = []
        size = 0
        for stored in self.tables.reports:
            if stored.applied_at is None and size < reports_max * REPORT_BYTES_TYPICAL:
                taken.append(stored.raw)
                size += len(stored.raw.raw)
        return taken[:reports_max]

    def waiting_across_accounts(self) -> bool:
        return any(stored.applied_at is None for stored in self.tables.reports)

    def mark_applied(self, reports: Sequence[ReportId], now: datetime) -> None:
        for report_id in reports:
            stored = self.tables.reports.get(report_id)
            if stored is not None:
                self.tables.reports.put(report_id, attrs.evolve(stored, applied_at=now))

    def park(self, reports: Sequence[DeliveryReport], now: datetime) -> None:
        for report in reports:
            self.tables.parked_reports.insert(self.tables.parked_report_ids.take(), report)

    def take_parked_across_accounts(
        self, now: datetime, reports_max: int
    ) -> Sequence[DeliveryReport]:
        """Those whose message is known by now."""
        known = {row.provider_id for row in self.tables.messages if row.provider_id}
        parked = self.tables.parked_reports.items()
        taken = [(key, report) for key, report in parked if report.provider_id in known]
        for key, _ in taken[:reports_max]:
            self.tables.parked_reports.remove(key)
        return [report for _, report in taken[:reports_max]]


@attrs.frozen
class MemoryMessageOrigins:
    """`MessageOrigins` in memory."""

    database: MemoryDatabase

    def find_across_accounts(self, number: MessageNumber) -> MessageOrigin | None:
        with self.database.transaction() as tables:
            for campaign in tables.campaigns:
                if campaign.first_number is None or campaign.started_at is None:
                    continue
                seq = number - campaign.first_number
                if 0 <= seq < campaign.total:
                    contact = _contact_of(tables, campaign.id, seq)
                    return MessageOrigin(
                        campaign.account_id, contact, campaign.id, campaign.started_at
                    )
        return None


@attrs.frozen
class MemoryMessageQueries:
    """`MessageQueries` in memory."""

    database: MemoryDatabase

    def of_campaign(
        self,
        account: AccountId,
        campaign: CampaignId,
        wanted: MessageFilter,
        request: PageRequest,
    ) -> Page[MessageRecord]:
        with self.database.transaction() as tables:
            owner = tables.campaigns.get(campaign)
            if owner is None or owner.account_id != account or owner.plan is None:
                return Page((), 0, request.page, request.page_size)
            found = [record for record in _records(owner, tables) if _fits(record, wanted)]
        found.sort(key=lambda record: -record.number)
        items = tuple(found[request.offset : request.offset + request.page_size])
        return Page(items, len(found), request.page, request.page_size)


def _contact_of(tables: MemoryTables, campaign: CampaignId, seq: int) -> ContactId | None:
    row = tables.messages.get((campaign, seq))
    if row is not None:
        return row.contact
    return next(
        batch.recipients.contacts[list(batch.recipients.seqs).index(seq)]
        for batch in tables.batches
        if batch.key.campaign == campaign and batch.recipients and seq in batch.recipients.seqs
    )


def _fits(record: MessageRecord, wanted: MessageFilter) -> bool:
    return wanted.state in (None, record.state) and (
        wanted.digits is None or wanted.digits in (record.phone or "")
    )


def _records(campaign: Campaign, tables: MemoryTables) -> list[MessageRecord]:
    """The rows, and the recipients of batches that have no rows yet."""
    waiting = [
        _with_contact(_waiting(campaign, person), tables)
        for batch in tables.batches
        if batch.key.campaign == campaign.id and batch.recipients and batch.state in _WITHOUT_ROWS
        for person in _people(batch.recipients)
    ]
    return waiting + [
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


def _waiting(campaign: Campaign, person: Person) -> MessageRecord:
    assert campaign.first_number is not None, campaign
    assert campaign.started_at is not None, campaign
    assert campaign.plan is not None, campaign
    seq, contact, phone, first_name, last_name, email = person
    return MessageRecord(
        number=MessageNumber(campaign.first_number + seq),
        campaign=campaign.id,
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
        plan=campaign.plan,
        created_at=campaign.started_at,
        sent_at=None,
        delivered_at=None,
        failed_at=None,
        updated_at=campaign.started_at,
    )


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
