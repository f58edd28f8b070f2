"""What can be done about what people want: ask them to confirm it, obey what they text back."""

from retail_core.engagement.use_cases.answering import ApplyInboundTexts, RecordInboundTexts
from retail_core.engagement.use_cases.confirming import (
    AskToConfirm,
    RequestConsent,
    TakeRequest,
    occasion_of,
)
from retail_core.engagement.use_cases.stop_confirming import ConfirmStop

__all__ = [
    "ApplyInboundTexts",
    "AskToConfirm",
    "ConfirmStop",
    "RecordInboundTexts",
    "RequestConsent",
    "TakeRequest",
    "occasion_of",
]
