"""What can go wrong with accounts and their sessions."""

from collections.abc import Sequence

from retail_core.kernel.errors import (
    Conflict,
    FieldFault,
    InvalidField,
    NotFound,
    RuleViolation,
    Unauthenticated,
)


class AccountNotFound(NotFound):
    """There is no such account."""


class EmailTaken(Conflict):
    """An account with this e-mail address exists already."""

    code = "DUPLICATE_RESOURCE"

    def __init__(self) -> None:
        super().__init__(fields=(FieldFault("email", "already used"),))


class AuthenticationFailed(Unauthenticated):
    """E-mail address or password is wrong."""

    code = "AUTHENTICATION_ERROR"


class SessionEnded(Unauthenticated):
    """The session does not exist, has expired or was ended."""


class SessionReused(Unauthenticated):
    """A used refresh token came back, so the session was ended for safety; please sign in again."""

    code = "SESSION_REUSED"


class SessionNotFound(NotFound):
    """There is no such session, or it has ended."""


class ApiKeyNotFound(NotFound):
    """There is no such API key."""


class InvalidExpiry(InvalidField):
    """The time at which an API key ends is no time."""

    code = "INVALID_DATE"

    def __init__(self) -> None:
        super().__init__("expiresAt", "is not an ISO date-time")


class AccountBusy(Conflict):
    """Something of this account is under way; end it first."""

    def __init__(self, obstacles: Sequence[str]) -> None:
        super().__init__(
            f"Still under way: {', '.join(obstacles)}.", extra={"obstacles": tuple(obstacles)}
        )


class InvalidResetToken(RuleViolation):
    """The link to set a new password is unknown, used or too old; please ask for a new one."""

    code = "INVALID_TOKEN"
