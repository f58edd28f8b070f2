"""What sending a campaign would take."""

import attrs

from adapters_http import values
from adapters_http.context import Request, Response
from adapters_http.routing import Access, Route
from retail_core.audiences.model import Exclusion
from retail_core.campaigns.use_cases import CampaignForecast, CountryCost, ForecastCampaign
from retail_core.kernel.ids import CampaignId
from retail_core.templates.encoding import Encoding


@attrs.frozen
class CampaignForecasts:
    """`/api/campaigns/{campaign_id}/forecast`."""

    forecast: ForecastCampaign

    def on_get(self, req: Request, resp: Response, campaign_id: str) -> None:
        """Recipients, parts and credits, exactly."""
        found = self.forecast(req.account, CampaignId(values.path_id(campaign_id)))
        resp.media = _forecast(found)


def _forecast(found: CampaignForecast) -> dict[str, object]:
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
        "placeholders": [attrs.asdict(each) for each in found.placeholders],
        "smartEncoding": [
            {"mode": mode.value, "segments": cost.parts, "credits": cost.credits}
            for mode, cost in found.smart.items()
        ],
        # quiet hours do not bind yet: everything could go at once
        "quietHours": {"deferred": 0, "firstSendAt": found.at},
        "balance": {
            "required": found.credits,
            "available": found.credits_available,
            "sufficient": found.credits <= found.credits_available,
        },
    }


def _encoding(found: CampaignForecast, wanted: Encoding) -> dict[str, object]:
    sizes = [
        (parts, recipients)
        for (encoding, parts), recipients in found.sizes.items()
        if encoding is wanted
    ]
    return {
        "recipients": sum(recipients for _, recipients in sizes),
        "segments": sum(parts * recipients for parts, recipients in sizes),
    }


def _country(cost: CountryCost) -> dict[str, object]:
    return {
        "country": cost.country,
        "recipients": cost.recipients,
        "segments": cost.parts,
        "creditsPerSegment": cost.credits_per_part,
        "credits": cost.credits,
    }


def _longest(found: CampaignForecast) -> dict[str, object] | None:
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
    ),
)
