"""What can go wrong when somebody is asked to confirm that they want messages."""

from datetime import datetime
from math import ceil

from retail_core.kernel.errors import (
    Conflict,
    FieldFault,
    Forbidden,
    LimitExceeded,
    RuleViolation,
)


class AlreadySubscribed(Conflict):
    """This contact is subscribed already; there is nothing to confirm."""


class CannotBeAsked(RuleViolation):
    """No confirmation can be sent to this number."""

    code = "INVALID_PHONE"

    def __init__(self, why: str) -> None:
        super().__init__(f"No confirmation can be sent: {why}.", fields=(FieldFault("phone", why),))


class CountryNotNamed(CannotBeAsked):
    """The country of the number is not named in the price list."""


class NoSenderName(RuleViolation):
    """The store has no valid sender name, and no fallback is set."""

    code = "CAMPAIGN_ENQUEUE_ERROR"


class NotSubscribedToPlan(Forbidden):
    """Sending needs an active subscription."""

    code = "SUBSCRIPTION_REQUIRED"


class TooManyConfirmations(LimitExceeded):
    """No further confirmation may be sent now; `free_at` is when one may be."""

    def __init__(self, message: str, free_at: datetime, now: datetime) -> None:
        super().__init__(message)
        self.retry_after_seconds = max(1, ceil((free_at - now).total_seconds()))


class AskedTooOften(TooManyConfirmations):
    """This number was asked already: at most once in 24 hours and three times in 30 days."""


class StoreAskedTooMany(TooManyConfirmations):
    """The store has sent as many confirmations as it may within 24 hours."""
