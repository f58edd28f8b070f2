"""Who may call what: pages of other origins, and API keys (docs/api.md, 1.4 and 1.5)."""

import pytest

from tests.http.api import ORIGIN, Api, error_of

FOREIGN = f"{ORIGIN}.evil.tld"


class TestOrigins:
    def test_an_allowed_page_may_read_and_write(self, edge: Api) -> None:
        for method, path in (("GET", "/things"), ("GET", "/x"), ("POST", "/things")):
            reply = edge.ask(method, path, headers={"Origin": ORIGIN, "Authorization": "Bearer 2"})
            assert reply.headers["Access-Control-Allow-Origin"] == ORIGIN
            assert reply.headers["Access-Control-Allow-Credentials"] == "true"
            exposed = reply.headers["Access-Control-Expose-Headers"].split(", ")
            assert {"X-Request-ID", "ETag", "Retry-After", "Idempotency-Replayed"} <= set(exposed)
            assert "Access-Control-Allow-Methods" not in reply.headers

    @pytest.mark.parametrize("path", ["/things", "/api/not/served", "/u", "/codes//x"])
    def test_a_preflight_is_answered_wherever_it_goes(self, edge: Api, path: str) -> None:
        reply = edge.ask(
            "OPTIONS",
            path,
            headers={
                "Origin": ORIGIN,
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "idempotency-key",
            },
        )

        assert reply.status_code == 204
        assert reply.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert (
            reply.headers["Access-Control-Allow-Methods"]
            == "GET, POST, PUT, DELETE, PATCH, OPTIONS"
        )
        assert (
            reply.headers["Access-Control-Allow-Headers"]
            == "Content-Type, Authorization, X-Requested-With, X-Request-ID, Idempotency-Key, "
            "If-None-Match, Cookie"
        )
        assert reply.headers["Access-Control-Max-Age"] == "86400"
        assert "OPTIONS" in reply.headers["Allow"]

    def test_that_there_is_nothing_can_be_read_by_a_page_of_ours(self, edge: Api) -> None:
        reply = edge.post("/api/not/served", {}, headers={"Origin": ORIGIN})

        assert error_of(reply) == (404, "RESOURCE_NOT_FOUND")
        assert reply.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert reply.headers["Access-Control-Allow-Credentials"] == "true"

    def test_a_foreign_preflight_is_refused_where_there_is_nothing_too(self, edge: Api) -> None:
        reply = edge.ask("OPTIONS", "/api/not/served", headers={"Origin": FOREIGN})

        assert error_of(reply) == (403, "ORIGIN_NOT_ALLOWED")
        assert not any(name.lower().startswith("access-control") for name in reply.headers)

    @pytest.mark.parametrize(
        "origin",
        [
            FOREIGN,
            f"{ORIGIN}:8443",
            ORIGIN.replace("https", "http"),
            f"{ORIGIN}/",
            f"{ORIGIN}/path",
            "https://user@app.example.com",
            "https://example.com",
            "https://evil-app.example.com",
            "null",
            "",
            "x",
            "https://[",
        ],
    )
    def test_a_foreign_page_may_not_write(self, edge: Api, origin: str) -> None:
        for method in ("POST", "OPTIONS"):
            reply = edge.ask(method, "/things", headers={"Origin": origin})
            assert error_of(reply) == (403, "ORIGIN_NOT_ALLOWED")
            assert not any(name.lower().startswith("access-control") for name in reply.headers)

    def test_a_foreign_read_is_answered_without_leave_to_see_it(self, edge: Api) -> None:
        reply = edge.get("/things", headers={"Origin": FOREIGN})

        assert reply.status_code == 200
        assert not any(name.lower().startswith("access-control") for name in reply.headers)

    @pytest.mark.parametrize("origin", ["HTTPS://APP.example.com", "https://app.example.com:443"])
    def test_spelling_does_not_matter(self, edge: Api, origin: str) -> None:
        reply = edge.get("/things", headers={"Origin": origin})

        assert reply.headers["Access-Control-Allow-Origin"] == origin


class TestApiKeys:
    def test_a_missing_scope_is_named(self, edge: Api) -> None:
        reply = edge.post("/scoped", token="key2")

        assert error_of(reply) == (403, "INSUFFICIENT_SCOPE")
        assert reply.json["requiredScope"] == "things:write"

    def test_some_routes_want_a_session(self, edge: Api) -> None:
        assert error_of(edge.post("/sessions", token="key2")) == (403, "FORBIDDEN")
        assert edge.post("/sessions", token="2").status_code == 200
        assert edge.post("/scoped", token="2").status_code == 200
