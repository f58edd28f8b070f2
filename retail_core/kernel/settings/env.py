"""Settings from the environment: every missing or malformed variable is named at once.

How an adapter declares its own, in its `settings.py`:

>>> import attrs
>>> from typing import Self
>>> @attrs.frozen
... class SmsSettings:
...     '''The gateway, and how long we wait for it.'''
...     api_base: str
...     api_key: SecretText
...     timeout_seconds: int
...
...     @classmethod
...     def read(cls, env: Env) -> Self:
...         '''Take the gateway's variables; problems are collected by `env`.'''
...         return cls(
...             api_base=env.url("MITTO_API_BASE", default="https://gateway.example"),
...             api_key=env.secret("MITTO_API_KEY"),
...             timeout_seconds=env.integer("MITTO_TIMEOUT_SECONDS", default=30, minimum=1),
...         )

A composition root reads all of them and then asks once whether anything was wrong:

>>> env = Env({"MITTO_API_KEY": "k-123", "APP_ENV": "test"})
>>> settings = SmsSettings.read(env)
>>> env.finish()
()
>>> settings
SmsSettings(api_base='https://gateway.example', api_key=SecretText('***'), timeout_seconds=30)

>>> env = Env({"MITTO_TIMEOUT_SECONDS": "soon", "APP_ENV": "production"})
>>> settings = SmsSettings.read(env)
>>> env.finish()
Traceback (most recent call last):
retail_core.kernel.settings.env.SettingsError: settings are missing or malformed:
  MITTO_API_KEY: missing
  MITTO_TIMEOUT_SECONDS: 'soon' is not a whole number

Until `finish` has returned, what a method gave for a bad variable is a stand-in without meaning: it
has the right type, so reading goes on, and nothing may be built from it.

`default` holds everywhere, `development` only where APP_ENV is `development`; a variable with
neither is required. An empty variable counts as not set.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Final, TypeVar
from urllib.parse import quote

from retail_core.kernel.secrets import SecretText
from retail_core.kernel.settings import values

SHOWN_CHARACTERS_MAX: Final = 40
HTTP: Final = ("https", "http")
REDIS: Final = ("redis", "rediss", "unix")

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)


class _Unset(Enum):
    """The one value that no setting can have."""

    UNSET = "unset"


UNSET: Final = _Unset.UNSET


class AppEnv(StrEnum):
    """Where the service runs; only `development` has defaults for what is required elsewhere."""

    PRODUCTION = "production"
    DEVELOPMENT = "development"
    TEST = "test"


class SettingsError(Exception):
    """The process must not start; `problems` has a line for each bad variable, without secrets."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        self.problems = problems
        lines = "".join(f"\n  {problem}" for problem in problems)
        super().__init__(f"settings are missing or malformed:{lines}")


