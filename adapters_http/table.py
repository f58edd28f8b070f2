"""The whole table of routes; an area adds its `ROUTES` here."""

from typing import Final

from adapters_http.resources import (
    auth,
    campaign_previews,
    campaign_results,
    campaigns,
    gateway_webhooks,
    health,
)
from adapters_http.routing import Route

ROUTES: Final[tuple[Route, ...]] = (
    *health.ROUTES,
    *auth.ROUTES,
    *campaigns.ROUTES,
    *campaign_previews.ROUTES,
    *campaign_results.ROUTES,
    *gateway_webhooks.ROUTES,
)
