"""Accounts and their sessions on PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import attrs
from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.dialects import postgresql

from adapters_db.reads import Reads
from adapters_db.tables.accounts import refresh_token, session
from adapters_db.tables.kernel import account as accounts
from retail_core.accounts.errors import AccountNotFound, EmailTaken
from retail_core.accounts.model import (
    Account,
    Device,
    NewAccount,
    NewSession,
    RefreshToken,
    Session,
)
from retail_core.kernel.ids import AccountId, SessionId

_ACCOUNT = [accounts.c[field.name] for field in attrs.fields(Account)]
_SESSION = [
    session.c.id,
    session.c.account_id,
    session.c.ip,
    session.c.user_agent,
    session.c.created_at,
    session.c.last_used_at,
    session.c.expires_at,
    session.c.ends_at,
    session.c.generation,
    session.c.rotated_at,
    session.c.revoked_at,
]
_TOKEN = [refresh_token.c.generation, refresh_token.c.expires_at]


@attrs.frozen
class SqlAccountStore:
    """`AccountStore` on PostgreSQL."""

    connection: Connection

    def add_across_accounts(self, account: NewAccount) -> Account:
        """A taken address leaves the transaction usable."""
        values = attrs.asdict(account, recurse=False) | {"updated_at": account.created_at}
        row = self.connection.execute(
            postgresql.insert(accounts)
            .values(values)
            .on_conflict_do_nothing(index_elements=[accounts.c.email])
            .returning(*_ACCOUNT)
        ).one_or_none()
        if row is None:
            raise EmailTaken
        return _account(row)

    def find_by_email_across_accounts(self, email: str) -> Account | None:
        """By the unique index on the address."""
        row = self.connection.execute(
            select(*_ACCOUNT).where(accounts.c.email == email)
        ).one_or_none()
        return None if row is None else _account(row)

    def get(self, account: AccountId) -> Account:
        """By the key."""
        row = self.connection.execute(
            select(*_ACCOUNT).where(accounts.c.id == account)
        ).one_or_none()
        if row is None:
            raise AccountNotFound
        return _account(row)

    def set_password_hash(self, account: AccountId, password_hash: str, now: datetime) -> None:
        """Replace the hash."""
        self.connection.execute(
            update(accounts)
            .where(accounts.c.id == account)
            .values(password_hash=password_hash, updated_at=now)
        )


@attrs.frozen
class SqlSessionStore:
    """`SessionStore` on PostgreSQL."""

    connection: Connection

    def add(self, new: NewSession) -> Session:
        """Insert a session in its first generation."""
        row = self.connection.execute(
            insert(session)
            .values(
                account_id=new.account,
                ip=new.device.ip,
                user_agent=new.device.user_agent,
                created_at=new.created_at,
                last_used_at=new.created_at,
                expires_at=new.expires_at,
                ends_at=new.ends_at,
                generation=1,
                rotated_at=new.created_at,
            )
            .returning(*_SESSION)
        ).one()
        return _session(row)

    def add_token(self, token: RefreshToken) -> None:
        """Keep the hash."""
        self.connection.execute(
            insert(refresh_token).values(
                hash=token.hash,
                account_id=token.account,
                session_id=token.session,
                generation=token.generation,
                expires_at=token.expires_at,
            )
        )

    def lock_by_token_across_accounts(self, token: bytes) -> tuple[Session, RefreshToken] | None:
        """Two tabs that refresh at once wait for each other here."""
        row = self.connection.execute(
            select(*_SESSION, *_TOKEN)
            .join(
                refresh_token,
                (refresh_token.c.account_id == session.c.account_id)
                & (refresh_token.c.session_id == session.c.id),
            )
            .where(refresh_token.c.hash == token)
            .with_for_update(of=session)
        ).one_or_none()
        if row is None:
            return None
        found = _session(row[: len(_SESSION)])
        generation, expires_at = row[len(_SESSION) :]
        return found, RefreshToken(token, found.account, found.id, generation, expires_at)

    def save(self, changed: Session) -> None:
        """Write what a refresh changes."""
        self.connection.execute(
            update(session)
            .where(session.c.account_id == changed.account, session.c.id == changed.id)
            .values(
                last_used_at=changed.last_used_at,
                expires_at=changed.expires_at,
                generation=changed.generation,
                rotated_at=changed.rotated_at,
                revoked_at=changed.revoked_at,
            )
        )

    def revoke(self, account: AccountId, ended: SessionId, now: datetime) -> bool:
        """An ended session keeps the time of its first end."""
        known = (session.c.account_id == account) & (session.c.id == ended)
        self.connection.execute(
            update(session).where(known, session.c.revoked_at.is_(None)).values(revoked_at=now)
        )
        found = self.connection.execute(select(session.c.id).where(known)).one_or_none()
        return found is not None

    def revoke_others(self, account: AccountId, kept: SessionId | None, now: datetime) -> int:
        """One statement for all of them."""
        live = (
            session.c.account_id == account,
            session.c.revoked_at.is_(None),
            session.c.expires_at > now,
        )
        statement = update(session).where(*live).values(revoked_at=now)
        if kept is not None:
            statement = statement.where(session.c.id != kept)
        return self.connection.execute(statement).rowcount


@attrs.frozen
class SqlAccountQueries:
    """`AccountQueries` on PostgreSQL."""

    reads: Reads

    def find(self, account: AccountId) -> Account | None:
        """By the key."""
        with self.reads.account(account) as connection:
            row = connection.execute(
                select(*_ACCOUNT).where(accounts.c.id == account)
            ).one_or_none()
        return None if row is None else _account(row)


@attrs.frozen
class SqlSessionQueries:
    """`SessionQueries` on PostgreSQL."""

    reads: Reads

    def is_live(self, account: AccountId, asked: SessionId, now: datetime) -> bool:
        """By the key; this runs with every request of a signed-in user."""
        with self.reads.account(account) as connection:
            row = connection.execute(
                select(session.c.id).where(
                    session.c.account_id == account,
                    session.c.id == asked,
                    session.c.revoked_at.is_(None),
                    session.c.expires_at > now,
                )
            ).one_or_none()
        return row is not None


def _account(row: Row[Any]) -> Account:
    return Account(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name


def _session(row: Sequence[Any]) -> Session:
    number, account, ip, user_agent, created, used, expires, ends, generation, rotated, revoked = (
        row
    )
    return Session(
        id=number,
        account=account,
        device=Device(ip, user_agent),
        created_at=created,
        last_used_at=used,
        expires_at=expires,
        ends_at=ends,
        generation=generation,
        rotated_at=rotated,
        revoked_at=revoked,
    )
