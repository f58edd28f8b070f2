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
from retail_core.engagement.model.inbound import (
    REPEAT_WINDOW,
    AppliedText,
    EarlierText,
    InboundCall,
    InboundText,
    MeantNumber,
    RawInbound,
    is_repeat,
    meant_at_home,
    meant_by_form,
    scope_of,
)
from retail_core.engagement.model.keywords import BUILT_IN, Keyword, Keywords
from retail_core.engagement.model.sender_numbers import (
    NationalForm,
    home_of,
    international_forms,
    national_forms,
)
from retail_core.engagement.model.stop_confirming import (
    STOP_CONFIRMATION_EVERY,
    STOP_CONFIRMATION_EXPIRES_AFTER,
    StopConfirmationPolicy,
    stop_confirmation_text,
)

__all__ = [
    "BUILT_IN",
    "CONFIRMATION_REASON",
    "DAILY_MAX",
    "LAPSES_AFTER",
    "LONG_WHILE",
    "REPEAT_WINDOW",
    "SHORT_WHILE",
    "STOP_CONFIRMATION_EVERY",
    "STOP_CONFIRMATION_EXPIRES_AFTER",
    "AppliedText",
    "ConfirmationPolicy",
    "EarlierText",
    "InboundCall",
    "InboundText",
    "Keyword",
    "Keywords",
    "MeantNumber",
    "NationalForm",
    "RawInbound",
    "ShownConsent",
    "StopConfirmationPolicy",
    "confirmation_text",
    "home_of",
    "international_forms",
    "is_repeat",
    "meant_at_home",
    "meant_by_form",
    "national_forms",
    "number_free_at",
    "scope_of",
    "stop_confirmation_text",
]
