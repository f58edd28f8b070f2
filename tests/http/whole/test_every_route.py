"""Every row of the table is thrown the same rubbish: never a 5xx, always the four keys."""

import itertools
import random
import re
from urllib.parse import urlencode

import attrs
import pytest
from falcon.testing import Result

from adapters_http.resources.accounts.api_keys import NewApiKeyReply
from adapters_http.resources.accounts.auth import SignedInReply
from adapters_http.routes import ROUTES
from adapters_http.web import codec
from adapters_http.web.routing import Access, Reading, Route
from tests.http.api import PROGRAM, Api, error_of

ANYTHING: tuple[object, ...] = (
    None,
    5,
    -1,
    1.5,
    True,
    "",
    "x" * 5000,
    [],
    ["x"],
    [None],
    {},
    {"x": [1]},
    2**70,
)
GUARDED = [route for route in ROUTES if route.access in {Access.USER, Access.SESSION}]
WRITES = [route for route in ROUTES if route.method != "GET" and route.reading is Reading.OBJECT]
BODIES = [route for route in WRITES if route.body is not None]
QUERIES = [route for route in ROUTES if route.query is not None]
MIXTURES = 25
WITH_IDS = [route for route in ROUTES if re.search(r"\{\w+_id\}", route.path)]
NO_ONE = "2147483647"


def named(route: Route) -> str:
    return f"{route.method} {route.path}"


def path_of(route: Route, value: str = NO_ONE) -> str:
    return re.sub(r"\{\w+\}", value, route.path)


def assert_refused(reply: Result, *statuses: int) -> None:
    status, _ = error_of(reply)
    assert status in (statuses or range(400, 500))


class TestTable:
    def test_names_are_unique(self) -> None:
        names = [named(route) for route in ROUTES]

        assert len(names) == len(set(names))

    def test_every_route_tells_what_it_does(self) -> None:
        assert all(re.fullmatch(r"[A-Z].{5,80}", route.summary) for route in ROUTES)

    def test_all_that_hand_out_tokens_are_never_stored(self) -> None:
        tokens = {SignedInReply, NewApiKeyReply}
        handing_out = [route for route in ROUTES if route.reply in tokens]

        assert len(handing_out) == 4
        assert all(route.no_store for route in handing_out)

    def test_forms_of_ours_know_no_cookie_and_no_caller(self) -> None:
        forms = [route for route in ROUTES if route.is_form]

        assert {route.path.split("/")[1] for route in forms} == {"u", "unsubscribe", "retail"}
        for route in forms:
            assert (route.access, route.proofs) == (Access.PUBLIC, ())
            assert not route.sets_cookie
            assert "{" in route.path


NO_IDS = [
    ("GET", "/api/campaigns/stats", 200),
    ("PUT", "/api/campaigns/stats", 405),
    ("GET", "/api/campaigns/stats/messages", 404),
    ("GET", "/api/v1/campaigns/stats", 200),
    ("GET", "/api/campaigns/preview-audience", 405),
    ("PUT", "/api/contacts/export", 405),
    ("GET", "/api/contacts/import", 405),
    ("GET", "/api/contacts/unsubscribe", 405),
    ("GET", "/api/contacts/resubscribe", 405),
    ("GET", "/api/contacts/preferences", 404),
    ("GET", "/api/contacts/bulk", 404),
    ("GET", "/api/suppressions/import", 405),
    ("DELETE", "/api/suppressions/import", 405),
    ("GET", "/api/messages/export", 200),
]
"""Fixed words where others have an id (docs/api.md, 1.1)."""


@pytest.mark.parametrize(("method", "path", "status"), NO_IDS)
def test_a_fixed_word_is_never_read_as_an_id(api: Api, method: str, path: str, status: int) -> None:
    shop = api.sign_up()

    assert shop.ask(method, path).status_code == status
    assert shop.ask(method, path.upper()).status_code == status


@pytest.mark.parametrize("route", ROUTES, ids=named)
class TestEveryRoute:
    def test_an_unknown_method_is_refused(self, api: Api, route: Route) -> None:
        known = {each.method for each in ROUTES if each.path == route.path}
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - known:
            assert error_of(api.ask(method, path_of(route))) == (405, "METHOD_NOT_ALLOWED")

    def test_options_is_answered(self, api: Api, route: Route) -> None:
        reply = api.ask("OPTIONS", path_of(route).upper().rstrip("/") + "/")

        assert reply.status_code == 204
        assert route.method in reply.headers["Allow"]

    def test_a_broken_query_is_refused(self, api: Api, route: Route) -> None:
        shop = api.sign_up()
        for query in ("a=1&a=2", "a=%zz", "a=%00"):
            reply = shop.ask(route.method, f"{path_of(route)}?{query}")
            assert error_of(reply) == (400, "VALIDATION_ERROR")

    def test_an_oversize_body_is_refused(self, api: Api, route: Route) -> None:
        length = str(route.body_bytes_max + 1)
        reply = api.client.simulate_request(
            route.method,
            path_of(route),
            headers={"Content-Length": length, "Accept": PROGRAM},
            extras={"wsgi.input": _Unread()},
        )

        assert error_of(reply) == (413, "PAYLOAD_TOO_LARGE")


