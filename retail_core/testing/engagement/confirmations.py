"""Confirmations in memory."""

from collections.abc import Sequence
from datetime import datetime

import attrs

from retail_core.kernel.ids import AccountId, MessageNumber
from retail_core.testing.kernel.table import sees
from retail_core.testing.tables import MemoryTables


@attrs.frozen
class MemoryConfirmationStore:
    """`ConfirmationStore` in memory."""

    tables: MemoryTables
    bound_to: AccountId | None

    def lock(self, account: AccountId) -> None:
        """Transactions are serial here: nothing needs a lock."""

    def asked(self, account: AccountId, phone_hash: bytes, since: datetime) -> Sequence[datetime]:
        return sorted(
            at for hashed, at in self._own(account) if hashed == phone_hash and at > since
        )

    def asked_by_store(
        self, account: AccountId, since: datetime, times_max: int
    ) -> Sequence[datetime]:
        return sorted(at for _, at in self._own(account) if at > since)[-times_max:]

    def add(
        self, account: AccountId, phone_hash: bytes, message: MessageNumber, at: datetime
    ) -> None:
        self.tables.confirmations.insert(message, (account, phone_hash, at))

    def add_of_stop(
        self, account: AccountId, phone_hash: bytes, message: MessageNumber, at: datetime
    ) -> None:
        self.tables.stop_confirmations.insert(message, (account, phone_hash, at))

    def lock_told_of_stop_across_accounts(self, phone_hash: bytes) -> None:
        """Nor does this."""

    def is_told_of_stop_across_accounts(self, phone_hash: bytes, since: datetime) -> bool:
        return any(
            hashed == phone_hash and at > since for _, hashed, at in self.tables.stop_confirmations
        )

    def _own(self, account: AccountId) -> list[tuple[bytes, datetime]]:
        if not sees(self.bound_to, account):
            return []
        return [(hashed, at) for owner, hashed, at in self.tables.confirmations if owner == account]
