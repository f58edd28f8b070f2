"""Two of everything at once, on PostgreSQL: refreshes, ends of sessions, passwords, keys."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import timedelta
from typing import Any

import attrs
from falcon.testing import Result

from retail_core.accounts.model import Device, SessionRules
from retail_core.accounts.ports import AccessTokens, AccountsUnitOfWork, PasswordHasher
from retail_core.accounts.use_cases import SignIn, TokenIssuer, token_hash
from retail_core.kernel.ports import Transactions
from retail_core.kernel.process.machine import SystemRandomness
from tests.http.api import CLEARED_COOKIE, PASSWORD, Api, Shop, cookie_of, error_of

SIDE_BY_SIDE = 6
HELD_SECONDS = 0.5


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
    def test_no_session_of_the_old_password_outlives_its_change(self, api: Api) -> None:
        """The change comes when the session is made and not yet committed."""
        shop = api.sign_up()
        change = {"oldPassword": PASSWORD, "newPassword": "battery staple"}
        ports = api.container.resolve

        with ThreadPoolExecutor(1) as pool:
            changes: list[Future[Result]] = []

            class Moment(SystemRandomness):
                def token(self, size_bytes: int) -> bytes:
                    changes.append(pool.submit(shop.put, "/api/user/password", change))
                    wait(changes, HELD_SECONDS)
                    return super().token(size_bytes)

            issuer = TokenIssuer(ports(AccessTokens), Moment(), SessionRules())
            work = ports(Transactions[AccountsUnitOfWork])
            sign_in = SignIn(work, ports(PasswordHasher), issuer, api.clock)
            entered = sign_in(shop.email, PASSWORD, Device())

        assert [change.result().status_code for change in changes] == [200]
        reply = api.get("/api/me", token=entered.access_token)
        assert error_of(reply) == (401, "UNAUTHORIZED")

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
    def test_a_change_waits_for_the_one_before_and_keeps_what_it_wrote(self, api: Api) -> None:
        shop = api.sign_up()
        work: Any = api.container.resolve(Transactions[AccountsUnitOfWork])

        with ThreadPoolExecutor(1) as pool:
            with work.begin(shop.id) as uow:
                account = uow.accounts.lock(shop.id)
                later = pool.submit(shop.put, "/api/user", {"adultsOnly": True})
                wait([later], HELD_SECONDS)
                uow.accounts.save_profile(attrs.evolve(account, company="Shop"))
            assert later.result().status_code == 200

        user = shop.get("/api/me").json["user"]
        assert (user["company"], user["adultsOnly"]) == ("Shop", True)

    def test_a_locked_account_goes_on_with_its_business(self, api: Api) -> None:
        shop = api.sign_up()
        work: Any = api.container.resolve(Transactions[AccountsUnitOfWork])

        with ThreadPoolExecutor(1) as pool, work.begin(shop.id) as uow:
            uow.accounts.lock(shop.id)
            body = {"phone": "+306900000001"}
            made = pool.submit(shop.post, "/api/contacts", body).result(timeout=10)

        assert made.status_code == 201


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
