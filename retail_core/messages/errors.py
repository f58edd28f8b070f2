"""What can go wrong with messages."""

from retail_core.kernel.errors import NotFound, Unavailable


class GatewayUnavailable(Unavailable):
    """The SMS gateway does not answer now."""


class NumbersUsedUp(Unavailable):
    """There are not enough message numbers left; the operator was told of it long before."""


class MessageNotFound(NotFound):
    """No such message in this account's log."""

    code = "MESSAGE_NOT_FOUND"


class LeaseLost(Exception):
    """Another worker owns this batch now; whoever lost it must not touch it again."""
