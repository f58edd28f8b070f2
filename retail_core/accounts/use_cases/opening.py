"""Opening accounts. Passwords are hashed outside of transactions: that takes a while, and nobody
should wait for a row meanwhile.
"""

from datetime import datetime

import attrs

from retail_core.accounts.model import Account, AccountDefaults, Device, Registration
from retail_core.accounts.ports import AccountsUnitOfWork, PasswordHasher
from retail_core.accounts.use_cases.issuing import SignedIn, TokenIssuer
from retail_core.kernel.audit import AuditAction, AuditEntry, AuditKind
from retail_core.kernel.ports import Clock, Transactions


def open_account(
    uow: AccountsUnitOfWork,
    registration: Registration,
    password_hash: str,
    defaults: AccountDefaults,
    now: datetime,
) -> Account:
    """Make an account with all that belongs to it. Raises `EmailTaken`."""
    account = uow.accounts.add_across_accounts(registration.account(password_hash, defaults, now))
    uow.credits.open(account.id)
    uow.audit.record(
        AuditEntry(
            action=AuditAction.ACCOUNT_OPENED,
            account=account.id,
            kind=AuditKind.ACCOUNT,
            id=account.id,
        )
    )
    return account


@attrs.frozen
class CreateAccount:
    """Open an account without signing in, as the operator does."""

    transactions: Transactions[AccountsUnitOfWork]
    passwords: PasswordHasher
    clock: Clock
    defaults: AccountDefaults

    def __call__(self, registration: Registration) -> Account:
        """Raises `EmailTaken`."""
        password_hash = self.passwords.hash(registration.password)
        now = self.clock.now()
        with self.transactions.across_accounts() as uow:
            return open_account(uow, registration, password_hash, self.defaults, now)


@attrs.frozen
class Register:
    """Open an account and sign in to it."""

    transactions: Transactions[AccountsUnitOfWork]
    passwords: PasswordHasher
    issuer: TokenIssuer
    clock: Clock
    defaults: AccountDefaults

    def __call__(self, registration: Registration, device: Device) -> SignedIn:
        """Raises `EmailTaken`."""
        password_hash = self.passwords.hash(registration.password)
        now = self.clock.now()
        with self.transactions.across_accounts() as uow:
            account = open_account(uow, registration, password_hash, self.defaults, now)
            return self.issuer.begin(uow, account, device, now)
