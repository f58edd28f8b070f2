"""Handing out the tokens of a session: what every way of signing in ends with."""

import hashlib
from datetime import datetime

import attrs

from retail_core.accounts.model import (
    REFRESH_TOKEN_BYTES,
    Account,
    Device,
    NewSession,
    RefreshToken,
    Session,
    SessionRules,
)
from retail_core.accounts.ports import AccessTokens, AccountsUnitOfWork
from retail_core.kernel.audit import AuditAction, AuditEntry, AuditKind
from retail_core.kernel.ports import Randomness


@attrs.frozen
class SignedIn:
    """An account with the two tokens that its browser gets."""

    account: Account
    access_token: str = attrs.field(repr=False)
    refresh_token: str = attrs.field(repr=False)
    refresh_expires_at: datetime


@attrs.frozen
class TokenIssuer:
    """Hands out the tokens of a session; what every way of signing in ends with."""

    tokens: AccessTokens
    randomness: Randomness
    rules: SessionRules

    def begin(
        self, uow: AccountsUnitOfWork, account: Account, device: Device, now: datetime
    ) -> SignedIn:
        """Begin a session and hand out its first tokens, in the caller's transaction."""
        ends_at = now + self.rules.session
        session = uow.sessions.add(
            NewSession(
                account=account.id,
                device=device,
                created_at=now,
                expires_at=min(now + self.rules.refresh, ends_at),
                ends_at=ends_at,
            )
        )
        uow.audit.record(session_deed(AuditAction.SIGNED_IN, session))
        return self.hand_out(uow, account, session, now)

    def hand_out(
        self, uow: AccountsUnitOfWork, account: Account, session: Session, now: datetime
    ) -> SignedIn:
        """Give a session a further refresh token of its present generation, and an access token."""
        text = self.randomness.token(REFRESH_TOKEN_BYTES).hex()
        expires_at = session.expires_at
        token = RefreshToken(
            token_hash(text), account.id, session.id, session.generation, expires_at
        )
        uow.sessions.add_token(token)
        return SignedIn(account, self.tokens.issue(account, session.id, now), text, expires_at)


def token_hash(text: str) -> bytes:
    """How a refresh token is kept. It is random, so a fast hash is enough."""
    return hashlib.sha256(text.encode()).digest()


def session_deed(action: AuditAction, session: Session) -> AuditEntry:
    """What was done to a session, for the audit log."""
    return AuditEntry(action=action, account=session.account, kind=AuditKind.SESSION, id=session.id)
