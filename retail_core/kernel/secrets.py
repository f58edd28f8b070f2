"""Secrets that cannot be printed by accident."""

import hmac
from typing import Final, Never, final

HIDDEN: Final = "***"


@final
class SecretText:
    """A text nobody may read in a log, a traceback or the picture of a settings object.

    `str`, `repr` and every format show `***`; only `reveal()` gives the text, so a search for
    `reveal` finds every place where a secret leaves. Comparing takes the same time whether the
    first or the last character differs. It cannot be pickled or changed.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        object.__setattr__(self, "_text", text)

    def reveal(self) -> str:
        """The text itself. Hand it on at once; keep it in no variable that is printed."""
        text: str = object.__getattribute__(self, "_text")
        return text

    def reveal_bytes(self) -> bytes:
        """The text as UTF-8, as keys of MACs want it."""
        return self.reveal().encode()

    def matches(self, other: str | bytes) -> bool:
        """Whether `other` is this secret, in constant time. An empty secret matches nothing."""
        given = other.encode("utf-8", "surrogatepass") if isinstance(other, str) else other
        return bool(self) and hmac.compare_digest(self.reveal_bytes(), given)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SecretText):
            return NotImplemented
        return hmac.compare_digest(self.reveal_bytes(), other.reveal_bytes())

    def __hash__(self) -> int:
        return hash((SecretText, self.reveal()))

    def __bool__(self) -> bool:
        return self.reveal() != ""

    def __str__(self) -> str:
        return HIDDEN

    def __repr__(self) -> str:
        return f"SecretText('{HIDDEN}')"

    def __format__(self, spec: str) -> str:
        return format(HIDDEN, spec)

    def __setattr__(self, name: str, value: object) -> Never:
        msg = "a secret does not change"
        raise AttributeError(msg)

    def __reduce__(self) -> Never:
        msg = "a secret is not pickled"
        raise TypeError(msg)
