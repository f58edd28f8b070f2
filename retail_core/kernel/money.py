"""What an SMS part costs in credits, by the country of the number (docs/rules.md, 9)."""

from collections.abc import Mapping

import attrs

CREDITS_PER_PART_MAX = 1_000


def _all_prices_hold(_: object, __: object, prices: Mapping[str, int]) -> None:
    for country, credits in prices.items():
        if not 1 <= credits <= CREDITS_PER_PART_MAX:
            msg = f"the price for {country} must be 1 to {CREDITS_PER_PART_MAX} credits"
            raise ValueError(msg)


@attrs.frozen
class PriceList:
    """Credits per SMS part: by country, and for all others (None = not sent to)."""

    by_country: Mapping[str, int] = attrs.field(validator=_all_prices_hold)
    elsewhere: int | None = None

    @classmethod
    def from_mapping(cls, prices: Mapping[str, int]) -> "PriceList":
        """Read the form of `SMS_PRICE_LIST`, where `*` stands for all other countries."""
        named = {country: credits for country, credits in prices.items() if country != "*"}
        return cls(named, prices.get("*"))

    def credits_per_part(self, country: str) -> int | None:
        """None where this country is not sent to."""
        return self.by_country.get(country, self.elsewhere)


DEFAULT_PRICES = PriceList({"GR": 1}, 2)
