"""Sign-up, sign-in, and who one is (docs/api.md, 3.1)."""

from datetime import time
from typing import Any

import bcrypt
import pytest

from adapters_http.resources.accounts import profile
from retail_core.accounts.model import QuietHours, Weekday
from retail_core.accounts.ports import AccountsUnitOfWork
from retail_core.kernel.ids import AccountId
from retail_core.kernel.ports import Transactions
from tests.http.api import PASSWORD, SET_COOKIE, Api, cookie_of, error_of


def set_hash(api: Api, account: AccountId, password_hash: str) -> None:
    transactions = api.container.resolve(Transactions[AccountsUnitOfWork])
    with transactions.begin(account) as uow:
        uow.accounts.set_password_hash(account, password_hash, api.clock.now())


def get_hash(api: Api, account: AccountId) -> str:
    transactions = api.container.resolve(Transactions[AccountsUnitOfWork])
    with transactions.begin(account) as uow:
        found: str = uow.accounts.get(account).password_hash
        return found


class TestRegister:
    def test_it_answers_with_token_user_and_cookie(self, any_api: Api) -> None:
        body = {"email": " New1@Shop.Example ", "password": PASSWORD, "senderName": "MyShop"}

        reply = any_api.post("/api/auth/register", body | {"company": "Shop Ltd"})

        assert reply.status_code == 201
        assert reply.json.keys() == {"accessToken", "user"}
        user = reply.json["user"]
        assert user.keys() == {"id", "email", "senderName", "company"}
        assert user["email"] == "new1@shop.example"
        assert (user["senderName"], user["company"]) == ("MyShop", "Shop Ltd")
        assert user["id"] >= 2
        assert SET_COOKIE.fullmatch(reply.headers["Set-Cookie"])
        assert reply.headers["Cache-Control"] == "no-store"

    def test_the_cookie_lives_for_thirty_days(self, any_api: Api) -> None:
        reply = any_api.post(
            "/api/auth/register", {"email": "new2@shop.example", "password": PASSWORD}
        )

        assert "Expires=Thu, 24 Dec 2026 12:00:00 GMT" in reply.headers["Set-Cookie"]

    @pytest.mark.parametrize("nothing", [None, "", "  "])
    def test_empty_names_are_none(self, any_api: Api, nothing: str | None) -> None:
        shop = any_api.sign_up(senderName=nothing, company=nothing)

        user = shop.get("/api/me").json["user"]
        assert (user["senderName"], user["company"]) == (None, None)

    def test_it_takes_a_form(self, any_api: Api) -> None:
        reply = any_api.post(
            "/api/auth/register",
            raw=b"email=form%40shop.example&password=correct+horse",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )

        assert reply.status_code == 201

    def test_an_address_belongs_to_one_account(self, any_api: Api) -> None:
        shop = any_api.sign_up()

        reply = any_api.post(
            "/api/auth/register", {"email": shop.email.upper(), "password": PASSWORD}
        )

        assert error_of(reply) == (409, "DUPLICATE_RESOURCE")

    @pytest.mark.parametrize(
        ("change", "path"),
        [
            ({"email": None}, "email"),
            ({"email": 5}, "email"),
            ({"email": "no-at.example"}, "email"),
            ({"email": "two@@at.example"}, "email"),
            ({"email": "no@dot"}, "email"),
            ({"email": "a blank@shop.example"}, "email"),
            ({"email": "a" * 310 + "@shop.example"}, "email"),
            ({"password": None}, "password"),
            ({"password": "seven77"}, "password"),
            ({"password": "a" * 129}, "password"),
            ({"password": ["correct horse"]}, "password"),
            ({"senderName": "ab"}, "senderName"),
            ({"senderName": "twelve12char"}, "senderName"),
            ({"senderName": "12345"}, "senderName"),
            ({"senderName": "+123456"}, "senderName"),
            ({"senderName": "Κατάστημα"}, "senderName"),
            ({"senderName": {}}, "senderName"),
            ({"company": "a" * 161}, "company"),
            ({"company": True}, "company"),
        ],
    )
    def test_bad_fields_are_named(
        self, quick_api: Api, change: dict[str, object], path: str
    ) -> None:
        body = {"email": "new@shop.example", "password": PASSWORD} | change

        reply = quick_api.post("/api/auth/register", body)

        assert error_of(reply) == (400, "VALIDATION_ERROR")
        assert [fault["path"] for fault in reply.json["fields"]] == [path]

    @pytest.mark.parametrize("sender", ["abc", "Shop2026", "elevenchars", "+306912345678"])
    def test_good_sender_names_are_taken(self, quick_api: Api, sender: str) -> None:
        shop = quick_api.sign_up(senderName=sender)

        assert shop.get("/api/me").json["user"]["senderName"] == sender

    def test_every_missing_field_is_named(self, quick_api: Api) -> None:
        reply = quick_api.post("/api/auth/register")

        assert error_of(reply) == (400, "VALIDATION_ERROR")
        assert {fault["path"] for fault in reply.json["fields"]} == {"email", "password"}

    def test_long_passwords_count_to_their_last_character(self, any_api: Api) -> None:
        shop = any_api.sign_up(password="ω" * 127 + "a")

        def login(password: str) -> int:
            body = {"email": shop.email, "password": password}
            return any_api.post("/api/auth/login", body).status_code

        assert login("ω" * 127 + "b") == 401
        assert login("ω" * 127 + "a") == 200


