"""What notifiers are told from outside."""

import enum
from email.headerregistry import Address
from email.utils import parseaddr
from typing import Final, Self
from urllib.parse import unquote, urlsplit

import attrs

from retail_core.kernel.addresses.emails import parse_email
from retail_core.kernel.secrets import SecretText
from retail_core.kernel.settings import AppEnv, Env
from retail_core.notices.use_cases import ResetLink

TIMEOUT_SECONDS: Final = 10
TIMEOUT_SECONDS_MAX: Final = 10
"""A hand-over waits some ten times for the server, and must end before its claim does."""

NONE: Final = "none"
PORT: Final = 3001
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class NotifierKind(enum.StrEnum):
    """How owners are told."""

    LOG = "log"
    SMTP = "smtp"


class Tls(enum.StrEnum):
    """How a connection is encrypted; the values are schemes of `SMTP_URL`."""

    FROM_THE_START = "smtps"
    STARTTLS = "smtp"
    NONE = "smtp+plain"


PORTS: Final = {Tls.FROM_THE_START: 465, Tls.STARTTLS: 587, Tls.NONE: 25}


@attrs.frozen
class SmtpSettings:
    """The mail server, and who letters are from."""

    host: str
    port: int
    tls: Tls
    user: str | None
    password: SecretText
    sender: Address
    timeout_seconds: float = TIMEOUT_SECONDS

    @classmethod
    def read(cls, env: Env) -> Self:
        """Take the variables; problems are collected by `env`."""
        url = urlsplit(env.secret_url("SMTP_URL", schemes=tuple(Tls)).reveal())
        tls = Tls(url.scheme or Tls.STARTTLS)
        host = url.hostname or ""
        if tls is Tls.NONE and env.app_env is AppEnv.PRODUCTION and host not in LOOPBACK:
            env.problem("SMTP_URL", "sends passwords and links in clear to another machine")
        return cls(
            host=host,
            port=url.port or PORTS[tls],
            tls=tls,
            user=unquote(url.username) if url.username else None,
            password=SecretText(unquote(url.password or "")),
            sender=env.parsed("SMTP_FROM", _sender, default=_NO_SENDER),
            timeout_seconds=env.integer(
                "SMTP_TIMEOUT_SECONDS",
                default=TIMEOUT_SECONDS,
                minimum=1,
                maximum=TIMEOUT_SECONDS_MAX,
            ),
        )


_NO_SENDER: Final = Address()


@attrs.frozen
class NotifyingSettings:
    """How owners are told, and the page that sets a new password."""

    smtp: SmtpSettings | None
    shows_letters: bool
    reset_link: ResetLink

    @classmethod
    def read(cls, env: Env) -> Self:
        """Take the variables; problems are collected by `env`."""
        kind = env.choice("NOTIFIER", NotifierKind, default=NotifierKind.LOG)
        if kind is NotifierKind.SMTP and not env.given("SMTP_FROM"):
            env.problem("SMTP_FROM", "missing")
        return cls(
            smtp=SmtpSettings.read(env) if kind is NotifierKind.SMTP else None,
            shows_letters=env.app_env is AppEnv.DEVELOPMENT,
            reset_link=ResetLink(_reset_url(env)),
        )


def _reset_url(env: Env) -> str:
    if env.given("PASSWORD_RESET_URL"):
        url = env.url("PASSWORD_RESET_URL", default="")
        if "{token}" not in url:
            env.problem("PASSWORD_RESET_URL", "has no {token} in it")
        return url
    for name in ("FRONTEND_URL", "APP_URL", "PUBLIC_BASE_URL"):
        base = env.url(name, default="", words=(NONE,))
        if base not in ("", NONE):
            return f"{base}/reset-password?token={{token}}"
    if env.app_env is AppEnv.PRODUCTION:
        env.problem("PASSWORD_RESET_URL", "missing (nor FRONTEND_URL)")
    port = env.integer("PORT", default=PORT, minimum=1, maximum=65_535)
    return f"http://127.0.0.1:{port}/reset-password?token={{token}}"


def _sender(raw: str) -> Address:
    name, found = parseaddr(raw)
    known = parse_email(found)
    if known is None or not known.isascii() or not name.isprintable():
        raise ValueError("is no address such as Shop <noreply@shop.example>")
    return Address(display_name=name, addr_spec=known)
