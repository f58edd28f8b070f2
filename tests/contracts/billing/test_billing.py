"""The contracts of billing, in memory and on PostgreSQL."""

from tests.contracts.billing.billing import (
    SubscriptionQueriesContract,
    SubscriptionsContract,
    SubscriptionStoreContract,
)


class TestSubscriptionStore(SubscriptionStoreContract):
    pass


class TestSubscriptionQueries(SubscriptionQueriesContract):
    pass


class TestSubscriptions(SubscriptionsContract):
    pass
