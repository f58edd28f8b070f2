"""E-mail addresses: one spelling, and a check of the syntax that asks for no more than it must."""

import re
from typing import Final

EMAIL_CHARACTERS_MAX: Final = 320
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s.]+(?:\.[^@\s.]+)+")


def parse_email(text: str) -> str | None:
    """The address trimmed and in lower case; None if it has not one `@` and a dot in the domain.

    >>> parse_email(" Ana@Example.COM ")
    'ana@example.com'
    >>> parse_email("ana@localhost") is None
    True
    """
    email = text.strip().lower()
    if len(email) > EMAIL_CHARACTERS_MAX or _EMAIL.fullmatch(email) is None:
        return None
    return email
