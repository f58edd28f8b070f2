"""A new password for who forgot theirs (docs/api.md, 3.1)."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from adapters_db.connection.connections import Connections
from retail_core.kernel.ids import NoticeId
from retail_core.kernel.ports import Randomness, Transactions
from retail_core.notices.model import PasswordReset
from retail_core.notices.ports import NoticesUnitOfWork
from retail_core.notices.queries import NoticeFacts
from retail_core.notices.use_cases import ResetLink, SendNotice
from retail_core.testing.notices.notices import MemoryNotifier
from tests.http.api import PASSWORD, Api, Shop, cookie_of, error_of

FORGOT = "/api/auth/password/forgot"
RESET = "/api/auth/password/reset"
NEW = "another horse"


def waiting(shop: Shop) -> Sequence[NoticeId]:
    """What the shop is about to be told."""
    transactions = shop.api.container.resolve(Transactions[NoticesUnitOfWork])
    later = shop.api.clock.now() + timedelta(days=1)
    with transactions.across_accounts() as uow:
        found = uow.notices.forgotten_across_accounts(later, 1_000_000)
    return [notice for account, notice in found if account == shop.id]


def mailed_tokens(shop: Shop) -> list[str]:
    """Hand over what waits, as a worker does."""
    resolve, notifier = shop.api.container.resolve, MemoryNotifier()
    send = SendNotice(
        resolve(Transactions[NoticesUnitOfWork]),
        resolve(NoticeFacts),
        notifier,
        resolve(Randomness),
        shop.api.clock,
        ResetLink("{token}"),
    )
    for notice in waiting(shop):
        send(shop.id, notice)
    contents = [letter.content for letter in notifier.letters]
    return [each.link.reveal() for each in contents if isinstance(each, PasswordReset)]


def forget(shop: Shop) -> str:
    assert shop.api.post(FORGOT, {"email": shop.email}).status_code == 200
    (token,) = mailed_tokens(shop)
    return token


class TestForgot:
    def test_the_answer_is_the_same_whether_or_not_there_is_an_account(self, any_api: Api) -> None:
        shop = any_api.sign_up()

        known = any_api.post(FORGOT, {"email": f" {shop.email.upper()} "})
        unknown = any_api.post(FORGOT, {"email": "stranger@shop.example"})

        assert known.status_code == unknown.status_code == 200
        assert known.content == unknown.content
        assert known.json["ok"] is True
        assert known.json["message"]
        assert known.headers["Cache-Control"] == "no-store"
        hidden = {"x-request-id"}
        assert {name: text for name, text in known.headers.items() if name not in hidden} == {
            name: text for name, text in unknown.headers.items() if name not in hidden
        }
        assert len(waiting(shop)) == 1

    @pytest.mark.parametrize(
        "body", [{}, {"email": ""}, {"email": "owner"}, {"email": 5}, {"email": "a@b.c" * 100}]
    )
    def test_what_is_no_address_is_refused(self, any_api: Api, body: dict[str, Any]) -> None:
        reply = any_api.post(FORGOT, body)

        assert error_of(reply) == (400, "VALIDATION_ERROR")
        assert reply.json["fields"][0]["path"] == "email"

    def test_it_takes_a_form(self, any_api: Api) -> None:
        reply = any_api.post(
            FORGOT,
            raw=b"email=owner%40shop.example",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )

        assert reply.status_code == 200

    def test_asking_again_leaves_one_letter_to_be_sent(self, any_api: Api) -> None:
        shop = any_api.sign_up()
        for _ in range(3):
            any_api.post(FORGOT, {"email": shop.email})

        assert len(waiting(shop)) == 1


class TestReset:
    def test_the_token_sets_the_password_and_ends_every_session(self, any_api: Api) -> None:
        shop = any_api.sign_up()
        other = any_api.post("/api/auth/login", {"email": shop.email, "password": PASSWORD})

        reply = any_api.post(RESET, {"token": forget(shop), "newPassword": NEW})

        assert (reply.status_code, reply.json) == (200, {"ok": True})
        assert error_of(shop.get("/api/me")) == (401, "UNAUTHORIZED")
        for cookie in (shop.cookie, cookie_of(other)):
            refused = any_api.post("/api/auth/refresh", cookie=cookie)
            assert error_of(refused) == (401, "UNAUTHORIZED")
        old = {"email": shop.email, "password": PASSWORD}
        assert error_of(any_api.post("/api/auth/login", old)) == (401, "AUTHENTICATION_ERROR")
        new = any_api.post("/api/auth/login", {"email": shop.email, "password": NEW})
        assert new.status_code == 200

    def test_nobody_elses_sessions_end(self, any_api: Api) -> None:
        shop, other = any_api.sign_up(), any_api.sign_up()

        any_api.post(RESET, {"token": forget(shop), "newPassword": NEW})

        assert other.get("/api/me").status_code == 200

    def test_a_token_works_once(self, any_api: Api) -> None:
        body = {"token": forget(any_api.sign_up()), "newPassword": NEW}

        assert any_api.post(RESET, body).status_code == 200
        assert error_of(any_api.post(RESET, body)) == (400, "INVALID_TOKEN")

    def test_a_token_works_for_an_hour(self, any_api: Api) -> None:
        body = {"token": forget(any_api.sign_up()), "newPassword": NEW}

        any_api.clock.advance(timedelta(minutes=60))

        assert error_of(any_api.post(RESET, body)) == (400, "INVALID_TOKEN")

    def test_a_new_request_voids_the_older_token(self, any_api: Api) -> None:
        shop = any_api.sign_up()
        old = forget(shop)
        any_api.post(FORGOT, {"email": shop.email})

        reply = any_api.post(RESET, {"token": old, "newPassword": NEW})

        assert error_of(reply) == (400, "INVALID_TOKEN")

    @pytest.mark.parametrize("token", ["x", "A" * 43, "Ω" * 512, "a" * 43 + "="])
    def test_an_unknown_token_is_refused(self, any_api: Api, token: str) -> None:
        reply = any_api.post(RESET, {"token": token, "newPassword": NEW})

        assert error_of(reply) == (400, "INVALID_TOKEN")

    @pytest.mark.parametrize("change", [{"newPassword": "short"}, {"newPassword": "x" * 129}])
    def test_a_bad_password_leaves_the_token_as_it_is(
        self, any_api: Api, change: dict[str, Any]
    ) -> None:
        token = forget(any_api.sign_up())

        refused = any_api.post(RESET, {"token": token} | change)

        assert error_of(refused) == (400, "VALIDATION_ERROR")
        assert any_api.post(RESET, {"token": token, "newPassword": NEW}).status_code == 200

    @pytest.mark.parametrize(
        "body",
        [{}, {"token": "x"}, {"newPassword": NEW}, {"token": 5, "newPassword": NEW}],
    )
    def test_a_missing_or_odd_field_is_refused(self, any_api: Api, body: dict[str, Any]) -> None:
        assert error_of(any_api.post(RESET, body)) == (400, "VALIDATION_ERROR")

    def test_neither_token_nor_address_nor_password_is_logged(
        self, any_api: Api, capture_logs: list[dict[str, Any]]
    ) -> None:
        shop = any_api.sign_up()
        token = forget(shop)
        any_api.post(RESET, {"token": token, "newPassword": NEW})
        any_api.post(RESET, {"token": token, "newPassword": NEW})

        logged = str(capture_logs)
        assert all(secret not in logged for secret in (token, shop.email, NEW))


@pytest.mark.servers
class TestOnPostgres:
    def test_an_unknown_address_takes_the_same_statements(self, api: Api) -> None:
        shop = api.sign_up()
        engine = api.container.resolve(Connections).engine

        def statements(email: str) -> list[str]:
            seen: list[str] = []

            def keep(_connection: Any, _cursor: Any, statement: str, *_others: Any) -> None:
                seen.append(statement)

            event.listen(engine, "before_cursor_execute", keep)
            try:
                api.post(FORGOT, {"email": email})
            finally:
                event.remove(engine, "before_cursor_execute", keep)
            return seen

        known = statements(shop.email)
        assert len(known) > 4
        assert statements("stranger@shop.example") == known

    def test_of_many_who_come_with_a_token_one_succeeds(self, api: Api) -> None:
        shop = api.sign_up()
        token = forget(shop)

        def reset(number: int) -> int:
            body = {"token": token, "newPassword": f"password number {number}"}
            return api.post(RESET, body).status_code

        with ThreadPoolExecutor(6) as pool:
            statuses = list(pool.map(reset, range(6)))

        assert sorted(statuses) == [200] + [400] * 5
        winner = statuses.index(200)
        body = {"email": shop.email, "password": f"password number {winner}"}
        assert api.post("/api/auth/login", body).status_code == 200
