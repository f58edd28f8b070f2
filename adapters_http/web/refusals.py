"""What the edge itself refuses, before any room is asked."""

from retail_core.kernel.errors import (
    DomainError,
    Forbidden,
    LimitExceeded,
    NotFound,
    RuleViolation,
    Unavailable,
)


class BadTarget(RuleViolation):
    """The address cannot be read."""


class MalformedBody(RuleViolation):
    """The body cannot be read."""


class UnknownPath(NotFound):
    """There is nothing at this address."""


class OriginNotAllowed(Forbidden):
    """Pages of this origin may not do that."""

    code = "ORIGIN_NOT_ALLOWED"


class InsufficientScope(Forbidden):
    """This API key may not do that."""

    code = "INSUFFICIENT_SCOPE"

    def __init__(self, scope: str) -> None:
        super().__init__(extra={"requiredScope": scope})


class MethodNotAllowed(DomainError):
    """This address does not answer to that method."""

    code = "METHOD_NOT_ALLOWED"

    def __init__(self, allow: str) -> None:
        super().__init__()
        self.allow = allow


class PayloadTooLarge(DomainError):
    """The body is larger than is taken here."""

    code = "PAYLOAD_TOO_LARGE"

    def __init__(self, bytes_max: int) -> None:
        super().__init__(f"The body is larger than {bytes_max:,} bytes.")


class RateLimited(LimitExceeded):
    """Too many requests; wait a little."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(f"Too many requests. Try again in {retry_after_seconds} seconds.")
        self.retry_after_seconds = retry_after_seconds


class SlowBody(Unavailable):
    """The body took too long to arrive."""


class UnsupportedMediaType(DomainError):
    """The body is of a type that is not taken here."""

    code = "UNSUPPORTED_MEDIA_TYPE"
