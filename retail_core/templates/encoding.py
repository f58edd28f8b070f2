"""How many SMS parts a text takes (GSM 03.38), and how it can take fewer.

The only place that counts: preview, forecast and sending all ask here. A text whose characters
all lie in the GSM-7 tables takes 160 septets alone or 153 in each of several parts; any other is
UCS-2 and takes 70 or 67 units of 16 bits. A character of the escape table takes two septets, one
outside the basic plane two units, and such a pair is never split between parts.

Smart encoding changes a text so that it takes fewer parts, if the store wants that. Look-alikes
harm copying, searching and screen readers, so nothing is changed that does not save a part, and
never a URL, an e-mail address or a code. A code is a word of at least four Latin or Greek
capitals and digits (also `-` and `_`) that begins with a letter and holds a digit.

What a value adds to a text depends on little: on its length, and on what kinds of characters it
has. `SHAPES` tells which values are alike in that, so that a million different names are counted
as some dozens of shapes.
"""

import enum
import functools
import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Final, NewType

import attrs

from retail_core.kernel.smart_encoding import SmartEncoding
from retail_core.links.urls import URL_PATTERN

GSM7_BASIC: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM7_ESCAPED: Final = "\f^{}\\[~]|€"

GSM7_SINGLE_SEPTETS: Final = 160
GSM7_PART_SEPTETS: Final = 153
UCS2_SINGLE_UNITS: Final = 70
UCS2_PART_UNITS: Final = 67

LOOK_ALIKES: Final[Mapping[str, str]] = dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX", strict=True))
"""The Greek capitals that GSM-7 lacks, and the Latin ones that look the same."""

SIZES_CACHED_MAX: Final = 8_192

# The counters of a TextCost, 24 bits each: a text of a million characters is far from the limit.
_COUNTER_BITS: Final = 24
_COUNTER_MASK: Final = 2**_COUNTER_BITS - 1
_SEPTET: Final = 1
_UNIT: Final = 1 << _COUNTER_BITS
_OUTSIDE_GSM7: Final = 1 << 2 * _COUNTER_BITS
_WITH_ESCAPES: Final = 1 << 3 * _COUNTER_BITS
_WITH_SURROGATES: Final = 1 << 4 * _COUNTER_BITS


class Encoding(enum.IntEnum):
    """How a text travels; stored as a small integer, shown as a word."""

    GSM7 = 0
    UCS2 = 1

    @property
    def word(self) -> str:
        """The word of the API: `gsm7` or `ucs2`."""
        return "ucs2" if self else "gsm7"


@attrs.frozen
class TextSize:
    """What a text costs: its encoding, its number of SMS parts, its length in septets or units.

    An empty text takes one part: what is submitted is paid, even if nothing is in it.
    """

    encoding: Encoding
    parts: int
    length: int


TextCost = NewType("TextCost", int)
"""What a piece of text adds to the size of the whole: several counters packed into one integer.

Costs of pieces are added like numbers and give the cost of the joined text; `size_of` reads it.
"""


def measure(text: str) -> TextSize:
    """The exact size of a final text."""
    if _is_basic(text):
        return _size_without_pairs(Encoding.GSM7, len(text))
    if _is_gsm7(text):
        return _size_with_escapes(text)
    return _size_in_ucs2(text)


def cost_of(text: str) -> TextCost:
    """What a text adds wherever it stands inside a longer one."""
    if _is_basic(text):
        return TextCost(len(text) * (_SEPTET + _UNIT))
    units = len(text.encode("utf-16-le", "surrogatepass")) // 2
    cost = units * _UNIT + (_WITH_SURROGATES if units != len(text) else 0)
    if not _is_gsm7(text):
        return TextCost(cost + _OUTSIDE_GSM7)
    escapes = len(_ESCAPED.findall(text))
    return TextCost(cost + (len(text) + escapes) * _SEPTET + _WITH_ESCAPES)


