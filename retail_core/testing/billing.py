"""Subscriptions in memory."""

import attrs

from retail_core.billing.model import Subscription
from retail_core.kernel.ids import AccountId
from retail_core.testing.database import MemoryDatabase
from retail_core.testing.kernel.table import sees
from retail_core.testing.tables import MemoryTables


@attrs.frozen
class MemorySubscriptionStore:
    """`SubscriptionStore` in memory."""

    tables: MemoryTables
    bound_to: AccountId | None

    def get(self, account: AccountId) -> Subscription:
        if not sees(self.bound_to, account):
            return Subscription()
        return self.tables.subscriptions.get(account) or Subscription()

    def save(self, account: AccountId, subscription: Subscription) -> None:
        self.tables.subscriptions.put(account, subscription)

    def is_active(self, account: AccountId) -> bool:
        return self.get(account).is_active


@attrs.frozen
class MemorySubscriptionQueries:
    """`SubscriptionQueries` in memory."""

    database: MemoryDatabase

    def current(self, account: AccountId) -> Subscription:
        with self.database.transaction() as tables:
            return tables.subscriptions.get(account) or Subscription()
