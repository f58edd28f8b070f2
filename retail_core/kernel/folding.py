"""Text as a search compares it: without case, accents and other marks."""

import re
import unicodedata
from typing import Final

_MARKS: Final = re.compile("[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20f0\ufe20-\ufe2f]+")


def fold(text: str) -> str:
    """The form in which two texts are equal if they differ only in case and accents.

    Final sigma equals sigma. Folding a folded text changes nothing.
    """
    if text.isascii():
        return text.lower()
    bare = _MARKS.sub("", unicodedata.normalize("NFKD", text.casefold()))
    if bare.isascii():
        return bare.lower()
    # Some compatibility forms, such as ㎒, show their capitals only when taken apart.
    return _MARKS.sub("", unicodedata.normalize("NFKD", bare.casefold()))
