"""What a shop changes about itself, and its password (docs/api.md, 3.1)."""

import zoneinfo
from typing import Any

import pytest

from tests.http.api import PASSWORD, Api, Shop, error_of

QUIET = {"start": "21:00", "end": "09:00", "days": ["sun", "mon"]}
PROFILE = {
    "id", "email", "senderName", "company", "timezone", "adultsOnly", "quietHours",
    "defaultCountry", "locale", "smartEncoding",
}  # fmt: skip


def change(shop: Shop, **fields: object) -> Any:
    return shop.put("/api/user", fields)


def login(api: Api, shop: Shop, password: str = PASSWORD) -> Any:
    return api.post("/api/auth/login", {"email": shop.email, "password": password})


class TestProfile:
    def test_every_field_is_changed_and_shown(self, any_api: Api) -> None:
        shop = any_api.sign_up()
        fields = {
            "company": "My Shop Ltd",
            "senderName": "MyShop",
            "timezone": "Europe/Athens",
            "adultsOnly": True,
            "quietHours": QUIET,
            "defaultCountry": "CY",
            "locale": "el",
            "smartEncoding": "greek",
        }

        reply = change(shop, **fields)

        assert reply.status_code == 200
        assert reply.json == {"id": shop.id, "email": shop.email} | fields
        assert reply.json.keys() == PROFILE
        assert shop.get("/api/me").json["user"] == reply.json | {"credits": 0}

    def test_what_is_not_named_stays(self, any_api: Api) -> None:
        shop = any_api.sign_up(senderName="MyShop", company="My Shop Ltd")
        before = change(shop, timezone="Asia/Tokyo", quietHours=QUIET).json

        after = change(shop, adultsOnly=True).json

        assert after == before | {"adultsOnly": True}

    @pytest.mark.parametrize("nothing", [None, "", "  "])
    @pytest.mark.parametrize("field", ["company", "senderName", "timezone"])
    def test_texts_are_cleared(self, any_api: Api, field: str, nothing: str | None) -> None:
        shop = any_api.sign_up(senderName="MyShop", company="My Shop Ltd")
        change(shop, timezone="Asia/Tokyo")

        assert change(shop, **{field: nothing}).json[field] is None

    def test_quiet_hours_are_cleared(self, any_api: Api) -> None:
        shop = any_api.sign_up()
        change(shop, quietHours=QUIET)

        assert change(shop, quietHours=None).json["quietHours"] is None

    @pytest.mark.parametrize(
        "quiet",
        [
            {"start": "00:00", "end": "00:00", "days": []},
            {"start": "23:59", "end": "00:01", "days": ["mon", "tue", "wed", "thu", "fri", "sat"]},
        ],
    )
    def test_quiet_hours_of_any_shape_are_kept(self, any_api: Api, quiet: dict[str, Any]) -> None:
        shop = any_api.sign_up()

        assert change(shop, quietHours=quiet).json["quietHours"] == quiet
        assert shop.get("/api/me").json["user"]["quietHours"] == quiet

    @pytest.mark.parametrize(
        "zone",
        [
            "UTC",
            "Europe/Athens",
            "America/Argentina/Buenos_Aires",
            "America/Indiana/Indianapolis",
            "Etc/GMT+5",
            "GMT",
        ],
    )
    def test_zones_of_any_number_of_parts_are_taken(self, quick_api: Api, zone: str) -> None:
        assert change(quick_api.sign_up(), timezone=zone).json["timezone"] == zone

    def test_every_zone_of_the_database_is_taken(self, quick_api: Api) -> None:
        shop = quick_api.sign_up()
        names = zoneinfo.available_timezones() - {"Factory", "localtime"}

        assert len(names) > 400
        assert {change(shop, timezone=name).status_code for name in names} == {200}

    def test_greek_may_be_written_as_templates_write_it(self, any_api: Api) -> None:
        shop = any_api.sign_up()

        assert change(shop, locale="gr").json["locale"] == "el"
        assert change(shop, locale="en").json["locale"] == "en"

    def test_it_takes_a_form(self, quick_api: Api) -> None:
        shop = quick_api.sign_up()

        reply = shop.put(
            "/api/user",
            raw=b"company=My+Shop&adultsOnly=true&locale=gr",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )

        assert reply.status_code == 200
        shown = (reply.json["company"], reply.json["adultsOnly"], reply.json["locale"])
        assert shown == ("My Shop", True, "el")

    @pytest.mark.parametrize("body", [None, {}, {"email": "other@shop.example"}, {"credits": 5}])
    def test_without_a_known_field_there_is_nothing_to_do(
        self, quick_api: Api, body: dict[str, object] | None
    ) -> None:
        assert error_of(quick_api.sign_up().put("/api/user", body)) == (400, "VALIDATION_ERROR")

    def test_nobody_can_assign_what_is_not_theirs_to_change(self, any_api: Api) -> None:
        shop = any_api.sign_up()
        stolen = {"id": 1, "email": "x@y.example", "passwordHash": "x", "credits": 9, "planType": 1}

        reply = change(shop, company="Shop", **stolen)

        assert (reply.json["id"], reply.json["email"]) == (shop.id, shop.email)
        assert shop.get("/api/me").json["user"]["credits"] == 0
        assert login(any_api, shop).status_code == 200

    @pytest.mark.parametrize(
        ("field", "value", "path"),
        [
            ("company", "a" * 161, "company"),
            ("company", 5, "company"),
            ("senderName", "ab", "senderName"),
            ("senderName", "12345", "senderName"),
            ("senderName", "Κατάστημα", "senderName"),
            ("timezone", "Mars/Olympus", "timezone"),
            ("timezone", "europe/athens", "timezone"),
            ("timezone", "../../etc/passwd", "timezone"),
            ("timezone", "localtime", "timezone"),
            ("timezone", "+02:00", "timezone"),
            ("timezone", 2, "timezone"),
            ("adultsOnly", None, "adultsOnly"),
            ("adultsOnly", "true", "adultsOnly"),
            ("adultsOnly", 1, "adultsOnly"),
            ("quietHours", "21:00-09:00", "quietHours"),
            ("quietHours", [], "quietHours"),
            ("quietHours", {}, "quietHours.start"),
            ("quietHours", QUIET | {"start": "24:00"}, "quietHours.start"),
            ("quietHours", QUIET | {"start": "9:00"}, "quietHours.start"),
            ("quietHours", QUIET | {"end": "09:60"}, "quietHours.end"),
            ("quietHours", QUIET | {"end": "09:00:00"}, "quietHours.end"),
            ("quietHours", QUIET | {"end": "\u0660\u0669:00"}, "quietHours.end"),
            ("quietHours", QUIET | {"end": None}, "quietHours.end"),
            ("quietHours", QUIET | {"days": "sun"}, "quietHours.days"),
            ("quietHours", QUIET | {"days": ["sunday"]}, "quietHours.days[0]"),
            ("quietHours", QUIET | {"days": ["sun", "sun"]}, "quietHours.days"),
            (
                "quietHours",
                QUIET | {"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]},
                "quietHours.days",
            ),
            ("defaultCountry", "XX", "defaultCountry"),
            ("defaultCountry", "", "defaultCountry"),
            ("defaultCountry", None, "defaultCountry"),
            ("defaultCountry", "GRC", "defaultCountry"),
            ("locale", "de", "locale"),
            ("locale", None, "locale"),
            ("smartEncoding", "on", "smartEncoding"),
            ("smartEncoding", True, "smartEncoding"),
        ],
    )
    def test_bad_values_are_named_and_change_nothing(
        self, quick_api: Api, field: str, value: object, path: str
    ) -> None:
        shop = quick_api.sign_up()
        before = shop.get("/api/me").json

        reply = change(shop, **{"adultsOnly": True, field: value})

        assert error_of(reply) == (400, "VALIDATION_ERROR")
        assert path in [fault["path"] for fault in reply.json["fields"]]
        assert shop.get("/api/me").json == before


class TestPassword:
    def change(self, shop: Shop, old: object = PASSWORD, new: object = "battery staple") -> Any:
        return shop.put("/api/user/password", {"oldPassword": old, "newPassword": new})

    def test_all_other_sessions_end(self, any_api: Api) -> None:
        shop = any_api.sign_up()
        other = login(any_api, shop)

        reply = self.change(shop)

        assert (reply.status_code, reply.json) == (200, {"ok": True})
        assert reply.headers["Cache-Control"] == "no-store"
        assert shop.get("/api/me").status_code == 200
        assert any_api.post("/api/auth/refresh", {}, cookie=shop.cookie).status_code == 200
        token = other.json["accessToken"]
        assert error_of(any_api.get("/api/me", token=token)) == (401, "UNAUTHORIZED")
        refreshed = any_api.post("/api/auth/refresh", {}, cookie=other.cookies["rt"].value)
        assert error_of(refreshed) == (401, "UNAUTHORIZED")

    def test_from_then_on_only_the_new_one_opens(self, any_api: Api) -> None:
        shop = any_api.sign_up()

        self.change(shop)

        assert error_of(login(any_api, shop)) == (401, "AUTHENTICATION_ERROR")
        assert login(any_api, shop, "battery staple").status_code == 200

    def test_a_wrong_old_one_changes_nothing(self, any_api: Api) -> None:
        shop = any_api.sign_up()
        other = login(any_api, shop)

        reply = self.change(shop, old="wrong password")

        assert error_of(reply) == (401, "AUTHENTICATION_ERROR")
        assert any_api.get("/api/me", token=other.json["accessToken"]).status_code == 200
        assert login(any_api, shop).status_code == 200

    @pytest.mark.parametrize(
        ("change", "path"),
        [
            ({"oldPassword": None}, "oldPassword"),
            ({"oldPassword": ""}, "oldPassword"),
            ({"oldPassword": 5}, "oldPassword"),
            ({"newPassword": None}, "newPassword"),
            ({"newPassword": "seven77"}, "newPassword"),
            ({"newPassword": "a" * 129}, "newPassword"),
        ],
    )
    def test_bad_fields_are_named(
        self, quick_api: Api, change: dict[str, object], path: str
    ) -> None:
        body = {"oldPassword": "wrong password", "newPassword": "battery staple"} | change

        reply = quick_api.sign_up().put("/api/user/password", body)

        assert error_of(reply) == (400, "VALIDATION_ERROR")
        assert [fault["path"] for fault in reply.json["fields"]] == [path]
