"""What can be read about billing."""

from typing import Protocol

from retail_core.billing.model import Subscription
from retail_core.kernel.ids import AccountId


class SubscriptionQueries(Protocol):
    """A shop's subscription."""

    def current(self, account: AccountId) -> Subscription:
        """An account that never had one is shown an inactive one without a plan."""
        ...