class _Unread:
    """A body that nobody may read."""

    def read(self, size: int = -1) -> bytes:
        raise AssertionError(size)

    readline = readlines = __iter__ = read


@pytest.mark.parametrize("route", GUARDED, ids=named)
class TestEveryGuardedRoute:
    def test_nobody_comes_in_without_a_token(self, api: Api, route: Route) -> None:
        for token in (None, "x", "rsk_12345678_" + "a" * 43):
            reply = api.ask(route.method, path_of(route), token=token)
            assert error_of(reply) == (401, "UNAUTHORIZED")

    def test_an_ended_session_lets_nobody_in(self, api: Api, route: Route) -> None:
        shop = api.sign_up()
        api.post("/api/auth/logout", cookie=shop.cookie)

        assert error_of(shop.ask(route.method, path_of(route))) == (401, "UNAUTHORIZED")


@pytest.mark.parametrize("route", WRITES, ids=named)
class TestEveryWrite:
    @pytest.mark.parametrize("raw", [b"{", b"[]", b"null", b"5", b'"x"', b'{"a":1,"a":2}', b"\xff"])
    def test_malformed_json_is_refused(self, api: Api, route: Route, raw: bytes) -> None:
        reply = api.sign_up().ask(
            route.method, path_of(route), raw=raw, headers={"Content-Type": "application/json"}
        )

        assert error_of(reply) == (400, "VALIDATION_ERROR")

    def test_other_types_are_refused(self, api: Api, route: Route) -> None:
        for kind in ("text/plain", "application/xml", "multipart/form-data; boundary=x"):
            reply = api.sign_up().ask(
                route.method, path_of(route), raw=b"{}", headers={"Content-Type": kind}
            )
            assert error_of(reply) == (415, "UNSUPPORTED_MEDIA_TYPE")

    def test_a_foreign_page_is_refused_unless_it_is_a_form_of_ours(
        self, api: Api, route: Route
    ) -> None:
        for origin in ("https://evil.example", "null"):
            reply = api.sign_up().ask(route.method, path_of(route), {}, headers={"Origin": origin})
            expected = (400, "INVALID_TOKEN") if route.is_form else (403, "ORIGIN_NOT_ALLOWED")
            assert error_of(reply) == expected


@pytest.mark.parametrize("route", BODIES, ids=named)
class TestEveryBody:
    def test_wrong_types_never_break_anything(self, api: Api, route: Route) -> None:
        assert route.body is not None
        shop = api.sign_up()
        names = [field.name for field in attrs.fields(route.body)]
        for name, value in itertools.product(names, ANYTHING):
            reply = shop.ask(route.method, path_of(route), {codec.key(name): value})
            assert reply.status_code < 500, (name, value, reply.text)
            if reply.status_code >= 400:
                assert_refused(reply)


@pytest.mark.parametrize("route", [*BODIES, *QUERIES], ids=named)
class TestRandomRubbish:
    def test_no_mixture_breaks_anything(self, api: Api, route: Route, rng: random.Random) -> None:
        shop = api.sign_up()
        kind = route.body or route.query
        assert kind is not None
        keys = [codec.key(field.name) for field in attrs.fields(kind)]
        for _ in range(MIXTURES):
            chosen = {key: rng.choice(ANYTHING) for key in keys if rng.random() < 0.8}
            if route.body is None:
                texts = {key: str(value)[:50] for key, value in chosen.items()}
                reply = shop.get(f"{path_of(route)}?{urlencode(texts)}")
            else:
                reply = shop.ask(route.method, path_of(route), chosen)
            assert reply.status_code < 500, (chosen, reply.text)
            if reply.status_code >= 400 and "json" in reply.headers["Content-Type"]:
                assert_refused(reply)


@pytest.mark.parametrize("route", WITH_IDS, ids=named)
class TestEveryId:
    def test_bad_ids_are_refused(self, api: Api, route: Route) -> None:
        shop = api.sign_up()
        for value in ("0", "abc", "1.5", "%2e%2e%2f", "1e3", "%00"):
            assert_refused(shop.ask(route.method, path_of(route, value), _a_body(route)), 400, 404)

    def test_ids_of_nothing_are_not_found(self, api: Api, route: Route) -> None:
        shop = api.sign_up()
        for value in (NO_ONE, "-1", "2147483648", "99999999999"):
            reply = shop.ask(route.method, path_of(route, value), _a_body(route))
            assert_refused(reply, 400, 404)


def _a_body(route: Route) -> object:
    return {} if route.method != "GET" and route.reading is Reading.OBJECT else None
