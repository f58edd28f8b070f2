"""Rate limits through the whole app (http-contract, 1.8)."""

from datetime import timedelta
from typing import Any

import attrs
import pytest
from falcon.testing import Result

from adapters_http import wiring
from adapters_http.app import create_app
from adapters_http.limit_table import EVERY_CALLER, LIMITS, limits_of
from adapters_http.routing import GUARDED, Access, Route
from adapters_http.table import ROUTES
from retail_core.kernel.ports import Clock
from retail_core.testing.clock import FixedClock
from tests.contracts.worlds import World
from tests.http.api import ADDRESS, ORIGIN, PASSWORD, Api, api_in_memory, error_of

UNLIMITED = (
    "/",
    "/healthz",
    "/readiness",
    "/metrics",
    "/openapi.json",
    "/docs",
    "/.well-known/consent-proof-keys",
)
NEIGHBOURS = ("2001:db8:0:1::5", "2001:db8:0:1:ffff::9")


@pytest.fixture
def limited(edge_world: World) -> Api:
    """Health and accounts in memory, with the limits of the contract."""
    return api_in_memory(edge_world, RATE_LIMITS_FACTOR="1")


@pytest.fixture
def limited_sql(_composed: tuple[Any, Any]) -> Api:
    """Every route on PostgreSQL, with the limits of the contract."""
    container, settings = _composed
    clock = FixedClock()
    container.register(Clock, instance=clock)
    edge = attrs.evolve(settings.edge, rate_limits_factor=1)
    return Api(create_app(wiring.parts(container, edge)), container, clock)


def refused(reply: Result) -> bool:
    if reply.status_code != 429:
        return False
    assert error_of(reply) == (429, "RATE_LIMITED")
    assert int(reply.headers["Retry-After"]) >= 1
    assert reply.headers["RateLimit-Remaining"] == "0"
    assert reply.headers["RateLimit-Reset"] == reply.headers["Retry-After"]
    return True


class TestTable:
    def test_every_name_is_in_the_table(self) -> None:
        assert all(limits_of(route) or not route.limits for route in ROUTES)

    def test_whatever_needs_a_sign_in_is_limited(self) -> None:
        for route in ROUTES:
            assert (EVERY_CALLER in limits_of(route)) == (route.access in GUARDED), route

    def test_machines_and_documents_are_not(self) -> None:
        for route in ROUTES:
            if route.access is Access.WEBHOOK or route.path in UNLIMITED:
                assert limits_of(route) == (), route

    def test_everything_else_in_public_is(self) -> None:
        for route in ROUTES:
            if route.access is Access.PUBLIC and route.path not in UNLIMITED:
                assert limits_of(route), route

    def test_all_writes_of_contacts_share_one_counter(self) -> None:
        for route in ROUTES:
            writes = route.access in GUARDED and route.method in {"POST", "PUT", "DELETE"}
            if writes and route.path.startswith("/api/contacts"):
                assert LIMITS["contacts-write-ip"] in limits_of(route), route

    def test_an_unknown_name_stops_the_start(self) -> None:
        with pytest.raises(KeyError):
            limits_of(attrs.evolve(_some_route(), limits=("no-such-limit",)))


def _some_route() -> Route:
    return ROUTES[0]


class TestAddresses:
    def test_an_address_has_so_many_tries(self, limited: Api) -> None:
        replies = [limited.post("/api/auth/register", {}) for _ in range(32)]

        assert [error_of(reply)[0] for reply in replies] == [400] * 30 + [429] * 2
        assert replies[0].headers["RateLimit-Limit"] == "30"
        assert replies[0].headers["RateLimit-Remaining"] == "29"
        assert replies[0].headers["RateLimit-Reset"] == "600"
        assert refused(replies[-1])
        assert not refused(limited.post("/api/auth/register", {}, address="203.0.113.8"))

    def test_the_window_passes(self, limited: Api) -> None:
        last = [limited.post("/api/auth/register", {}) for _ in range(31)][-1]
        assert refused(last)

        limited.clock.advance(timedelta(seconds=int(last.headers["Retry-After"])))

        assert not refused(limited.post("/api/auth/register", {}))

    def test_what_a_client_says_of_its_address_helps_nothing(self, limited: Api) -> None:
        replies = [
            limited.post(
                "/api/auth/register", {}, headers={"X-Forwarded-For": f"198.51.100.{number}"}
            )
            for number in range(31)
        ]

        assert refused(replies[-1])

    def test_behind_a_trusted_proxy_clients_are_told_apart(self, edge_world: World) -> None:
        api = api_in_memory(edge_world, RATE_LIMITS_FACTOR="1", TRUSTED_PROXIES=f"{ADDRESS}/32")
        replies = [
            api.post(
                "/api/auth/register",
                {},
                headers={"X-Forwarded-For": f"10.9.8.{number}, 198.51.100.1"},
            )
            for number in range(31)
        ]
        assert refused(replies[-1])

        headers = {"X-Forwarded-For": "198.51.100.1, 198.51.100.2"}
        assert not refused(api.post("/api/auth/register", {}, headers=headers))

    def test_neighbours_in_one_network_of_ipv6_are_one(self, limited: Api) -> None:
        replies = [
            limited.post("/api/auth/register", {}, address=NEIGHBOURS[number % 2])
            for number in range(31)
        ]
        assert refused(replies[-1])

        assert not refused(limited.post("/api/auth/register", {}, address="2001:db8:0:2::5"))

    def test_routes_have_counters_of_their_own(self, limited: Api) -> None:
        for _ in range(31):
            limited.post("/api/auth/register", {})

        assert not refused(limited.post("/api/auth/login", {}))

    def test_a_page_of_ours_can_read_how_long_to_wait(self, limited: Api) -> None:
        headers = {"Origin": ORIGIN}
        replies = [limited.post("/api/auth/register", {}, headers=headers) for _ in range(31)]

        assert refused(replies[-1])
        assert replies[-1].headers["Access-Control-Allow-Origin"] == ORIGIN


