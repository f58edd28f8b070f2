"""The rules that every route shares (http-contract, 1.1 to 1.7 and 1.9)."""

import io
import re
from typing import Any

import orjson
import pytest
from falcon.testing import Result
from loguru import logger

from adapters_http.middleware.headers import SECURITY
from adapters_http.targets import PARAMETERS_MAX
from retail_core.kernel.ids import AccountId
from tests.contracts.worlds import World, memory_world
from tests.http.api import ORIGIN, Api, error_of
from tests.http.things import UPLOAD_BYTES_MAX, api_of_things

FOREIGN = f"{ORIGIN}.evil.tld"
FORM = "application/x-www-form-urlencoded"
MEGABYTE = 1_048_576


@pytest.fixture
def edge_world() -> World:
    return memory_world()


@pytest.fixture
def edge(edge_world: World) -> Api:
    return api_of_things(edge_world)


def send(edge: Api, raw: bytes, kind: str | None = "application/json", **headers: str) -> Result:
    """A body as it is to the route that makes things."""
    sent = {"Authorization": "Bearer 2"} | headers
    if kind is not None:
        sent["Content-Type"] = kind
    return edge.ask("POST", "/things", raw=raw, headers=sent)


class TestPaths:
    @pytest.mark.parametrize("path", ["/things", "/Things", "/THINGS/", "/%74hings"])
    def test_case_and_one_trailing_slash_do_not_matter(self, edge: Api, path: str) -> None:
        assert edge.get(path).status_code == 200

    @pytest.mark.parametrize("path", ["/things//", "//things", "//", "/codes//", "/codes", "/x"])
    def test_anything_else_is_unknown(self, edge: Api, path: str) -> None:
        assert error_of(edge.get(path)) == (404, "RESOURCE_NOT_FOUND")

    def test_values_keep_their_case(self, edge: Api) -> None:
        assert edge.get("/CODES/AbC").json == {"code": "AbC"}

    @pytest.mark.parametrize(
        ("sent", "read"),
        [
            ("a%2Fb", "a/b"),
            ("..%2F..%2F", "../../"),
            ("%CF%89", "ω"),
            ("a+b", "a+b"),
            ("a%20", "a "),
        ],
    )
    def test_values_are_decoded_once(self, edge: Api, sent: str, read: str) -> None:
        assert edge.get(f"/codes/{sent}").json == {"code": read}

    @pytest.mark.parametrize(
        "path", ["/codes/%", "/codes/%zz", "/codes/%00", "/codes/%ff", "/%C0%80"]
    )
    def test_broken_escapes_are_refused(self, edge: Api, path: str) -> None:
        assert error_of(edge.get(path)) == (400, "VALIDATION_ERROR")

    def test_fixed_words_win_over_parameters(self, edge: Api) -> None:
        assert edge.get("/things/Special").json.keys() == {"page", "pageSize"}

    @pytest.mark.parametrize(
        ("sent", "status", "code"),
        [
            ("0", 400, "VALIDATION_ERROR"),
            ("01", 400, "VALIDATION_ERROR"),
            ("1.0", 400, "VALIDATION_ERROR"),
            ("+1", 400, "VALIDATION_ERROR"),
            ("-0", 400, "VALIDATION_ERROR"),
            ("abc", 400, "VALIDATION_ERROR"),
            ("%D9%A1", 400, "VALIDATION_ERROR"),
            ("1%0A", 400, "VALIDATION_ERROR"),
            ("-1", 404, "RESOURCE_NOT_FOUND"),
            ("2147483648", 404, "RESOURCE_NOT_FOUND"),
            ("9" * 6000, 404, "RESOURCE_NOT_FOUND"),
        ],
    )
    def test_bad_ids_are_refused(self, edge: Api, sent: str, status: int, code: str) -> None:
        assert error_of(edge.get(f"/things/{sent}")) == (status, code)

    def test_good_ids_are_read(self, edge: Api) -> None:
        assert edge.get("/things/2147483647").json == {"id": 2147483647}


