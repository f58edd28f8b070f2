"""Every table in memory; each room adds a line per table and per sequence of its own."""

from datetime import datetime
from typing import Literal

import attrs

from retail_core.accounts.model import Account, RefreshToken, Session
from retail_core.billing.model import Subscription
from retail_core.contacts.model import ConsentEvent, Contact, Suppression
from retail_core.credits.model import Transfer, Wallet
from retail_core.imports.model import ImportJob, RowFault
from retail_core.kernel.idempotency import Once, StoredReply
from retail_core.kernel.ids import (
    SYSTEM_ACCOUNT,
    AccountId,
    ConsentEventId,
    ContactId,
    ImportId,
    SessionId,
    SuppressionId,
    TransferId,
)
from retail_core.kernel.jobs import DueJob
from retail_core.kernel.phones import PhoneNumber
from retail_core.testing.table import Journal, MemoryTable, Sequence


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
class StoredImport:
    """An import and its store."""

    account: AccountId
    job: ImportJob


@attrs.frozen
class StoredFault:
    """A fault of a row of an import."""

    account: AccountId
    import_id: ImportId
    fault: RowFault


class MemoryTables:
    """All tables on one journal, so that a transaction over several of them rolls back whole."""

    def __init__(self) -> None:
        journal = self.journal = Journal()
        # kernel
        self.outbox: MemoryTable[int, DueJob] = MemoryTable(journal, lambda due: due.job.key)
        self.outbox_ids = Sequence()
        self.keys: MemoryTable[tuple[AccountId, str], StoredKey] = MemoryTable(journal)
        # accounts
        self.accounts: MemoryTable[AccountId, Account] = MemoryTable(
            journal, lambda account: account.email
        )
        self.account_ids = Sequence(SYSTEM_ACCOUNT + 1)
        self.sessions: MemoryTable[SessionId, Session] = MemoryTable(journal)
        self.session_ids = Sequence()
        self.refresh_tokens: MemoryTable[bytes, RefreshToken] = MemoryTable(journal)
        # credits
        self.wallets: MemoryTable[AccountId, Wallet] = MemoryTable(journal)
        self.transfers: MemoryTable[tuple[AccountId, str], StoredTransfer] = MemoryTable(journal)
        self.transfer_ids = Sequence()
        # billing
        self.subscriptions: MemoryTable[AccountId, Subscription] = MemoryTable(journal)
        # contacts
        self.contacts: MemoryTable[ContactId, StoredContact] = MemoryTable(
            journal, lambda stored: (stored.account, stored.contact.phone)
        )
        self.contact_ids = Sequence()
        self.consents: MemoryTable[ConsentEventId, StoredConsent] = MemoryTable(journal)
        self.consent_ids = Sequence()
        self.consent_subjects: MemoryTable[tuple[AccountId, ContactId], tuple[bytes, datetime]] = (
            MemoryTable(journal)
        )
        self.suppressions: MemoryTable[SuppressionId, Suppression] = MemoryTable(
            journal, lambda row: row.phone and (row.account, row.phone, row.reason)
        )
        self.suppression_ids = Sequence()
        # imports of contacts
        self.imports: MemoryTable[ImportId, StoredImport] = MemoryTable(journal)
        self.import_ids = Sequence()
        self.import_chunks: MemoryTable[tuple[AccountId, ImportId, int], bytes] = MemoryTable(
            journal
        )
        self.import_faults: MemoryTable[int, StoredFault] = MemoryTable(journal)
        self.import_fault_ids = Sequence()
        self.import_numbers: MemoryTable[
            tuple[AccountId, ImportId, PhoneNumber], Contact | Literal["new"]
        ] = MemoryTable(journal)
