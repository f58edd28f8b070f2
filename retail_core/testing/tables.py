"""Every table in memory; each room adds a line per table and per sequence of its own."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import attrs

from retail_core.accounts.model import Account, ApiKey, RefreshToken, Session
from retail_core.audiences.model import EngagementFact, EngagementKind, Membership
from retail_core.billing.model import Subscription
from retail_core.campaigns.model import Campaign
from retail_core.contacts.model import ConsentEvent, Contact, Suppression
from retail_core.contacts.model.erasure import Erasure
from retail_core.contacts.ports import LastHandOver
from retail_core.credits.model import Transfer, Wallet
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.audit import AuditRecord
from retail_core.kernel.idempotency import Once, StoredReply
from retail_core.kernel.ids import (
    SYSTEM_ACCOUNT,
    AccountId,
    CampaignId,
    ConsentEventId,
    ContactId,
    ImportId,
    InboundId,
    ListId,
    MessageNumber,
    NoticeId,
    ReportId,
    SessionId,
    SuppressionId,
    TransferId,
    WorkerId,
)
from retail_core.kernel.jobs import DueJob
from retail_core.messages.model import (
    BatchKey,
    BatchState,
    Dropped,
    GatewayHealth,
    MessageKey,
    MessageState,
    ParkedReport,
    RawReport,
    Recipients,
)
from retail_core.templates.encoding import Encoding, TextSize
from retail_core.testing.audiences.stored_lists import StoredList
from retail_core.testing.engagement.inbound_rows import StoredInbound
from retail_core.testing.imports.stored_imports import StoredFault, StoredImport, StoredImportRow
from retail_core.testing.kernel.table import Journal, MemoryTable, Sequence
from retail_core.testing.messages.singles.rows import StoredSingle
from retail_core.testing.notices.notice_rows import Closing, StoredNotice


@attrs.frozen
class StoredKey:
    """An idempotency key whose effect exists."""

    once: Once
    effect: int
    reply: StoredReply | None
    created_at: datetime


@attrs.frozen
class StoredTransfer:
    """A transfer in the ledger, and the balance after it."""

    id: TransferId
    account: AccountId
    transfer: Transfer
    balance_after: int
    created_at: datetime


@attrs.frozen
class StoredContact:
    """A contact and its store."""

    account: AccountId
    contact: Contact


@attrs.frozen
class StoredConsent:
    """A fact of consent and its store."""

    account: AccountId
    event: ConsentEvent


@attrs.frozen
class StoredTrace:
    """To which number a forgotten message went, by hash alone."""

    account: AccountId
    phone_hash: bytes = attrs.field(repr=False)
    at: datetime


@attrs.frozen(kw_only=True)
class StoredBatch:
    """A batch; its recipients are None once their rows exist for good."""

    key: BatchKey
    recipients: Recipients | None
    turn: int
    state: BatchState = BatchState.QUEUED
    not_before: datetime | None = None
    attempt: int = 0
    tries: int = 0
    worker: WorkerId | None = None
    lease_until: datetime | None = None
    ref: UUID | None = None
    dropped: Mapping[int, Dropped] = attrs.field(factory=dict)
    forgotten: Mapping[int, TextSize] = attrs.field(factory=dict)
    seq_range: tuple[int, int] = (0, -1)
    submitted_at: datetime | None = None
    settled_at: datetime | None = None
    look_up_at: datetime | None = None


@attrs.frozen(kw_only=True)
class StoredMessage:
    """A message's row; `phone` is E.164 digits, as in the batch."""

    account: AccountId
    campaign: CampaignId
    seq: int
    contact: ContactId | None
    phone: int | None = attrs.field(repr=False)
    first_name: str | None = attrs.field(repr=False)
    last_name: str | None = attrs.field(repr=False)
    email: str | None = attrs.field(repr=False)
    state: MessageState
    encoding: Encoding
    parts: int
    credits: int
    provider_id: str | None
    error_code: str | None
    error: str | None
    sent_at: datetime | None
    failed_at: datetime | None
    updated_at: datetime
    delivered_at: datetime | None = None


