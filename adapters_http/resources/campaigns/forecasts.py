"""What sending a campaign would take."""

from datetime import datetime
from typing import TypedDict

import attrs

from adapters_http.web import values
from adapters_http.web.context import Request, Response
from adapters_http.web.routing import Access, Route
from retail_core.audiences.errors import AudienceGone
from retail_core.audiences.model import Exclusion
from retail_core.campaigns.errors import NoMessageText, UnknownPlaceholder, WrongCampaignState
from retail_core.campaigns.use_cases import CampaignForecast, CountryCost, ForecastCampaign
from retail_core.kernel.ids import CampaignId
from retail_core.templates.encoding import Encoding


class EncodingCost(TypedDict):
    """Recipients in one encoding."""

    recipients: int
    segments: int


class SizeCount(TypedDict):
    """Recipients of one size of text."""

    encoding: str
    segments: int
    recipients: int


class CountryForecast(TypedDict):
    """Recipients in one country, and what they cost."""

    country: str
    recipients: int
    segments: int
    creditsPerSegment: int
    credits: int


class LongestText(TypedDict):
    """The longest text, and a recipient of it."""

    contactId: int
    segments: int
    length: int


class PlaceholderCount(TypedDict):
    """Recipients without a value for a placeholder, and those who get its fallback."""

    name: str
    missing: int
    fallback: int


class SmartCost(TypedDict):
    """What a smart encoding would cost."""

    mode: str
    segments: int
    credits: int


class QuietForecast(TypedDict):
    """What quiet hours would hold back."""

    deferred: int
    firstSendAt: datetime | None


class Affordable(TypedDict):
    """Whether the credits suffice."""

    required: int
    available: int
    sufficient: bool


class Forecast(TypedDict):
    """What sending a campaign would take; every recipient's text was made and measured."""

    campaignId: int
    computedAt: datetime
    matched: int
    excluded: dict[str, int]
    recipients: int
    segments: int
    credits: int
    encodings: dict[str, EncodingCost]
    histogram: list[SizeCount]
    countries: list[CountryForecast]
    longest: LongestText | None
    placeholders: list[PlaceholderCount]
    smartEncoding: list[SmartCost]
    quietHours: QuietForecast
    balance: Affordable


@attrs.frozen
class CampaignForecasts:
    """`/api/campaigns/{campaign_id}/forecast`."""

    forecast: ForecastCampaign

    def on_get(self, req: Request, resp: Response, campaign_id: str) -> None:
        """Recipients, parts and credits, exactly."""
        found = self.forecast(req.account, CampaignId(values.path_id(campaign_id)))
        resp.media = _forecast(found)


def _forecast(found: CampaignForecast) -> Forecast:
    return {
        "campaignId": found.campaign,
        "computedAt": found.at,
        "matched": found.matched,
        "excluded": {reason.value: found.excluded.get(reason, 0) for reason in Exclusion},
        "recipients": found.recipients,
        "segments": found.parts,
        "credits": found.credits,
        "encodings": {encoding.word: _encoding(found, encoding) for encoding in Encoding},
        "histogram": [
            {"encoding": encoding.word, "segments": parts, "recipients": recipients}
            for (encoding, parts), recipients in sorted(found.sizes.items())
        ],
        "countries": [_country(country) for country in found.countries],
        "longest": _longest(found),
        "placeholders": [
            {"name": each.name, "missing": each.missing, "fallback": each.fallback}
            for each in found.placeholders
        ],
        "smartEncoding": [
            {"mode": mode.value, "segments": cost.parts, "credits": cost.credits}
            for mode, cost in found.smart.items()
        ],
        "quietHours": {"deferred": found.deferred, "firstSendAt": found.first_send_at},
        "balance": {
            "required": found.credits,
            "available": found.credits_available,
            "sufficient": found.credits <= found.credits_available,
        },
    }


def _encoding(found: CampaignForecast, wanted: Encoding) -> EncodingCost:
    sizes = [
        (parts, recipients)
        for (encoding, parts), recipients in found.sizes.items()
        if encoding is wanted
    ]
    return {
        "recipients": sum(recipients for _, recipients in sizes),
        "segments": sum(parts * recipients for parts, recipients in sizes),
    }


def _country(cost: CountryCost) -> CountryForecast:
    return {
        "country": cost.country,
        "recipients": cost.recipients,
        "segments": cost.parts,
        "creditsPerSegment": cost.credits_per_part,
        "credits": cost.credits,
    }


def _longest(found: CampaignForecast) -> LongestText | None:
    if found.longest is None:
        return None
    contact, size = found.longest
    return {"contactId": contact, "segments": size.parts, "length": size.length}


ROUTES = (
    Route(
        method="GET",
        path="/api/campaigns/{campaign_id}/forecast",
        resource=CampaignForecasts,
        access=Access.USER,
        scope="campaigns:read",
        summary="Count what sending a campaign would take",
        reply=Forecast,
        errors=(AudienceGone, NoMessageText, UnknownPlaceholder, WrongCampaignState),
    ),
)
