"""The words by which people leave and come back by SMS, however they type them.

Phones put capitals, accents and marks where they like, and a keyboard may be switched to Greek or
Cyrillic halfway through a word: letters that look alike count as the same.
"""

import enum
import functools
import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Final

import attrs

from retail_core.kernel.folding import fold

TEXT_LENGTH_MAX: Final = 2_000
"""What comes later in a text is not looked at; no concatenated message is longer."""


class Keyword(enum.Enum):
    """What a text asks for."""

    STOP = "stop"
    START = "start"


# Letters that look like a Latin one, as capitals and as small letters. Latin itself is meant to be
# left alone.
_CAPITALS: Final = str.maketrans(
    "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧАВЕКМНОРСТУХІЈЅԚԜҮ", "ABEZHIKMNOPTYXABEKMHOPCTYXIJSQWY"
)
_SMALLS: Final = str.maketrans("αβεικνορτυχγηωавекморстухіјѕԛԝү", "abeiknoptuxynwabekmopctyxijsqwy")
_SMALL_NU: Final = str.maketrans("ν", "v")
_JOINERS: Final = re.compile(r"[-'’`´‐‑]")
_WORDS: Final = re.compile(r"[^\W_]+")
_INVISIBLE: Final = "Cf"


def _views(text: str) -> tuple[str, ...]:
    """The same text as it looks in capitals, and in small letters."""
    smalls = text.translate(_SMALL_NU).translate(_SMALLS)
    return (text.upper().translate(_CAPITALS).lower(), smalls)


def _words(text: str) -> list[str]:
    """The words of a text without marks; letters that stand alone are one word: `S.T.O.P`."""
    visible = "".join(
        sign for sign in text[:TEXT_LENGTH_MAX] if unicodedata.category(sign) != _INVISIBLE
    )
    words = _WORDS.findall(fold(_JOINERS.sub("", visible)))
    stand_alone = words and all(len(word) == 1 for word in words)
    return ["".join(words)] if stand_alone else words


def _phrase(text: str) -> str:
    words = _words(text)
    if not words or len(text) > TEXT_LENGTH_MAX:
        raise ValueError(f"is no word: {text!r}")
    return " ".join(words)


def _looks(phrases: Iterable[str]) -> frozenset[str]:
    return frozenset(view for phrase in phrases for view in _views(_phrase(phrase)))


@attrs.frozen
class Keywords:
    """Words to recognise. A strong one counts as the first word, any other as the whole text.

    Whoever wants back must say so and nothing else. Raises `ValueError` on a phrase without a
    letter or digit, and on a strong one of several words.
    """

    strong: frozenset[str]
    whole: frozenset[str]
    start: frozenset[str]

    def __attrs_post_init__(self) -> None:
        for phrase in self.strong:
            if " " in _phrase(phrase):
                raise ValueError(f"is more than one word: {phrase!r}")
        assert self._looks is not None  # every phrase is read once, so that a bad one is told now

    @functools.cached_property
    def _looks(self) -> Mapping[str, frozenset[str]]:
        return {
            "first": _looks(self.strong),
            "whole": _looks(self.strong | self.whole),
            "start": _looks(self.start),
        }

    def recognise(self, text: str) -> Keyword | None:
        """What a text asks for; None for any other text."""
        words = _words(text)
        if not words:
            return None
        looks = self._looks
        first, whole = _views(words[0]), _views(" ".join(words))
        if not looks["first"].isdisjoint(first) or not looks["whole"].isdisjoint(whole):
            return Keyword.STOP
        return None if looks["start"].isdisjoint(whole) else Keyword.START

    def extended(self, strong: Iterable[str], whole: Iterable[str]) -> "Keywords":
        """With more words to leave by."""
        return Keywords(self.strong | {*strong}, self.whole | {*whole}, self.start)


_STRONG: Final = """
STOP STOPALL UNSUBSCRIBE UNSUB OPTOUT
ΣΤΟΠ ΔΙΑΓΡΑΦΗ DIAGRAFI
ARRET
STOPP
СТОП
"""
_WHOLE: Final = """
STOP ALL, OPT OUT, CANCEL, END, QUIT, REVOKE, REMOVE,
ΔΙΑΚΟΠΗ, ΤΕΛΟΣ, ΟΧΙ ΑΛΛΟ, DIAKOPI,
TD,
ABMELDEN, ENDE,
BASTA, CANCELLA, BAJA, ALTO, PARAR, SAIR,
AVMELD, STOPP, AFMELD, AFMELDEN,
RET, IPTAL, KONIEC, DEZABONARE
"""

BUILT_IN: Final = Keywords(
    strong=frozenset(_STRONG.split()),
    whole=frozenset(phrase.strip() for phrase in _WHOLE.split(",")),
    start=frozenset({"START", "UNSTOP", "ΕΝΑΡΞΗ"}),
)
"""The words of docs/rules.md, section 3; a policy file may add some."""
