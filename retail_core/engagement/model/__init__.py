"""What people answer to messages, and how they are asked whether they want any."""

from retail_core.engagement.model.confirming import (
    CONFIRMATION_REASON,
    DAILY_MAX,
    LAPSES_AFTER,
    LONG_WHILE,
    SHORT_WHILE,
    ConfirmationPolicy,
    ShownConsent,
    confirmation_text,
    number_free_at,
)
from retail_core.engagement.model.keywords import BUILT_IN, Keyword, Keywords

__all__ = [
    "BUILT_IN",
    "CONFIRMATION_REASON",
    "DAILY_MAX",
    "LAPSES_AFTER",
    "LONG_WHILE",
    "SHORT_WHILE",
    "ConfirmationPolicy",
    "Keyword",
    "Keywords",
    "ShownConsent",
    "confirmation_text",
    "number_free_at",
]
