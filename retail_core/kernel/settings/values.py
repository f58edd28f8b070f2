"""What a variable's text may look like: pure functions from a text to a value.

Each raises ValueError with a text that fits behind the shown value: "is not a whole number".
"""

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final, NoReturn, TypeAlias, TypeVar
from urllib.parse import urlsplit

CHARACTERS_MAX: Final = 16_384
Network: TypeAlias = IPv4Network | IPv6Network
YES: Final = frozenset({"1", "true", "yes", "on"})
NO: Final = frozenset({"0", "false", "no", "off"})
SPAN: Final = re.compile(r"(\d{1,9})\s*(ms|s|m|h|d|)", re.ASCII | re.IGNORECASE)
SPAN_UNITS: Final = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}

E = TypeVar("E", bound=StrEnum)


def bounded_text(characters_max: int) -> Callable[[str], str]:
    """A text of at most so many characters, without line breaks and other controls."""

    def parse(raw: str) -> str:
        if len(raw) > characters_max:
            _refuse(f"is longer than {characters_max} characters")
        if not raw.isprintable():
            _refuse("holds a control character")
        return raw

    return parse


def long_enough(bytes_min: int) -> Callable[[str], str]:
    """A secret of at least so many bytes."""

    def parse(raw: str) -> str:
        if len(raw.encode()) < bytes_min:
            _refuse(f"is shorter than {bytes_min} bytes")
        return raw

    return parse


def whole_number(minimum: int, maximum: int) -> Callable[[str], int]:
    """A whole number in plain digits."""

    def parse(raw: str) -> int:
        if not re.fullmatch(r"-?\d{1,18}", raw, re.ASCII):
            _refuse("is not a whole number")
        number = int(raw)
        if not minimum <= number <= maximum:
            _refuse(f"is not from {minimum} to {maximum}")
        return number

    return parse


def decimal_number(minimum: Decimal, maximum: Decimal) -> Callable[[str], Decimal]:
    """A finite decimal number with a point."""

    def parse(raw: str) -> Decimal:
        try:
            number = Decimal(raw)
        except InvalidOperation:
            _refuse("is not a decimal number")
        if not number.is_finite() or not minimum <= number <= maximum:
            _refuse(f"is not from {minimum} to {maximum}")
        return number

    return parse


def yes_or_no(raw: str) -> bool:
    """A flag."""
    word = raw.lower()
    if word not in YES | NO:
        _refuse("is neither 1 nor 0")
    return word in YES


def one_of(choices: type[E]) -> Callable[[str], E]:
    """A word of an enumeration."""

    def parse(raw: str) -> E:
        try:
            return choices(raw.lower())
        except ValueError:
            _refuse(f"is none of {', '.join(choices)}")

    return parse


def address(schemes: tuple[str, ...], words: tuple[str, ...]) -> Callable[[str], str]:
    """An address with one of the schemes and a host, or one of the words, in lower case."""

    def parse(raw: str) -> str:
        if raw.lower() in words:
            return raw.lower()
        try:
            parts = urlsplit(raw)
            complete = bool(parts.hostname or (parts.path and parts.scheme == "unix"))
            _ = parts.port
        except ValueError:
            _refuse("is not an address")
        if not raw.isprintable() or " " in raw or not complete:
            _refuse("is not an address")
        if parts.scheme not in schemes:
            _refuse(f"does not begin with {' or '.join(f'{scheme}://' for scheme in schemes)}")
        return raw.rstrip("/")

    return parse


def span(minimum: timedelta, maximum: timedelta) -> Callable[[str], timedelta]:
    """A span of time."""

    def parse(raw: str) -> timedelta:
        found = SPAN.fullmatch(raw)
        if found is None:
            _refuse("is not a span of time such as 90s, 15m, 12h or 30d")
        length = int(found[1]) * SPAN_UNITS[found[2].lower()]
        if not minimum <= length <= maximum:
            _refuse(f"is not from {minimum} to {maximum}")
        return length

    return parse


def between_commas(raw: str) -> tuple[str, ...]:
    """The texts between commas."""
    return tuple(text for part in raw.split(",") if (text := part.strip()))


def networks(raw: str) -> tuple[Network, ...]:
    """Addresses and networks; bits of a host beside the mask are forgiven."""
    found: list[Network] = []
    for text in between_commas(raw):
        try:
            found.append(ip_network(text, strict=False))
        except ValueError:
            _refuse("is not a list of addresses and networks")
    return tuple(found)


def _refuse(text: str) -> NoReturn:
    raise ValueError(text)
