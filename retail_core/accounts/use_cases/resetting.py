"""Setting a new password with a link that was mailed."""

import attrs

from retail_core.accounts.errors import InvalidResetToken
from retail_core.accounts.model import check_password, reset_token_hash
from retail_core.accounts.ports import AccountsUnitOfWork, PasswordHasher
from retail_core.kernel.audit import AuditAction, AuditEntry, AuditKind
from retail_core.kernel.ids import AccountId
from retail_core.kernel.ports import Clock, Transactions


@attrs.frozen
class ResetPassword:
    """Trade the token of a mailed link for a new password; all sessions end.

    The token is looked at before the password is hashed, which is slow, and used up in the
    transaction that changes the password: of two who come with it, one succeeds.
    """

    transactions: Transactions[AccountsUnitOfWork]
    passwords: PasswordHasher
    clock: Clock

    def __call__(self, token: str, password: str) -> AccountId:
        """Raises `InvalidField` for a bad password, `InvalidResetToken`."""
        check_password(password, "newPassword")
        hashed = reset_token_hash(token)
        with self.transactions.across_accounts() as uow:
            account = uow.password_resets.owner_across_accounts(hashed, self.clock.now())
        if account is None:
            raise InvalidResetToken
        password_hash = self.passwords.hash(password)
        now = self.clock.now()
        with self.transactions.begin(account) as uow:
            uow.accounts.lock(account)
            if not uow.password_resets.take(account, hashed, now):
                raise InvalidResetToken
            uow.accounts.set_password_hash(account, password_hash, now)
            ended = uow.sessions.revoke_others(account, None, now)
            uow.audit.record(
                AuditEntry(
                    action=AuditAction.PASSWORD_CHANGED,
                    account=account,
                    kind=AuditKind.ACCOUNT,
                    id=account,
                    details={"sessions_ended": ended, "by_mail": True},
                )
            )
        return account
