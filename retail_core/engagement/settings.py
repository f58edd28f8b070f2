"""The words by which people leave, and what confirmations are told, as the operator says."""

from enum import StrEnum

from retail_core.credits.settings import low_credits, prices
from retail_core.engagement.model import (
    BUILT_IN,
    DAILY_MAX,
    ConfirmationPolicy,
    Keywords,
    StopConfirmationPolicy,
)
from retail_core.kernel.settings import Env
from retail_core.kernel.settings.policy_file import policy_content
from retail_core.links.settings import public_base_url
from retail_core.messages.settings import fallback_sender


class StopConfirmation(StrEnum):
    """Whether a STOP is confirmed by a text."""

    OFF = "off"
    ON = "on"


def keywords(env: Env) -> Keywords:
    """The words by which people leave by SMS; problems are collected by `env`.

    The part `stopWords` of the file adds some to the built-in ones: `first` those that count as
    the first word, `whole` those that count alone; a plain list is `whole`.
    """
    return env.parsed("POLICY_FILE", _read_keywords, default=BUILT_IN)


def confirmation_policy(env: Env) -> ConfirmationPolicy:
    """What confirmations are told: the page is ours, and leads on to the web client's if any."""
    return ConfirmationPolicy(
        page=f"{public_base_url(env)}/u/{{code}}",
        fallback_sender=fallback_sender(env),
        prices=prices(env),
        daily_max=env.integer("CONFIRMATION_DAILY_MAX", default=DAILY_MAX, maximum=1_000_000),
        low_credits=low_credits(env),
    )


def stop_confirmation_policy(env: Env) -> StopConfirmationPolicy:
    """Whether whoever leaves by STOP is told so by one text, and how that is sent."""
    choice = env.choice("STOP_CONFIRMATION", StopConfirmation, default=StopConfirmation.OFF)
    return StopConfirmationPolicy(
        is_on=choice is StopConfirmation.ON,
        fallback_sender=fallback_sender(env),
        prices=prices(env),
        low_credits=low_credits(env),
    )


def _read_keywords(raw: str) -> Keywords:
    given = policy_content(raw).get("stopWords", [])
    parts = {"whole": given} if isinstance(given, list) else given
    is_plain = isinstance(parts, dict) and parts.keys() <= {"first", "whole"}
    _must(is_plain, "has odd stopWords: a list, or first and whole")
    for words in parts.values():
        _must(isinstance(words, list), "has odd stopWords: lists of words")
        _must(all(isinstance(word, str) for word in words), "has odd stopWords: words are texts")
    try:
        return BUILT_IN.extended(parts.get("first", ()), parts.get("whole", ()))
    except ValueError as fault:
        raise ValueError(f"has odd stopWords: {fault}") from None


def _must(holds: bool, fault: str) -> None:  # noqa: FBT001 - it reads as a sentence
    if not holds:
        raise ValueError(fault)
