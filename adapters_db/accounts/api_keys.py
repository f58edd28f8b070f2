"""API keys on PostgreSQL."""

from datetime import datetime
from typing import Any, Final

import attrs
from sqlalchemy import Connection, Row, func, insert, or_, select, update

from adapters_db.connection.reads import Reads
from adapters_db.tables.accounts import api_key
from retail_core.accounts.model import ApiKey, NewApiKey, Scope
from retail_core.kernel.ids import AccountId, ApiKeyId
from retail_core.kernel.pages import Page, PageRequest

_API_KEY: Final = [
    api_key.c.id,
    api_key.c.account_id.label("account"),
    api_key.c.name,
    api_key.c.prefix,
    api_key.c.scopes,
    api_key.c.created_at,
    api_key.c.last_used_at,
    api_key.c.expires_at,
    api_key.c.revoked_at,
]


@attrs.frozen
class SqlApiKeyStore:
    """`ApiKeyStore` on PostgreSQL."""

    connection: Connection

    def add(self, new: NewApiKey) -> ApiKey:
        """Insert a key."""
        row = self.connection.execute(
            insert(api_key)
            .values(
                account_id=new.account,
                name=new.name,
                prefix=new.prefix,
                hash=new.hash,
                scopes=[scope.value for scope in new.scopes],
                created_at=new.created_at,
                expires_at=new.expires_at,
            )
            .returning(*_API_KEY)
        ).one()
        return _api_key(row)

    def revoke(self, account: AccountId, key: ApiKeyId, now: datetime) -> bool:
        """A key that ended before keeps the time of its first end."""
        ended = self.connection.execute(
            update(api_key)
            .where(api_key.c.account_id == account, api_key.c.id == key)
            .values(revoked_at=func.coalesce(api_key.c.revoked_at, now))
        )
        return ended.rowcount == 1

    def note_use(
        self, account: AccountId, key: ApiKeyId, now: datetime, unless_since: datetime
    ) -> None:
        """The condition is in the statement: of many requests at once, one writes."""
        used = api_key.c.last_used_at
        self.connection.execute(
            update(api_key)
            .where(
                api_key.c.account_id == account,
                api_key.c.id == key,
                or_(used.is_(None), used <= unless_since),
            )
            .values(last_used_at=now)
        )


@attrs.frozen
class SqlApiKeyQueries:
    """`ApiKeyQueries` on PostgreSQL."""

    reads: Reads

    def find_by_hash_across_accounts(self, hash_: bytes) -> ApiKey | None:
        """By the unique index; this runs with every request that brings a key."""
        with self.reads.across_accounts() as connection:
            row = connection.execute(select(*_API_KEY).where(api_key.c.hash == hash_)).one_or_none()
        return None if row is None else _api_key(row)

    def find(self, account: AccountId, key: ApiKeyId) -> ApiKey | None:
        """By the key."""
        with self.reads.account(account) as connection:
            row = connection.execute(
                select(*_API_KEY).where(api_key.c.account_id == account, api_key.c.id == key)
            ).one_or_none()
        return None if row is None else _api_key(row)

    def page(self, account: AccountId, page: PageRequest) -> Page[ApiKey]:
        """Backwards along the index on account and id."""
        own = api_key.c.account_id == account
        with self.reads.account(account) as connection:
            total = connection.execute(
                select(func.count()).select_from(api_key).where(own)
            ).scalar_one()
            rows = connection.execute(
                select(*_API_KEY)
                .where(own)
                .order_by(api_key.c.id.desc())
                .limit(page.page_size)
                .offset(page.offset)
            )
            items = tuple(_api_key(row) for row in rows)
        return Page(items, total, page.page, page.page_size)


def _api_key(row: Row[Any]) -> ApiKey:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
    scopes = tuple(Scope(word) for word in values.pop("scopes"))
    return ApiKey(scopes=scopes, **values)
