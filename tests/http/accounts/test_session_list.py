"""Where a shop is signed in, and ending that (docs/api.md, 3.1)."""

from datetime import timedelta
from typing import Any

import pytest

from tests.http.api import ADDRESS, PASSWORD, Api, Shop, cookie_of, error_of


def login(api: Api, shop: Shop, agent: str = "Browser") -> Shop:
    reply = api.post(
        "/api/auth/login",
        {"email": shop.email, "password": PASSWORD},
        headers={"User-Agent": agent},
    )
    return Shop(api, shop.id, shop.email, reply.json["accessToken"], cookie_of(reply))


def listed(shop: Shop, query: str = "") -> Any:
    reply = shop.get(f"/api/auth/sessions{query}")
    assert reply.status_code == 200, reply.text
    return reply.json


class TestList:
    def test_it_shows_every_key_of_a_session(self, any_api: Api) -> None:
        shop = login(any_api, any_api.sign_up(), agent="Mozilla/5.0")

        first = listed(shop)["items"][0]

        assert first == {
            "id": first["id"],
            "createdAt": "2026-11-24T12:00:00.000Z",
            "lastUsedAt": "2026-11-24T12:00:00.000Z",
            "expiresAt": "2026-12-24T12:00:00.000Z",
            "ip": ADDRESS,
            "userAgent": "Mozilla/5.0",
            "current": True,
        }

    def test_the_newest_comes_first_and_the_asking_one_is_marked(self, any_api: Api) -> None:
        shop = any_api.sign_up()
        for _ in range(2):
            login(any_api, shop)

        page = listed(shop)

        assert (page["total"], page["page"], page["pageSize"]) == (3, 1, 50)
        ids = [each["id"] for each in page["items"]]
        assert ids == sorted(ids, reverse=True)
        assert [each["current"] for each in page["items"]] == [False, False, True]

    def test_it_is_paged(self, any_api: Api) -> None:
        shop = any_api.sign_up()
        login(any_api, shop)

        assert len(listed(shop, "?pageSize=1")["items"]) == 1
        assert listed(shop, "?pageSize=1&page=2")["items"][0]["current"]
        assert listed(shop, "?page=9")["items"] == []
        assert listed(shop, "?pageSize=1000&page=-1")["pageSize"] == 100
        reply = shop.get("/api/auth/sessions?page=x")
        assert error_of(reply) == (400, "VALIDATION_ERROR")

    def test_a_refresh_is_a_use(self, any_api: Api) -> None:
        shop = any_api.sign_up()
        any_api.clock.advance(timedelta(minutes=5))
        any_api.post("/api/auth/refresh", {}, cookie=shop.cookie)

        session = listed(shop)["items"][0]

        assert session["lastUsedAt"] == "2026-11-24T12:05:00.000Z"
        assert session["expiresAt"] == "2026-12-24T12:05:00.000Z"

    def test_ended_and_expired_ones_are_not_listed(self, any_api: Api) -> None:
        shop = any_api.sign_up()
        ended = login(any_api, shop)
        any_api.post("/api/auth/logout", cookie=ended.cookie)
        assert listed(shop)["total"] == 1

        any_api.clock.advance(timedelta(days=31))

        assert listed(login(any_api, shop))["total"] == 1

    def test_another_shops_sessions_are_not_listed(self, any_api: Api) -> None:
        any_api.sign_up()

        assert listed(any_api.sign_up())["total"] == 1


class TestEndOne:
    def test_it_has_effect_on_the_next_request(self, any_api: Api) -> None:
        shop = any_api.sign_up()
        other = login(any_api, shop)
        number = listed(other)["items"][0]["id"]

        reply = shop.delete(f"/api/auth/sessions/{number}")

        assert (reply.status_code, reply.json) == (200, {"ok": True})
        assert error_of(other.get("/api/me")) == (401, "UNAUTHORIZED")
        refreshed = any_api.post("/api/auth/refresh", {}, cookie=other.cookie)
        assert error_of(refreshed) == (401, "UNAUTHORIZED")
        assert shop.get("/api/me").status_code == 200

    def test_the_own_one_may_be_ended(self, any_api: Api) -> None:
        shop = any_api.sign_up()
        number = listed(shop)["items"][0]["id"]

        assert shop.delete(f"/api/auth/sessions/{number}").status_code == 200
        assert error_of(shop.get("/api/me")) == (401, "UNAUTHORIZED")

    def test_an_ended_one_is_not_found(self, any_api: Api) -> None:
        shop = any_api.sign_up()
        login(any_api, shop)
        number = listed(shop)["items"][0]["id"]
        shop.delete(f"/api/auth/sessions/{number}")

        reply = shop.delete(f"/api/auth/sessions/{number}")

        assert error_of(reply) == (404, "RESOURCE_NOT_FOUND")

    def test_another_shops_session_is_not_found(self, any_api: Api) -> None:
        theirs = any_api.sign_up()
        number = listed(theirs)["items"][0]["id"]

        reply = any_api.sign_up().delete(f"/api/auth/sessions/{number}")

        assert error_of(reply) == (404, "RESOURCE_NOT_FOUND")
        assert theirs.get("/api/me").status_code == 200

    @pytest.mark.parametrize(
        ("number", "error"),
        [
            ("0", (400, "VALIDATION_ERROR")),
            ("x", (400, "VALIDATION_ERROR")),
            ("1.5", (400, "VALIDATION_ERROR")),
            ("-1", (404, "RESOURCE_NOT_FOUND")),
            ("2147483648", (404, "RESOURCE_NOT_FOUND")),
        ],
    )
    def test_odd_ids_are_refused(self, quick_api: Api, number: str, error: tuple[int, str]) -> None:
        assert error_of(quick_api.sign_up().delete(f"/api/auth/sessions/{number}")) == error


class TestEndTheOthers:
    def test_only_the_present_one_stays(self, any_api: Api) -> None:
        shop = any_api.sign_up()
        others = [login(any_api, shop) for _ in range(2)]

        reply = shop.delete("/api/auth/sessions")

        assert (reply.status_code, reply.json) == (200, {"ok": True, "revoked": 2})
        assert [other.get("/api/me").status_code for other in others] == [401, 401]
        assert shop.get("/api/me").status_code == 200
        assert shop.delete("/api/auth/sessions").json == {"ok": True, "revoked": 0}

    def test_other_shops_are_left_alone(self, any_api: Api) -> None:
        theirs = any_api.sign_up()

        any_api.sign_up().delete("/api/auth/sessions")

        assert theirs.get("/api/me").status_code == 200
