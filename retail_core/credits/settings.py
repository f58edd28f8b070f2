"""What parts cost, and when credits are low, as the operator says."""

import json

from retail_core.credits.model import CREDITS_MAX, LOW_CREDITS
from retail_core.kernel.addresses.phones import is_supported_region
from retail_core.kernel.money import DEFAULT_PRICES, PriceList
from retail_core.kernel.settings import Env


def prices(env: Env) -> PriceList:
    """Credits a part, by country."""
    return env.parsed("SMS_PRICE_LIST", _price_list, default=DEFAULT_PRICES)


def low_credits(env: Env) -> int:
    """Below which balance an owner is told."""
    return env.integer("CREDITS_LOW_THRESHOLD", default=LOW_CREDITS, maximum=CREDITS_MAX)


def _price_list(raw: str) -> PriceList:
    try:
        found = json.loads(raw)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(
        isinstance(credits, int) and not isinstance(credits, bool) for credits in found.values()
    ):
        raise ValueError('is not a price list such as {"GR":1,"*":2}')
    for country in found:
        if country != "*" and not is_supported_region(country):
            raise ValueError(f"names no country: {country}")
    return PriceList.from_mapping(found)
