"""Two of everything at once, on PostgreSQL: refreshes, ends of sessions, passwords, keys."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from falcon.testing import Result

from retail_core.accounts.ports import AccountsUnitOfWork
from retail_core.accounts.use_cases import token_hash
from retail_core.kernel.ports import Transactions
from tests.http.api import CLEARED_COOKIE, PASSWORD, Api, Shop, cookie_of, error_of

SIDE_BY_SIDE = 6


def at_once(calls: Sequence[Callable[[], Result]]) -> list[Result]:
    """Run all calls from one line."""
    line = threading.Barrier(len(calls))

    def run(call: Callable[[], Result]) -> Result:
        line.wait(timeout=10)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def refresh(api: Api, cookie: str) -> Result:
    return api.post("/api/auth/refresh", {}, cookie=cookie)


def generation_of(api: Api, cookie: str) -> int:
    transactions: Any = api.container.resolve(Transactions[AccountsUnitOfWork])
    with transactions.across_accounts() as uow:
        found = uow.sessions.lock_by_token_across_accounts(token_hash(cookie))
    assert found is not None
    generation: int = found[0].generation
    return generation


class TestRefreshes:
    def test_tabs_that_refresh_at_once_all_stay_signed_in(self, api: Api) -> None:
        shop = api.sign_up()

        replies = at_once([lambda: refresh(api, shop.cookie)] * SIDE_BY_SIDE)

        assert [reply.status_code for reply in replies] == [200] * SIDE_BY_SIDE
        cookies = {cookie_of(reply) for reply in replies}
        assert len(cookies) == SIDE_BY_SIDE
        assert generation_of(api, shop.cookie) == 2
        for reply in replies:
            assert api.get("/api/me", token=reply.json["accessToken"]).status_code == 200

    def test_thieves_at_once_end_the_session_once(self, api: Api) -> None:
        shop = api.sign_up()
        newer = refresh(api, shop.cookie)
        api.clock.advance(timedelta(seconds=11))

        replies = at_once([lambda: refresh(api, shop.cookie)] * SIDE_BY_SIDE)

        codes = sorted(error_of(reply)[1] for reply in replies)
        assert codes == ["SESSION_REUSED", *["UNAUTHORIZED"] * (SIDE_BY_SIDE - 1)]
        assert CLEARED_COOKIE in [reply.headers.get("Set-Cookie") for reply in replies]
        assert error_of(refresh(api, cookie_of(newer))) == (401, "UNAUTHORIZED")

    def test_owner_and_thief_at_once_never_both_stay(self, api: Api) -> None:
        shop = api.sign_up()
        newer = cookie_of(refresh(api, shop.cookie))
        api.clock.advance(timedelta(seconds=11))

        owner, thief = at_once([lambda: refresh(api, newer), lambda: refresh(api, shop.cookie)])

        assert error_of(thief) == (401, "SESSION_REUSED")
        if owner.status_code == 200:
            token = owner.json["accessToken"]
            assert error_of(api.get("/api/me", token=token)) == (401, "UNAUTHORIZED")
        assert error_of(refresh(api, newer)) == (401, "UNAUTHORIZED")

    def test_a_refresh_never_outlives_the_end_of_its_session(self, api: Api) -> None:
        shop = api.sign_up()

        refreshed, _ = at_once(
            [
                lambda: refresh(api, shop.cookie),
                lambda: api.post("/api/auth/logout", cookie=shop.cookie),
            ]
        )

        if refreshed.status_code == 200:
            token = refreshed.json["accessToken"]
            assert error_of(api.get("/api/me", token=token)) == (401, "UNAUTHORIZED")
        assert error_of(refresh(api, shop.cookie)) == (401, "UNAUTHORIZED")


class TestPasswords:
    @pytest.mark.parametrize("_attempt", range(5))
    def test_no_session_of_the_old_password_outlives_its_change(
        self, api: Api, _attempt: int
    ) -> None:
        shop = api.sign_up()
        change = {"oldPassword": PASSWORD, "newPassword": "battery staple"}
        login = {"email": shop.email, "password": PASSWORD}

        changed, *entered = at_once(
            [
                lambda: shop.put("/api/user/password", change),
                *[lambda: api.post("/api/auth/login", login)] * 3,
            ]
        )

        assert changed.status_code == 200
        for reply in entered:
            if reply.status_code == 200:
                token = reply.json["accessToken"]
                assert error_of(api.get("/api/me", token=token)) == (401, "UNAUTHORIZED")
            else:
                assert error_of(reply) == (401, "AUTHENTICATION_ERROR")

    def test_of_changes_at_once_one_holds(self, api: Api) -> None:
        shop = api.sign_up()

        def change(number: int) -> Result:
            body = {"oldPassword": PASSWORD, "newPassword": f"battery staple {number}"}
            return shop.put("/api/user/password", body)

        replies = at_once([lambda number=number: change(number) for number in range(4)])  # type: ignore[misc]

        statuses = [reply.status_code for reply in replies]
        assert sorted(statuses) == [200, 401, 401, 401]
        word = f"battery staple {statuses.index(200)}"
        entered = api.post("/api/auth/login", {"email": shop.email, "password": word})
        assert entered.status_code == 200


class TestProfiles:
    def test_changes_of_different_fields_at_once_all_hold(self, api: Api) -> None:
        shop = api.sign_up()
        fields = ({"company": "Shop"}, {"timezone": "Asia/Tokyo"}, {"adultsOnly": True})

        at_once([lambda body=body: shop.put("/api/user", body) for body in fields])  # type: ignore[misc]

        user = shop.get("/api/me").json["user"]
        assert {key: user[key] for body in fields for key in body} == {
            "company": "Shop",
            "timezone": "Asia/Tokyo",
            "adultsOnly": True,
        }


class TestApiKeys:
    def made(self, shop: Shop, **headers: str) -> Result:
        body = {"name": "till", "scopes": ["contacts:read"]}
        return shop.post("/api/api-keys", body, headers=headers)

    def test_the_same_request_at_once_makes_one_key(self, api: Api) -> None:
        shop = api.sign_up()

        replies = at_once([lambda: self.made(shop, **{"Idempotency-Key": "once"})] * SIDE_BY_SIDE)

        assert {reply.status_code for reply in replies} <= {201, 409}
        shown = [reply.json["key"] for reply in replies if reply.status_code == 201]
        assert len([text for text in shown if text]) == 1
        assert shop.get("/api/api-keys").json["total"] == 1

    def test_requests_at_once_note_one_use(self, api: Api) -> None:
        shop = api.sign_up()
        key = self.made(shop).json["key"]

        replies = at_once([lambda: api.get("/api/me", token=key)] * SIDE_BY_SIDE)

        assert {reply.status_code for reply in replies} == {200}
        used = shop.get("/api/api-keys").json["items"][0]["lastUsedAt"]
        assert used == "2026-11-24T12:00:00.000Z"