class TestMethods:
    def test_head_answers_as_get_without_a_body(self, edge: Api) -> None:
        read, head = edge.get("/things"), edge.ask("HEAD", "/things")

        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["Content-Length"] == str(len(read.content))
        assert head.headers["ETag"] == read.headers["ETag"]

    @pytest.mark.filterwarnings("ignore::wsgiref.validate.WSGIWarning")
    def test_an_unknown_method_names_those_there_are(self, edge: Api) -> None:
        for method in ("PATCH", "DELETE", "TRACE", "PROPFIND"):
            reply = edge.ask(method, "/things")
            assert error_of(reply) == (405, "METHOD_NOT_ALLOWED")
            assert reply.headers["Allow"] == "GET, HEAD, OPTIONS, POST"

    def test_options_names_the_methods(self, edge: Api) -> None:
        reply = edge.ask("OPTIONS", "/things/7")

        assert (reply.status_code, reply.content) == (204, b"")
        assert reply.headers["Allow"] == "GET, HEAD, OPTIONS"

    def test_options_of_an_unknown_path_is_unknown(self, edge: Api) -> None:
        assert error_of(edge.ask("OPTIONS", "/x")) == (404, "RESOURCE_NOT_FOUND")


class TestQueries:
    @pytest.mark.parametrize("query", ["a=1&a=2", "a=&a=", "a=%zz", "a=%00", "a=%ff", "%ff=a"])
    def test_what_cannot_be_read_is_refused(self, edge: Api, query: str) -> None:
        assert error_of(edge.get(f"/things?{query}")) == (400, "VALIDATION_ERROR")

    def test_there_is_an_end_to_parameters(self, edge: Api) -> None:
        query = "&".join(f"a{number}=1" for number in range(PARAMETERS_MAX + 1))

        assert error_of(edge.get(f"/things?{query}")) == (400, "VALIDATION_ERROR")

    @pytest.mark.parametrize(
        ("query", "page", "page_size"),
        [
            ("", 1, 20),
            ("page=&pageSize=", 1, 20),
            ("page=3&pageSize=7", 3, 7),
            ("page=0&pageSize=-4", 1, 1),
            ("page=%201%20&pageSize=101", 1, 100),
            ("page=99999999999999999999&unknown=x", 10_000_000, 20),
        ],
    )
    def test_pages_are_brought_within_bounds(
        self, edge: Api, query: str, page: int, page_size: int
    ) -> None:
        assert edge.get(f"/things?{query}").json == {"page": page, "pageSize": page_size}

    @pytest.mark.parametrize("query", ["page=abc", "page=1.5", "pageSize=1e3", "page=%D9%A1"])
    def test_pages_are_whole_numbers(self, edge: Api, query: str) -> None:
        reply = edge.get(f"/things?{query}")

        assert error_of(reply) == (400, "VALIDATION_ERROR")
        assert reply.json["fields"][0]["path"] == query.partition("=")[0]


