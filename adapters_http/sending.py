"""What the operator says about sending, for every root that writes or starts campaigns."""

import json
from enum import StrEnum

from adapters_http.policy import frequency_cap, quiet_policy
from retail_core.campaigns.planning import PARTS_MAX, RECIPIENTS_DAILY_MAX, SendingPolicy
from retail_core.credits.model import CREDITS_MAX, LOW_CREDITS
from retail_core.engagement.model import (
    DAILY_MAX,
    ConfirmationPolicy,
    StopConfirmationPolicy,
)
from retail_core.kernel.money import DEFAULT_PRICES, PriceList
from retail_core.kernel.phones import is_supported_region
from retail_core.kernel.senders import is_valid_sender
from retail_core.kernel.settings import Env
from retail_core.links.urls import LinkTemplates
from retail_core.messages.model import BATCH_MESSAGES_MAX

_FALLBACK_LINKS = LinkTemplates.of_settings(public_base_url="http://127.0.0.1")


class StopConfirmation(StrEnum):
    """Whether a STOP is confirmed by a text."""

    OFF = "off"
    ON = "on"


def sending_policy(env: Env) -> SendingPolicy:
    """Take the variables; problems are collected by `env`."""
    return SendingPolicy(
        links=link_templates(env),
        fallback_sender=_fallback_sender(env),
        prices=_prices(env),
        parts_max=env.integer("MAX_SEGMENTS", default=PARTS_MAX, minimum=1, maximum=255),
        batch_messages_max=env.integer(
            "SMS_BATCH_SIZE", default=BATCH_MESSAGES_MAX, minimum=1, maximum=BATCH_MESSAGES_MAX
        ),
        low_credits=_low_credits(env),
        quiet=quiet_policy(env),
        cap=frequency_cap(env),
        recipients_daily_max=env.integer(
            "CAMPAIGN_RECIPIENTS_DAILY_MAX", default=RECIPIENTS_DAILY_MAX, maximum=1_000_000_000
        ),
    )


def confirmation_policy(env: Env) -> ConfirmationPolicy:
    """What confirmations are told: the page is ours, and leads on to the web client's if any."""
    sending = sending_policy(env)
    return ConfirmationPolicy(
        page=f"{_public_base_url(env)}/u/{{code}}",
        fallback_sender=sending.fallback_sender,
        prices=sending.prices,
        daily_max=env.integer("CONFIRMATION_DAILY_MAX", default=DAILY_MAX, maximum=1_000_000),
        low_credits=sending.low_credits,
    )


def stop_confirmation_policy(env: Env) -> StopConfirmationPolicy:
    """Whether whoever leaves by STOP is told so by one text, and how that is sent."""
    choice = env.choice("STOP_CONFIRMATION", StopConfirmation, default=StopConfirmation.OFF)
    return StopConfirmationPolicy(
        is_on=choice is StopConfirmation.ON,
        fallback_sender=_fallback_sender(env),
        prices=_prices(env),
        low_credits=_low_credits(env),
    )


def _fallback_sender(env: Env) -> str | None:
    found: str | None = env.parsed("MITTO_SENDER", _sender, default=None)
    return found


def _prices(env: Env) -> PriceList:
    return env.parsed("SMS_PRICE_LIST", _price_list, default=DEFAULT_PRICES)


def _low_credits(env: Env) -> int:
    return env.integer("CREDITS_LOW_THRESHOLD", default=LOW_CREDITS, maximum=CREDITS_MAX)


def _public_base_url(env: Env) -> str:
    port = env.integer("PORT", default=3001, minimum=1, maximum=65_535)
    return env.url("PUBLIC_BASE_URL", development=f"http://127.0.0.1:{port}")


def link_templates(env: Env) -> LinkTemplates:
    """How the links of messages look (http-contract, 5)."""
    optional = {
        name.lower(): env.text(name, default="") or None
        for name in ("OFFER_BASE_URL", "UNSUBSCRIBE_BASE_URL", "OFFER_URL", "UNSUBSCRIBE_URL")
    }
    public = _public_base_url(env)
    try:
        return LinkTemplates.of_settings(public_base_url=public, **optional)
    except ValueError as error:
        env.problem("OFFER_URL or UNSUBSCRIBE_URL", str(error))
        return _FALLBACK_LINKS


def _sender(raw: str) -> str | None:
    if not is_valid_sender(raw):
        raise ValueError("is no sender name: 3 to 11 letters and digits, or a number in E.164 form")
    return raw


def _price_list(raw: str) -> PriceList:
    try:
        prices = json.loads(raw)
    except ValueError:
        prices = None
    if not isinstance(prices, dict) or not all(
        isinstance(credits, int) and not isinstance(credits, bool) for credits in prices.values()
    ):
        raise ValueError('is not a price list such as {"GR":1,"*":2}')
    for country in prices:
        if country != "*" and not is_supported_region(country):
            raise ValueError(f"names no country: {country}")
    return PriceList.from_mapping(prices)
