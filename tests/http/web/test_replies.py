"""What every reply has in common, errors and log lines included (docs/api.md, 1.3 and 1.6)."""

import re
from typing import Any

import orjson
import pytest
from loguru import logger

from adapters_http.middleware.headers import SECURITY
from tests.http.api import Api, error_of


class TestReplies:
    def test_every_reply_has_the_security_headers(self, edge: Api) -> None:
        tag = edge.get("/things").headers["ETag"]
        replies = [
            edge.get("/things"),
            edge.get("/things", headers={"If-None-Match": tag}),
            edge.get("/x"),
            edge.get("/codes/%zz"),
            edge.get("/troubles/bug"),
            edge.ask("OPTIONS", "/things"),
            edge.ask("PATCH", "/things"),
        ]

        assert [reply.status_code for reply in replies] == [200, 304, 404, 400, 500, 204, 405]
        for reply in replies:
            assert {name: reply.headers.get(name) for name, _ in SECURITY} == dict(SECURITY)
            assert reply.headers["Vary"] == "Origin"
            assert not {"Server", "X-Powered-By"} & set(reply.headers)

    def test_replies_are_compact_json_in_utf8(self, edge: Api) -> None:
        reply = edge.get("/codes/%CF%89")

        assert reply.headers["Content-Type"] == "application/json; charset=utf-8"
        assert reply.content == '{"code":"ω"}'.encode()

    def test_reads_may_be_kept_and_asked_for_again(self, edge: Api) -> None:
        assert edge.get("/things").headers["Cache-Control"] == "private, no-cache"

    def test_a_known_reply_is_not_sent_again(self, edge: Api) -> None:
        tag = edge.get("/things").headers["ETag"]
        assert re.fullmatch(r'W/"[0-9a-f]+"', tag)

        for known in (tag, tag.removeprefix("W/"), "*", f'"x", {tag}'):
            for method in ("GET", "HEAD"):
                reply = edge.ask(method, "/things", headers={"If-None-Match": known})
                assert (reply.status_code, reply.content) == (304, b"")
                assert reply.headers["ETag"] == tag
        assert edge.get("/things", headers={"If-None-Match": 'W/"x"'}).status_code == 200

    def test_a_good_request_id_is_taken_over(self, edge: Api) -> None:
        for given in ("a", "A-b_c.9", "x" * 64):
            reply = edge.get("/x", headers={"X-Request-ID": given})
            assert reply.headers["X-Request-ID"] == reply.json["requestId"] == given

    def test_a_bad_request_id_is_replaced(self, edge: Api) -> None:
        for given in ("", "a b", "x" * 65, "a\tb", "ü"):
            made = edge.get("/things", headers={"X-Request-ID": given}).headers["X-Request-ID"]
            assert made != given
            assert re.fullmatch(r"[A-Za-z0-9._-]{1,64}", made)


class TestErrors:
    @pytest.mark.parametrize(
        ("kind", "status", "code"),
        [
            ("gone", 404, "RESOURCE_NOT_FOUND"),
            ("never", 403, "FORBIDDEN"),
            ("down", 503, "SERVICE_UNAVAILABLE"),
            ("falcon", 400, "VALIDATION_ERROR"),
            ("teapot", 400, "VALIDATION_ERROR"),
            ("bug", 500, "INTERNAL_ERROR"),
            ("homeless", 500, "INTERNAL_ERROR"),
            ("server", 500, "INTERNAL_ERROR"),
        ],
    )
    def test_families_become_statuses(self, edge: Api, kind: str, status: int, code: str) -> None:
        reply = edge.get(f"/troubles/{kind}")

        assert error_of(reply) == (status, code)
        assert "half" not in reply.json

    def test_keys_of_a_code_stand_beside_the_four(self, edge: Api) -> None:
        assert edge.get("/troubles/never").json["currentPlan"] == "starter"

    @pytest.mark.parametrize("kind", ["bug", "homeless", "server", "down"])
    def test_nothing_leaks(self, edge: Api, kind: str) -> None:
        text = edge.get(f"/troubles/{kind}").text

        assert "hunter2" not in text
        assert "10.0.0.7" not in text


class TestLogs:
    def test_a_request_leaves_one_line_without_its_query(
        self, edge: Api, capture_logs: list[dict[str, Any]]
    ) -> None:
        edge.get("/codes/hidden-code?secret=hidden-too", headers={"X-Request-ID": "r-1"})

        lines = [orjson.dumps(line).decode() for line in capture_logs]
        assert len(lines) == 1
        assert "hidden" not in lines[0]
        assert capture_logs[0]["requestId"] == "r-1"
        assert capture_logs[0]["route"] == "/codes/{code}"
        assert capture_logs[0]["status"] == 200

    def test_an_unexpected_error_is_logged_under_its_request(
        self, edge: Api, capture_logs: list[dict[str, Any]]
    ) -> None:
        edge.get("/troubles/bug", headers={"X-Request-ID": "r-2"})

        assert {line["requestId"] for line in capture_logs} == {"r-2"}
        assert [line["message"] for line in capture_logs] == [
            "unexpected error",
            "GET /troubles/{kind} 500",
        ]

    def test_the_id_is_let_go(self, edge: Api, capture_logs: list[dict[str, Any]]) -> None:
        edge.get("/codes/%zz")
        logger.info("afterwards")

        assert "requestId" not in capture_logs[-1]
