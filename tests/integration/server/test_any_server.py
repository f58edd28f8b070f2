"""The API behaves the same under any server of WSGI (docs/decisions/0017-wsgi.md)."""

import http.client
import itertools
import json
import socket
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import attrs
import pytest

from adapters_http.middleware.headers import SECURITY
from tests.http.api import PASSWORD, SET_COOKIE, WEBHOOK_SECRET
from tests.http.uploading import PEOPLE, form
from tests.integration.adapters_http.serving import Answer, read_answer
from tests.integration.server.serving import SERVERS, Server, serving

pytestmark = pytest.mark.servers
AS_JSON: Final = {"Content-Type": "application/json"}
MEGABYTE: Final = 1_048_576
ANA: Final = {"phone": "6984303401", "firstName": "Άννα"}
SIDE_BY_SIDE: Final = 32
_numbers = itertools.count(1)


@attrs.frozen
class Reply:
    """What a client library made of an answer."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@attrs.frozen
class Shop:
    """A shop that asks a real server."""

    port: int
    token: str = ""

    def ask(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """One request on a line of its own; fields go as JSON, all else as it is."""
        sent = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if isinstance(body, dict):
            body, sent = json.dumps(body), sent | AS_JSON
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            line.request(method, path, body, sent | dict(headers or {}))
            answer = line.getresponse()
            return Reply(answer.status, answer.headers, answer.read())
        finally:
            line.close()

    def raw(self, head: str, body: bytes = b"", *, ends: bool = False) -> Answer | None:
        """These very bytes with our token; `ends` says that nothing more comes."""
        with socket.create_connection(("127.0.0.1", self.port), 20) as line:
            line.sendall(f"{head}\r\nAuthorization: Bearer {self.token}\r\n\r\n".encode() + body)
            if ends:
                line.shutdown(socket.SHUT_WR)
            try:
                return read_answer(line)
            except ConnectionResetError:
                return None

    @property
    def contacts(self) -> int:
        return int(self.ask("GET", "/api/contacts").json["total"])


@pytest.fixture(scope="module", params=SERVERS)
def server(
    request: pytest.FixtureRequest,
    migrated_database_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server]:
    directory: Path = tmp_path_factory.mktemp(request.param)
    with serving(directory, migrated_database_url, request.param) as server:
        yield server


@pytest.fixture
def stranger(server: Server) -> Shop:
    return Shop(server.port)


@pytest.fixture
def shop(stranger: Shop) -> Shop:
    who = {"email": f"any{next(_numbers)}@{stranger.port}.example", "password": PASSWORD}
    reply = stranger.ask("POST", "/api/auth/register", who)
    assert reply.status == 201, reply.body
    assert SET_COOKIE.fullmatch(reply.headers["Set-Cookie"])
    return Shop(stranger.port, reply.json["accessToken"])


def test_a_contact_is_made_read_changed_and_removed(shop: Shop) -> None:
    made = shop.ask("POST", "/api/contacts", ANA)
    path = f"/api/contacts/{made.json['id']}"

    assert made.status == 201
    assert shop.ask("GET", path).json["firstName"] == "Άννα"
    assert shop.ask("PUT", path, {"firstName": "Eva"}).json["firstName"] == "Eva"
    assert shop.ask("GET", f"/api/contacts?q={quote('Eva')}").json["total"] == 1
    assert shop.ask("DELETE", path).status in {200, 204}
    assert shop.ask("GET", path).status == 404


def test_what_a_client_has_is_not_sent_again_and_a_head_has_no_body(shop: Shop) -> None:
    first = shop.ask("GET", "/api/contacts")
    known = shop.ask("GET", "/api/contacts", headers={"If-None-Match": first.headers["ETag"]})
    head = shop.ask("HEAD", "/api/contacts")

    assert (first.status, known.status, head.status) == (200, 304, 200)
    assert (known.body, head.body) == (b"", b"")
    assert head.headers["Content-Length"] == str(len(first.body))


def test_a_repeat_under_the_same_key_gets_the_very_bytes(shop: Shop) -> None:
    first, repeat = (
        shop.ask("POST", "/api/contacts", ANA, {"Idempotency-Key": "k"}) for _ in range(2)
    )

    assert (repeat.status, repeat.body) == (first.status, first.body)
    assert repeat.headers["Idempotency-Replayed"] == "true"
    assert shop.contacts == 1


def test_two_keys_are_a_key_of_their_own_or_refused(shop: Shop) -> None:
    body = json.dumps(ANA).encode()
    lines = ["Idempotency-Key: a", "Idempotency-Key: b"]
    head = ("POST /api/contacts HTTP/1.1", "Host: x", "Content-Type: application/json", *lines)
    whole = "\r\n".join([*head, f"Content-Length: {len(body)}"])
    first, again = (shop.raw(whole, body) for _ in range(2))

    assert first is not None
    assert again is not None
    assert (first.status, first.body) == (again.status, again.body) or first.status == 400
    assert shop.contacts == (1 if first.status == 201 else 0)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/nowhere", None, 404, "RESOURCE_NOT_FOUND"),
        ("PATCH", "/api/contacts", b"{}", 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/api/contacts/%FF", None, 400, "VALIDATION_ERROR"),
        ("GET", "/api/contacts?q=%zz", None, 400, "VALIDATION_ERROR"),
        ("POST", "/api/contacts", b"{", 400, "VALIDATION_ERROR"),
    ],
)
def test_every_refusal_is_json_with_all_headers(
    shop: Shop, method: str, path: str, body: bytes | None, status: int, code: str
) -> None:
    reply = shop.ask(method, path, body, AS_JSON)

    assert (reply.status, reply.json["code"]) == (status, code)
    assert reply.json["requestId"] == reply.headers["X-Request-ID"]
    assert {name: reply.headers[name] for name, _ in SECURITY} == dict(SECURITY)


def test_nobody_comes_in_without_a_credential(stranger: Shop) -> None:
    reply = stranger.ask("GET", "/api/me")

    assert (reply.status, reply.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_a_request_without_a_host_is_refused(shop: Shop) -> None:
    answer = shop.raw("GET /api/me HTTP/1.1")

    assert answer is not None
    assert (answer.status, answer.json["code"]) == (400, "VALIDATION_ERROR")


def test_a_large_body_is_refused_before_it_comes(shop: Shop) -> None:
    head = "POST /api/contacts HTTP/1.1\r\nHost: x\r\nContent-Type: application/json"
    answer = shop.raw(f"{head}\r\nContent-Length: {2 * MEGABYTE}", b"{")

    assert answer is not None
    assert (answer.status, answer.json["code"]) == (413, "PAYLOAD_TOO_LARGE")


def test_a_body_in_chunks_is_read(shop: Shop) -> None:
    pieces = iter([json.dumps(ANA).encode()[:10], json.dumps(ANA).encode()[10:]])

    assert shop.ask("POST", "/api/contacts", pieces, AS_JSON).status == 201


@pytest.mark.parametrize("is_chunked", [False, True])
def test_of_a_body_that_breaks_off_nothing_is_done(shop: Shop, *, is_chunked: bool) -> None:
    body = json.dumps(ANA).encode()
    framing = "Transfer-Encoding: chunked" if is_chunked else f"Content-Length: {len(body) + 9}"
    if is_chunked:
        body = b"%x\r\n%b\r\n" % (len(body) - 1, body[:-1])
    head = "POST /api/contacts HTTP/1.1\r\nHost: x\r\nContent-Type: application/json"
    answer = shop.raw(f"{head}\r\n{framing}", body, ends=True)

    # nobody may be left to tell, but whoever is told is told so
    assert answer is None or (answer.status, answer.json["code"]) == (400, "VALIDATION_ERROR")
    assert shop.contacts == 0


@pytest.mark.parametrize("in_chunks", [False, True])
def test_a_file_is_taken_in(shop: Shop, *, in_chunks: bool) -> None:
    rows = PEOPLE + "".join(f"P{n},69{n:08},\n" for n in range(80_000))
    headers, body = form([("file", "people.csv", rows.encode())])
    sent: Any = iter([body[:1000], body[1000:]]) if in_chunks else body
    reply = shop.ask("POST", "/api/contacts/import", sent, headers)

    assert len(body) > MEGABYTE
    assert reply.status in {200, 201, 202}, reply.body
    assert reply.json["jobId"]


def test_a_list_is_taken_out_as_a_file(shop: Shop) -> None:
    shop.ask("POST", "/api/contacts", ANA)
    reply = shop.ask("GET", "/api/contacts/export")

    assert reply.headers["Content-Type"].startswith("text/csv")
    assert "attachment" in reply.headers["Content-Disposition"]
    assert "Άννα" in reply.body.decode("utf-8-sig")


def test_the_gateway_reports(stranger: Shop) -> None:
    told = {"messageId": "m-1", "deliveryStatus": "Delivered"}
    proof = {"X-Webhook-Token": WEBHOOK_SECRET}

    assert stranger.ask("POST", "/webhooks/mitto/dlr", told, proof).status == 202
    assert stranger.ask("POST", "/webhooks/mitto/dlr", told).status == 401


def test_people_get_pages(stranger: Shop) -> None:
    reply = stranger.ask("GET", "/docs")

    assert (reply.status, reply.headers["Content-Type"][:9]) == (200, "text/html")


def test_who_asks_is_read_from_the_line(server: Server, stranger: Shop) -> None:
    stranger.ask("GET", "/nowhere", headers={"X-Forwarded-For": "192.0.2.1"})

    lines = [json.loads(line) for line in server.log.read_text().splitlines() if line[0] == "{"]
    assert {line["address"] for line in lines if "address" in line} == {"127.0.0.1"}


def test_many_ask_at_once(shop: Shop) -> None:
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        replies = list(pool.map(lambda _: shop.ask("GET", "/api/me"), range(4 * SIDE_BY_SIDE)))

    assert {reply.status for reply in replies} == {200}
    assert len({reply.headers["X-Request-ID"] for reply in replies}) == len(replies)
