"""Who a shop is, how it sends, and its password (docs/api.md, 3.1)."""

import re
from datetime import time
from enum import StrEnum
from typing import Annotated, Final, TypeVar

import attrs

from adapters_http.resources.accounts.auth import (
    PASSWORD_GIVEN_CHARACTERS_MAX,
    Company,
    NewPassword,
    OkReply,
)
from adapters_http.web import codec
from adapters_http.web.context import Request, Response
from adapters_http.web.fields import Characters, Items
from adapters_http.web.routing import Access, Route
from retail_core.accounts import model
from retail_core.accounts.errors import AuthenticationFailed
from retail_core.accounts.model import Account, Locale, ProfileChanges, QuietHours, Weekday
from retail_core.accounts.queries import AccountQueries
from retail_core.accounts.use_cases import ChangePassword, EditProfile
from retail_core.credits.queries import CreditQueries
from retail_core.kernel.changes import KEEP, Keep
from retail_core.kernel.errors import InvalidField, RuleViolation, Unauthenticated
from retail_core.kernel.smart_encoding import SmartEncoding

Value = TypeVar("Value")
_CLOCK: Final = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d", re.ASCII)


class LocaleWord(StrEnum):
    """How a language may be written: templates call Greek `gr`."""

    EN = "en"
    EL = "el"
    GR = "gr"


@attrs.frozen
class QuietHoursShape:
    """When a shop sends no marketing; times as `HH:mm`."""

    start: str
    end: str
    days: Annotated[tuple[Weekday, ...], Items(0, model.QUIET_DAYS_MAX)]

    @classmethod
    def of(cls, quiet: QuietHours | None) -> "QuietHoursShape | None":
        """Show the hours, if the shop set any."""
        if quiet is None:
            return None
        return cls(f"{quiet.start:%H:%M}", f"{quiet.end:%H:%M}", quiet.days)

    def read(self) -> QuietHours:
        """The hours. Raises InvalidField for what no clock shows."""
        return QuietHours(
            _clock("quietHours.start", self.start), _clock("quietHours.end", self.end), self.days
        )


@attrs.frozen(kw_only=True)
class ProfileBody:
    """What a shop changes about itself; an absent key leaves it as it is."""

    company: Company | Keep | None = KEEP
    sender_name: str | Keep | None = KEEP
    timezone: str | Keep | None = KEEP
    adults_only: bool | Keep = KEEP
    quiet_hours: QuietHoursShape | Keep | None = KEEP
    default_country: str | Keep = KEEP
    locale: LocaleWord | Keep = KEEP
    smart_encoding: SmartEncoding | Keep = KEEP

    def changes(self) -> ProfileChanges:
        """What is to change. Raises RuleViolation if nothing is named, InvalidField for a value."""
        if self == ProfileBody():
            raise RuleViolation("There is nothing to change.")
        quiet = self.quiet_hours
        return ProfileChanges(
            company=self.company,
            sender_name=self.sender_name,
            timezone=self.timezone,
            adults_only=self.adults_only,
            quiet_hours=quiet.read() if isinstance(quiet, QuietHoursShape) else quiet,
            default_country=self.default_country,
            locale=KEEP if isinstance(self.locale, Keep) else locale_of(self.locale),
            smart_encoding=self.smart_encoding,
        )


@attrs.frozen(kw_only=True)
class Profile:
    """The account as its owner sees it."""

    id: int
    email: str = attrs.field(repr=False)
    sender_name: str | None
    company: str | None
    timezone: str | None
    adults_only: bool
    quiet_hours: QuietHoursShape | None
    default_country: str
    locale: str
    smart_encoding: str

    @classmethod
    def of(cls, account: Account) -> "Profile":
        """Show an account."""
        return cls(
            id=account.id,
            email=account.email,
            sender_name=account.sender_name,
            company=account.company,
            timezone=account.timezone,
            adults_only=account.adults_only,
            quiet_hours=QuietHoursShape.of(account.quiet_hours),
            default_country=account.default_country,
            locale=account.locale.value,
            smart_encoding=account.smart_encoding.value,
        )


@attrs.frozen(kw_only=True)
class Me(Profile):
    """The profile with the credits that are free to spend."""

    credits: int


@attrs.frozen
class MeReply:
    """Who is signed in."""

    user: Me


@attrs.frozen
class PasswordBody:
    """The password so far, and the one from now on."""

    old_password: Annotated[str, Characters(1, PASSWORD_GIVEN_CHARACTERS_MAX)] = attrs.field(
        repr=False
    )
    new_password: NewPassword = attrs.field(repr=False)


@attrs.frozen
class WhoAmI:
    """`/api/me`."""

    accounts: AccountQueries
    credits: CreditQueries

    def on_get(self, req: Request, resp: Response) -> None:
        """Show the account."""
        account = self.accounts.find(req.account)
        if account is None:
            raise Unauthenticated
        available = self.credits.wallet(req.account).available
        resp.media = {"user": codec.shape(Profile.of(account)) | {"credits": available}}


@attrs.frozen
class User:
    """`/api/user`."""

    edit: EditProfile

    def on_put(self, req: Request, resp: Response) -> None:
        """Change what is named."""
        changes = codec.body(req, ProfileBody).changes()
        resp.media = codec.shape(Profile.of(self.edit(req.account, changes)))


@attrs.frozen
class Password:
    """`/api/user/password`."""

    change: ChangePassword

    def on_put(self, req: Request, resp: Response) -> None:
        """Change it; every other session ends."""
        body = codec.body(req, PasswordBody)
        self.change(req.account, req.session, body.old_password, body.new_password)
        resp.media = codec.shape(OkReply())


def _clock(path: str, text: str) -> time:
    if not _CLOCK.fullmatch(text):
        raise InvalidField(path, "must be a time as HH:mm")
    return time.fromisoformat(text)


def locale_of(word: LocaleWord) -> Locale:
    """The language of a word; `gr` is a legacy one for Greek."""
    return Locale.EN if word is LocaleWord.EN else Locale.EL


ROUTES: Final = (
    Route(
        method="GET",
        path="/api/me",
        resource=WhoAmI,
        access=Access.USER,
        summary="Show who is signed in",
        reply=MeReply,
    ),
    Route(
        method="PUT",
        path="/api/user",
        resource=User,
        access=Access.SESSION,
        summary="Change the shop's profile and how it sends",
        body=ProfileBody,
        reply=Profile,
        example={"company": "My Shop Ltd", "timezone": "Europe/Athens", "adultsOnly": False},
    ),
    Route(
        method="PUT",
        path="/api/user/password",
        resource=Password,
        access=Access.SESSION,
        summary="Change the password and end all other sessions",
        limits=("password-user",),
        body=PasswordBody,
        reply=OkReply,
        errors=(AuthenticationFailed,),
        no_store=True,
    ),
)
