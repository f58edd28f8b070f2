"""API keys in memory."""

from datetime import datetime

import attrs

from retail_core.accounts.model import ApiKey, NewApiKey
from retail_core.kernel.ids import AccountId, ApiKeyId
from retail_core.kernel.pages import Page, PageRequest
from retail_core.testing.database import MemoryDatabase
from retail_core.testing.kernel.table import sees
from retail_core.testing.tables import MemoryTables


@attrs.frozen
class MemoryApiKeyStore:
    """`ApiKeyStore` in memory."""

    tables: MemoryTables
    bound_to: AccountId | None

    def add(self, key: NewApiKey) -> ApiKey:
        values = attrs.asdict(key, recurse=False)
        name = values.pop("hash")
        number = ApiKeyId(self.tables.api_key_ids.take())
        made = ApiKey(id=number, last_used_at=None, revoked_at=None, **values)
        self.tables.api_keys.insert(name, made)
        return made

    def revoke(self, account: AccountId, key: ApiKeyId, now: datetime) -> bool:
        """A key that ended before keeps the time of its first end."""
        found = self._own(account, key)
        if found is None:
            return False
        name, known = found
        ended = attrs.evolve(known, revoked_at=known.revoked_at or now)
        self.tables.api_keys.put(name, ended)
        return True

    def note_use(
        self, account: AccountId, key: ApiKeyId, now: datetime, unless_since: datetime
    ) -> None:
        found = self._own(account, key)
        if found is None:
            return
        name, known = found
        if known.last_used_at is None or known.last_used_at <= unless_since:
            self.tables.api_keys.put(name, attrs.evolve(known, last_used_at=now))

    def _own(self, account: AccountId, key: ApiKeyId) -> tuple[bytes, ApiKey] | None:
        if not sees(self.bound_to, account):
            return None
        rows = self.tables.api_keys.items()
        return next((row for row in rows if row[1].id == key and row[1].account == account), None)


@attrs.frozen
class MemoryApiKeyQueries:
    """`ApiKeyQueries` in memory."""

    database: MemoryDatabase

    def find_by_hash_across_accounts(self, hash_: bytes) -> ApiKey | None:
        with self.database.transaction() as tables:
            return tables.api_keys.get(hash_)

    def find(self, account: AccountId, key: ApiKeyId) -> ApiKey | None:
        own = self._newest_first(account)
        return next((each for each in own if each.id == key), None)

    def page(self, account: AccountId, page: PageRequest) -> Page[ApiKey]:
        own = self._newest_first(account)
        items = tuple(own[page.offset : page.offset + page.page_size])
        return Page(items, len(own), page.page, page.page_size)

    def _newest_first(self, account: AccountId) -> list[ApiKey]:
        with self.database.transaction() as tables:
            return [each for each in reversed(list(tables.api_keys)) if each.account == account]
