"""A word for fields that stay as they are."""

import enum
from typing import Final


class Keep(enum.Enum):
    """Says of a field that it stays as it is, where None would clear it."""

    KEEP = "keep"


KEEP: Final = Keep.KEEP