@functools.lru_cache(maxsize=SIZES_CACHED_MAX)
def size_of(cost: TextCost) -> TextSize | None:
    """The size of the text that has this cost; None if only the text itself can tell.

    That is so where pairs at the seams decide whether it needs one part more: `measure` it.
    """
    if cost & (_OUTSIDE_GSM7 * _COUNTER_MASK):
        encoding, length = Encoding.UCS2, cost // _UNIT & _COUNTER_MASK
        part, has_pairs = UCS2_PART_UNITS, cost & (_WITH_SURROGATES * _COUNTER_MASK)
    else:
        encoding, length = Encoding.GSM7, cost // _SEPTET & _COUNTER_MASK
        part, has_pairs = GSM7_PART_SEPTETS, cost & (_WITH_ESCAPES * _COUNTER_MASK)
    size = _size_without_pairs(encoding, length)
    # Each seam wastes one place at the most.
    if has_pairs and size.parts > 1 and length + size.parts - 1 > size.parts * part:
        return None
    return size


def smart(text: str, mode: SmartEncoding) -> str:
    """The text as it is sent under this choice: converted if that saves a part, else as it is."""
    if mode is SmartEncoding.OFF:
        return text
    parts = measure(text).parts
    if parts == 1:
        return text
    shorter = converted(text, mode)
    return shorter if measure(shorter).parts < parts else text


def converted(text: str, mode: SmartEncoding) -> str:
    """The text with all that this choice may change, whether or not that saves anything."""
    if mode is SmartEncoding.OFF or text.isascii():
        return text
    pieces = []
    end = 0
    for kept in _PROTECTED.finditer(text):
        pieces += [_replaced(text[end : kept.start()], mode), kept[0]]
        end = kept.end()
    pieces.append(_replaced(text[end:], mode))
    return "".join(pieces)


def greek_lookalikes(text: str) -> str:
    """The text with those Greek capitals that GSM-7 lacks written in Latin letters."""
    return text.translate(_LOOK_ALIKES)


_is_basic: Final = re.compile(f"[{re.escape(GSM7_BASIC)}]*").fullmatch
_is_gsm7: Final = re.compile(f"[{re.escape(GSM7_BASIC + GSM7_ESCAPED)}]*").fullmatch
_ESCAPED: Final = re.compile(f"[{re.escape(GSM7_ESCAPED)}]")
_ESCAPE: Final = "\x1b"