class TestNames:
    def sign_in(self, api: Api, email: object, address: str) -> Result:
        body = {"email": email, "password": PASSWORD}
        return api.post("/api/auth/login", body, address=address)

    def test_an_email_has_so_many_tries_from_wherever(self, limited: Api) -> None:
        replies = [
            self.sign_in(limited, " Some@Shop.Example ", f"198.51.100.{number}")
            for number in range(21)
        ]

        assert [reply.status_code for reply in replies] == [401] * 20 + [429]
        assert refused(self.sign_in(limited, "some@shop.example", "198.51.100.99"))
        assert not refused(self.sign_in(limited, "other@shop.example", "198.51.100.99"))

    @pytest.mark.parametrize("email", [5, None, True, ["a@b.example"], {}, "", "  "])
    def test_a_name_of_a_wrong_type_names_nobody(self, limited: Api, email: object) -> None:
        replies = [self.sign_in(limited, email, f"198.51.100.{n}") for n in range(25)]

        assert {error_of(reply) for reply in replies} == {(400, "VALIDATION_ERROR")}

    def test_a_form_is_read_as_well(self, limited: Api) -> None:
        replies = [
            limited.ask(
                "POST",
                "/api/auth/login",
                raw=b"email=some%40shop.example&password=x",
                headers={"Content-Type": "application/x-www-form-urlencoded"},
                address=f"198.51.100.{number}",
            )
            for number in range(21)
        ]

        assert refused(replies[-1])

    def test_a_broken_body_counts_for_its_address(self, limited: Api) -> None:
        headers = {"Content-Type": "application/json"}
        replies = [
            limited.ask("POST", "/api/auth/login", raw=b"{", headers=headers) for _ in range(51)
        ]

        assert [reply.status_code for reply in replies] == [400] * 50 + [429]

    def test_viewing_and_acting_are_counted_apart(self, limited_sql: Api) -> None:
        views = [limited_sql.get("/u/some-code") for _ in range(10)]
        actions = [limited_sql.post("/u/some-code", {}) for _ in range(6)]

        assert {view.status_code for view in views} == {302}
        assert [action.status_code for action in actions] == [400] * 5 + [429]
        assert refused(actions[-1])
        assert refused(limited_sql.post("/api/contacts/unsubscribe", {"pageToken": "some-code"}))
        assert not refused(limited_sql.post("/u/other-code", {}))

    def test_a_numeric_token_is_a_mistake_and_no_limit(self, limited_sql: Api) -> None:
        replies = [limited_sql.post("/api/contacts/unsubscribe", {"token": 5}) for _ in range(8)]

        assert {error_of(reply) for reply in replies} == {(400, "VALIDATION_ERROR")}


class TestCallers:
    def test_limits_by_address_come_before_the_credential(self, limited_sql: Api) -> None:
        replies = [
            limited_sql.ask(method, path)
            for _ in range(21)
            for method, path in (
                ("POST", "/api/contacts"),
                ("PUT", "/api/contacts/1"),
                ("DELETE", "/api/contacts/1"),
            )
        ]

        assert [reply.status_code for reply in replies] == [401] * 60 + [429] * 3

    def test_a_caller_has_a_limit_for_everything_together(self, limited: Api) -> None:
        shop, other = limited.sign_up(), limited.sign_up()
        first = shop.get("/api/me")
        for _ in range(EVERY_CALLER.requests_max - 1):
            assert shop.ask("HEAD", "/api/me").status_code == 200

        assert first.headers["RateLimit-Limit"] == "1200"
        assert first.headers["RateLimit-Remaining"] == "1199"
        assert refused(shop.get("/api/me", address="198.51.100.1"))
        assert error_of(limited.get("/api/me"))[0] == 401
        assert other.get("/api/me").status_code == 200
        assert shop.ask("OPTIONS", "/api/me").status_code == 204

    def test_the_tightest_limit_is_told(self, limited_sql: Api) -> None:
        reply = limited_sql.sign_up().post("/api/contacts", {})

        assert reply.headers["RateLimit-Limit"] == "60"
        assert reply.headers["RateLimit-Remaining"] == "59"

    def test_health_has_no_limit(self, limited: Api) -> None:
        replies = [limited.get("/healthz") for _ in range(100)]

        assert {reply.status_code for reply in replies} == {200}
        assert "RateLimit-Limit" not in replies[0].headers
