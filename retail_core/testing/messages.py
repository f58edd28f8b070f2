"""Messages, their log and delivery reports in memory."""

from collections.abc import Sequence
from datetime import datetime

import attrs

from retail_core.contacts.ports import MessageOrigin
from retail_core.kernel.ids import (
    AccountId,
    CampaignId,
    ContactId,
    MessageNumber,
    ReportId,
)
from retail_core.messages.composing import compiled
from retail_core.messages.model import (
    DeliveryReport,
    MessageState,
    ProgressChange,
    RawReport,
)
from retail_core.messages.ports import REPORT_BYTES_TYPICAL
from retail_core.testing.campaigns import with_progress
from retail_core.testing.database import MemoryDatabase
from retail_core.testing.message_rows import forgotten_row, reported_row
from retail_core.testing.recipients import merge_columns, without_person
from retail_core.testing.table import sees
from retail_core.testing.tables import MemoryTables, StoredBatch, StoredMessage, StoredReport


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
        """False if no message has the report's provider id, or one in doubt."""
        for row in self.tables.messages:
            if row.state is MessageState.UNKNOWN or not sees(self.bound_to, row.account):
                continue
            if row.provider_id == report.provider_id:
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
                doubt = self.tables.doubts.get((row.campaign, row.seq))
                if doubt is not None:
                    nameless = attrs.evolve(doubt, phone=None)
                    self.tables.doubts.put((row.campaign, row.seq), nameless)

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
        known = {
            row.provider_id
            for row in self.tables.messages
            if row.provider_id and row.state is not MessageState.UNKNOWN
        }
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


def _contact_of(tables: MemoryTables, campaign: CampaignId, seq: int) -> ContactId | None:
    row = tables.messages.get((campaign, seq))
    if row is not None:
        return row.contact
    return next(
        batch.recipients.contacts[list(batch.recipients.seqs).index(seq)]
        for batch in tables.batches
        if batch.key.campaign == campaign and batch.recipients and seq in batch.recipients.seqs
    )
