"""Staying signed in and signing out; what access tokens prove (docs/api.md, 1.5 and 3.1)."""

from datetime import timedelta
from typing import Any

import jwt
import pytest

from tests.http.api import (
    CLEARED_COOKIE,
    ORIGIN,
    SET_COOKIE,
    VARIABLES,
    Api,
    Shop,
    cookie_of,
    error_of,
)

SECRET = VARIABLES["JWT_SECRET"]


def refresh(api: Api, cookie: str | None) -> Any:
    return api.post("/api/auth/refresh", {}, cookie=cookie)


class TestRefresh:
    def test_it_answers_with_new_token_and_new_cookie(self, any_api: Api) -> None:
        shop = any_api.sign_up()

        reply = refresh(any_api, shop.cookie)

        assert reply.status_code == 200
        assert reply.json.keys() == {"accessToken", "user"}
        assert reply.json["user"]["email"] == shop.email
        assert SET_COOKIE.fullmatch(reply.headers["Set-Cookie"])
        assert cookie_of(reply) != shop.cookie
        assert any_api.get("/api/me", token=reply.json["accessToken"]).status_code == 200

    @pytest.mark.parametrize("cookie", [None, "", "x", "0" * 128, "g" * 128, "0" * 127])
    def test_without_a_good_cookie_there_is_nothing(self, any_api: Api, cookie: str | None) -> None:
        reply = refresh(any_api, cookie)

        assert error_of(reply) == (401, "UNAUTHORIZED")

    def test_the_token_before_is_good_for_a_moment(self, any_api: Api) -> None:
        shop = any_api.sign_up()
        first_tab = refresh(any_api, shop.cookie)
        any_api.clock.advance(timedelta(seconds=10))

        second_tab = refresh(any_api, shop.cookie)

        assert second_tab.status_code == 200
        assert cookie_of(second_tab) != cookie_of(first_tab)
        assert refresh(any_api, cookie_of(first_tab)).status_code == 200

    def test_all_tabs_may_refresh_at_once(self, any_api: Api) -> None:
        shop = any_api.sign_up()

        replies = [refresh(any_api, shop.cookie) for _ in range(5)]

        assert {reply.status_code for reply in replies} == {200}
        assert len({cookie_of(reply) for reply in replies}) == 5

    def test_a_used_token_that_comes_back_ends_the_session(self, any_api: Api) -> None:
        shop = any_api.sign_up()
        newer = refresh(any_api, shop.cookie)
        any_api.clock.advance(timedelta(seconds=11))

        stolen = refresh(any_api, shop.cookie)

        assert error_of(stolen) == (401, "SESSION_REUSED")
        assert stolen.headers["Set-Cookie"] == CLEARED_COOKIE
        assert error_of(refresh(any_api, cookie_of(newer))) == (401, "UNAUTHORIZED")
        assert any_api.get("/api/me", token=newer.json["accessToken"]).status_code == 401

    def test_only_the_directly_preceding_token_is_forgiven(self, any_api: Api) -> None:
        shop = any_api.sign_up()
        second = refresh(any_api, shop.cookie)
        refresh(any_api, cookie_of(second))

        assert error_of(refresh(any_api, shop.cookie)) == (401, "SESSION_REUSED")

    def test_reuse_ends_one_session_and_no_other(self, any_api: Api) -> None:
        shop, other = any_api.sign_up(), any_api.sign_up()
        refresh(any_api, shop.cookie)
        any_api.clock.advance(timedelta(seconds=11))

        refresh(any_api, shop.cookie)

        assert other.get("/api/me").status_code == 200

    def test_a_token_expires(self, any_api: Api) -> None:
        shop = any_api.sign_up()
        any_api.clock.advance(timedelta(days=30))

        assert error_of(refresh(any_api, shop.cookie)) == (401, "UNAUTHORIZED")

    def test_a_session_ends_at_the_latest_after_its_longest_life(self, any_api: Api) -> None:
        cookie = any_api.sign_up().cookie
        for _ in range(8):
            any_api.clock.advance(timedelta(days=22))
            cookie = cookie_of(refresh(any_api, cookie))
        any_api.clock.advance(timedelta(days=4))

        assert error_of(refresh(any_api, cookie)) == (401, "UNAUTHORIZED")

    def test_a_foreign_page_cannot_refresh(self, any_api: Api) -> None:
        shop = any_api.sign_up()

        for origin in (f"{ORIGIN}.evil.tld", f"{ORIGIN}:8443", "null"):
            reply = any_api.post(
                "/api/auth/refresh", {}, cookie=shop.cookie, headers={"Origin": origin}
            )
            assert error_of(reply) == (403, "ORIGIN_NOT_ALLOWED")
            assert "Set-Cookie" not in reply.headers
        assert refresh(any_api, shop.cookie).status_code == 200


