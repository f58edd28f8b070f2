"""Bytes that no client library sends, said to the proxy and its server together."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.adapters_http.serving import call
from tests.integration.proxy.caddy import Proxy, proxy
from tests.integration.server.serving import serving
from tests.integration.workers.watching import until

pytestmark = pytest.mark.servers

LOGIN = b'{"email":"nobody@shop.example","password":"correct horse"}'
MEGABYTE = 1_048_576


@pytest.fixture(scope="module")
def front(migrated_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    directory: Path = tmp_path_factory.mktemp("raw")
    known = {"TRUSTED_PROXIES": "127.0.0.1"}
    with (
        serving(directory, migrated_database_url, **known) as server,
        proxy(directory, [server.port]) as front,
    ):
        until(lambda: (answer := call(front.port, "GET", "/healthz")) and answer.status == 200)
        yield front


def get(path: str, *headers: str) -> bytes:
    lines = (f"GET {path} HTTP/1.1", "Host: x", *headers)
    return "\r\n".join([*lines, "", ""]).encode()


def post(path: str, *headers: str, body: bytes = b"") -> bytes:
    lines = (f"POST {path} HTTP/1.1", "Host: x", "Content-Type: application/json", *headers)
    return "\r\n".join([*lines, "", ""]).encode() + body


def length(body: bytes) -> str:
    return f"Content-Length: {len(body)}"


class TestPipelinedRequests:
    def test_each_is_answered_in_order_under_its_own_id(self, front: Proxy) -> None:
        told = front.say(
            get("/healthz", "X-Request-ID: first")
            + post("/api/auth/login", "X-Request-ID: second", length(LOGIN), body=LOGIN)
            + get("/api/me", "X-Request-ID: third", "Connection: close")
        )

        assert [(each.status, each.headers["x-request-id"]) for each in told] == [
            (200, "first"),
            (401, "second"),
            (401, "third"),
        ]

    def test_one_sign_in_lets_no_other_request_of_the_line_in(self, front: Proxy) -> None:
        body = b'{"email":"pipe@shop.example","password":"correct horse"}'
        told = front.say(
            post("/api/auth/register", length(body), body=body)
            + get("/api/me", "Connection: close")
        )

        assert [each.status for each in told] == [201, 401]

    def test_a_body_is_never_taken_for_a_request(self, front: Proxy) -> None:
        hidden = get("/healthz", "X-Request-ID: hidden")
        told = front.say(
            post("/api/auth/login", length(hidden), body=hidden)
            + get("/healthz", "X-Request-ID: second", "Connection: close")
        )

        assert [each.status for each in told] == [400, 200]
        assert "hidden" not in [each.headers["x-request-id"] for each in told]

    @pytest.mark.parametrize("size", [MEGABYTE + 1, 3 * MEGABYTE])
    def test_the_rest_of_a_refused_body_is_never_taken_for_a_request(
        self, front: Proxy, size: int
    ) -> None:
        hidden = get("/healthz", "X-Request-ID: hidden")
        body = (b" " * size) + hidden
        told = front.say(post("/api/auth/login", length(body), body=body))

        assert [each.status for each in told] == [413]
        assert json.loads(told[0].body)["code"] == "PAYLOAD_TOO_LARGE"

    def test_a_body_of_a_read_is_never_taken_for_a_request(self, front: Proxy) -> None:
        hidden = get("/healthz", "X-Request-ID: hidden")
        told = front.say(
            get("/healthz", "X-Request-ID: first", length(hidden))
            + hidden
            + get("/healthz", "X-Request-ID: second", "Connection: close")
        )

        assert "hidden" not in [each.headers["x-request-id"] for each in told]


class TestHeads:
    @pytest.mark.parametrize(
        "lie",
        [
            ("Content-Length: 5", "Content-Length: 6"),
            ("Content-Length: +5",),
            ("Content-Length: 5, 5",),
            ("Content-Length: -1",),
            ("Content-Length: 0x5",),
            ("Transfer-Encoding: xchunked",),
            ("Transfer-Encoding : chunked",),
            ("Transfer-Encoding: chunked, identity",),
            ("X-Evil\x00: 1",),
            ("X-Evil: a\x00b",),
            ("X-Evil: a\rb",),
            ("X-Evil Two: 1",),
            (": nameless",),
        ],
    )
    def test_a_head_that_can_be_read_in_two_ways_is_refused(
        self, front: Proxy, lie: tuple[str, ...]
    ) -> None:
        told = front.say(
            post("/api/auth/logout", *lie, body=b"0\r\n\r\n")
            + get("/healthz", "X-Request-ID: hidden", "Connection: close")
        )

        assert told[0].status in {400, 501}
        assert len(told) == 1, "after such a head nobody knows where the next request begins"

    def test_a_length_beside_chunks_is_dropped_before_the_api_sees_it(self, front: Proxy) -> None:
        lie = ("Content-Length: 5000", "Transfer-Encoding: chunked")
        told = front.say(
            post("/api/auth/logout", *lie, body=b"0\r\n\r\n")
            + get("/healthz", "X-Request-ID: second", "Connection: close")
        )

        assert [each.status for each in told] == [200, 200]
        assert told[1].headers["x-request-id"] == "second"

    @pytest.mark.parametrize(
        "lines",
        [
            ("GET /healthz HTTP/1.1",),
            ("GET /healthz HTTP/1.1", "Host: x", "Host: x"),
            ("GET /healthz HTTP/1.1", "Host: x", "hOST: y"),
        ],
    )
    def test_what_must_be_said_once_is_refused_if_it_is_not(
        self, front: Proxy, lines: tuple[str, ...]
    ) -> None:
        told = front.say("\r\n".join([*lines, "", ""]).encode() + get("/healthz"))

        assert [each.status for each in told] == [400]

    def test_an_old_client_need_not_name_a_host(self, front: Proxy) -> None:
        assert [each.status for each in front.say(b"GET /healthz HTTP/1.0\r\n\r\n")] == [200]

    @pytest.mark.parametrize(
        "evil",
        ["a%0d%0aX-Evil:%201", "a%0aX-Evil:%201", "%00", "%0d"],
    )
    def test_a_line_break_in_an_address_stays_in_no_head(self, front: Proxy, evil: str) -> None:
        for path in (f"/{evil}", f"/u/{evil}", f"/api/contacts?q={evil}"):
            for told in front.say(get(path, "Connection: close")):
                assert 300 <= told.status < 500
                assert "x-evil" not in told.headers

    def test_a_request_that_never_ends_its_head_is_refused(self, front: Proxy) -> None:
        for raw in (
            get("/healthz", *(f"X-{number}: 1" for number in range(100)), "Connection: close"),
            get("/healthz", "X-Long: " + "x" * 9_000, "Connection: close"),
            get("/" + "x" * 9_000, "Connection: close"),
        ):
            assert [400 <= each.status < 500 for each in front.say(raw)] == [True]

    def test_what_is_no_request_gets_no_more_than_an_error(self, front: Proxy) -> None:
        for raw in (b"\x16\x03\x01\x02\x00\x01", b"\r\n\r\nHELLO\r\n\r\n", b"GET\r\n\r\n"):
            assert all(400 <= each.status < 500 for each in front.say(raw))
        assert [each.status for each in front.say(get("/healthz", "Connection: close"))] == [200]

    def test_it_does_not_say_what_it_is_made_of(self, front: Proxy) -> None:
        for raw in (get("/healthz", "Connection: close"), get("/x", "Connection: close")):
            for told in front.say(raw):
                assert "x-powered-by" not in told.headers
                assert not any(sign.isdigit() for sign in told.headers.get("server", ""))
