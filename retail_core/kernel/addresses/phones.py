"""Phone numbers: read by Google's rules, kept as E.164.

`phonenumbers` is the authority and costs some 20 microseconds a number. Most numbers of a shop
are plain numbers of its own country, so the country's metadata is compiled once into one regular
expression that answers these and is silent about anything else, which then goes to the library.
A test holds the two against each other.
"""

import enum
import functools
import re
from typing import Final, NewType

import attrs
import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumberType
from phonenumbers.phonemetadata import PhoneNumberDesc

PhoneNumber = NewType("PhoneNumber", str)
"""A valid number in E.164 form: `+`, country code, national number, digits only."""

PHONE_TEXT_LENGTH_MAX: Final = 32
NO_REGION: Final = "ZZ"
"""Stands for the country of numbers that belong to none, such as +800."""

SHARED_COUNTRY_NUMBERS_CACHED_MAX: Final = 65_536


class LineType(enum.Enum):
    """What stands at the other end; only a landline is never sent to."""

    MOBILE = "mobile"
    LANDLINE = "landline"
    UNKNOWN = "unknown"


@attrs.frozen
class Phone:
    """A valid number with what follows from it: country (ISO 3166, or `ZZ`) and kind of line."""

    number: PhoneNumber = attrs.field(repr=False)
    country: str
    line_type: LineType


def parse_phone(text: str, region: str) -> Phone | None:
    """Read a number as people write it; None if it is not a valid one.

    `region` (ISO 3166) is the country of numbers that carry no country code.
    """
    pattern = _own_numbers(region)
    if pattern is not None:
        found = pattern.match(text)
        if found is None and _GROUPED.fullmatch(text):
            found = pattern.match(text.translate(_WITHOUT_GROUPS))
        if found is not None and len(text) <= PHONE_TEXT_LENGTH_MAX:
            return _own_phone(found, region)
    return _parse_by_library(text.strip(), region)


def parse_inbound(text: str, region: str) -> Phone | None:
    """Read the sender of an inbound message: gateways often leave the `+` away."""
    stripped = text.strip()
    if stripped.isascii() and stripped.isdigit():
        phone = parse_phone(f"+{stripped}", region)
        if phone is not None:
            return phone
    return parse_phone(stripped, region)


def country_of(number: PhoneNumber) -> str:
    """The country of a stored number, for price, quiet hours and time zone; `ZZ` if it has none."""
    for length in (3, 4, 2):
        region = _SOLE_REGION.get(number[1:length])
        if region is not None:
            return region
    return _country_of_shared_code(number)


def calling_code_of(number: str) -> str:
    """The country code that a stored number begins with; empty if there is no such code."""
    codes = (number[1:length] for length in (2, 3, 4))
    return next((code for code in codes if code in _COUNTRY_CODES), "")


def calling_code_of_country(country: str) -> str:
    """The country code of a country's numbers; empty if it is none."""
    return str(phonenumbers.country_code_for_region(country) or "")


def has_sole_country(calling_code: str) -> bool:
    """Whether all numbers with this country code belong to one country."""
    return calling_code in _SOLE_REGION


def is_supported_region(code: str) -> bool:
    """Whether this is a country (ISO 3166, capitals) whose numbers can be read."""
    return code in phonenumbers.SUPPORTED_REGIONS


def mask_phone(number: str) -> str:
    """The number as logs may show it: country code and last two digits."""
    for length in (2, 3, 4):
        if number[1:length] in _COUNTRY_CODES:
            hidden = max(len(number) - length - 2, 0)
            return f"{number[:length]}{'*' * hidden}{number[length + hidden :]}"
    return "*" * max(len(number) - 2, 0) + number[-2:]


_COUNTRY_CODES: Final = frozenset(str(code) for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE)
_NON_GEOGRAPHIC: Final = phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY
_SOLE_REGION: Final = {
    str(code): NO_REGION if regions[0] == _NON_GEOGRAPHIC else regions[0]
    for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items()
    if len(regions) == 1
}
_LINE_TYPES: Final = {
    PhoneNumberType.MOBILE: LineType.MOBILE,
    PhoneNumberType.FIXED_LINE_OR_MOBILE: LineType.MOBILE,
    PhoneNumberType.FIXED_LINE: LineType.LANDLINE,
}
_GROUPED: Final = re.compile(r"\+?[0-9]+(?:[ .-][0-9]+)+")
_WITHOUT_GROUPS: Final = {ord(separator): None for separator in " .-"}
_NEVER: Final = "(?!)"


