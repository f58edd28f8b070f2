"""The whole table of routes; an area adds its `ROUTES` here."""

from typing import Final

from adapters_http.pages import opt_out as opt_out_pages
from adapters_http.resources import (
    api_keys,
    auth,
    campaign_audiences,
    campaign_forecasts,
    campaign_previews,
    campaign_results,
    campaign_steering,
    campaign_tests,
    campaigns,
    contact_export,
    contacts,
    documents,
    gateway_messages,
    gateway_webhooks,
    health,
    imports,
    list_routes,
    messages,
    opt_out,
    password_reset,
    profile,
    sessions,
    suppressions,
)
from adapters_http.routing import Route

ROUTES: Final[tuple[Route, ...]] = (
    *health.ROUTES,
    *documents.ROUTES,
    *auth.ROUTES,
    *profile.ROUTES,
    *sessions.ROUTES,
    *api_keys.ROUTES,
    *password_reset.ROUTES,
    *contacts.ROUTES,
    *contact_export.ROUTES,
    *list_routes.ROUTES,
    *imports.ROUTES,
    *suppressions.ROUTES,
    *opt_out.ROUTES,
    *opt_out_pages.ROUTES,
    *campaigns.ROUTES,
    *campaign_previews.ROUTES,
    *campaign_audiences.ROUTES,
    *campaign_forecasts.ROUTES,
    *campaign_results.ROUTES,
    *campaign_steering.ROUTES,
    *campaign_tests.ROUTES,
    *messages.ROUTES,
    *gateway_messages.ROUTES,
    *gateway_webhooks.ROUTES,
)
