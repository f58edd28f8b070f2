"""Closing an account: nobody signs in, personal data goes, the ledger stays."""

from collections.abc import Callable
from typing import Final

import attrs

from retail_core.accounts.errors import AccountBusy, AccountNotFound
from retail_core.accounts.ports import AccountsUnitOfWork
from retail_core.kernel.addresses.emails import parse_email
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.audit import AuditAction, AuditEntry, AuditKind
from retail_core.kernel.ids import SYSTEM_ACCOUNT, AccountId
from retail_core.kernel.ports import Clock, Transactions

ROWS_PER_TRANSACTION_MAX: Final = 1_000


@attrs.frozen
class ClosingAccount:
    """An account that nobody can sign in to any more; some of it may be erased already."""

    account: AccountId
    is_being_erased: bool


@attrs.frozen
class BeginClosing:
    """Let nobody sign in to an account any more, and end its sessions.

    May be repeated, also by who died in the middle of closing it.
    """

    transactions: Transactions[AccountsUnitOfWork]
    clock: Clock

    def __call__(self, email: str) -> ClosingAccount:
        """Raises `AccountNotFound`; `AccountBusy`, and then nothing has changed."""
        now = self.clock.now()
        with self.transactions.across_accounts() as uow:
            account = uow.accounts.find_by_email_across_accounts(parse_email(email) or "")
            if account is None or account.id == SYSTEM_ACCOUNT:
                raise AccountNotFound
            is_being_erased = uow.closings.begin(account.id, now)
            must_be_idle(uow, account.id)
            uow.sessions.revoke_others(account.id, None, now)
            uow.password_resets.void(account.id)
        return ClosingAccount(account.id, is_being_erased)


@attrs.frozen
class NoteExport:
    """Write down that all data of an account are taken out, before anything is."""

    transactions: Transactions[AccountsUnitOfWork]

    def __call__(self, account: AccountId) -> None:
        with self.transactions.begin(account) as uow:
            uow.audit.record(
                AuditEntry(
                    action=AuditAction.EXPORTED,
                    account=account,
                    kind=AuditKind.ACCOUNT,
                    id=account,
                )
            )


@attrs.frozen
class EraseAccount:
    """Erase all personal data of an account that is being closed, and then its owner's.

    In small transactions: it may die anywhere and be repeated. Returns how many rows it erased.
    """

    transactions: Transactions[AccountsUnitOfWork]
    clock: Clock

    def __call__(self, account: AccountId, hash_of: Callable[[PhoneNumber], bytes]) -> int:
        """Raises `AccountBusy` if a request of before began something after all."""
        with self.transactions.begin(account) as uow:
            must_be_idle(uow, account)
            uow.closings.begin_erasing(account, self.clock.now())
        erased = 0
        while some := self._erase_some(account, hash_of):
            erased += some
        with self.transactions.begin(account) as uow:
            must_be_idle(uow, account)
            uow.closings.finish(account, self.clock.now())
            uow.audit.record(
                AuditEntry(
                    action=AuditAction.ACCOUNT_CLOSED,
                    account=account,
                    kind=AuditKind.ACCOUNT,
                    id=account,
                )
            )
        return erased

    def _erase_some(self, account: AccountId, hash_of: Callable[[PhoneNumber], bytes]) -> int:
        with self.transactions.begin(account) as uow:
            return uow.closings.erase_some(
                account, ROWS_PER_TRANSACTION_MAX, hash_of, self.clock.now()
            )


def must_be_idle(uow: AccountsUnitOfWork, account: AccountId) -> None:
    """Raises `AccountBusy`."""
    obstacles = uow.closings.obstacles(account)
    if obstacles:
        raise AccountBusy(obstacles)
