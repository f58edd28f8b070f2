"""New passwords. They are hashed outside of transactions, as everywhere."""

from collections.abc import Mapping
from typing import Final

import attrs

from retail_core.accounts.errors import AccountNotFound, AuthenticationFailed
from retail_core.accounts.model import check_password
from retail_core.accounts.ports import AccountsUnitOfWork, PasswordHasher
from retail_core.kernel.addresses.emails import parse_email
from retail_core.kernel.audit import AuditAction, AuditEntry, AuditKind
from retail_core.kernel.ids import AccountId, SessionId
from retail_core.kernel.ports import Clock, Transactions

NOTHING: Final[Mapping[str, int]] = {}


@attrs.frozen
class SetPassword:
    """Give an account a new password, as the operator does; all its sessions end."""

    transactions: Transactions[AccountsUnitOfWork]
    passwords: PasswordHasher
    clock: Clock

    def __call__(self, email: str, password: str) -> AccountId:
        """Raises `InvalidField` for a bad password, `AccountNotFound` for an unknown address."""
        check_password(password)
        password_hash = self.passwords.hash(password)
        now = self.clock.now()
        with self.transactions.across_accounts() as uow:
            account = uow.accounts.find_by_email_across_accounts(parse_email(email) or "")
            if account is None:
                raise AccountNotFound
            uow.accounts.set_password_hash(account.id, password_hash, now)
            ended = uow.sessions.revoke_others(account.id, None, now)
            uow.password_resets.void(account.id)
            uow.audit.record(_changed(account.id, ended))
            return account.id


@attrs.frozen
class ChangePassword:
    """Give oneself a new password: all sessions end but the one that asks.

    A wrong old one is written down: somebody may be guessing in a session that is not theirs.
    """

    transactions: Transactions[AccountsUnitOfWork]
    passwords: PasswordHasher
    clock: Clock

    def __call__(self, account: AccountId, kept: SessionId, old: str, new: str) -> None:
        """Raises `InvalidField` for a bad new password, `AuthenticationFailed` for a wrong old one,
        also if that was changed by somebody else meanwhile.
        """
        check_password(new, "newPassword")
        with self.transactions.begin(account) as uow:
            known_hash = uow.accounts.get(account).password_hash
        if not self.passwords.verify(old, known_hash):
            with self.transactions.begin(account) as uow:
                uow.audit.record(_entry(AuditAction.PASSWORD_REFUSED, account))
            raise AuthenticationFailed("The old password is wrong.")
        fresh_hash = self.passwords.hash(new)
        now = self.clock.now()
        with self.transactions.begin(account) as uow:
            if uow.accounts.lock(account).password_hash != known_hash:
                raise AuthenticationFailed("The password was just changed elsewhere.")
            uow.accounts.set_password_hash(account, fresh_hash, now)
            ended = uow.sessions.revoke_others(account, kept, now)
            uow.password_resets.void(account)
            uow.audit.record(_changed(account, ended))


def _changed(account: AccountId, sessions_ended: int) -> AuditEntry:
    told = {"sessions_ended": sessions_ended}
    return _entry(AuditAction.PASSWORD_CHANGED, account, told)


def _entry(
    action: AuditAction, account: AccountId, told: Mapping[str, int] = NOTHING
) -> AuditEntry:
    return AuditEntry(
        action=action, account=account, kind=AuditKind.ACCOUNT, id=account, details=told
    )
