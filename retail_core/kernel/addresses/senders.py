"""Who a message says it comes from: the rule for sender names."""

import re
from collections.abc import Iterable
from typing import Final

_NAME: Final = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9]{3,11}")
_NUMBER: Final = re.compile(r"\+[1-9][0-9]{6,14}")


def is_valid_sender(text: str) -> bool:
    """Whether carriers take this as a sender.

    That is 3 to 11 ASCII letters and digits with at least one letter, or a number in E.164 form
    (`+` and 7 to 15 digits).
    """
    return bool(_NAME.fullmatch(text) or _NUMBER.fullmatch(text))


def first_valid_sender(candidates: Iterable[str | None]) -> str | None:
    """The sender of a message: the store's name before the operator's; None if neither is valid."""
    return next((text for text in candidates if text and is_valid_sender(text)), None)
