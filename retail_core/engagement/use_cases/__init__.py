"""What can be done about what people want: ask them to confirm it."""

from retail_core.engagement.use_cases.confirming import (
    AskToConfirm,
    RequestConsent,
    TakeRequest,
    occasion_of,
)

__all__ = ["AskToConfirm", "RequestConsent", "TakeRequest", "occasion_of"]
