"""Takes secrets and phone numbers out of what is about to be logged, as a last resort.

Nobody should log them in the first place; this catches the address somebody else's library prints,
and the traceback that quotes one. Nothing that comes out is longer than its limit, however much
data an error quotes: a line of a log does not grow with a store.
"""

import functools
import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Final

HIDDEN: Final = "***"
DEPTH_MAX: Final = 6
SHORT_CHARACTERS: Final = 200
SEEN_MAX: Final = 2048
TEXT_CHARACTERS_MAX: Final = 4_000
TRACEBACK_CHARACTERS_MAX: Final = 20_000
ITEMS_MAX: Final = 50

_NAMES: Final = (
    r"(?:[\w-]{0,40}(?:secret|token|passw(?:or)?d|api[_-]?key|signature|authorization|cookie))"
)
_SECRET_NAME: Final = re.compile(_NAMES, re.IGNORECASE)
_RULES: Final = (
    # ?secret=..., password=...
    (re.compile(rf"\b({_NAMES})=([^&\s\"'#,;)\]}}]+)", re.IGNORECASE), rf"\1={HIDDEN}"),
    # "password": "...", 'X-Webhook-Token': '...'
    (
        re.compile(rf"([\"']{_NAMES}[\"']\s*:\s*)(\"[^\"]*\"|'[^']*')", re.IGNORECASE),
        rf"\1{HIDDEN}",
    ),
    # Authorization: Bearer ...
    (re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{12,}", re.IGNORECASE), rf"\1 {HIDDEN}"),
    # signed tokens (JWT), keys of Stripe
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"), HIDDEN),
    (re.compile(r"\b(?:[srp]k_(?:live|test)|whsec)_\w+"), HIDDEN),
    # what PostgreSQL quotes of rows: DETAIL:  Key (email)=(...) already exists
    (re.compile(r"\b(DETAIL|CONTEXT):[ \t]+[^\n]+"), rf"\1: {HIDDEN}"),
    (re.compile(r"(invalid input syntax for type [\w ]+: )\"[^\"]*\""), rf"\1{HIDDEN}"),
    # gunicorn quotes what it could not read: Invalid HTTP method: 'what somebody sent'
    (re.compile(r"(Invalid request from ip=[^\n]*?: ?)['\"][^\n]*"), rf"\1{HIDDEN}"),
    # ana@example.com
    (re.compile(r"[\w.+-]+@(?:[\w-]+\.)+[A-Za-z]{2,}"), f"{HIDDEN}@{HIDDEN}"),
    # scheme://user:password@host
    (re.compile(r"(://[^/\s:@]*):[^/\s@]+@"), rf"\1:{HIDDEN}@"),
)
# with a plus sign, with 00, or a bare Greek mobile with or without its country
_PHONE: Final = re.compile(
    r"(?<![\w.+-])(?:\+\d(?:[ .()-]{0,2}\d){7,14}|00[1-9]\d{8,13}|30[26]\d{9}|69\d{8})(?![\w-])"
)
_PHONE_HEAD: Final = 4
_PHONE_TAIL: Final = 2


def redacted(text: str) -> str:
    """The text without secrets, with phone numbers such as `+306*******78`, and shortened."""
    if len(text) <= SHORT_CHARACTERS:
        return _redacted_before(text)
    return _redacted(_shortened(text))


def redacted_lines(lines: Sequence[str]) -> str:
    """The lines of a traceback in one text: where they are too many, the first and the last."""
    short = [_shortened(line) for line in lines]
    if sum(map(len, short)) <= TRACEBACK_CHARACTERS_MAX:
        return _redacted("".join(short).rstrip())
    half = TRACEBACK_CHARACTERS_MAX // 2
    first, last = _fitting(short, half), _fitting(short[::-1], half)[::-1]
    left_out = f"  ... {len(short) - len(first) - len(last)} lines ...\n"
    return _redacted("".join([*first, left_out, *last]).rstrip())


def _fitting(lines: Sequence[str], characters_max: int) -> Sequence[str]:
    lengths = itertools.accumulate(map(len, lines))
    return lines[: sum(1 for length in lengths if length <= characters_max)]


def _shortened(text: str) -> str:
    """The beginning of a long text, up to a whole word: half a secret might not be recognised."""
    if len(text) <= TEXT_CHARACTERS_MAX:
        return text
    line_break = "\n" if text.endswith("\n") else ""
    left_out = f" ... ({len(text)} characters){line_break}"
    words = text[: TEXT_CHARACTERS_MAX - len(left_out)].split(" ")
    return " ".join(words[:-1]) + left_out


def _redacted(text: str) -> str:
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return _PHONE.sub(_masked, text)


def redacted_value(value: object, name: str = "") -> object:
    """The value as JSON can hold it: texts redacted, what has a secret's name hidden altogether.

    Of many items the first are shown, and what is long all the same becomes a text.
    """
    shown = _redacted_value(value, name, 0)
    if isinstance(shown, dict | list) and len(text := str(shown)) > TEXT_CHARACTERS_MAX:
        return _shortened(text)
    return shown


def _redacted_value(value: object, name: str, depth: int) -> object:
    if name and _names_a_secret(name):
        return HIDDEN
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping) and depth < DEPTH_MAX:
        return {
            _shortened(str(key)): _redacted_value(item, str(key), depth + 1)
            for key, item in itertools.islice(value.items(), ITEMS_MAX)
        }
    if isinstance(value, list | tuple | set | frozenset) and depth < DEPTH_MAX:
        return [_redacted_value(item, "", depth + 1) for item in itertools.islice(value, ITEMS_MAX)]
    return redacted(str(value))


@functools.lru_cache(SEEN_MAX)
def _redacted_before(text: str) -> str:
    """Most of what is logged was logged before: routes, methods, addresses."""
    return _redacted(text)


@functools.lru_cache(SEEN_MAX)
def _names_a_secret(name: str) -> bool:
    return _SECRET_NAME.fullmatch(name) is not None


def _masked(found: re.Match[str]) -> str:
    phone = found[0]
    stars = "*" * (len(phone) - _PHONE_HEAD - _PHONE_TAIL)
    return f"{phone[:_PHONE_HEAD]}{stars}{phone[-_PHONE_TAIL:]}"
