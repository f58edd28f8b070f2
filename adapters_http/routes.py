"""The whole table of routes; an area adds its `ROUTES` here."""

from typing import Final

from adapters_http.resources.accounts import api_keys, auth, password_reset, profile, sessions
from adapters_http.resources.campaigns import audiences as campaign_audiences
from adapters_http.resources.campaigns import campaigns
from adapters_http.resources.campaigns import forecasts as campaign_forecasts
from adapters_http.resources.campaigns import previews as campaign_previews
from adapters_http.resources.campaigns import results as campaign_results
from adapters_http.resources.campaigns import steering as campaign_steering
from adapters_http.resources.campaigns import test_sends as campaign_tests
from adapters_http.resources.contacts import bulk as contact_bulk
from adapters_http.resources.contacts import consent_proofs, contacts, opt_out, suppressions
from adapters_http.resources.contacts import export as contact_export
from adapters_http.resources.contacts import opt_out_page as opt_out_pages
from adapters_http.resources.engagement import consent_requests, gateway_inbound
from adapters_http.resources.imports import imports
from adapters_http.resources.imports import suppressions as suppression_imports
from adapters_http.resources.lists import routes as list_routes
from adapters_http.resources.messages import gateway_messages, gateway_webhooks, messages
from adapters_http.resources.reporting import subject as contact_subject
from adapters_http.resources.reporting import timeline as contact_timeline
from adapters_http.resources.system import documents, health
from adapters_http.web.routing import Route

ROUTES: Final[tuple[Route, ...]] = (
    *health.ROUTES,
    *documents.ROUTES,
    *auth.ROUTES,
    *profile.ROUTES,
    *sessions.ROUTES,
    *api_keys.ROUTES,
    *password_reset.ROUTES,
    *contacts.ROUTES,
    *contact_bulk.ROUTES,
    *contact_export.ROUTES,
    *contact_timeline.ROUTES,
    *contact_subject.ROUTES,
    *consent_proofs.ROUTES,
    *consent_requests.ROUTES,
    *list_routes.ROUTES,
    *imports.ROUTES,
    *suppressions.ROUTES,
    *suppression_imports.ROUTES,
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
    *gateway_inbound.ROUTES,
)
