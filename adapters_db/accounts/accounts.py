"""Accounts on PostgreSQL."""

from datetime import datetime
from typing import Any, Final

import attrs
from sqlalchemy import Connection, Row, select, update
from sqlalchemy.dialects import postgresql

from adapters_db.connection.reads import Reads
from adapters_db.tables.accounts import account as accounts
from retail_core.accounts.errors import AccountNotFound, EmailTaken
from retail_core.accounts.model import Account, NewAccount, ProfileChanges
from retail_core.kernel.ids import AccountId

_ACCOUNT: Final = [accounts.c[field.name] for field in attrs.fields(Account)]
_PROFILE: Final = (*(field.name for field in attrs.fields(ProfileChanges)), "updated_at")


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

    def lock(self, account: AccountId) -> Account:
        """Not against new rows that refer to the account: a shop goes on sending meanwhile."""
        row = self.connection.execute(
            select(*_ACCOUNT).where(accounts.c.id == account).with_for_update(key_share=True)
        ).one_or_none()
        if row is None:
            raise AccountNotFound
        return _account(row)

    def save_profile(self, account: Account) -> None:
        """Write what the owner may change."""
        values = {name: getattr(account, name) for name in _PROFILE}
        self.connection.execute(update(accounts).where(accounts.c.id == account.id).values(values))

    def set_password_hash(self, account: AccountId, password_hash: str, now: datetime) -> None:
        """Replace the hash."""
        self.connection.execute(
            update(accounts)
            .where(accounts.c.id == account)
            .values(password_hash=password_hash, updated_at=now)
        )


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


def _account(row: Row[Any]) -> Account:
    return Account(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
