"""Asking for a link that sets a new password."""

from typing import Final

import attrs

from retail_core.accounts.model import Account
from retail_core.kernel.addresses.emails import parse_email
from retail_core.kernel.audit import AuditAction, AuditEntry, AuditKind
from retail_core.kernel.errors import InvalidField
from retail_core.kernel.ids import AccountId
from retail_core.kernel.ports import Clock, Randomness, Transactions
from retail_core.notices import jobs
from retail_core.notices.model import NewNotice, NoticeKind
from retail_core.notices.ports import NoticesUnitOfWork

CAUSE_BYTES: Final = 16
NOBODY: Final = AccountId(0)
"""No account has this id."""


@attrs.frozen
class RequestPasswordReset:
    """Let a link be mailed to whoever has an account with this address.

    An unknown address takes the same statements and the same answer, so that nobody learns who has
    an account. The token is made by whoever hands the notice over: no clear one is ever stored.
    Older links are void from now on.
    """

    transactions: Transactions[NoticesUnitOfWork]
    randomness: Randomness
    clock: Clock

    def __call__(self, email: str) -> None:
        """Raises `InvalidField` for what is no address."""
        known = parse_email(email)
        if known is None:
            raise InvalidField("email", "is not an e-mail address")
        cause, now = self.randomness.token(CAUSE_BYTES).hex(), self.clock.now()
        notice = NewNotice(NoticeKind.PASSWORD_RESET, f"password_reset:{cause}", now)
        with self.transactions.across_accounts() as uow:
            account = owner(uow.accounts.find_by_email_across_accounts(known))
            uow.notices.withdraw(account, NoticeKind.PASSWORD_RESET)
            uow.password_resets.void(account)
            made = uow.notices.add(account, notice)
            uow.audit.record(
                AuditEntry(
                    action=AuditAction.PASSWORD_RESET_ASKED,
                    account=None if made is None else account,
                    kind=AuditKind.ACCOUNT,
                    id=None if made is None else account,
                )
            )
            uow.jobs.add(
                jobs.send_nothing(cause) if made is None else jobs.send_notice(account, made)
            )


def owner(account: Account | None) -> AccountId:
    """Who may set a password: nobody signs in to an account without one."""
    return NOBODY if account is None or account.password_hash is None else account.id
