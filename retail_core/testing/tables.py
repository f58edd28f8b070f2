"""Every table in memory; each room adds a line per table and per sequence of its own."""

from datetime import datetime

import attrs

from retail_core.billing.model import Subscription
from retail_core.credits.model import Transfer, Wallet
from retail_core.kernel.idempotency import Once, StoredReply
from retail_core.kernel.ids import AccountId, TransferId
from retail_core.kernel.jobs import DueJob
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


class MemoryTables:
    """All tables on one journal, so that a transaction over several of them rolls back whole."""

    def __init__(self) -> None:
        journal = self.journal = Journal()
        # kernel
        self.outbox: MemoryTable[int, DueJob] = MemoryTable(journal, lambda due: due.job.key)
        self.outbox_ids = Sequence()
        self.keys: MemoryTable[tuple[AccountId, str], StoredKey] = MemoryTable(journal)
        # credits
        self.wallets: MemoryTable[AccountId, Wallet] = MemoryTable(journal)
        self.transfers: MemoryTable[tuple[AccountId, str], StoredTransfer] = MemoryTable(journal)
        self.transfer_ids = Sequence()
        # billing
        self.subscriptions: MemoryTable[AccountId, Subscription] = MemoryTable(journal)
