"""Messages, their log and delivery reports in memory."""

from collections.abc import Collection, Sequence
from datetime import datetime

import attrs

from retail_core.contacts.ports import MessageOrigin
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import (
    AccountId,
    CampaignId,
    ContactId,
    MessageNumber,
)
from retail_core.messages.composing import compiled
from retail_core.messages.model import (
    BatchState,
    DeliveryReport,
    MessageKind,
    MessageState,
    ProgressChange,
)
from retail_core.testing.campaigns.campaigns import with_progress
from retail_core.testing.database import MemoryDatabase
from retail_core.testing.kernel.table import sees
from retail_core.testing.messages.recipients import merge_columns, without_person
from retail_core.testing.messages.rows import forgotten_row, forgotten_single, reported_row
from retail_core.testing.tables import MemoryTables, StoredBatch, StoredMessage


@attrs.frozen
class MemoryMessageStore:
    """`MessageStore` in memory, and what the contacts room asks about messages."""

    tables: MemoryTables
    bound_to: AccountId | None

    def apply_reports_across_accounts(
        self, reports: Sequence[DeliveryReport], now: datetime, *, everywhere: bool = False
    ) -> Sequence[DeliveryReport]:
        del everywhere
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

    def forget(self, account: AccountId, contacts: Collection[ContactId]) -> int:
        """Take persons, numbers and names off all messages, sent or still waiting."""
        if not sees(self.bound_to, account):
            return 0
        return sum(self._forget_one(account, contact) for contact in contacts)

    def hold(self, account: AccountId, contact: ContactId) -> bool:
        """Transactions are serial here: nothing needs a lock."""
        if not sees(self.bound_to, account):
            return False
        batches = [
            batch.state is BatchState.SUBMITTING
            for batch in self.tables.batches
            if batch.key.account == account
            and batch.recipients is not None
            and contact in batch.recipients.contacts
        ]
        known = self.tables.contacts.get(contact)
        phone = None if known is None else known.contact.phone
        singles = [
            single.state is MessageState.SUBMITTING
            for single in self.tables.singles
            if single.account == account
            and (
                single.single.contact == contact
                or (single.single.kind is MessageKind.TEST and single.phone == phone)
            )
        ]
        return any(batches + singles)

    def _forget_one(self, account: AccountId, contact: ContactId) -> int:
        forgotten = sum(
            self._forget_waiting(batch, contact)
            for batch in list(self.tables.batches)
            if batch.key.account == account
        )
        for single in self.tables.singles:
            if (single.account, single.single.contact) == (account, contact):
                self.tables.singles.put(single.single.number, forgotten_single(single))
                forgotten += 1
        for row in self.tables.messages:
            if (row.account, row.contact) == (account, contact):
                self.tables.messages.put((row.campaign, row.seq), forgotten_row(row))
                forgotten += 1
                doubt = self.tables.doubts.get((row.campaign, row.seq))
                if doubt is not None:
                    nameless = attrs.evolve(doubt, phone=None)
                    self.tables.doubts.put((row.campaign, row.seq), nameless)
        return forgotten

    def _forget_waiting(self, batch: StoredBatch, contact: ContactId) -> bool:
        """Take them out of a batch, but keep what their text would have cost: credits are held."""
        campaign = self.tables.campaigns.get(batch.key.campaign)
        if batch.recipients is None or contact not in batch.recipients.contacts:
            return False
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
        return True


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
                    contact, phone = _person_of(tables, campaign.id, seq)
                    return MessageOrigin(
                        campaign.account_id,
                        contact,
                        campaign.id,
                        campaign.started_at,
                        phone=phone,
                        phone_hash=None if phone else _hash_of(tables, number),
                    )
            single = tables.singles.get(number)
            if single is None:
                return None
            return MessageOrigin(
                single.account,
                single.single.contact,
                single.single.campaign,
                single.created_at,
                is_confirmation=single.single.kind is MessageKind.CONFIRMATION,
                is_test=single.single.kind is MessageKind.TEST,
                phone=single.phone,
                phone_hash=None if single.phone else _hash_of(tables, number),
            )


def _person_of(
    tables: MemoryTables, campaign: CampaignId, seq: int
) -> tuple[ContactId | None, PhoneNumber | None]:
    row = tables.messages.get((campaign, seq))
    if row is not None:
        return row.contact, _spelled(row.phone)
    people, at = next(
        (batch.recipients, list(batch.recipients.seqs).index(seq))
        for batch in tables.batches
        if batch.key.campaign == campaign and batch.recipients and seq in batch.recipients.seqs
    )
    return people.contacts[at], _spelled(people.phones[at])


def _spelled(digits: int | None) -> PhoneNumber | None:
    return None if digits is None else PhoneNumber(f"+{digits}")


def _hash_of(tables: MemoryTables, number: MessageNumber) -> bytes | None:
    trace = tables.message_traces.get(number)
    return None if trace is None else trace.phone_hash
