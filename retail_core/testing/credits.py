"""Credits in memory, by the same pure rules."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import attrs

from retail_core.credits import ledger
from retail_core.credits.model import LedgerAccount, Transfer, Wallet
from retail_core.credits.queries import CreditTransaction, LedgerMismatch, WalletView
from retail_core.kernel.ids import AccountId, CampaignId, MessageNumber, TransferId
from retail_core.kernel.pages import Page, PageRequest
from retail_core.kernel.time.clock import Clock
from retail_core.testing.database import MemoryDatabase
from retail_core.testing.kernel.table import sees
from retail_core.testing.tables import MemoryTables, StoredTransfer


@attrs.frozen
class MemoryCreditLedger:
    """`CreditLedger` in memory."""

    tables: MemoryTables
    bound_to: AccountId | None
    clock: Clock

    def open(self, account: AccountId) -> None:
        """Make the wallet if it is missing."""
        self.lock(account)

    def wallet(self, account: AccountId) -> Wallet:
        stored = self.tables.wallets.get(account) if sees(self.bound_to, account) else None
        return stored or Wallet()

    def amount(self, account: AccountId, key: str) -> int:
        seen = self.tables.transfers.get((account, key)) if sees(self.bound_to, account) else None
        return seen.transfer.amount if seen else 0

    def lock(self, account: AccountId) -> Wallet:
        """Transactions are serial here; the row is made all the same."""
        if account not in self.tables.wallets:
            self.tables.wallets.insert(account, Wallet())
        return self.wallet(account)

    def grant(
        self,
        account: AccountId,
        key: str,
        credits: int,
        reason: str,
        meta: Mapping[str, object] | None = None,
    ) -> bool:
        return self._post(account, ledger.grant(self.wallet(account), key, credits, reason, meta))

    def adjust(self, account: AccountId, key: str, credits: int, reason: str) -> bool:
        return self._post(account, ledger.adjust(self.wallet(account), key, credits, reason))

    def refund(
        self,
        account: AccountId,
        key: str,
        credits: int,
        reason: str,
        meta: Mapping[str, object] | None = None,
    ) -> bool:
        return self._post(account, ledger.refund(self.wallet(account), key, credits, reason, meta))

    def hold(self, account: AccountId, key: str, credits: int, campaign: CampaignId | None) -> None:
        self._post(account, ledger.hold(key, credits, campaign))

    def mark_low(self, account: AccountId, below: int, now: datetime) -> bool:
        low = self.tables.low_wallets
        is_seen = sees(self.bound_to, account) and account in self.tables.wallets
        if not is_seen or account in low or self.wallet(account).available >= below:
            return False
        low.insert(account, now)
        return True

    def release(
        self, account: AccountId, key: str, credits: int, campaign: CampaignId | None
    ) -> None:
        self._post(account, ledger.release(key, credits, campaign))

    def settle(
        self,
        account: AccountId,
        ref_key: str,
        captured: int,
        released: int,
        campaign: CampaignId | None,
        reason: str,
        messages: int,
        message: MessageNumber | None = None,
    ) -> None:
        settlement = ledger.Settlement(captured, released, campaign, reason, messages, message)
        self._post(account, ledger.settle(ref_key, settlement))

    def _post(self, account: AccountId, transfers: Sequence[Transfer]) -> bool:
        if any((account, transfer.key) in self.tables.transfers for transfer in transfers):
            return False
        now = self.clock.now()
        for transfer in transfers:
            after = ledger.applied(self.wallet(account), [transfer])
            self.tables.wallets.put(account, after)
            if transfer.is_income and account in self.tables.low_wallets:
                self.tables.low_wallets.remove(account)
            self._write(account, transfer, after.balance, now)
        return True

    def _write(self, account: AccountId, transfer: Transfer, balance: int, now: datetime) -> None:
        row = StoredTransfer(
            TransferId(self.tables.transfer_ids.take()), account, transfer, balance, now
        )
        self.tables.transfers.insert((account, transfer.key), row)


@attrs.frozen
class MemoryCreditQueries:
    """`CreditQueries` in memory."""

    database: MemoryDatabase

    def wallet(self, account: AccountId) -> WalletView:
        with self.database.transaction() as tables:
            wallet = tables.wallets.get(account) or Wallet()
        return WalletView(wallet.balance, wallet.held, wallet.available)

    def transactions(self, account: AccountId, page: PageRequest) -> Page[CreditTransaction]:
        with self.database.transaction() as tables:
            rows = [row for row in tables.transfers if row.account == account]
        shown = [_shown(row) for row in reversed(rows) if row.transfer.balance_change]
        items = shown[page.offset : page.offset + page.page_size]
        return Page(tuple(items), len(shown), page.page, page.page_size)


@attrs.frozen
class MemoryLedgerAudit:
    """`LedgerAudit` in memory."""

    database: MemoryDatabase

    def mismatches_across_accounts(self, mismatches_max: int) -> Sequence[LedgerMismatch]:
        with self.database.transaction() as tables:
            stored = dict(tables.wallets.items())
            rows = list(tables.transfers)
        accounts = sorted({*stored, *(row.account for row in rows)})
        found = [
            LedgerMismatch(
                account,
                stored.get(account, Wallet()),
                added_up(row.transfer for row in rows if row.account == account),
            )
            for account in accounts
        ]
        return [row for row in found if row.stored != row.recomputed][:mismatches_max]


def added_up(transfers: Iterable[Transfer]) -> Wallet:
    """The wallet that these transfers make, added up without any rule."""
    totals = dict.fromkeys(LedgerAccount, 0)
    for transfer in transfers:
        totals[transfer.debit] -= transfer.amount
        totals[transfer.credit] += transfer.amount
    return Wallet(
        totals[LedgerAccount.AVAILABLE],
        totals[LedgerAccount.HELD],
        -totals[LedgerAccount.DEBT],
    )


def _shown(row: StoredTransfer) -> CreditTransaction:
    transfer = row.transfer
    return CreditTransaction(
        id=row.id,
        account=row.account,
        is_credit=transfer.balance_change > 0,
        amount=transfer.amount,
        balance_after=row.balance_after,
        reason=transfer.reason,
        campaign=transfer.campaign,
        message=transfer.message,
        meta=transfer.meta,
        created_at=row.created_at,
    )