class TestBodies:
    def test_json_is_read(self, edge: Api) -> None:
        reply = send(edge, b'{"name":" ab ","firstNumber":"12","other":1}')

        assert (reply.status_code, reply.json) == (201, {"id": 1, "name": "ab"})

    def test_a_form_is_read(self, edge: Api) -> None:
        reply = send(edge, b"name=a+b%26&firstNumber=12&other", f"{FORM}; charset=utf-8")

        assert (reply.status_code, reply.json["name"]) == (201, "a b&")

    def test_no_body_means_an_empty_object(self, edge: Api) -> None:
        for kind in (None, "application/json", "text/plain"):
            reply = send(edge, b"", kind)
            assert error_of(reply) == (400, "VALIDATION_ERROR")
            assert reply.json["fields"] == [{"path": "name", "message": "is required"}]

    @pytest.mark.parametrize(
        "raw",
        [
            b"{",
            b"[]",
            b"null",
            b'"text"',
            b"5",
            b"true",
            b'{"name":"a"} x',
            b"{'name':'a'}",
            b'{"name":"a","name":"b"}',
            b'{"name":"a","other":{"x":1,"x":1}}',
            b'{"name":NaN}',
            b'{"name":"a","firstNumber":Infinity}',
            b'{"name":"\\ud800"}',
            b'{"other":"\\u0000"}',
            b'{"name":"\xff"}',
            b"\xef\xbb\xbf{}",
            b'{"a":' * 5000 + b"1" + b"}" * 5000,
            b"[" * 100_000,
        ],
    )
    def test_malformed_json_is_refused(self, edge: Api, raw: bytes) -> None:
        assert error_of(send(edge, raw)) == (400, "VALIDATION_ERROR")

    @pytest.mark.parametrize("raw", [b"name=a&name=b", b"name=%zz", b"name=%00", b"name=\xff"])
    def test_malformed_forms_are_refused(self, edge: Api, raw: bytes) -> None:
        assert error_of(send(edge, raw, FORM)) == (400, "VALIDATION_ERROR")

    @pytest.mark.parametrize(
        "kind", ["text/plain", "application/xml", "multipart/form-data; boundary=x", "json", None]
    )
    def test_other_types_are_refused(self, edge: Api, kind: str | None) -> None:
        assert error_of(send(edge, b'{"name":"a"}', kind)) == (415, "UNSUPPORTED_MEDIA_TYPE")

    @pytest.mark.parametrize(
        "value",
        ["5", "true", "null", "[]", '["a"]', "{}", "1.5", '""', '"  "', '"' + "a" * 11 + '"'],
    )
    def test_a_wrong_value_is_refused(self, edge: Api, value: str) -> None:
        reply = send(edge, b'{"name":%s}' % value.encode())

        assert error_of(reply) == (400, "VALIDATION_ERROR")
        assert reply.json["fields"][0]["path"] == "name"

    @pytest.mark.parametrize("value", ["1.0", "true", '"1.0"', '"abc"', '""', "[]", "null"])
    def test_a_wrong_number_is_refused(self, edge: Api, value: str) -> None:
        reply = send(edge, b'{"name":"a","firstNumber":%s}' % value.encode())

        assert error_of(reply) == (400, "VALIDATION_ERROR")
        assert reply.json["fields"][0]["path"] == "firstNumber"

    def test_a_megabyte_is_taken_and_a_byte_more_is_not(self, edge: Api) -> None:
        def of_size(size: int) -> bytes:
            return b'{"name":"a"' + b" " * (size - 12) + b"}"

        assert send(edge, of_size(MEGABYTE)).status_code == 201
        assert error_of(send(edge, of_size(MEGABYTE + 1))) == (413, "PAYLOAD_TOO_LARGE")

    def test_size_is_checked_before_the_credential(self, edge: Api) -> None:
        reply = edge.ask("POST", "/things", raw=b" " * (MEGABYTE + 1))

        assert error_of(reply) == (413, "PAYLOAD_TOO_LARGE")


class Chunks(io.BytesIO):
    """A chunked body as the server hands it over; counts what was read of it."""

    taken = 0

    def read(self, size: int | None = -1) -> bytes:
        piece = super().read(size)
        self.taken += len(piece)
        return piece


def chunked(edge: Api, path: str, stream: io.BytesIO) -> Result:
    return edge.client.simulate_post(
        path,
        headers={
            "Authorization": "Bearer 2",
            "Transfer-Encoding": "chunked",
            "Content-Type": "application/json",
        },
        extras={"wsgi.input": stream},
    )


class TestChunkedBodies:
    def test_a_chunked_body_is_read(self, edge: Api) -> None:
        assert chunked(edge, "/things", Chunks(b'{"name":"a"}')).status_code == 201

    def test_a_large_one_is_refused_without_reading_the_rest(self, edge: Api) -> None:
        stream = Chunks(b" " * 4 * MEGABYTE)

        assert error_of(chunked(edge, "/things", stream)) == (413, "PAYLOAD_TOO_LARGE")
        assert stream.taken <= MEGABYTE + 1

    def test_a_large_upload_is_refused_where_its_limit_is(self, edge: Api) -> None:
        assert chunked(edge, "/uploads", Chunks(b" " * UPLOAD_BYTES_MAX)).status_code == 200
        stream = Chunks(b" " * 2 * UPLOAD_BYTES_MAX)

        assert error_of(chunked(edge, "/uploads", stream)) == (413, "PAYLOAD_TOO_LARGE")
        assert stream.taken <= UPLOAD_BYTES_MAX + 1

    def test_a_body_that_breaks_off_is_refused(self, edge: Api) -> None:
        class Broken(io.BytesIO):
            def read(self, size: int | None = -1) -> bytes:
                raise OSError("bad chunk")

        assert error_of(chunked(edge, "/things", Broken())) == (400, "VALIDATION_ERROR")


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