class TestLogout:
    def test_it_ends_the_session_and_clears_the_cookie(self, any_api: Api) -> None:
        shop = any_api.sign_up()

        reply = any_api.post("/api/auth/logout", {}, cookie=shop.cookie)

        assert (reply.status_code, reply.json) == (200, {"ok": True})
        assert reply.headers["Set-Cookie"] == CLEARED_COOKIE
        assert error_of(shop.get("/api/me")) == (401, "UNAUTHORIZED")
        assert error_of(refresh(any_api, shop.cookie)) == (401, "UNAUTHORIZED")

    @pytest.mark.parametrize("cookie", [None, "nonsense", "0" * 128])
    def test_it_always_works(self, any_api: Api, cookie: str | None) -> None:
        reply = any_api.post("/api/auth/logout", cookie=cookie)

        assert (reply.status_code, reply.json) == (200, {"ok": True})
        assert reply.headers["Set-Cookie"] == CLEARED_COOKIE

    def test_a_used_token_signs_out_too(self, any_api: Api) -> None:
        shop = any_api.sign_up()
        newer = refresh(any_api, shop.cookie)

        any_api.post("/api/auth/logout", cookie=shop.cookie)

        assert any_api.get("/api/me", token=newer.json["accessToken"]).status_code == 401


class TestAccessToken:
    def claims(self, shop: Shop) -> dict[str, Any]:
        found: dict[str, Any] = jwt.decode(shop.token, options={"verify_signature": False})
        return found

    def test_it_says_what_the_contract_names(self, any_api: Api) -> None:
        shop = any_api.sign_up(senderName="MyShop")

        claims = self.claims(shop)

        assert claims.keys() == {
            "sub", "sid", "email", "senderName", "company", "iss", "aud", "iat", "exp",
        }  # fmt: skip
        assert claims["sub"] == str(shop.id)
        assert isinstance(claims["sid"], int)
        assert claims["exp"] - claims["iat"] == 900
        header = jwt.get_unverified_header(shop.token)
        assert header["alg"] == "HS256"
        assert header["kid"]

    def test_it_expires_with_half_a_minute_of_leeway(self, any_api: Api) -> None:
        shop = any_api.sign_up()

        any_api.clock.advance(timedelta(minutes=15, seconds=30))
        assert shop.get("/api/me").status_code == 200
        any_api.clock.advance(timedelta(seconds=1))
        assert error_of(shop.get("/api/me")) == (401, "UNAUTHORIZED")

    @pytest.mark.parametrize(
        ("change", "secret", "algorithm", "kid"),
        [
            ({}, "another secret that is long enough.", "HS256", None),
            ({}, SECRET, "HS384", None),
            ({}, "", "none", None),
            ({}, SECRET, "HS256", "other"),
            ({"iss": "somebody"}, SECRET, "HS256", None),
            ({"aud": "somebody"}, SECRET, "HS256", None),
            ({"sid": 0}, SECRET, "HS256", None),
            ({"sid": "x"}, SECRET, "HS256", None),
            ({"sid": 2**40}, SECRET, "HS256", None),
            ({"sub": "0"}, SECRET, "HS256", None),
            ({"sub": "999999999"}, SECRET, "HS256", None),
            ({"exp": "never"}, SECRET, "HS256", None),
            ({"exp": 10**20}, SECRET, "HS256", None),
        ],
    )
    @pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
    def test_forgeries_are_refused(
        self,
        quick_api: Api,
        change: dict[str, Any],
        secret: str,
        algorithm: str,
        kid: str | None,
    ) -> None:
        shop = quick_api.sign_up()
        kid = kid or jwt.get_unverified_header(shop.token)["kid"]
        forged = jwt.encode(self.claims(shop) | change, secret, algorithm, headers={"kid": kid})

        assert error_of(quick_api.get("/api/me", token=forged)) == (401, "UNAUTHORIZED")

    def test_a_token_of_another_accounts_session_is_refused(self, quick_api: Api) -> None:
        mine, theirs = quick_api.sign_up(), quick_api.sign_up()
        kid = jwt.get_unverified_header(mine.token)["kid"]
        mixed = self.claims(mine) | {"sub": str(theirs.id)}

        token = jwt.encode(mixed, SECRET, "HS256", headers={"kid": kid})

        assert error_of(quick_api.get("/api/me", token=token)) == (401, "UNAUTHORIZED")
