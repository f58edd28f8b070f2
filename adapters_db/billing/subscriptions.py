"""Subscriptions on PostgreSQL."""

import attrs
from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.postgresql import insert

from adapters_db.connection.reads import Reads
from adapters_db.tables.billing import subscription as table
from retail_core.billing.model import Subscription
from retail_core.kernel.ids import AccountId

_COLUMNS = (
    table.c.plan_type,
    table.c.status,
    table.c.stripe_customer_id,
    table.c.stripe_subscription_id,
    table.c.interval,
    table.c.current_period_start,
    table.c.current_period_end,
    table.c.cancel_at_period_end,
    table.c.last_free_credits_allocated_at,
)
"""In the order of the fields of `Subscription`."""


@attrs.frozen
class SqlSubscriptionStore:
    """`SubscriptionStore` on PostgreSQL; campaigns' port `Subscriptions` is satisfied too."""

    connection: Connection

    def get(self, account: AccountId) -> Subscription:
        """One row by its key, or the inactive one."""
        found = self.connection.execute(select(*_COLUMNS).where(table.c.account_id == account))
        row = found.first()
        return Subscription() if row is None else Subscription(*row)

    def save(self, account: AccountId, subscription: Subscription) -> None:
        """One upsert."""
        values = attrs.asdict(subscription, recurse=False)
        values["plan_type"] = values.pop("plan")
        statement = insert(table).values(account_id=account, **values)
        self.connection.execute(
            statement.on_conflict_do_update(
                index_elements=[table.c.account_id], set_={**values, "updated_at": func.now()}
            )
        )

    def is_active(self, account: AccountId) -> bool:
        """Whether the account may send."""
        return self.get(account).is_active


@attrs.frozen
class SqlSubscriptionQueries:
    """`SubscriptionQueries` on PostgreSQL."""

    reads: Reads

    def current(self, account: AccountId) -> Subscription:
        """One row by its key."""
        with self.reads.account(account) as connection:
            return SqlSubscriptionStore(connection).get(account)
