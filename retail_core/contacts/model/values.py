"""Reading what people type into the fields of a contact; every fault has its code."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Final

from retail_core.contacts.errors import (
    InvalidBirthday,
    InvalidEmail,
    InvalidPhone,
    InvalidTags,
)
from retail_core.kernel.addresses.emails import parse_email
from retail_core.kernel.addresses.phones import Phone, parse_phone
from retail_core.kernel.errors import InvalidField

NAME_LENGTH_MAX: Final = 120
CONSENT_SOURCE_LENGTH_MAX: Final = 500
REASON_LENGTH_MAX: Final = 500
NOTE_LENGTH_MAX: Final = 200
TAGS_MAX: Final = 50
TAG_LENGTH_MAX: Final = 40
BIRTHDAY_YEARS_MAX: Final = 150

_TAG: Final = re.compile(rf"[^,;|]{{1,{TAG_LENGTH_MAX}}}")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?"
    r"(?:[Zz]|[+-][0-9]{2}:?[0-9]{2})?"
)


def read_phone(text: str, region: str) -> Phone:
    """A valid number, read as in the store's country; raises `InvalidPhone`."""
    phone = parse_phone(text.strip(), region)
    if phone is None:
        raise InvalidPhone
    return phone


def read_email(text: str | None) -> str | None:
    """Lower case; blank is none; raises `InvalidEmail`."""
    written = (text or "").strip()
    if not written:
        return None
    email = parse_email(written)
    if email is None:
        raise InvalidEmail
    return email


def read_name(text: str | None, field: str) -> str | None:
    """Trimmed, else as it is; blank is none; raises `InvalidField` if too long."""
    name = (text or "").strip()
    if len(name) > NAME_LENGTH_MAX:
        raise InvalidField(field, f"at most {NAME_LENGTH_MAX} characters")
    return name or None


def read_consent_source(text: str | None) -> str | None:
    """What the store says about where a consent came from; raises `InvalidField` if too long."""
    source = (text or "").strip()
    if len(source) > CONSENT_SOURCE_LENGTH_MAX:
        raise InvalidField("consentSource", f"at most {CONSENT_SOURCE_LENGTH_MAX} characters")
    return source or None


def read_reason(text: str | None) -> str | None:
    """Why somebody is erased; raises `InvalidField` if too long."""
    reason = (text or "").strip()
    if len(reason) > REASON_LENGTH_MAX:
        raise InvalidField("reason", f"at most {REASON_LENGTH_MAX} characters")
    return reason or None


def read_note(text: str | None) -> str | None:
    """What the store remembers about a barred number; raises `InvalidField` if too long."""
    note = (text or "").strip()
    if len(note) > NOTE_LENGTH_MAX:
        raise InvalidField("note", f"at most {NOTE_LENGTH_MAX} characters")
    return note or None


def read_birthday(text: str | None, today: date) -> date | None:
    """`YYYY-MM-DD` or an ISO date-time, whose UTC date counts; raises `InvalidBirthday`."""
    written = (text or "").strip()
    if not written:
        return None
    try:
        return check_birthday(_read_date(written), today)
    except (ValueError, OverflowError):
        raise InvalidBirthday from None


def check_birthday(birthday: date, today: date) -> date:
    """Before today, at most 150 years back; raises `InvalidBirthday`."""
    written, now = ((day.year, day.month, day.day) for day in (birthday, today))
    oldest = (today.year - BIRTHDAY_YEARS_MAX, today.month, today.day)
    if not oldest <= written < now:
        raise InvalidBirthday
    return birthday


def read_tags(tags: Iterable[str], path: str = "tags") -> tuple[str, ...]:
    """Trimmed, lower case, each once, in the order given; raises `InvalidTags` with the path."""
    distinct = tuple(dict.fromkeys(tag.strip().lower() for tag in tags))
    if len(distinct) > TAGS_MAX or any(_TAG.fullmatch(tag) is None for tag in distinct):
        raise InvalidTags(path=path)
    return distinct


def split_tags(text: str) -> tuple[str, ...]:
    """Tags written as a comma list; blanks between commas are nothing; raises `InvalidTags`."""
    return read_tags(tag for tag in text.split(",") if tag.strip())


def _read_date(text: str) -> date:
    """Raises `ValueError` or `OverflowError`."""
    if _DATE.fullmatch(text):
        return date.fromisoformat(text)
    if _MOMENT.fullmatch(text) is None:
        raise ValueError(text)
    moment = datetime.fromisoformat(text.upper())
    offset = moment.utcoffset() or timedelta(0)
    return (moment.replace(tzinfo=UTC) - offset).date()
