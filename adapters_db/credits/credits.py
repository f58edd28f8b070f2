"""Credits on PostgreSQL: each change is one statement that adds, checks and writes down."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

import attrs
from sqlalchemy import Connection, Select, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from adapters_db.connection.reads import Reads
from adapters_db.tables.credits import SHOWN, credit_transfer, wallet
from retail_core.credits import ledger
from retail_core.credits.model import LedgerAccount, Transfer, Wallet
from retail_core.credits.queries import CreditTransaction, LedgerMismatch, WalletView
from retail_core.kernel.ids import AccountId, CampaignId, MessageNumber
from retail_core.kernel.pages import Page, PageRequest

_POST = text(
    """
    WITH changed AS (
        UPDATE wallet
        SET available = available + :available, held = held + :held, debt = debt + :debt,
            low_since = CASE WHEN :income THEN NULL ELSE low_since END, updated_at = now()
        WHERE account_id = :account
          AND available + :available >= 0 AND held + :held >= 0 AND debt + :debt >= 0
          AND NOT EXISTS (
              SELECT FROM credit_transfer WHERE account_id = :account AND key = ANY(:keys)
          )
        RETURNING available + held AS balance
    )
    INSERT INTO credit_transfer (
        account_id, key, kind, debit, credit, amount, campaign_id, message_number, reason, meta,
        balance_after
    )
    SELECT :account, entry.key, entry.kind, entry.debit, entry.credit, entry.amount,
           CAST(:campaign AS int), CAST(:message AS bigint), entry.reason, entry.meta::jsonb,
           changed.balance - entry.still_to_come
    FROM changed CROSS JOIN unnest(
        CAST(:keys AS text[]), CAST(:kinds AS text[]), CAST(:debits AS text[]),
        CAST(:credits AS text[]), CAST(:amounts AS bigint[]), CAST(:reasons AS text[]),
        CAST(:metas AS text[]), CAST(:still_to_come AS bigint[])
    ) WITH ORDINALITY AS entry (
        key, kind, debit, credit, amount, reason, meta, still_to_come, position
    )
    ORDER BY entry.position
    """
)

_MISMATCHES = text(
    """
    WITH entry AS (
        SELECT account_id, credit AS side, amount FROM credit_transfer
        UNION ALL
        SELECT account_id, debit, -amount FROM credit_transfer
    ), added AS (
        SELECT account_id,
               coalesce(sum(amount) FILTER (WHERE side = 'available'), 0)::bigint AS available,
               coalesce(sum(amount) FILTER (WHERE side = 'held'), 0)::bigint AS held,
               coalesce(-sum(amount) FILTER (WHERE side = 'debt'), 0)::bigint AS debt
        FROM entry GROUP BY account_id
    )
    SELECT coalesce(wallet.account_id, added.account_id),
           coalesce(wallet.available, 0), coalesce(wallet.held, 0), coalesce(wallet.debt, 0),
           coalesce(added.available, 0), coalesce(added.held, 0), coalesce(added.debt, 0)
    FROM wallet FULL JOIN added ON added.account_id = wallet.account_id
    WHERE (coalesce(wallet.available, 0), coalesce(wallet.held, 0), coalesce(wallet.debt, 0))
       <> (coalesce(added.available, 0), coalesce(added.held, 0), coalesce(added.debt, 0))
    ORDER BY 1 LIMIT :mismatches_max
    """
)


@attrs.frozen
class SqlCreditLedger:
    """`CreditLedger` on PostgreSQL."""

    connection: Connection

    def open(self, account: AccountId) -> None:
        """Make the wallet if it is missing."""
        self.connection.execute(insert(wallet).values(account_id=account).on_conflict_do_nothing())

    def wallet(self, account: AccountId) -> Wallet:
        """Read without a lock."""
        row = self.connection.execute(_columns().where(wallet.c.account_id == account)).first()
        return Wallet() if row is None else Wallet(*row)

    def amount(self, account: AccountId, key: str) -> int:
        """One row by its key."""
        statement = select(credit_transfer.c.amount).where(
            credit_transfer.c.account_id == account, credit_transfer.c.key == key
        )
        return self.connection.execute(statement).scalar() or 0

    def lock(self, account: AccountId) -> Wallet:
        """Make the row first, so that an empty account can be locked too."""
        self.open(account)
        locked = _columns().where(wallet.c.account_id == account).with_for_update()
        return Wallet(*self.connection.execute(locked).one())

    def grant(
        self,
        account: AccountId,
        key: str,
        credits: int,
        reason: str,
        meta: Mapping[str, object] | None = None,
    ) -> bool:
        """Under the lock, since how much goes to the debt depends on the wallet."""
        before = self.lock(account)
        return self._post(account, ledger.grant(before, key, credits, reason, meta))

    def adjust(self, account: AccountId, key: str, credits: int, reason: str) -> bool:
        """Under the lock, as a grant."""
        before = self.lock(account)
        return self._post(account, ledger.adjust(before, key, credits, reason))

    def refund(
        self,
        account: AccountId,
        key: str,
        credits: int,
        reason: str,
        meta: Mapping[str, object] | None = None,
    ) -> bool:
        """Under the lock, since how much becomes a debt depends on the wallet."""
        before = self.lock(account)
        return self._post(account, ledger.refund(before, key, credits, reason, meta))

    def hold(self, account: AccountId, key: str, credits: int, campaign: CampaignId | None) -> None:
        """One statement; the condition in it is the check."""
        self._post(account, ledger.hold(key, credits, campaign))

    def mark_low(self, account: AccountId, below: int, now: datetime) -> bool:
        """One statement; the wallet is locked by the hold before it."""
        marked = self.connection.execute(
            update(wallet)
            .where(wallet.c.account_id == account)
            .where(wallet.c.available < below, wallet.c.low_since.is_(None))
            .values(low_since=now)
        )
        return marked.rowcount == 1

    def release(
        self, account: AccountId, key: str, credits: int, campaign: CampaignId | None
    ) -> None:
        """One statement."""
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
        """One statement for the capture, the release and the wallet."""
        settlement = ledger.Settlement(captured, released, campaign, reason, messages, message)
        self._post(account, ledger.settle(ref_key, settlement))

    def _post(self, account: AccountId, transfers: Sequence[Transfer]) -> bool:
        """Write transfers and change the wallet by them; False if one of the keys was used."""
        if not transfers:
            return True
        posted = self.connection.execute(_POST, _parameters(account, transfers)).rowcount
        if posted == len(transfers):
            return True
        used = select(credit_transfer.c.id).where(
            credit_transfer.c.account_id == account,
            credit_transfer.c.key.in_([transfer.key for transfer in transfers]),
        )
        if self.connection.execute(used).first() is not None:
            return False
        ledger.applied(self.lock(account), transfers)  # says what is wrong, most likely
        return self._post(account, transfers)  # somebody added credits at this very moment


@attrs.frozen
class SqlCreditQueries:
    """`CreditQueries` on PostgreSQL."""

    reads: Reads

    def wallet(self, account: AccountId) -> WalletView:
        """One row by its key."""
        with self.reads.account(account) as connection:
            row = SqlCreditLedger(connection).wallet(account)
        return WalletView(row.balance, row.held, row.available)

    def transactions(self, account: AccountId, page: PageRequest) -> Page[CreditTransaction]:
        """By the partial index of shown transfers."""
        table = credit_transfer.c
        shown = select(func.count()).where(table.account_id == account, SHOWN)
        rows = (
            select(
                table.id,
                table.account_id,
                table.credit.in_([LedgerAccount.AVAILABLE, LedgerAccount.HELD]),
                table.amount,
                table.balance_after,
                table.reason,
                table.campaign_id,
                table.message_number,
                table.meta,
                table.created_at,
            )
            .where(table.account_id == account, SHOWN)
            .order_by(table.id.desc())
            .limit(page.page_size)
            .offset(page.offset)
        )
        with self.reads.account(account) as connection:
            total = connection.execute(shown).scalar_one()
            items = tuple(CreditTransaction(*row) for row in connection.execute(rows))
        return Page(items, total, page.page, page.page_size)


@attrs.frozen
class SqlLedgerAudit:
    """`LedgerAudit` on PostgreSQL."""

    reads: Reads

    def mismatches_across_accounts(self, mismatches_max: int) -> Sequence[LedgerMismatch]:
        """Adds up both sides of every transfer in one pass."""
        with self.reads.across_accounts() as connection:
            rows = connection.execute(_MISMATCHES, {"mismatches_max": mismatches_max}).all()
        return [
            LedgerMismatch(row[0], stored=Wallet(*row[1:4]), recomputed=Wallet(*row[4:7]))
            for row in rows
        ]


def _columns() -> Select[int, int, int]:
    return select(wallet.c.available, wallet.c.held, wallet.c.debt)


def _parameters(account: AccountId, transfers: Sequence[Transfer]) -> dict[str, object]:
    changes = [transfer.balance_change for transfer in transfers]
    first = transfers[0]
    return {
        "account": account,
        "campaign": first.campaign,
        "message": first.message,
        "available": _sum(transfers, LedgerAccount.AVAILABLE),
        "held": _sum(transfers, LedgerAccount.HELD),
        "debt": -_sum(transfers, LedgerAccount.DEBT),
        "income": any(transfer.is_income for transfer in transfers),
        "keys": [transfer.key for transfer in transfers],
        "kinds": [transfer.kind.value for transfer in transfers],
        "debits": [transfer.debit.value for transfer in transfers],
        "credits": [transfer.credit.value for transfer in transfers],
        "amounts": [transfer.amount for transfer in transfers],
        "reasons": [transfer.reason for transfer in transfers],
        "metas": [
            None if transfer.meta is None else json.dumps(dict(transfer.meta))
            for transfer in transfers
        ],
        "still_to_come": [sum(changes[after:]) for after in range(1, len(changes) + 1)],
    }


def _sum(transfers: Sequence[Transfer], side: LedgerAccount) -> int:
    return sum(transfer.entry(side) for transfer in transfers)
