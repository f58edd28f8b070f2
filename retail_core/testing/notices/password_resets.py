"""Tokens that set a new password, in memory."""

from datetime import datetime

import attrs

from retail_core.kernel.ids import AccountId
from retail_core.testing.kernel.table import sees
from retail_core.testing.tables import MemoryTables


@attrs.frozen
class MemoryPasswordResetStore:
    """`PasswordResetStore` in memory."""

    tables: MemoryTables
    bound_to: AccountId | None

    def issue(self, account: AccountId, token: bytes, expires_at: datetime) -> None:
        if sees(self.bound_to, account):
            self.void(account)
            self.tables.password_resets.insert(account, (token, expires_at))

    def void(self, account: AccountId) -> None:
        if sees(self.bound_to, account) and account in self.tables.password_resets:
            self.tables.password_resets.remove(account)

    def owner_across_accounts(self, token: bytes, now: datetime) -> AccountId | None:
        for account, (known, expires_at) in self.tables.password_resets.items():
            if known == token and now < expires_at and sees(self.bound_to, account):
                return account
        return None

    def take(self, account: AccountId, token: bytes, now: datetime) -> bool:
        if self.owner_across_accounts(token, now) != account:
            return False
        self.tables.password_resets.remove(account)
        return True
