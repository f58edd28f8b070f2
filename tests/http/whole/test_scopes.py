"""What an API key needs for each route of the table (docs/api.md, 1.5)."""

import pytest

from adapters_http.routes import ROUTES
from adapters_http.web.routing import Access, Route
from retail_core.accounts.model import Scope

ACCOUNT = ("/api/me", "/api/user", "/api/auth", "/api/api-keys")
"""Paths of 3.1: only `GET /api/me` takes a key, and it needs no scope."""

AREAS = (
    ("/api/contacts", "contacts"),
    ("/api/suppressions", "contacts"),
    ("/api/lists", "lists"),
    ("/api/templates", "templates"),
    ("/api/campaigns", "campaigns"),
    ("/api/v1/campaigns", "campaigns"),
    ("/api/dashboard", "campaigns"),
    ("/api/messages", "messages"),
    ("/api/jobs", "messages"),
    ("/api/mitto", "messages"),
    ("/api/automations", "automations"),
    ("/api/offers", "offers"),
    ("/tracking", "offers"),
    ("/api/nfc", "nfc"),
    ("/api/billing", "billing"),
    ("/api/subscriptions", "billing"),
)

SENDING = ("enqueue", "resume", "schedule", "test-send")

EXCEPTIONS = {
    # these only ask the gateway; messages have no scope for writing
    ("POST", "/api/mitto/refresh-status"): "messages:read",
    ("POST", "/api/mitto/refresh-status-bulk"): "messages:read",
}

GUARDED = [route for route in ROUTES if route.access in {Access.USER, Access.SESSION}]


def named(route: Route) -> str:
    return f"{route.method} {route.path}"


def lies_in(path: str, prefix: str) -> bool:
    """Whether a path is this one or below it; `/api/messages` is not in `/api/me`."""
    return f"{path}/".startswith(f"{prefix}/")


def area_of(path: str) -> str:
    found = [area for prefix, area in AREAS if lies_in(path, prefix)]
    assert len(found) == 1, f"{path} belongs to no area of the contract"
    return found[0]


def scope_of(route: Route) -> str | None:
    """The scope of the contract; None where a key is refused or needs none."""
    if any(lies_in(route.path, prefix) for prefix in ACCOUNT):
        return None
    if (route.method, route.path) in EXCEPTIONS:
        return EXCEPTIONS[route.method, route.path]
    area = area_of(route.path)
    if area == "billing" and route.method != "GET":
        return None
    if area == "campaigns" and route.path.rpartition("/")[2] in SENDING:
        return "campaigns:send"
    return f"{area}:read" if route.method == "GET" else f"{area}:write"


@pytest.mark.parametrize("route", GUARDED, ids=named)
def test_every_guarded_route_needs_the_scope_of_the_contract(route: Route) -> None:
    assert route.scope == scope_of(route)
    assert route.scope is None or Scope(route.scope)


@pytest.mark.parametrize("route", GUARDED, ids=named)
def test_keys_are_refused_where_the_contract_says_so(route: Route) -> None:
    refused = route.scope is None and named(route) != "GET /api/me"

    assert (route.access is Access.SESSION) == refused


def test_routes_without_a_caller_have_no_scope() -> None:
    assert not [named(route) for route in ROUTES if route not in GUARDED and route.scope]
