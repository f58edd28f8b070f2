"""What links carry to say whose they are: short codes in new ones, signed tokens in old ones."""

from retail_core.links.codes.short import (
    CODE_NUMBER_MAX,
    OPT_OUT_CODE_LENGTH,
    TRACKING_ID_LENGTH,
    LinkCodes,
)
from retail_core.links.codes.signed import (
    TOKEN_LENGTH_MAX,
    TOKEN_LIFETIME,
    OptOutToken,
    issue_token,
    read_token,
)

__all__ = [
    "CODE_NUMBER_MAX",
    "OPT_OUT_CODE_LENGTH",
    "TOKEN_LENGTH_MAX",
    "TOKEN_LIFETIME",
    "TRACKING_ID_LENGTH",
    "LinkCodes",
    "OptOutToken",
    "issue_token",
    "read_token",
]
