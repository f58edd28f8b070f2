"""Closing accounts on PostgreSQL: row by row forgotten, in small steps."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

import attrs
from sqlalchemy import Connection, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from adapters_db.accounts.closing_sql import ERASURES, OBSTACLES
from adapters_db.tables.accounts import account as accounts
from adapters_db.tables.accounts import account_closing, api_key
from adapters_db.tables.contacts import consent_subject, contact
from adapters_db.tables.kernel import failed_job
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import AccountId

CLOSED_EMAIL: Final = "closed-{}"
"""No e-mail address, so nobody can register it."""


@attrs.frozen
class SqlClosingStore:
    """`ClosingStore` on PostgreSQL."""

    connection: Connection

    def begin(self, account: AccountId, now: datetime) -> bool:
        """The row of the account is locked by its change."""
        self.connection.execute(
            update(accounts)
            .where(accounts.c.id == account)
            .values(password_hash=None, updated_at=now)
        )
        self.connection.execute(
            update(api_key)
            .where(api_key.c.account_id == account, api_key.c.revoked_at.is_(None))
            .values(revoked_at=now)
        )
        self.connection.execute(delete(failed_job).where(failed_job.c.account_id == account))
        self.connection.execute(
            insert(account_closing)
            .values(account_id=account, began_at=now)
            .on_conflict_do_nothing()
        )
        erasing = select(account_closing.c.erasing_since).where(
            account_closing.c.account_id == account
        )
        return self.connection.execute(erasing).scalar_one() is not None

    def obstacles(self, account: AccountId) -> Sequence[str]:
        """One statement for all of them."""
        found = self.connection.execute(text(OBSTACLES), {"account": account}).scalars()
        return list(found)

    def begin_erasing(self, account: AccountId, now: datetime) -> None:
        """The first time counts."""
        since = account_closing.c.erasing_since
        self.connection.execute(
            update(account_closing)
            .where(account_closing.c.account_id == account)
            .values(erasing_since=func.coalesce(since, now))
        )

    def erase_some(
        self,
        account: AccountId,
        rows_max: int,
        hash_of: Callable[[PhoneNumber], bytes],
        now: datetime,
    ) -> int:
        """The first kind of rows of which there are some."""
        erased = self._erase_contacts(account, rows_max, hash_of, now)
        for statement in ERASURES:
            if erased:
                break
            values = {"account": account, "rows": rows_max}
            erased = self.connection.execute(text(statement), values).rowcount
        return erased

    def finish(self, account: AccountId, now: datetime) -> None:
        """What is left of the account is a number with a ledger."""
        self.connection.execute(
            update(accounts)
            .where(accounts.c.id == account)
            .values(
                email=CLOSED_EMAIL.format(account),
                password_hash=None,
                sender_name=None,
                company=None,
                timezone=None,
                quiet_hours=None,
                updated_at=now,
            )
        )
        self.connection.execute(
            update(account_closing)
            .where(account_closing.c.account_id == account)
            .values(closed_at=now)
        )

    def _erase_contacts(
        self,
        account: AccountId,
        rows_max: int,
        hash_of: Callable[[PhoneNumber], bytes],
        now: datetime,
    ) -> int:
        columns = contact.c
        found = self.connection.execute(
            select(columns.id, columns.phone)
            .where(columns.account_id == account)
            .order_by(columns.id)
            .limit(rows_max)
            .with_for_update()
        ).all()
        if not found:
            return 0
        subjects = [
            {
                "account_id": account,
                "contact_id": contact_id,
                "phone_hash": hash_of(phone),
                "deleted_at": now,
            }
            for contact_id, phone in found
        ]
        self.connection.execute(insert(consent_subject).on_conflict_do_nothing(), subjects)
        ids = [contact_id for contact_id, _ in found]
        self.connection.execute(
            delete(contact).where(columns.account_id == account, columns.id.in_(ids))
        )
        return len(found)
