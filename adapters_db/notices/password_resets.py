"""Tokens that set a new password, by their hashes."""

from datetime import datetime

import attrs
from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.postgresql import insert

from adapters_db.tables.notices import password_reset
from retail_core.kernel.ids import AccountId


@attrs.frozen
class SqlPasswordResetStore:
    """`PasswordResetStore` on PostgreSQL: at most one row for each account."""

    connection: Connection

    def issue(self, account: AccountId, token: bytes, expires_at: datetime) -> None:
        """A fresh token takes the place of an older one."""
        values = {"token_hash": token, "expires_at": expires_at}
        self.connection.execute(
            insert(password_reset)
            .values(account_id=account, **values)
            .on_conflict_do_update(index_elements=[password_reset.c.account_id], set_=values)
        )

    def void(self, account: AccountId) -> None:
        """Forget it."""
        self.connection.execute(
            delete(password_reset).where(password_reset.c.account_id == account)
        )

    def owner_across_accounts(self, token: bytes, now: datetime) -> AccountId | None:
        """By the unique index on the hash."""
        live = select(password_reset.c.account_id).where(
            password_reset.c.token_hash == token, password_reset.c.expires_at > now
        )
        return self.connection.execute(live).scalar_one_or_none()

    def take(self, account: AccountId, token: bytes, now: datetime) -> bool:
        """Deleted by one of two who come at the same time."""
        taken = self.connection.execute(
            delete(password_reset).where(
                password_reset.c.account_id == account,
                password_reset.c.token_hash == token,
                password_reset.c.expires_at > now,
            )
        )
        return taken.rowcount == 1
