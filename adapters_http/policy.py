"""What the operator's policy says: `POLICY_FILE`, and whether it binds."""

import json
import re
from datetime import time, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from retail_core.accounts.model import Weekday
from retail_core.audiences.model import FrequencyCap
from retail_core.engagement import model as engagement
from retail_core.engagement.model import Keywords
from retail_core.kernel.phones import is_supported_region
from retail_core.kernel.settings import Env
from retail_core.kernel.settings.env import AppEnv
from retail_core.messages.quiet_hours import BUILT_IN, OFF, Holiday, QuietPolicy, QuietRule

FILE_BYTES_MAX: Final = 1_000_000
CAP_DAYS_MAX: Final = 366
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


def keywords(env: Env) -> Keywords:
    """The words by which people leave by SMS; problems are collected by `env`.

    The part `stopWords` of the file adds some to the built-in ones: `first` those that count as
    the first word, `whole` those that count alone; a plain list is `whole`.
    """
    return env.parsed("POLICY_FILE", _read_keywords, default=engagement.BUILT_IN)


def frequency_cap(env: Env) -> FrequencyCap | None:
    """How much marketing one contact may get; None, as by default: any."""
    days = env.integer("FREQUENCY_CAP_DAYS", default=7, minimum=1, maximum=CAP_DAYS_MAX)
    messages_max = env.integer("FREQUENCY_CAP_MAX", default=0)
    return FrequencyCap(messages_max, timedelta(days=days)) if messages_max else None


def _read_keywords(raw: str) -> Keywords:
    given = _content(raw).get("stopWords", [])
    parts = {"whole": given} if isinstance(given, list) else given
    is_plain = isinstance(parts, dict) and parts.keys() <= {"first", "whole"}
    _must(is_plain, "has odd stopWords: a list, or first and whole")
    for words in parts.values():
        _must(isinstance(words, list), "has odd stopWords: lists of words")
        _must(all(isinstance(word, str) for word in words), "has odd stopWords: words are texts")
    try:
        return engagement.BUILT_IN.extended(parts.get("first", ()), parts.get("whole", ()))
    except ValueError as fault:
        raise ValueError(f"has odd stopWords: {fault}") from None


def _read(raw: str) -> QuietPolicy:
    quiet = _content(raw).get("quietHours", {})
    _must(isinstance(quiet, dict), "does not hold quietHours by country")
    by_country: dict[str, Any] = quiet or {}
    rules = {country: _rule(country, each) for country, each in by_country.items()}
    elsewhere = rules.pop(ELSEWHERE, BUILT_IN.elsewhere)
    return QuietPolicy({**BUILT_IN.by_country, **rules}, elsewhere)


def _content(raw: str) -> dict[str, Any]:
    """What is in the file. Raises `ValueError`."""
    path = Path(raw)
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise ValueError(f"is larger than {FILE_BYTES_MAX} bytes")
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise ValueError("is no file that can be read") from None
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
        raise ValueError("is not JSON") from None
    _must(isinstance(found, dict), "does not hold quietHours by country, or other parts")
    content: dict[str, Any] = found
    return content


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
