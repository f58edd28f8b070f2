"""Families of errors: the edge maps a family once, a leaf only carries the code of the contract.

A leaf lives in the `errors.py` of its room. `code` is the contract's word (docs/api.md, 1.6);
`extra` holds the keys that a code defines beside the four that every error body has.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import attrs


@attrs.frozen
class FieldFault:
    """One thing wrong with one field; `path` is dotted, as in `segment.all[1].op`."""

    path: str
    message: str


class DomainError(Exception):
    """Something the caller can understand and, mostly, mend."""

    code: ClassVar[str] = "INTERNAL_ERROR"

    def __init__(
        self,
        message: str = "",
        *,
        fields: Sequence[FieldFault] = (),
        extra: Mapping[str, object] | None = None,
    ) -> None:
        self.message = message or (self.__doc__ or self.code).strip().splitlines()[0]
        self.fields = tuple(fields)
        self.extra: Mapping[str, object] = dict(extra or {})
        super().__init__(self.message)


class NotFound(DomainError):
    """There is no such thing, or it belongs to somebody else."""

    code = "RESOURCE_NOT_FOUND"


class Conflict(DomainError):
    """The state of things does not allow this now."""

    code = "INVALID_STATUS"


class RuleViolation(DomainError):
    """The input breaks a rule."""

    code = "VALIDATION_ERROR"


class PaymentRequired(DomainError):
    """The credits do not suffice."""

    code = "INSUFFICIENT_CREDITS"


class Forbidden(DomainError):
    """The caller is known and may not do this."""

    code = "FORBIDDEN"


class Unauthenticated(DomainError):
    """No caller, or one who cannot prove who they are."""

    code = "UNAUTHORIZED"


class LimitExceeded(DomainError):
    """Too much, too big or too fast."""

    code = "RATE_LIMITED"


class Unavailable(DomainError):
    """Something outside does not answer now; the same call may work later."""

    code = "SERVICE_UNAVAILABLE"


class InvalidField(RuleViolation):
    """A field has a value that the rules do not allow."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}", fields=(FieldFault(path, message),))


class IdempotencyKeyReused(Conflict):
    """This Idempotency-Key was used for a different request."""

    code = "IDEMPOTENCY_KEY_REUSED"


class IdempotencyInProgress(Conflict):
    """The first request with this Idempotency-Key is still running."""

    code = "IDEMPOTENCY_IN_PROGRESS"