class Env:
    """One reading of the environment: typed values out, problems and warnings collected."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = dict(variables)
        self._problems: dict[str, str] = {}
        self._warnings: list[str] = []
        # the strict checks of production hold if nobody says otherwise; NODE_ENV is the legacy name
        self.app_env = AppEnv.PRODUCTION
        self.app_env = self.choice("APP_ENV", AppEnv, default=self.app_env, also=("NODE_ENV",))

    @property
    def is_development(self) -> bool:
        """Whether the development defaults hold."""
        return self.app_env is AppEnv.DEVELOPMENT

    def given(self, name: str) -> bool:
        """Whether the variable has a value: for settings that may be absent.

        `token = env.secret("METRICS_TOKEN") if env.given("METRICS_TOKEN") else None`
        """
        return bool(self._variables.get(name, "").strip())

    def problem(self, name: str, text: str) -> None:
        """Note that a variable is wrong, for a rule of the caller's; the first note counts."""
        self._problems.setdefault(name, text)

    def warn(self, text: str) -> None:
        """Note something the operator should know and the process can live with."""
        self._warnings.append(text)

    def finish(self) -> tuple[str, ...]:
        """End the reading and give the warnings, for the log.

        Raises SettingsError, naming every problem in the order of the names.
        """
        if self._problems:
            raise SettingsError(
                tuple(f"{name}: {text}" for name, text in sorted(self._problems.items()))
            )
        return tuple(self._warnings)

    def text(
        self,
        name: str,
        *,
        default: str | _Unset = UNSET,
        development: str | _Unset = UNSET,
        also: tuple[str, ...] = (),
        characters_max: int = values.CHARACTERS_MAX,
    ) -> str:
        """A text without blanks around it."""
        parse = values.bounded_text(characters_max)
        return self._value(name, parse, "", default, development, also=also)

    def secret(
        self,
        name: str,
        *,
        default: str | _Unset = UNSET,
        development: str | _Unset = UNSET,
        also: tuple[str, ...] = (),
        bytes_min: int = 1,
    ) -> SecretText:
        """A text that no message shows, of at least `bytes_min` bytes."""
        parse = values.long_enough(bytes_min)
        text = self._value(name, parse, "", default, development, also=also, hide=True)
        return SecretText(text)

    def integer(
        self,
        name: str,
        *,
        default: int | _Unset = UNSET,
        minimum: int = 0,
        maximum: int = 2**31 - 1,
    ) -> int:
        """A whole number from `minimum` to `maximum`."""
        return self._value(name, values.whole_number(minimum, maximum), minimum, default)

    def decimal(
        self,
        name: str,
        *,
        default: Decimal | _Unset = UNSET,
        minimum: Decimal = Decimal(0),
        maximum: Decimal = Decimal(10**9),
    ) -> Decimal:
        """An exact decimal number from `minimum` to `maximum`, with a point."""
        return self._value(name, values.decimal_number(minimum, maximum), minimum, default)

    def flag(self, name: str, *, default: bool | _Unset = UNSET) -> bool:
        """Yes or no: `1 true yes on` or `0 false no off`."""
        return self._value(name, values.yes_or_no, False, default)

    def choice(self, name: str, choices: type[E], *, default: E, also: tuple[str, ...] = ()) -> E:
        """One of the words of an enumeration, in any case of letters."""
        return self._value(name, values.one_of(choices), default, default, also=also)

    def url(
        self,
        name: str,
        *,
        default: str | _Unset = UNSET,
        development: str | _Unset = UNSET,
        schemes: tuple[str, ...] = HTTP,
        words: tuple[str, ...] = (),
    ) -> str:
        """An address without a slash at its end, or one of `words` (such as `none`)."""
        parse = values.address(schemes, words)
        return self._value(name, parse, "", default, development, hide=True)

    def secret_url(
        self, name: str, *, default: str | _Unset = UNSET, schemes: tuple[str, ...]
    ) -> SecretText:
        """An address that holds a password, such as a database's."""
        text = self._value(name, values.address(schemes, ()), "", default, hide=True)
        return SecretText(text)

    def duration(
        self,
        name: str,
        *,
        default: timedelta | _Unset = UNSET,
        minimum: timedelta = timedelta(seconds=1),
        maximum: timedelta = timedelta(days=3660),
    ) -> timedelta:
        """A span such as `500ms`, `90` or `90s`, `15m`, `12h`, `30d`; a bare number is seconds."""
        return self._value(name, values.span(minimum, maximum), minimum, default)

    def csv(self, name: str, *, default: tuple[str, ...] | _Unset = ()) -> tuple[str, ...]:
        """Texts between commas; blanks and empty places do not count."""
        return self._value(name, values.between_commas, (), default)

    def networks(self, name: str) -> tuple[values.Network, ...]:
        """Addresses and networks (CIDR) between commas; none by default."""
        return self._value(name, values.networks, (), ())

    def parsed(
        self,
        name: str,
        parse: Callable[[str], T],
        *,
        default: T,
        development: T | _Unset = UNSET,
    ) -> T:
        """A form of the caller's own; `parse` raises ValueError with a text such as "is odd"."""
        return self._value(name, parse, default, default, development)

    def redis_url(self) -> SecretText | None:
        """REDIS_URL or the legacy parts of it; None where it is `disabled` (not in production)."""
        if self._variables.get("REDIS_URL", "").strip().lower() == "disabled":
            if self.app_env is AppEnv.PRODUCTION:
                self.problem("REDIS_URL", "'disabled' is for development")
            return None
        if self.given("REDIS_URL") or not self.given("REDIS_HOST"):
            return self.secret_url("REDIS_URL", schemes=REDIS)
        return self._redis_of_parts()

    def _redis_of_parts(self) -> SecretText:
        scheme = "rediss" if self.flag("REDIS_TLS", default=False) else "redis"
        host = self.text("REDIS_HOST")
        port = self.integer("REDIS_PORT", default=6379, minimum=1, maximum=65_535)
        number = self.integer("REDIS_DB", default=0, maximum=15)
        user = quote(self.text("REDIS_USERNAME", default=""), safe="")
        password = quote(self.secret("REDIS_PASSWORD", default="").reveal(), safe="")
        sign_in = f"{user}:{password}@" if user or password else ""
        return SecretText(f"{scheme}://{sign_in}{host}:{port}/{number}")

    def _value(
        self,
        name: str,
        parse: Callable[[str], T],
        stand_in: T,
        default: T | _Unset = UNSET,
        development: T | _Unset = UNSET,
        *,
        also: tuple[str, ...] = (),
        hide: bool = False,
    ) -> T:
        found = next((each for each in (name, *also) if self.given(each)), None)
        if found is None:
            return self._absent(name, stand_in, default, development, also)
        raw = self._variables[found].strip()
        try:
            return parse(raw)
        except ValueError as fault:
            shown = "" if hide else f"{raw[:SHOWN_CHARACTERS_MAX]!r} "
            self.problem(found, f"{shown}{fault}")
            return stand_in

    def _absent(
        self,
        name: str,
        stand_in: T,
        default: T | _Unset,
        development: T | _Unset,
        also: tuple[str, ...],
    ) -> T:
        if self.is_development and not isinstance(development, _Unset):
            return development
        if not isinstance(default, _Unset):
            return default
        others = f" (nor {' or '.join(also)})" if also else ""
        self.problem(name, f"missing{others}")
        return stand_in