def _parse_by_library(text: str, region: str) -> Phone | None:
    if len(text) > PHONE_TEXT_LENGTH_MAX:
        return None
    if not text.isascii() and any(sign.isdigit() and not sign.isascii() for sign in text):
        return None
    try:
        parsed = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    country = phonenumbers.region_code_for_number(parsed)
    if country is None or not phonenumbers.is_valid_number_for_region(parsed, country):
        return None
    return Phone(
        PhoneNumber(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)),
        NO_REGION if country == _NON_GEOGRAPHIC else country,
        _LINE_TYPES.get(phonenumbers.number_type(parsed), LineType.UNKNOWN),
    )


@functools.lru_cache(maxsize=SHARED_COUNTRY_NUMBERS_CACHED_MAX)
def _country_of_shared_code(number: PhoneNumber) -> str:
    try:
        country = phonenumbers.region_code_for_number(phonenumbers.parse(number, None))
    except phonenumbers.NumberParseException:
        return NO_REGION
    return country or NO_REGION


def _own_phone(found: re.Match[str], region: str) -> Phone:
    national: str | None = found["mobile"]
    if national is not None:
        return Phone(PhoneNumber(_dialling_code(region) + national), region, LineType.MOBILE)
    return Phone(PhoneNumber(_dialling_code(region) + found["fixed"]), region, LineType.LANDLINE)


@functools.cache
def _dialling_code(region: str) -> str:
    return f"+{phonenumbers.country_code_for_region(region)}"


@functools.lru_cache(maxsize=512)
def _own_numbers(region: str) -> re.Pattern[str] | None:
    """A pattern of the plain mobile and fixed numbers of a country, or None if it has no fast way.

    It must match only what the library would read the same way. So it is silent about numbers
    that begin with an exit code, a trunk prefix or a zero, about special numbers, about digits
    that could be read both with and without a country code, and about countries that share
    their code with another one and do not come first in the library's list.
    """
    if not is_supported_region(region):
        return None
    code = phonenumbers.country_code_for_region(region)
    data = PhoneMetadata.metadata_for_region(region)
    first_of_code = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code][0]
    if data is None or first_of_code != region or data.leading_digits is not None:
        return None
    anything = _described(data.general_desc)
    no_exit_code = f"(?!{data.international_prefix})" if data.international_prefix else ""
    no_trunk = f"(?!{data.national_prefix_for_parsing})" if data.national_prefix_for_parsing else ""
    double_zero = f"00{code}" if data.international_prefix == "00" else _NEVER
    fixed = _described(data.fixed_line)
    mobile = fixed if data.same_mobile_and_fixed_line_pattern else _described(data.mobile)
    return re.compile(
        rf"(?:\+{code}|{double_zero}|{no_exit_code}(?!{anything}){code}|{no_exit_code})"
        rf"(?!0){no_trunk}(?={anything})(?!{_special_numbers(data)})"
        rf"(?:(?P<mobile>{mobile})|(?P<fixed>{fixed}))",
        re.ASCII,
    )


def _special_numbers(data: PhoneMetadata) -> str:
    """Kinds of numbers that the library looks for before mobile and fixed ones."""
    kinds = (
        data.premium_rate,
        data.toll_free,
        data.shared_cost,
        data.voip,
        data.personal_number,
        data.pager,
        data.uan,
        data.voicemail,
    )
    return "|".join(_described(kind) for kind in kinds)


def _described(kind: PhoneNumberDesc | None) -> str:
    """A pattern of all numbers of a kind up to the end of the text, lengths included."""
    if kind is None or not kind.national_number_pattern:
        return _NEVER
    lengths = "|".join(rf"\d{{{length}}}" for length in kind.possible_length if length > 0)
    right_length = rf"(?=(?:{lengths})\Z)" if lengths else ""
    return rf"{right_length}(?:{kind.national_number_pattern})\Z"
