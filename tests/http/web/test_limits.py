"""Rate limits through the whole app (docs/api.md, 1.8)."""

from datetime import timedelta

import attrs
import pytest
from falcon.testing import Result

from adapters_http.limits.table import EVERY_CALLER, LIMITS
from adapters_http.middleware.limiting import limits_of
from adapters_http.routes import ROUTES
from adapters_http.web.routing import GUARDED, Access, Route
from tests.contracts.worlds import World
from tests.http.api import ADDRESS, ORIGIN, PASSWORD, Api, api_in_memory, error_of
from tests.http.links import token_for
from tests.http.people import create

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
            is_contacts = f"{route.path}/".startswith("/api/contacts/")
            assert (LIMITS["contacts-write"] in limits_of(route)) == (writes and is_contacts), route

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

    def test_a_numeric_token_is_a_mistake_and_no_limit(self, limited_sql: Api) -> None:
        replies = [limited_sql.post("/api/contacts/unsubscribe", {"token": 5}) for _ in range(8)]

        assert {error_of(reply) for reply in replies} == {(400, "VALIDATION_ERROR")}


class TestOptOutLinks:
    def test_nobody_is_refused_for_the_others_at_their_address(self, limited_sql: Api) -> None:
        shop = limited_sql.sign_up()
        tokens = [token_for(shop, create(shop, f"69843{no:05}")["id"]) for no in range(30)]

        replies = [limited_sql.post(f"/u/{token}", {}) for token in tokens]

        assert {reply.status_code for reply in replies} == {200}
        told = shop.get("/api/contacts?isSubscribed=false").json
        assert told["total"] == 30

    def test_guessing_is_refused_and_whoever_has_a_link_is_not(self, limited_sql: Api) -> None:
        shop = limited_sql.sign_up()
        token = token_for(shop, create(shop)["id"])
        paths = ("/u/{}", "/unsubscribe/{}", "/api/contacts/unsubscribe")

        guesses = [
            limited_sql.post(paths[no % 3].format(f"a{no:010}"), {"pageToken": f"a{no:010}"})
            for no in range(23)
        ]

        assert [error_of(reply)[0] for reply in guesses] == [400] * 20 + [429] * 3
        assert refused(guesses[-1])
        assert int(guesses[-1].headers["Retry-After"]) <= 60
        elsewhere = limited_sql.post("/u/some-guess", {}, address="203.0.113.8")
        assert error_of(elsewhere) == (400, "INVALID_TOKEN")
        assert limited_sql.post(f"/u/{token}", {}).status_code == 200
        assert limited_sql.post("/api/contacts/unsubscribe", {"token": token}).status_code == 200

    def test_looking_is_no_guessing(self, limited_sql: Api) -> None:
        views = [limited_sql.get("/u/some-code") for _ in range(61)]

        assert [view.status_code for view in views] == [302] * 60 + [429]
        assert error_of(limited_sql.post("/u/some-code", {})) == (400, "INVALID_TOKEN")

    def test_a_code_changes_something_five_times_a_day(self, limited_sql: Api) -> None:
        shop = limited_sql.sign_up()
        contact = create(shop)
        token = token_for(shop, contact["id"])

        def press(action: str, no: int) -> Result:
            address = f"198.51.100.{no}"
            return limited_sql.post(f"/api/contacts/{action}", {"token": token}, address=address)

        actions = ("unsubscribe", "resubscribe") * 3
        replies = [press(action, no) for no, action in enumerate(actions)]

        assert [reply.status_code for reply in replies] == [200] * 5 + [429]
        assert refused(replies[-1])
        assert replies[0].headers["RateLimit-Limit"] == "5"
        assert shop.get(f"/api/contacts/{contact['id']}").json["isSubscribed"] is False

    def test_what_changes_nothing_does_not_count(self, limited_sql: Api) -> None:
        shop = limited_sql.sign_up()
        token = token_for(shop, create(shop)["id"])

        for action in ("resubscribe", "unsubscribe", "resubscribe"):
            path = f"/api/contacts/{action}"
            replies = [limited_sql.post(path, {"token": token}) for _ in range(8)]
            assert {reply.status_code for reply in replies} == {200}

    def test_an_opt_out_is_never_refused(self, limited_sql: Api) -> None:
        shop = limited_sql.sign_up()
        contact = create(shop)
        token = token_for(shop, contact["id"])

        replies = []
        for _ in range(7):
            shop.put(f"/api/contacts/{contact['id']}", {"isSubscribed": True})
            replies.append(limited_sql.post("/api/contacts/unsubscribe", {"token": token}))

        assert {reply.status_code for reply in replies} == {200}
        assert shop.get(f"/api/contacts/{contact['id']}").json["isSubscribed"] is False


class TestCallers:
    def test_whoever_writes_contacts_is_counted_and_not_their_address(
        self, limited_sql: Api
    ) -> None:
        shop, neighbour = limited_sql.sign_up(), limited_sql.sign_up()
        replies = [
            shop.ask(method, path)
            for _ in range(201)
            for method, path in (
                ("POST", "/api/contacts"),
                ("PUT", "/api/contacts/x"),
                ("DELETE", "/api/contacts/x"),
            )
        ]

        assert [reply.status_code for reply in replies] == [400] * 600 + [429] * 3
        assert refused(shop.post("/api/contacts", {}, address="198.51.100.1"))
        assert shop.get("/api/contacts").status_code == 200
        assert not refused(neighbour.post("/api/contacts", {}))

    def test_numbers_are_barred_apart_from_the_writing_of_contacts(self, limited_sql: Api) -> None:
        shop = limited_sql.sign_up()
        barred = shop.post("/api/suppressions", {"phone": "6984303406"})

        assert barred.headers["RateLimit-Limit"] == "1200"
        assert shop.post("/api/contacts", {}).headers["RateLimit-Remaining"] == "599"
        freed = shop.ask("DELETE", f"/api/suppressions/{barred.json['id']}")
        assert freed.headers["RateLimit-Limit"] == "1200"
        assert shop.post("/api/contacts", {}).headers["RateLimit-Remaining"] == "598"

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

        assert reply.headers["RateLimit-Limit"] == "600"
        assert reply.headers["RateLimit-Remaining"] == "599"

    def test_health_has_no_limit(self, limited: Api) -> None:
        replies = [limited.get("/healthz") for _ in range(100)]

        assert {reply.status_code for reply in replies} == {200}
        assert "RateLimit-Limit" not in replies[0].headers
