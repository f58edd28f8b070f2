"""Signing in, staying signed in, signing out.

Passwords are checked outside of transactions: that takes a quarter of a second, and nobody should
wait for a row meanwhile.
"""

from datetime import datetime

import attrs

from retail_core.accounts.errors import AuthenticationFailed, SessionEnded, SessionReused
from retail_core.accounts.model import Account, Device, SessionRules, Use, use_of
from retail_core.accounts.ports import AccountsUnitOfWork, PasswordHasher
from retail_core.accounts.use_cases.issuing import (
    SignedIn,
    TokenIssuer,
    session_deed,
    token_hash,
)
from retail_core.kernel.addresses.emails import parse_email
from retail_core.kernel.audit import AuditAction, AuditEntry, AuditKind
from retail_core.kernel.ports import Clock, Transactions


@attrs.frozen
class SignIn:
    """Begin a session with e-mail address and password.

    An unknown address takes as long as a wrong password, so that nobody learns who has an account.
    """

    transactions: Transactions[AccountsUnitOfWork]
    passwords: PasswordHasher
    issuer: TokenIssuer
    clock: Clock

    def __call__(self, email: str, password: str, device: Device) -> SignedIn:
        """Raises `AuthenticationFailed`."""
        account = self._find(email)
        known_hash = account.password_hash if account else None
        if self.passwords.verify(password, known_hash) and account is not None:
            signed_in = self._enter(account, password, device)
            if signed_in is not None:
                return signed_in
        self._write_down_refusal(account)
        raise AuthenticationFailed

    def _enter(self, account: Account, password: str, device: Device) -> SignedIn | None:
        """None if the password was changed while we checked the old one."""
        fresh_hash = self._fresh_hash(password, account.password_hash)
        now = self.clock.now()
        with self.transactions.begin(account.id) as uow:
            if uow.accounts.lock(account.id).password_hash != account.password_hash:
                return None
            if fresh_hash is not None:
                uow.accounts.set_password_hash(account.id, fresh_hash, now)
            return self.issuer.begin(uow, account, device, now)

    def _write_down_refusal(self, account: Account | None) -> None:
        """Also for an address that nobody has, so that it takes as long; it is not kept."""
        known = None if account is None else account.id
        with self.transactions.across_accounts() as uow:
            uow.audit.record(
                AuditEntry(
                    action=AuditAction.SIGN_IN_REFUSED,
                    account=known,
                    kind=AuditKind.ACCOUNT,
                    id=known,
                )
            )

    def _find(self, email: str) -> Account | None:
        known = parse_email(email)
        if known is None:
            return None
        with self.transactions.across_accounts() as uow:
            return uow.accounts.find_by_email_across_accounts(known)

    def _fresh_hash(self, password: str, known_hash: str | None) -> str | None:
        if known_hash is None or not self.passwords.is_outdated(known_hash):
            return None
        return self.passwords.hash(password)


@attrs.frozen
class RefreshSession:
    """Trade a refresh token for new tokens; a copy of a used one ends the session.

    Tabs of one browser may refresh at the same moment: within the grace the directly preceding
    token gets a further token of the present generation.
    """

    transactions: Transactions[AccountsUnitOfWork]
    issuer: TokenIssuer
    rules: SessionRules
    clock: Clock

    def __call__(self, refresh_token: str) -> SignedIn:
        """Raises `SessionEnded`, or `SessionReused` once the session is ended for good."""
        with self.transactions.across_accounts() as uow:
            signed_in = self._refresh(uow, token_hash(refresh_token), self.clock.now())
        if signed_in is None:  # only now, since the end of the session had to be committed
            raise SessionReused
        return signed_in

    def _refresh(self, uow: AccountsUnitOfWork, token: bytes, now: datetime) -> SignedIn | None:
        found = uow.sessions.lock_by_token_across_accounts(token)
        if found is None:
            raise SessionEnded
        session, presented = found
        match use_of(session, presented, self.rules, now):
            case Use.REFUSE:
                raise SessionEnded
            case Use.THEFT:
                uow.sessions.revoke(session.account, session.id, now)
                uow.audit.record(session_deed(AuditAction.SESSION_REUSED, session))
                return None
            case Use.ROTATE:
                session = attrs.evolve(session, generation=session.generation + 1, rotated_at=now)
            case Use.JOIN:
                pass
        expires_at = min(now + self.rules.refresh, session.ends_at)
        session = attrs.evolve(session, last_used_at=now, expires_at=expires_at)
        uow.sessions.save(session)
        return self.issuer.hand_out(uow, uow.accounts.get(session.account), session, now)


@attrs.frozen
class SignOut:
    """End the session of a refresh token; an unknown or ended one is no matter."""

    transactions: Transactions[AccountsUnitOfWork]
    clock: Clock

    def __call__(self, refresh_token: str) -> None:
        with self.transactions.across_accounts() as uow:
            found = uow.sessions.lock_by_token_across_accounts(token_hash(refresh_token))
            if found is not None and found[0].revoked_at is None:
                session, _ = found
                uow.sessions.revoke(session.account, session.id, self.clock.now())
                uow.audit.record(session_deed(AuditAction.SESSION_ENDED, session))