@functools.lru_cache(maxsize=SIZES_CACHED_MAX)
def _size_without_pairs(encoding: Encoding, length: int) -> TextSize:
    if encoding is Encoding.GSM7:
        single, part = GSM7_SINGLE_SEPTETS, GSM7_PART_SEPTETS
    else:
        single, part = UCS2_SINGLE_UNITS, UCS2_PART_UNITS
    return TextSize(encoding, 1 if length <= single else -(-length // part), length)


def _size_with_escapes(text: str) -> TextSize:
    septets = text
    for sign in GSM7_ESCAPED:
        septets = septets.replace(sign, _ESCAPE + sign)
    length = len(septets)
    if length <= GSM7_SINGLE_SEPTETS:
        return _size_without_pairs(Encoding.GSM7, length)
    parts, begin = 1, 0
    while length - begin > GSM7_PART_SEPTETS:
        begin += GSM7_PART_SEPTETS
        if septets[begin - 1] == _ESCAPE:
            begin -= 1
        parts += 1
    return TextSize(Encoding.GSM7, parts, length)


def _size_in_ucs2(text: str) -> TextSize:
    units = text.encode("utf-16-be", "surrogatepass")
    length = len(units) // 2
    if length == len(text) or length <= UCS2_SINGLE_UNITS:
        return _size_without_pairs(Encoding.UCS2, length)
    parts, begin = 1, 0
    while length - begin > UCS2_PART_UNITS:
        begin += UCS2_PART_UNITS
        if _is_high_surrogate(units[2 * begin - 2]):
            begin -= 1
        parts += 1
    return TextSize(Encoding.UCS2, parts, length)


def _is_high_surrogate(first_byte: int) -> bool:
    return 0xD8 <= first_byte <= 0xDB  # noqa: PLR2004 - the range that Unicode gives them


_LOOK_ALIKES: Final = str.maketrans(dict(LOOK_ALIKES))
_EMAIL: Final = r"(?<![\w.+%-])[\w.+%-]+@[\w-]+(?:\.[\w-]+)+"
_CODE: Final = r"(?<![\w-])[A-ZΑ-Ω](?=[A-ZΑ-Ω_-]*[0-9])[A-ZΑ-Ω0-9_-]{3,}(?!\w)"
_PROTECTED: Final = re.compile(f"{URL_PATTERN}|{_EMAIL}|{_CODE}")
_GREEK_MARKS: Final = re.compile("(?<=[\u0370-\u03ff\u1f00-\u1fff])[\u0300-\u036f]+")

_TYPOGRAPHY: Final[Mapping[int, str]] = {
    **dict.fromkeys(map(ord, "\u2018\u2019\u201a\u201b"), "'"),
    **dict.fromkeys(map(ord, "\u201c\u201d\u201e\u201f"), '"'),
    **dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212•"), "-"),
    **dict.fromkeys(map(ord, "\u00a0\u202f\u205f"), " "),
    **dict.fromkeys(range(0x2000, 0x200B), " "),
    **dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff"), ""),
    ord("…"): "...",
    ord("\u037e"): ";",
}


def _replaced(text: str, mode: SmartEncoding) -> str:
    if mode is SmartEncoding.TYPOGRAPHY:
        return text.translate(_TYPOGRAPHY)
    return _GREEK_MARKS.sub("", text).translate(_greek())


@functools.cache
def _greek() -> Mapping[int, str]:
    """Typography, and every Greek letter as a bare capital that GSM-7 has."""
    table = dict(_TYPOGRAPHY)
    for code in (*range(0x0370, 0x0400), *range(0x1F00, 0x2000)):
        letter = unicodedata.normalize("NFD", chr(code))[0].upper()
        if "Α" <= letter <= "Ω":
            table[code] = LOOK_ALIKES.get(letter, letter)
    return table


@attrs.frozen
class Shape:
    """Values of one length that take the same room in a text, whatever smart encoding it has.

    `stand_in`, repeated to that length, may be counted instead of any of them, where the value
    stands apart from other words. `pattern` must match the value as a whole; PostgreSQL reads it
    as Python does. No value of a shape is blank.
    """

    stand_in: str
    pattern: str


def _brackets(characters: Iterable[int]) -> str:
    """A class of a regular expression."""
    ranges: list[list[int]] = []
    for code in sorted(characters):
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "[" + "".join(f"\\u{first:04x}-\\u{last:04x}" for first, last in ranges) + "]"


def _shapes() -> tuple[Shape, ...]:
    basic = set(map(ord, GSM7_BASIC)) - set(map(ord, "\r\n"))
    # without these nothing is a URL, an e-mail address or a code, which would not be converted
    worded = basic - set(map(ord, "0123456789@.:/"))
    typographic = worded | {code for code, text in _TYPOGRAPHY.items() if len(text) == 1}
    greek = typographic | set(_greek()) - set(_TYPOGRAPHY)
    # of these every one takes one unit, before conversion and after it
    spaces = {code for code in range(0x10000) if chr(code).isspace()}
    changing = {code for code, text in _TYPOGRAPHY.items() if len(text) != 1}
    marks, surrogates = set(range(0x0300, 0x0370)), set(range(0xD800, 0xE000))
    known = basic | greek | set(map(ord, GSM7_ESCAPED))
    single = set(range(1, 0x10000)) - (spaces - known) - changing - marks - surrogates - {0x0C}

    def words(characters: set[int]) -> str:
        return f"{_brackets(characters - spaces)}{_brackets(characters)}*"

    return (
        Shape("x", words(basic)),
        Shape("’", words(typographic)),
        Shape("ά", words(greek)),
        Shape("ж", f"{_brackets(single)}*{_brackets(single - known)}{_brackets(single)}*"),
    )


SHAPES: Final = _shapes()
"""GSM-7 as it is; after typography; after the Greek letters are mapped too; and never."""
