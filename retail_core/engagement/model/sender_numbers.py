"""The numbers that the sender of a text may mean.

Gateways write it as their operators do: with or without `+`, as at home, or as it was before a
country changed its numbers. No form counts by itself: it must be one to which a store handed a
message. So it does no harm that some are no valid numbers, and they need not be: what is valid
changes with the years, and a number that was written to keeps its form.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import attrs

from retail_core.kernel.addresses.phones import (
    NO_REGION,
    PhoneNumber,
    calling_code_of,
    country_of,
    parse_inbound,
    parse_phone,
)

SENDER_END_DIGITS: Final = 6
"""So many digits at the end are the same in all forms of a number."""

_SEPARATORS: Final = re.compile(r"[\s().\-/]")
_NOT_A_DIGIT: Final = re.compile(r"[^0-9]")
_LITERAL: Final = re.compile(r"(?:\+|00|\+00)?([1-9][0-9]{6,14})", re.ASCII)

# What changed in a country, or is left away within it: the number in one form, and in another.
_FORMS: Final = (
    # Argentina: mobile numbers have a 9 for those abroad.
    (r"54([1-8]\d{9})", r"549\1"),
    (r"549([1-8]\d{9})", r"54\1"),
    # Mexico: mobile numbers had a 1.
    (r"521(\d{10})", r"52\1"),
    (r"52([2-9]\d{9})", r"521\1"),
    # Brazil: mobile numbers got a 9 after the area.
    (r"55(\d{2})([6-9]\d{7})", r"55\g<1>9\2"),
    (r"55(\d{2})9([6-9]\d{7})", r"55\1\2"),
    # Benin: all numbers got 01.
    (r"229([2-9]\d{7})", r"22901\1"),
    (r"22901(\d{8})", r"229\1"),
    # Ivory Coast, Congo and Gabon: the zero in front is a part of the number.
    (r"(225|242|241)([1-9]\d{6,8})", r"\g<1>0\2"),
)
_RULES: Final = tuple((re.compile(form, re.ASCII), other) for form, other in _FORMS)


@attrs.frozen
class NationalForm:
    """A number as it is read in a country, and which country that is."""

    phone: PhoneNumber = attrs.field(repr=False)
    country: str


def international_number(written: str) -> PhoneNumber | None:
    """A valid number written with `+`, with `00`, or as bare international digits."""
    stripped = written.strip()
    if stripped.startswith("00"):
        stripped = f"+{stripped[2:]}"
    phone = parse_inbound(stripped, NO_REGION)
    return None if phone is None else phone.number


def international_forms(sender: str) -> Sequence[PhoneNumber]:
    """What a sender may mean that names its country, the most literal form first."""
    found = _LITERAL.fullmatch(_SEPARATORS.sub("", sender))
    literal = None if found is None else PhoneNumber(f"+{found[1]}")
    valid = international_number(literal or sender)
    named = [each for each in (literal, valid) if each is not None]
    return list(dict.fromkeys([*named, *_other_forms(named)]))


def national_forms(sender: str, countries: Iterable[str]) -> Sequence[NationalForm]:
    """What a sender may mean that names no country, as it is read in each of these."""
    written = sender.strip()
    if written.startswith("+"):
        return []
    forms: dict[NationalForm, None] = {}
    for country in countries:
        phone = parse_phone(written, country) or parse_phone(written.lstrip("0"), country)
        if phone is not None:
            numbers = [phone.number, *_other_forms([phone.number])]
            forms |= dict.fromkeys(NationalForm(number, country) for number in numbers)
    return list(forms)


def home_of(receiver: str) -> str | None:
    """The country of the number that a text was sent to; None if it names none."""
    number = international_number(receiver)
    country = NO_REGION if number is None else country_of(number)
    return None if country == NO_REGION else country


def sender_end(sender: str) -> int:
    """The last digits of a sender, which are the same in all forms of its number."""
    return int(_NOT_A_DIGIT.sub("", sender)[-SENDER_END_DIGITS:] or 0)


def _other_forms(numbers: Sequence[PhoneNumber]) -> Iterator[PhoneNumber]:
    for number in numbers:
        for form, other in _RULES:
            found = form.fullmatch(number, 1)
            if found is not None:
                yield PhoneNumber(f"+{found.expand(other)}")
        code = calling_code_of(number)
        at_home = number[1 + len(code) :]
        if at_home.startswith("0"):  # as it is dialled at home, where the library knows no zero
            yield PhoneNumber(f"+{code}{at_home.lstrip('0')}")
