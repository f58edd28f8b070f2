"""What a subscription is."""

import enum
from datetime import datetime

import attrs


class Plan(enum.Enum):
    """The plans on sale."""

    STARTER = "starter"
    PRO = "pro"

    @property
    def interval(self) -> "Interval":
        """How long one cycle of the plan is."""
        return Interval.MONTH if self is Plan.STARTER else Interval.YEAR


class Interval(enum.Enum):
    """The length of a cycle."""

    MONTH = "month"
    YEAR = "year"


class SubscriptionStatus(enum.Enum):
    """Only an active subscription lets a shop send."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    CANCELLED = "cancelled"


@attrs.frozen
class Subscription:
    """The subscription of one account; an account that never had one is inactive without a plan."""

    plan: Plan | None = None
    status: SubscriptionStatus = SubscriptionStatus.INACTIVE
    stripe_customer_id: str | None = None
    stripe_subscription_id: str | None = None
    interval: Interval | None = None
    current_period_start: datetime | None = None
    current_period_end: datetime | None = None
    cancel_at_period_end: bool = False
    last_free_credits_allocated_at: datetime | None = None

    @property
    def is_active(self) -> bool:
        return self.status is SubscriptionStatus.ACTIVE

    def activated(self, plan: Plan, now: datetime) -> "Subscription":
        """Active on `plan` from now on, without an end, until somebody ends it."""
        return attrs.evolve(
            self,
            plan=plan,
            status=SubscriptionStatus.ACTIVE,
            interval=plan.interval,
            current_period_start=now,
            current_period_end=None,
            cancel_at_period_end=False,
        )
