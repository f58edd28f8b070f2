"""The closed table of rate limits: what the names in `Route.limits` mean (docs/api.md, 1.8)."""

from collections.abc import Mapping
from enum import Enum
from typing import Final

import attrs

MINUTE: Final = 60
TEN_MINUTES: Final = 600
HOUR: Final = 3600
DAY: Final = 86_400


class By(Enum):
    """Whose requests are counted together."""

    ADDRESS = "address"
    """The address of the client."""
    EMAIL = "email"
    """The e-mail address in the body."""
    TOKEN = "token"  # noqa: S105 - the name of a field, not a secret
    """The token or code of a link, in the path or the body."""
    TRACKING_ID = "tracking_id"
    """The tracking id in the path."""
    PHONE = "phone"
    """The number in the body without its blanks; the address of the client if there is none."""
    ACCOUNT = "account"
    """The signed-in account."""
    CALLER = "caller"
    """The signed-in account, or the API key that acts for it."""


AFTER_SIGN_IN: Final = frozenset({By.ACCOUNT, By.CALLER})


@attrs.frozen
class Limit:
    """At most so many requests in any window of this length.

    One that is `counted_late` counts only some of them: the resource knows which ones.
    """

    name: str
    by: By
    requests_max: int
    window_seconds: int
    counted_late: bool = False

    def times(self, factor: int) -> "Limit":
        """The same limit, wider."""
        return attrs.evolve(self, requests_max=self.requests_max * factor)


EVERY_CALLER: Final = Limit("caller", By.CALLER, 1200, MINUTE)
LIMITS: Final[Mapping[str, Limit]] = {
    limit.name: limit
    for limit in (
        Limit("register-ip", By.ADDRESS, 30, TEN_MINUTES),
        Limit("register-email", By.EMAIL, 10, TEN_MINUTES),
        Limit("login-ip", By.ADDRESS, 50, TEN_MINUTES),
        Limit("login-email", By.EMAIL, 20, TEN_MINUTES),
        Limit("refresh-ip", By.ADDRESS, 300, TEN_MINUTES),
        Limit("logout-ip", By.ADDRESS, 120, TEN_MINUTES),
        Limit("forgot-ip", By.ADDRESS, 20, TEN_MINUTES),
        Limit("forgot-email", By.EMAIL, 5, HOUR),
        Limit("reset-ip", By.ADDRESS, 20, TEN_MINUTES),
        Limit("password-user", By.ACCOUNT, 20, TEN_MINUTES),
        Limit("contacts-write", By.CALLER, 600, MINUTE),
        Limit("opt-out-view-ip", By.ADDRESS, 60, MINUTE),
        Limit("opt-out-invalid-ip", By.ADDRESS, 20, MINUTE, counted_late=True),
        Limit("opt-out-change-token", By.TOKEN, 5, DAY, counted_late=True),
        Limit("offer-view-ip", By.ADDRESS, 60, MINUTE),
        Limit("offer-view-id", By.TRACKING_ID, 10, MINUTE),
        Limit("redeem-ip", By.ADDRESS, 30, MINUTE),
        Limit("short-link-ip", By.ADDRESS, 120, MINUTE),
        Limit("nfc-config-ip", By.ADDRESS, 60, MINUTE),
        Limit("nfc-submit-ip", By.ADDRESS, 30, MINUTE),
        Limit("nfc-submit-phone", By.PHONE, 5, HOUR),
        Limit("conversion-view-ip", By.ADDRESS, 60, MINUTE),
        Limit("conversion-ip", By.ADDRESS, 30, MINUTE),
        Limit("conversion-phone", By.PHONE, 5, HOUR),
        Limit("test-send-user", By.ACCOUNT, 10, TEN_MINUTES),
        Limit("export-user", By.ACCOUNT, 10, TEN_MINUTES),
        EVERY_CALLER,
    )
}
