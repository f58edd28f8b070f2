"""What can go wrong with credits."""

from retail_core.kernel.errors import PaymentRequired


class InsufficientCredits(PaymentRequired):
    """The credits do not suffice."""

    code = "INSUFFICIENT_CREDITS"

    def __init__(self, required: int, available: int) -> None:
        super().__init__(
            f"This needs {required} credits, and {available} are available.",
            extra={"required": required, "available": available},
        )
        self.required = required
        self.available = available


class HoldExceeded(Exception):
    """More was to be captured or released than is held: a defect of ours, never the caller's."""


class DebtExceeded(Exception):
    """More debt was to be paid than is owed: a defect of ours, never the caller's."""
