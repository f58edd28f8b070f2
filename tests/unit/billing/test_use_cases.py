"""What the operator does with subscriptions."""

import pytest

from retail_core.billing.model import Interval, Plan, SubscriptionStatus
from retail_core.billing.use_cases import ActivateSubscription
from retail_core.kernel.ids import AccountId
from retail_core.testing.billing import MemorySubscriptionQueries
from retail_core.testing.kernel.clock import FixedClock
from retail_core.testing.memory import MemoryDatabase, MemoryTransactions

SHOP = AccountId(2)


@pytest.mark.parametrize(
    ("plan", "interval"), [(Plan.STARTER, Interval.MONTH), (Plan.PRO, Interval.YEAR)]
)
def test_the_operator_puts_a_shop_on_a_plan(plan: Plan, interval: Interval) -> None:
    clock = FixedClock()
    database = MemoryDatabase(clock)

    ActivateSubscription(MemoryTransactions(database), clock)(SHOP, plan)

    current = MemorySubscriptionQueries(database).current(SHOP)
    assert (current.plan, current.status, current.interval, current.current_period_start) == (
        plan,
        SubscriptionStatus.ACTIVE,
        interval,
        clock.now(),
    )
