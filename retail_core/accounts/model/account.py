"""An account is one shop: who signs in, and how it sends."""

import enum
from datetime import datetime, time
from typing import Final

import attrs

from retail_core.kernel.addresses.emails import parse_email
from retail_core.kernel.addresses.phones import is_supported_region
from retail_core.kernel.addresses.senders import is_valid_sender
from retail_core.kernel.changes import KEEP, Keep
from retail_core.kernel.errors import InvalidField
from retail_core.kernel.ids import AccountId
from retail_core.kernel.smart_encoding import SmartEncoding
from retail_core.kernel.time.zones import is_zone

PASSWORD_CHARACTERS_MIN: Final = 8
PASSWORD_CHARACTERS_MAX: Final = 128
COMPANY_CHARACTERS_MAX: Final = 160
QUIET_DAYS_MAX: Final = 6
"""A shop that is quiet on all seven days would never send anything."""


class Locale(enum.StrEnum):
    """The language in which a shop's customers are addressed where it wrote no text of its own."""

    EN = "en"
    EL = "el"


class Weekday(enum.StrEnum):
    """A day of the week, as the contract spells it."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


@attrs.frozen
class QuietHours:
    """When a shop sends no marketing: from `start` to `end` of its day, and never on `days`.

    The window may cross midnight; equal ends mean that there is none.
    """

    start: time
    end: time
    days: tuple[Weekday, ...] = ()


@attrs.frozen
class AccountDefaults:
    """What a new account begins with."""

    country: str = "GR"
    locale: Locale = Locale.EN


@attrs.frozen(kw_only=True)
class Account:
    """One shop: who signs in, and how it sends.

    `password_hash` is None for the system account, which nobody signs in to.
    """

    id: AccountId
    email: str = attrs.field(repr=False)
    password_hash: str | None = attrs.field(repr=False)
    sender_name: str | None
    company: str | None
    timezone: str | None
    adults_only: bool
    quiet_hours: QuietHours | None
    default_country: str
    locale: Locale
    smart_encoding: SmartEncoding
    created_at: datetime
    updated_at: datetime


@attrs.frozen(kw_only=True)
class NewAccount:
    """An account before it has an id."""

    email: str = attrs.field(repr=False)
    password_hash: str = attrs.field(repr=False)
    sender_name: str | None
    company: str | None
    default_country: str
    locale: Locale
    created_at: datetime


@attrs.frozen
class Registration:
    """What somebody gives to open an account, checked."""

    email: str = attrs.field(repr=False)
    password: str = attrs.field(repr=False)
    sender_name: str | None
    company: str | None

    @classmethod
    def of(
        cls, email: str, password: str, sender_name: str | None = None, company: str | None = None
    ) -> "Registration":
        """Check all rules. Raises InvalidField for the first one that is broken."""
        known = parse_email(email)
        if known is None:
            raise InvalidField("email", "is not an e-mail address")
        check_password(password)
        _check_sender_name(sender_name)
        _check_company(company)
        return cls(known, password, sender_name or None, company or None)

    def account(self, password_hash: str, defaults: AccountDefaults, now: datetime) -> NewAccount:
        """The account to be made of it."""
        return NewAccount(
            email=self.email,
            password_hash=password_hash,
            sender_name=self.sender_name,
            company=self.company,
            default_country=defaults.country,
            locale=defaults.locale,
            created_at=now,
        )


def check_password(password: str, field: str = "password") -> None:
    """Raise InvalidField for a password that is too short or too long."""
    if not PASSWORD_CHARACTERS_MIN <= len(password) <= PASSWORD_CHARACTERS_MAX:
        raise InvalidField(
            field, f"must have {PASSWORD_CHARACTERS_MIN} to {PASSWORD_CHARACTERS_MAX} characters"
        )


def _none_if_empty(value: str | Keep | None) -> str | Keep | None:
    return value or None


@attrs.frozen(kw_only=True)
class ProfileChanges:
    """What a shop changes about itself: None clears, `KEEP` leaves alone.

    Raises InvalidField for the first rule that is broken.
    """

    company: str | Keep | None = attrs.field(default=KEEP, converter=_none_if_empty)
    sender_name: str | Keep | None = attrs.field(default=KEEP, converter=_none_if_empty)
    timezone: str | Keep | None = attrs.field(default=KEEP, converter=_none_if_empty)
    adults_only: bool | Keep = KEEP
    quiet_hours: QuietHours | Keep | None = KEEP
    default_country: str | Keep = KEEP
    locale: Locale | Keep = KEEP
    smart_encoding: SmartEncoding | Keep = KEEP

    def __attrs_post_init__(self) -> None:
        if isinstance(self.company, str):
            _check_company(self.company)
        if isinstance(self.sender_name, str):
            _check_sender_name(self.sender_name)
        if isinstance(self.timezone, str) and not is_zone(self.timezone):
            raise InvalidField("timezone", "is not a name of the IANA time zone database")
        if isinstance(self.quiet_hours, QuietHours):
            _check_quiet_days(self.quiet_hours.days)
        if isinstance(self.default_country, str) and not is_supported_region(self.default_country):
            raise InvalidField("defaultCountry", "is not an ISO 3166 code of a known country")

    def applied_to(self, account: Account, now: datetime) -> Account:
        """The account as it is afterwards."""
        named = {field.name: getattr(self, field.name) for field in attrs.fields(type(self))}
        changed = {name: value for name, value in named.items() if value is not KEEP}
        return attrs.evolve(account, updated_at=now, **changed)


def _check_sender_name(name: str | None) -> None:
    if name and not is_valid_sender(name):
        raise InvalidField(
            "senderName", "must be 3 to 11 letters and digits with a letter, or a phone number"
        )


def _check_company(company: str | None) -> None:
    if company and len(company) > COMPANY_CHARACTERS_MAX:
        raise InvalidField("company", f"must have at most {COMPANY_CHARACTERS_MAX} characters")


def _check_quiet_days(days: tuple[Weekday, ...]) -> None:
    if len(days) > QUIET_DAYS_MAX:
        raise InvalidField("quietHours.days", f"must have at most {QUIET_DAYS_MAX} days")
    if len(set(days)) < len(days):
        raise InvalidField("quietHours.days", "names a day twice")