@attrs.frozen
class StoredDoubt:
    """A message in doubt; once its credits are settled, it stays without them.

    `reported_id`: the provider id of the reports that were believed to be about it, for its number
    alone; empty if they had none.
    """

    message: MessageKey
    phone: int | None = attrs.field(repr=False)
    since: datetime
    credits: int
    credits_settled_at: datetime | None = None
    reported_id: str | None = None


@attrs.frozen
class StoredTurn:
    """Which store was asked about last, who is at it, and what the round has come to."""

    after: AccountId = SYSTEM_ACCOUNT
    busy_until: datetime | None = None
    round_at: datetime | None = None
    asked: int = 0


@attrs.frozen
class StoredLookUp:
    """When the gateway was last asked about a message."""

    message: MessageKey
    asked_at: datetime
    again_at: datetime | None = None


@attrs.frozen
class StoredReport:
    """A webhook call, and whether its reports are applied."""

    raw: RawReport
    applied_at: datetime | None = None


class MemoryTables:
    """All tables on one journal, so that a transaction over several of them rolls back whole."""

    def __init__(self) -> None:
        self.journal = Journal()
        self._make_kernel(self.journal)
        self._make_people(self.journal)
        self._make_answers(self.journal)
        self._make_sending(self.journal)

    def _make_kernel(self, journal: Journal) -> None:
        """Jobs, keys, accounts and their money."""
        self.outbox: MemoryTable[int, DueJob] = MemoryTable(journal, lambda due: due.job.key)
        self.outbox_ids = Sequence()
        self.keys: MemoryTable[tuple[AccountId, str], StoredKey] = MemoryTable(journal)
        self.audit_entries: MemoryTable[int, AuditRecord] = MemoryTable(journal)
        self.audit_numbers = Sequence()
        # accounts
        self.accounts: MemoryTable[AccountId, Account] = MemoryTable(
            journal, lambda account: account.email
        )
        self.account_ids = Sequence(SYSTEM_ACCOUNT + 1)
        self.sessions: MemoryTable[SessionId, Session] = MemoryTable(journal)
        self.session_ids = Sequence()
        self.refresh_tokens: MemoryTable[bytes, RefreshToken] = MemoryTable(journal)
        self.api_keys: MemoryTable[bytes, ApiKey] = MemoryTable(journal)
        self.api_key_ids = Sequence()
        self.password_resets: MemoryTable[AccountId, tuple[bytes, datetime]] = MemoryTable(
            journal, lambda reset: reset[0]
        )
        self.closings: MemoryTable[AccountId, Closing] = MemoryTable(journal)
        # notices
        self.notices: MemoryTable[NoticeId, StoredNotice] = MemoryTable(
            journal, lambda row: (row.account, row.notice.cause)
        )
        self.notice_ids = Sequence()
        # credits
        self.wallets: MemoryTable[AccountId, Wallet] = MemoryTable(journal)
        self.low_wallets: MemoryTable[AccountId, datetime] = MemoryTable(journal)
        self.transfers: MemoryTable[tuple[AccountId, str], StoredTransfer] = MemoryTable(journal)
        self.transfer_ids = Sequence()
        # billing
        self.subscriptions: MemoryTable[AccountId, Subscription] = MemoryTable(journal)

    def _make_people(self, journal: Journal) -> None:
        """Contacts, consent, and imports of contacts."""
        self.contacts: MemoryTable[ContactId, StoredContact] = MemoryTable(
            journal, lambda stored: (stored.account, stored.contact.phone)
        )
        self.contact_ids = Sequence()
        self.consents: MemoryTable[ConsentEventId, StoredConsent] = MemoryTable(journal)
        self.consent_ids = Sequence()
        self.consent_subjects: MemoryTable[tuple[AccountId, ContactId], tuple[bytes, datetime]] = (
            MemoryTable(journal)
        )
        self.erasures: MemoryTable[tuple[AccountId, ContactId], Erasure] = MemoryTable(journal)
        self.suppressions: MemoryTable[SuppressionId, Suppression] = MemoryTable(
            journal, lambda row: row.phone and (row.account, row.phone, row.reason)
        )
        self.suppression_ids = Sequence()
        self.hashed_numbers: MemoryTable[tuple[AccountId, bytes], SuppressionId] = MemoryTable(
            journal
        )
        self.lists: MemoryTable[ListId, StoredList] = MemoryTable(
            journal, lambda row: (row.account, row.list.draft.name)
        )
        self.list_ids = Sequence()
        self.list_members: MemoryTable[tuple[AccountId, ListId, ContactId], Membership] = (
            MemoryTable(journal)
        )
        self.list_member_ids = Sequence()
        self.engagement_facts: MemoryTable[
            tuple[AccountId, ContactId, EngagementKind, CampaignId | None], EngagementFact
        ] = MemoryTable(journal)
        self.imports: MemoryTable[ImportId, StoredImport] = MemoryTable(journal)
        self.import_ids = Sequence()
        self.import_chunks: MemoryTable[tuple[AccountId, ImportId, int], bytes] = MemoryTable(
            journal
        )
        self.import_faults: MemoryTable[int, StoredFault] = MemoryTable(journal)
        self.import_fault_ids = Sequence()
        self.import_numbers: MemoryTable[
            tuple[AccountId, ImportId, PhoneNumber], StoredImportRow
        ] = MemoryTable(journal)

    def _make_answers(self, journal: Journal) -> None:
        """What people text back, and whom they mean."""
        self.number_traces: MemoryTable[tuple[AccountId, bytes], LastHandOver] = MemoryTable(
            journal
        )
        self.number_holders: MemoryTable[tuple[AccountId, bytes], ContactId] = MemoryTable(journal)
        self.message_traces: MemoryTable[MessageNumber, StoredTrace] = MemoryTable(journal)
        self.inbound_texts: MemoryTable[InboundId, StoredInbound] = MemoryTable(journal)
        self.inbound_ids = Sequence()

    def _make_sending(self, journal: Journal) -> None:
        """Campaigns, batches, messages and reports."""
        self.campaigns: MemoryTable[CampaignId, Campaign] = MemoryTable(
            journal, lambda campaign: campaign.first_number
        )
        self.campaign_ids = Sequence()
        # messages
        self.message_numbers = Sequence()
        self.batches: MemoryTable[tuple[CampaignId, int], StoredBatch] = MemoryTable(
            journal, lambda batch: batch.ref
        )
        self.messages: MemoryTable[tuple[CampaignId, int], StoredMessage] = MemoryTable(
            journal, lambda row: row.contact and (row.contact, row.campaign)
        )
        self.doubts: MemoryTable[tuple[CampaignId, int], StoredDoubt] = MemoryTable(journal)
        self.look_ups: MemoryTable[tuple[CampaignId, int], StoredLookUp] = MemoryTable(journal)
        self.reply_barriers: MemoryTable[AccountId, datetime] = MemoryTable(journal)
        self.look_up_turn: MemoryTable[str, StoredTurn] = MemoryTable(journal)
        self.singles: MemoryTable[MessageNumber, StoredSingle] = MemoryTable(journal)
        self.confirmations: MemoryTable[MessageNumber, tuple[AccountId, bytes, datetime]] = (
            MemoryTable(journal)
        )
        self.stop_confirmations: MemoryTable[MessageNumber, tuple[AccountId, bytes, datetime]] = (
            MemoryTable(journal)
        )
        self.gateway_health: MemoryTable[str, GatewayHealth] = MemoryTable(journal)
        self.reports: MemoryTable[ReportId, StoredReport] = MemoryTable(journal)
        self.report_ids = Sequence()
        self.parked_reports: MemoryTable[int, ParkedReport] = MemoryTable(journal)
        self.parked_report_ids = Sequence()
