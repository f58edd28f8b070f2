"""The quiet hours of countries and the fallback sender, as the operator says."""

import re
from datetime import time
from enum import StrEnum
from typing import Any, Final

from retail_core.accounts.model import Weekday
from retail_core.kernel.addresses.phones import is_supported_region
from retail_core.kernel.addresses.senders import is_valid_sender
from retail_core.kernel.settings import Env
from retail_core.kernel.settings.env import AppEnv
from retail_core.kernel.settings.policy_file import policy_content
from retail_core.messages.quiet_hours import BUILT_IN, OFF, Holiday, QuietPolicy, QuietRule

ELSEWHERE: Final = "*"

_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII)
_FIELDS: Final = frozenset({"start", "end", "days", "holidays"})


class Binding(StrEnum):
    """Whether the countries' quiet hours bind; a shop's own always do."""

    ON = "on"
    OFF = "off"


def quiet_policy(env: Env) -> QuietPolicy:
    """The quiet hours of countries; problems are collected by `env`.

    The part `quietHours` of the file replaces the built-in rule of each country that it names;
    `*` stands for all others, and null for a country without quiet hours.
    """
    usual = Binding.ON if env.app_env is AppEnv.PRODUCTION else Binding.OFF
    policy = env.parsed("POLICY_FILE", _read, default=BUILT_IN)
    is_on = env.choice("QUIET_HOURS_POLICY", Binding, default=usual) is Binding.ON
    return policy if is_on else OFF


def fallback_sender(env: Env) -> str | None:
    """The sender of whoever chose none."""
    found: str | None = env.parsed("MITTO_SENDER", _sender, default=None)
    return found


def _sender(raw: str) -> str | None:
    if not is_valid_sender(raw):
        raise ValueError("is no sender name: 3 to 11 letters and digits, or a number in E.164 form")
    return raw


def _read(raw: str) -> QuietPolicy:
    quiet = policy_content(raw).get("quietHours", {})
    _must(isinstance(quiet, dict), "does not hold quietHours by country")
    by_country: dict[str, Any] = quiet or {}
    rules = {country: _rule(country, each) for country, each in by_country.items()}
    elsewhere = rules.pop(ELSEWHERE, BUILT_IN.elsewhere)
    return QuietPolicy({**BUILT_IN.by_country, **rules}, elsewhere)


def _rule(country: str, given: Any) -> QuietRule | None:  # noqa: ANN401 - any JSON
    if country != ELSEWHERE and not is_supported_region(country):
        raise ValueError(f"names no country: {country!r}")
    if given is None:
        return None
    try:
        return _rule_of(given)
    except (AttributeError, KeyError, TypeError, ValueError) as fault:
        raise ValueError(f"has odd quietHours of {country}: {fault}") from None


def _rule_of(given: Any) -> QuietRule:  # noqa: ANN401 - any JSON
    _must(given.keys() <= _FIELDS, f"may have {', '.join(sorted(_FIELDS))}")
    return QuietRule(
        _clock(given["start"]),
        _clock(given["end"]),
        frozenset(Weekday(day) for day in given.get("days", ())),
        tuple(Holiday.of(text) for text in given.get("holidays", ())),
    )


def _clock(text: object) -> time:
    is_clock = isinstance(text, str) and _CLOCK.fullmatch(text)
    _must(bool(is_clock), "start and end are times such as 21:00")
    return time.fromisoformat(str(text))


def _must(holds: bool, fault: str) -> None:  # noqa: FBT001 - it reads as a sentence
    if not holds:
        raise ValueError(fault)