class TestLogin:
    def login(self, api: Api, email: str, password: str) -> Any:
        return api.post("/api/auth/login", {"email": email, "password": password})

    def test_it_answers_with_token_user_and_a_new_cookie(self, any_api: Api) -> None:
        shop = any_api.sign_up()

        reply = self.login(any_api, f" {shop.email.upper()} ", PASSWORD)

        assert reply.status_code == 200
        assert reply.json.keys() == {"accessToken", "user"}
        assert reply.json["user"]["id"] == shop.id
        assert SET_COOKIE.fullmatch(reply.headers["Set-Cookie"])
        assert cookie_of(reply) != shop.cookie
        assert reply.headers["Cache-Control"] == "no-store"

    def test_unknown_address_and_wrong_password_look_alike(self, any_api: Api) -> None:
        shop = any_api.sign_up()

        replies = [
            self.login(any_api, shop.email, "wrong password"),
            self.login(any_api, "nobody@shop.example", PASSWORD),
            self.login(any_api, "system", PASSWORD),
        ]

        assert {error_of(reply) for reply in replies} == {(401, "AUTHENTICATION_ERROR")}
        assert len({reply.json["message"] for reply in replies}) == 1
        assert not any("Set-Cookie" in reply.headers for reply in replies)

    @pytest.mark.parametrize("missing", ["email", "password"])
    def test_missing_fields_are_named(self, quick_api: Api, missing: str) -> None:
        body = {"email": "a@shop.example", "password": PASSWORD}
        del body[missing]

        reply = quick_api.post("/api/auth/login", body)

        assert error_of(reply) == (400, "VALIDATION_ERROR")
        assert reply.json["fields"][0]["path"] == missing

    def test_hashes_of_the_legacy_back_end_verify_and_are_renewed(self, any_api: Api) -> None:
        shop = any_api.sign_up()
        # that back end cut passwords at 72 bytes
        long = "legacy " * 16
        legacy = bcrypt.hashpw(long.strip().encode()[:72], bcrypt.gensalt(4)).decode()
        set_hash(any_api, shop.id, legacy.replace("$2b$", "$2a$"))

        assert self.login(any_api, shop.email, long).status_code == 200

        assert get_hash(any_api, shop.id).startswith("sha256:$2b$04$")
        assert self.login(any_api, shop.email, long).status_code == 200

    def test_each_login_is_a_session_of_its_own(self, any_api: Api) -> None:
        shop = any_api.sign_up()
        other = self.login(any_api, shop.email, PASSWORD)

        any_api.post("/api/auth/logout", cookie=shop.cookie)

        assert shop.get("/api/me").status_code == 401
        assert any_api.get("/api/me", token=other.json["accessToken"]).status_code == 200


class TestMe:
    def test_it_shows_the_account_with_its_credits(self, any_api: Api) -> None:
        shop = any_api.sign_up(senderName="MyShop", company="My Shop Ltd")

        reply = shop.get("/api/me")

        assert reply.status_code == 200
        assert reply.json == {
            "user": {
                "id": shop.id,
                "email": shop.email,
                "senderName": "MyShop",
                "company": "My Shop Ltd",
                "timezone": None,
                "adultsOnly": False,
                "quietHours": None,
                "defaultCountry": "GR",
                "locale": "en",
                "smartEncoding": "off",
                "credits": 0,
            }
        }

    def test_quiet_hours_are_written_as_hours_and_minutes(self) -> None:
        quiet = QuietHours(time(21), time(9), (Weekday.SUN,))

        shown = profile.QuietHoursShape.of(quiet)

        assert shown == profile.QuietHoursShape("21:00", "09:00", (Weekday.SUN,))

    @pytest.mark.parametrize(
        "authorization",
        [
            "",
            "Bearer",
            "Bearer ",
            "bearer {}",
            "Bearer  {}",
            "Basic {}",
            "{}",
            "Token {}",
        ],
    )
    def test_the_scheme_is_exact(self, any_api: Api, authorization: str) -> None:
        shop = any_api.sign_up()

        reply = any_api.get("/api/me", headers={"Authorization": authorization.format(shop.token)})

        assert error_of(reply) == (401, "UNAUTHORIZED")

    def test_without_a_token_there_is_nothing(self, any_api: Api) -> None:
        assert error_of(any_api.get("/api/me")) == (401, "UNAUTHORIZED")

    def test_the_cookie_is_no_alternative(self, any_api: Api) -> None:
        shop = any_api.sign_up()

        assert error_of(any_api.get("/api/me", cookie=shop.cookie)) == (401, "UNAUTHORIZED")
