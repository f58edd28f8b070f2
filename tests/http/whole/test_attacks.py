"""What people try who mean harm, through the whole app; docs/security.md lists them all."""

import re
from typing import Any

import pytest
from falcon.testing import Result

from tests.http.api import ORIGIN, PASSWORD, Api, Shop, error_of
from tests.http.people import create

PAGED = ("/api/contacts", "/api/campaigns")
METACHARACTERS = (
    "%",
    "_",
    "\\",
    "'",
    '"',
    "';--",
    "' OR '1'='1",
    "x') UNION SELECT password_hash FROM account --",
    "$1",
    ":account",
    "%(account)s",
    "{0}",
    "\u202e",
)
NOBODY = 2**31 - 1
OWN = {"firstName": "Ana"}


def without_id(reply: Result) -> tuple[int, dict[str, Any]]:
    """What a reply tells, apart from the id of its request."""
    body = dict(reply.json)
    body.pop("requestId")
    return reply.status_code, body


class TestMassAssignment:
    def test_a_sign_up_cannot_give_itself_an_id_or_credits(self, api: Api) -> None:
        shop = api.sign_up(
            id=1, ownerId=1, credits=5000, isAdmin=True, passwordHash="x", createdAt="2000-01-01"
        )

        me = shop.get("/api/me").json["user"]
        assert me["id"] == shop.id != 1
        assert me["credits"] == 0
        again = api.post("/api/auth/login", {"email": shop.email, "password": PASSWORD})
        assert again.status_code == 200

    def test_a_contact_cannot_be_given_to_another_shop_or_backdated(self, shop: Shop) -> None:
        other = shop.api.sign_up()
        forged = {
            "id": NOBODY,
            "ownerId": other.id,
            "accountId": other.id,
            "isSuppressed": True,
            "unsubscribedAt": "2000-01-01T00:00:00.000Z",
            "createdAt": "2000-01-01T00:00:00.000Z",
        }
        made = create(shop, **OWN, **forged)
        changed = shop.put(f"/api/contacts/{made['id']}", {"firstName": "Eva"} | forged).json

        for contact in (made, changed):
            assert contact["ownerId"] == shop.id
            assert contact["id"] == made["id"] != NOBODY
            assert (contact["isSuppressed"], contact["unsubscribedAt"]) == (False, None)
            assert not contact["createdAt"].startswith("2000")
        assert other.get("/api/contacts").json["total"] == 0

    def test_a_campaign_begins_as_a_draft_whatever_it_says(self, shop: Shop) -> None:
        forged = {
            "status": "completed",
            "ownerId": 1,
            "createdById": 1,
            "total": 10,
            "sent": 10,
            "startedAt": "2000-01-01T00:00:00.000Z",
        }
        body = {"name": "Autumn", "messageText": "Hello"} | forged
        made = shop.post("/api/campaigns", body)

        assert made.status_code == 201, made.text
        assert (made.json["status"], made.json["sent"]) == ("draft", 0)
        assert (made.json["ownerId"], made.json["startedAt"]) == (shop.id, None)


class TestEnumeration:
    def test_another_shops_row_looks_like_no_row(self, shop: Shop) -> None:
        theirs = create(shop.api.sign_up())["id"]
        for method, path in (
            ("GET", "/api/contacts/{}"),
            ("PUT", "/api/contacts/{}"),
            ("DELETE", "/api/contacts/{}"),
            ("GET", "/api/contacts/{}/consents"),
        ):
            body = {"firstName": "Eva"} if method == "PUT" else None
            foreign = shop.ask(method, path.format(theirs), body)
            nobody = shop.ask(method, path.format(NOBODY), body)
            assert without_id(foreign) == without_id(nobody)

    def test_a_taken_number_of_another_shop_is_free_here(self, shop: Shop) -> None:
        create(shop.api.sign_up(), "6984303406")

        assert create(shop, "6984303406")["phone"] == "+306984303406"


class TestSearch:
    @pytest.mark.parametrize("text", METACHARACTERS)
    def test_signs_of_sql_are_letters_like_any_other(self, shop: Shop, text: str) -> None:
        create(shop, "6984303401", firstName="Ana")
        create(shop, "6984303402", firstName="Eva")

        reply = shop.api.client.simulate_get(
            "/api/contacts",
            params={"q": text},
            headers={"Authorization": f"Bearer {shop.token}"},
        )

        assert (reply.status_code, reply.json["total"]) == (200, 0), reply.text
        assert shop.get("/api/contacts").json["total"] == 2

    def test_a_sign_that_is_there_is_found(self, shop: Shop) -> None:
        create(shop, "6984303401", lastName="O'Neil 100%_\\")

        for text in ("o%27neil", "100%25", "%25_", "_%5C"):
            assert shop.get(f"/api/contacts?q={text}").json["total"] == 1


class TestPages:
    @pytest.mark.parametrize("path", PAGED)
    @pytest.mark.parametrize("number", [str(2**31), str(2**63), "9" * 30, "-" + "9" * 30])
    def test_a_huge_page_is_empty_or_the_first(self, shop: Shop, path: str, number: str) -> None:
        for query in (f"page={number}", f"pageSize={number}", f"page={number}&pageSize={number}"):
            reply = shop.get(f"{path}?{query}")
            assert reply.status_code == 200, reply.text
            assert reply.json["items"] == []
            assert reply.json["pageSize"] <= 200

    @pytest.mark.parametrize("number", ["9" * 5000, "1e9", "0x10", "\u0661", "1_000"])
    def test_what_is_no_number_of_a_page_is_refused(self, shop: Shop, number: str) -> None:
        reply = shop.api.client.simulate_get(
            "/api/contacts",
            params={"page": number},
            headers={"Authorization": f"Bearer {shop.token}"},
        )

        assert error_of(reply) == (400, "VALIDATION_ERROR")


class TestHeaders:
    @pytest.mark.parametrize("evil", ["a\r\nSet-Cookie: rt=evil", "a\nX-Evil: 1", "a\rb", "a b"])
    def test_nothing_of_a_request_breaks_the_head_of_the_reply(self, edge: Api, evil: str) -> None:
        for name in ("X-Request-ID", "Origin", "Idempotency-Key", "If-None-Match"):
            reply = edge.get("/things", headers={name: evil, "Authorization": "Bearer 2"})
            assert "evil" not in str(reply.headers).lower()
            assert re.fullmatch(r"[A-Za-z0-9._-]{1,64}", reply.headers["X-Request-ID"])

    def test_the_host_a_caller_names_is_in_no_reply(self, api: Api) -> None:
        for path in ("/healthz", "/x", "/u/AAAAAAAAAAA", "/api/me"):
            reply = api.get(path, headers={"Host": "evil.example", "X-Forwarded-Host": "evil"})
            assert "evil" not in reply.text + str(reply.headers)

    @pytest.mark.parametrize(
        "origin",
        [
            f"{ORIGIN}.evil.tld",
            f"{ORIGIN}@evil.tld",
            f"{ORIGIN}:8443",
            f"{ORIGIN}/",
            f"{ORIGIN},https://evil.tld",
            ORIGIN.replace("https", "http"),
            "https://evil-app.example.com",
            "null",
            "*",
        ],
    )
    def test_an_origin_that_begins_like_ours_is_not_ours(self, api: Api, origin: str) -> None:
        for method in ("POST", "OPTIONS"):
            reply = api.ask(method, "/api/auth/refresh", headers={"Origin": origin})
            assert reply.status_code == 403
            assert "Access-Control-Allow-Origin" not in reply.headers
