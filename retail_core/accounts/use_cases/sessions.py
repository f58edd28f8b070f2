"""Ending sessions: one that is on the list, or all but the present one."""

import attrs

from retail_core.accounts.errors import SessionNotFound
from retail_core.accounts.ports import AccountsUnitOfWork
from retail_core.kernel.audit import AuditAction, AuditEntry, AuditKind
from retail_core.kernel.ids import AccountId, SessionId
from retail_core.kernel.ports import Clock, Transactions


@attrs.frozen
class EndSession:
    """End one session, at once: its next request finds nobody signed in."""

    transactions: Transactions[AccountsUnitOfWork]
    clock: Clock

    def __call__(self, account: AccountId, session: SessionId) -> None:
        """Raises `SessionNotFound`."""
        with self.transactions.begin(account) as uow:
            if not uow.sessions.revoke(account, session, self.clock.now()):
                raise SessionNotFound
            uow.audit.record(
                AuditEntry(
                    action=AuditAction.SESSION_ENDED,
                    account=account,
                    kind=AuditKind.SESSION,
                    id=session,
                )
            )


@attrs.frozen
class EndOtherSessions:
    """End every session of a shop but the one that asks."""

    transactions: Transactions[AccountsUnitOfWork]
    clock: Clock

    def __call__(self, account: AccountId, kept: SessionId) -> int:
        """Returns how many ended."""
        with self.transactions.begin(account) as uow:
            ended = uow.sessions.revoke_others(account, kept, self.clock.now())
            uow.audit.record(
                AuditEntry(
                    action=AuditAction.SESSIONS_ENDED,
                    account=account,
                    kind=AuditKind.ACCOUNT,
                    id=account,
                    details={"sessions": ended},
                )
            )
            return ended
