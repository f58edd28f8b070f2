"""Moments as a segment writes them."""

import re
from datetime import UTC, datetime
from typing import Final

_MOMENT: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}([Tt ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?([Zz]|[+-]\d{2}:?\d{2})?)?", re.ASCII
)


def read_moment(text: str) -> datetime:
    """An ISO date or date-time in UTC; without an offset it is UTC already. Raises ValueError."""
    if not _MOMENT.fullmatch(text):
        raise ValueError(text)
    try:
        at = datetime.fromisoformat(text.replace(",", ".").upper())
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        raise ValueError(text) from None
