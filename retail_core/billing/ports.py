"""What billing keeps."""

from typing import Protocol

from retail_core.billing.model import Subscription
from retail_core.kernel.ids import AccountId
from retail_core.kernel.ports import Work


class SubscriptionStore(Protocol):
    """The subscription of each account."""

    def get(self, account: AccountId) -> Subscription:
        """An account that never had one gets an inactive one without a plan."""
        ...

    def save(self, account: AccountId, subscription: Subscription) -> None:
        """Replace what is stored; the last writer wins."""
        ...

    def is_active(self, account: AccountId) -> bool:
        """Whether the account may send."""
        ...


class BillingUnitOfWork(Work, Protocol):
    """The stores that billing works on."""

    @property
    def subscriptions(self) -> SubscriptionStore: ...
