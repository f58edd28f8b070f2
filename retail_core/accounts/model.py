"""An account is one shop; a session is one sign-in of it."""

import enum
from datetime import datetime, time, timedelta
from typing import Final

import attrs

from retail_core.kernel.emails import parse_email
from retail_core.kernel.errors import InvalidField
from retail_core.kernel.ids import AccountId, SessionId
from retail_core.kernel.senders import is_valid_sender
from retail_core.kernel.smart_encoding import SmartEncoding

PASSWORD_CHARACTERS_MIN: Final = 8
PASSWORD_CHARACTERS_MAX: Final = 128
COMPANY_CHARACTERS_MAX: Final = 160
USER_AGENT_CHARACTERS_MAX: Final = 500
REFRESH_TOKEN_BYTES: Final = 64


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
    email: str
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

    email: str
    password_hash: str = attrs.field(repr=False)
    sender_name: str | None
    company: str | None
    default_country: str
    locale: Locale
    created_at: datetime


@attrs.frozen
class Registration:
    """What somebody gives to open an account, checked."""

    email: str
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
        if sender_name and not is_valid_sender(sender_name):
            raise InvalidField(
                "senderName", "must be 3 to 11 letters and digits with a letter, or a phone number"
            )
        if company and len(company) > COMPANY_CHARACTERS_MAX:
            raise InvalidField("company", f"must have at most {COMPANY_CHARACTERS_MAX} characters")
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


@attrs.frozen
class Device:
    """From where somebody signed in, for the list of sessions."""

    ip: str | None = None
    user_agent: str | None = None


@attrs.frozen
class SessionRules:
    """How long tokens and sessions live."""

    access: timedelta = timedelta(minutes=15)
    refresh: timedelta = timedelta(days=30)
    refresh_grace: timedelta = timedelta(seconds=10)
    session: timedelta = timedelta(days=180)


@attrs.frozen(kw_only=True)
class NewSession:
    """A session before it has an id."""

    account: AccountId
    device: Device
    created_at: datetime
    expires_at: datetime
    ends_at: datetime


@attrs.frozen(kw_only=True)
class Session:
    """One sign-in, and all the tokens that came of it.

    Refresh tokens carry a generation; `generation` is the one in use and `rotated_at` is when it
    came. `expires_at` moves with every refresh, at most to `ends_at`.
    """

    id: SessionId
    account: AccountId
    device: Device
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    ends_at: datetime
    generation: int
    rotated_at: datetime
    revoked_at: datetime | None

    def is_live(self, now: datetime) -> bool:
        """Whether it still lets anybody in."""
        return self.revoked_at is None and now < self.expires_at


@attrs.frozen
class RefreshToken:
    """A refresh token as it is kept: by its hash alone."""

    hash: bytes
    account: AccountId
    session: SessionId
    generation: int
    expires_at: datetime


class Use(enum.Enum):
    """What a refresh token that was presented is good for."""

    ROTATE = "rotate"
    """It is in use: the next generation begins."""
    JOIN = "join"
    """It was replaced a moment ago, by another tab: a further token of the present generation."""
    REFUSE = "refuse"
    """It or its session is over."""
    THEFT = "theft"
    """It was replaced long ago: somebody has a copy."""


def use_of(session: Session, token: RefreshToken, rules: SessionRules, now: datetime) -> Use:
    """Judge a token. Only the directly preceding generation is forgiven, and only for a moment."""
    if not session.is_live(now) or now >= token.expires_at:
        return Use.REFUSE
    if token.generation == session.generation:
        return Use.ROTATE
    is_preceding = token.generation == session.generation - 1
    if is_preceding and now <= session.rotated_at + rules.refresh_grace:
        return Use.JOIN
    return Use.THEFT


@attrs.frozen
class AccessClaims:
    """What a valid access token says."""

    account: AccountId
    session: SessionId