class TestOrigins:
    def test_an_allowed_page_may_read_and_write(self, edge: Api) -> None:
        for method, path in (("GET", "/things"), ("GET", "/x"), ("POST", "/things")):
            reply = edge.ask(method, path, headers={"Origin": ORIGIN, "Authorization": "Bearer 2"})
            assert reply.headers["Access-Control-Allow-Origin"] == ORIGIN
            assert reply.headers["Access-Control-Allow-Credentials"] == "true"
            exposed = reply.headers["Access-Control-Expose-Headers"].split(", ")
            assert {"X-Request-ID", "ETag", "Retry-After", "Idempotency-Replayed"} <= set(exposed)
            assert "Access-Control-Allow-Methods" not in reply.headers

    def test_a_preflight_is_answered(self, edge: Api) -> None:
        reply = edge.ask(
            "OPTIONS",
            "/things",
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


class TestIdempotency:
    def make(self, edge: Api, key: str, name: str = "a", **how: Any) -> Result:
        return edge.post(
            how.pop("path", "/things"),
            {"name": name},
            token=how.pop("token", "2"),
            headers={"Idempotency-Key": key},
        )

    def test_a_repeat_gets_the_same_reply_and_does_nothing(self, edge: Api) -> None:
        first, repeat = self.make(edge, "k"), self.make(edge, "k")

        assert (first.status_code, first.json) == (201, {"id": 1, "name": "a"})
        assert (repeat.status_code, repeat.content) == (201, first.content)
        assert "Idempotency-Replayed" not in first.headers
        assert repeat.headers["Idempotency-Replayed"] == "true"
        assert self.make(edge, "other").json["id"] == 2

    def test_a_lost_reply_is_built_again(self, edge: Api, edge_world: World) -> None:
        first = self.make(edge, "k")
        tables = edge_world.replies.database.tables  # type: ignore[attr-defined] # in memory
        stored = tables.keys.get((2, "k"))
        tables.keys.put((2, "k"), type(stored)(stored.once, stored.effect, None, stored.created_at))

        repeat = self.make(edge, "k")

        assert (repeat.status_code, repeat.json) == (201, first.json)
        assert repeat.headers["Idempotency-Replayed"] == "true"

    def test_another_body_under_the_same_key_is_refused(self, edge: Api) -> None:
        self.make(edge, "k")

        assert error_of(self.make(edge, "k", name="b")) == (409, "IDEMPOTENCY_KEY_REUSED")
        assert error_of(self.make(edge, "k", path="/things?x=1")) == (409, "IDEMPOTENCY_KEY_REUSED")

    def test_keys_of_accounts_do_not_meet(self, edge: Api) -> None:
        self.make(edge, "k")

        assert self.make(edge, "k", token="3").json["id"] == 2

    def test_after_an_error_the_request_may_be_repeated(self, edge: Api) -> None:
        assert error_of(self.make(edge, "k", name="conflict")) == (409, "INVALID_STATUS")

        assert self.make(edge, "k", name="a").status_code == 201

    def test_a_request_that_still_runs_is_not_run_again(self, edge: Api, edge_world: World) -> None:
        database = edge_world.replies.database  # type: ignore[attr-defined] # in memory
        database._claimed[(AccountId(2), "k")] = object()

        reply = self.make(edge, "k")

        assert error_of(reply) == (409, "IDEMPOTENCY_IN_PROGRESS")
        assert reply.headers["Retry-After"] == "1"

    @pytest.mark.parametrize("key", ["", "a b", "ü", "x" * 256, "a\x7f"])
    def test_a_bad_key_is_refused(self, edge: Api, key: str) -> None:
        assert error_of(self.make(edge, key)) == (400, "VALIDATION_ERROR")

    def test_other_routes_ignore_the_key(self, edge: Api) -> None:
        for _ in range(2):
            reply = edge.post("/scoped", token="2", headers={"Idempotency-Key": "a b"})
            assert reply.status_code == 200
            assert "Idempotency-Replayed" not in reply.headers


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
