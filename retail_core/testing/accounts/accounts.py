"""Accounts and their sessions in memory."""

from datetime import datetime, timedelta
from typing import Final

import attrs

from retail_core.accounts.errors import AccountNotFound, EmailTaken
from retail_core.accounts.model import (
    AccessClaims,
    Account,
    NewAccount,
    NewSession,
    RefreshToken,
    Session,
)
from retail_core.kernel.errors import Unauthenticated
from retail_core.kernel.ids import AccountId, SessionId
from retail_core.kernel.pages import Page, PageRequest
from retail_core.kernel.smart_encoding import SmartEncoding
from retail_core.testing.database import MemoryDatabase
from retail_core.testing.kernel.table import DuplicateRow, sees
from retail_core.testing.tables import MemoryTables

PLAIN: Final = "plain:"


@attrs.frozen
class MemoryAccountStore:
    """`AccountStore` in memory."""

    tables: MemoryTables
    bound_to: AccountId | None

    def add_across_accounts(self, account: NewAccount) -> Account:
        """Ids begin at 2, as 1 is the system account."""
        made = Account(
            id=AccountId(self.tables.account_ids.take()),
            timezone=None,
            adults_only=False,
            quiet_hours=None,
            smart_encoding=SmartEncoding.OFF,
            updated_at=account.created_at,
            **attrs.asdict(account, recurse=False),
        )
        try:
            self.tables.accounts.insert(made.id, made)
        except DuplicateRow:
            raise EmailTaken from None
        return made

    def find_by_email_across_accounts(self, email: str) -> Account | None:
        return next((each for each in self.tables.accounts if each.email == email), None)

    def get(self, account: AccountId) -> Account:
        found = self.tables.accounts.get(account) if sees(self.bound_to, account) else None
        if found is None:
            raise AccountNotFound
        return found

    def lock(self, account: AccountId) -> Account:
        """Transactions are serial here, so the account is locked already."""
        return self.get(account)

    def save_profile(self, account: Account) -> None:
        if sees(self.bound_to, account.id) and account.id in self.tables.accounts:
            known = self.tables.accounts.get(account.id)
            assert known is not None
            kept = attrs.evolve(account, email=known.email, password_hash=known.password_hash)
            self.tables.accounts.put(account.id, kept)

    def set_password_hash(self, account: AccountId, password_hash: str, now: datetime) -> None:
        found = self.tables.accounts.get(account) if sees(self.bound_to, account) else None
        if found is not None:
            changed = attrs.evolve(found, password_hash=password_hash, updated_at=now)
            self.tables.accounts.put(account, changed)


@attrs.frozen
class MemorySessionStore:
    """`SessionStore` in memory."""

    tables: MemoryTables
    bound_to: AccountId | None

    def add(self, session: NewSession) -> Session:
        made = Session(
            id=SessionId(self.tables.session_ids.take()),
            last_used_at=session.created_at,
            generation=1,
            rotated_at=session.created_at,
            revoked_at=None,
            **attrs.asdict(session, recurse=False),
        )
        self.tables.sessions.insert(made.id, made)
        return made

    def add_token(self, token: RefreshToken) -> None:
        self.tables.refresh_tokens.insert(token.hash, token)

    def lock_by_token_across_accounts(self, token: bytes) -> tuple[Session, RefreshToken] | None:
        """Transactions are serial here, so the session is locked already."""
        found = self.tables.refresh_tokens.get(token)
        session = found and self.tables.sessions.get(found.session)
        return (session, found) if session and found else None

    def save(self, session: Session) -> None:
        if self._own(session.account, session.id):
            self.tables.sessions.put(session.id, session)

    def revoke(self, account: AccountId, session: SessionId, now: datetime) -> bool:
        found = self._own(account, session)
        if found is None or not found.is_live(now):
            return False
        self.tables.sessions.put(session, attrs.evolve(found, revoked_at=now))
        return True

    def revoke_others(self, account: AccountId, kept: SessionId | None, now: datetime) -> int:
        ended = [
            each
            for each in self.tables.sessions
            if self._own(account, each.id) and each.id != kept and each.is_live(now)
        ]
        for each in ended:
            self.tables.sessions.put(each.id, attrs.evolve(each, revoked_at=now))
        return len(ended)

    def _own(self, account: AccountId, session: SessionId) -> Session | None:
        found = self.tables.sessions.get(session)
        if found is None or found.account != account or not sees(self.bound_to, account):
            return None
        return found


@attrs.frozen
class MemoryAccountQueries:
    """`AccountQueries` in memory."""

    database: MemoryDatabase

    def find(self, account: AccountId) -> Account | None:
        with self.database.transaction() as tables:
            return tables.accounts.get(account)


@attrs.frozen
class MemorySessionQueries:
    """`SessionQueries` in memory."""

    database: MemoryDatabase

    def is_live(self, account: AccountId, session: SessionId, now: datetime) -> bool:
        with self.database.transaction() as tables:
            found = tables.sessions.get(session)
        return found is not None and found.account == account and found.is_live(now)

    def page_live(self, account: AccountId, now: datetime, page: PageRequest) -> Page[Session]:
        with self.database.transaction() as tables:
            found = [each for each in tables.sessions if each.account == account]
        live = [each for each in reversed(found) if each.is_live(now)]
        items = tuple(live[page.offset : page.offset + page.page_size])
        return Page(items, len(live), page.page, page.page_size)


class PlainPasswords:
    """`PasswordHasher` that takes no time; for tests, where nobody guesses."""

    def hash(self, password: str) -> str:
        return f"{PLAIN}{password}"

    def verify(self, password: str, password_hash: str | None) -> bool:
        return password_hash == f"{PLAIN}{password}"

    def is_outdated(self, password_hash: str) -> bool:
        return not password_hash.startswith(PLAIN)


@attrs.frozen
class PlainAccessTokens:
    """`AccessTokens` that anybody can make and nobody should trust; for tests."""

    lifetime: timedelta = timedelta(minutes=15)

    def issue(self, account: Account, session: SessionId, now: datetime) -> str:
        return f"{PLAIN}{account.id}/{session}/{(now + self.lifetime).isoformat()}"

    def read(self, token: str, now: datetime) -> AccessClaims:
        match token.removeprefix(PLAIN).split("/"):
            case [account, session, expires_at] if token.startswith(PLAIN):
                if now <= datetime.fromisoformat(expires_at):
                    return AccessClaims(AccountId(int(account)), SessionId(int(session)))
            case _:
                pass
        raise Unauthenticated
