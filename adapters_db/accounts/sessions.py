"""Sessions and their refresh tokens on PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import attrs
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    bindparam,
    func,
    insert,
    select,
    update,
)

from adapters_db.connection.questions import Question
from adapters_db.connection.reads import Reads
from adapters_db.tables.accounts import refresh_token, session
from retail_core.accounts.model import Device, NewSession, RefreshToken, Session
from retail_core.kernel.ids import AccountId, SessionId
from retail_core.kernel.pages import Page, PageRequest

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
        """One statement, so of two at once one ends it."""
        done = self.connection.execute(
            update(session)
            .where(session.c.id == ended, *_live(account, now))
            .values(revoked_at=now)
        )
        return done.rowcount == 1

    def revoke_others(self, account: AccountId, kept: SessionId | None, now: datetime) -> int:
        """One statement for all of them."""
        statement = update(session).where(*_live(account, now)).values(revoked_at=now)
        if kept is not None:
            statement = statement.where(session.c.id != kept)
        return self.connection.execute(statement).rowcount


@attrs.frozen
class SqlSessionQueries:
    """`SessionQueries` on PostgreSQL."""

    reads: Reads

    def is_live(self, account: AccountId, asked: SessionId, now: datetime) -> bool:
        """By the key; this runs with every request of a signed-in user."""
        (rows,) = self.reads.ask(account, _IS_LIVE.asked(account=account, asked=asked, now=now))
        return bool(rows)

    def page_live(self, account: AccountId, now: datetime, page: PageRequest) -> Page[Session]:
        """Backwards along the index on account and id."""
        live = _live(account, now)
        with self.reads.account(account) as connection:
            total = connection.execute(
                select(func.count()).select_from(session).where(*live)
            ).scalar_one()
            rows = connection.execute(
                select(*_SESSION)
                .where(*live)
                .order_by(session.c.id.desc())
                .limit(page.page_size)
                .offset(page.offset)
            )
            items = tuple(_session(row) for row in rows)
        return Page(items, total, page.page, page.page_size)


def _live(
    account: AccountId | BindParameter[AccountId], now: datetime | BindParameter[datetime]
) -> tuple[ColumnElement[bool], ...]:
    """Sessions of an account that have neither ended nor expired."""
    return (
        session.c.account_id == account,
        session.c.revoked_at.is_(None),
        session.c.expires_at > now,
    )


_IS_LIVE: Final = Question.of(
    select(session.c.id).where(
        session.c.id == bindparam("asked"), *_live(bindparam("account"), bindparam("now"))
    )
)


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
