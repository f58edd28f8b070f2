"""Keys for a shop's own programs (docs/api.md, 1.5 and 3.1)."""

import re
from datetime import timedelta
from typing import Any

import pytest
from falcon.testing import Result

from retail_core.accounts.model import Scope
from retail_core.kernel.ports import IdempotencyReplies
from tests.http.api import Api, Shop, error_of

TEXT = re.compile(r"rsk_[A-Za-z0-9]{8}_[A-Za-z0-9_-]{43}")
SHOWN = {
    "id", "name", "prefix", "scopes", "createdAt", "lastUsedAt", "expiresAt", "revokedAt",
}  # fmt: skip
BODY = {"name": "till", "scopes": ["contacts:read", "contacts:write"]}


def make(shop: Shop, **change: object) -> Any:
    reply = shop.post("/api/api-keys", BODY | change)
    assert reply.status_code == 201, reply.text
    return reply.json


def listed(shop: Shop, query: str = "") -> Any:
    return shop.get(f"/api/api-keys{query}").json


class TestCreate:
    def test_the_text_is_shown_this_once(self, any_api: Api) -> None:
        shop = any_api.sign_up()

        reply = shop.post("/api/api-keys", BODY)

        assert reply.status_code == 201
        assert reply.headers["Cache-Control"] == "no-store"
        key = reply.json["key"]
        assert TEXT.fullmatch(key)
        assert key.startswith(reply.json["prefix"])
        assert reply.json == {
            "id": reply.json["id"],
            "name": "till",
            "prefix": key[:12],
            "scopes": ["contacts:read", "contacts:write"],
            "createdAt": "2026-11-24T12:00:00.000Z",
            "lastUsedAt": None,
            "expiresAt": None,
            "revokedAt": None,
            "key": key,
        }
        assert listed(shop)["items"][0].keys() == SHOWN

    def test_every_scope_of_the_contract_is_known(self, quick_api: Api) -> None:
        words = [scope.value for scope in Scope]

        assert make(quick_api.sign_up(), scopes=words)["scopes"] == words
        assert len(words) == 16

    @pytest.mark.parametrize(
        ("form", "scopes"),
        [
            (b"name=till&scopes=contacts%3Aread", ["contacts:read"]),
            (b"scopes=lists:read&name=till&scopes=nfc:read", ["lists:read", "nfc:read"]),
        ],
    )
    def test_a_form_repeats_the_field_of_an_array(
        self, quick_api: Api, form: bytes, scopes: list[str]
    ) -> None:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}

        reply = quick_api.sign_up().post("/api/api-keys", raw=form, headers=headers)

        assert (reply.status_code, reply.json["scopes"]) == (201, scopes)

    @pytest.mark.parametrize("form", [b"name=till&scopes=", b"name=till&name=till&scopes=nfc:read"])
    def test_a_form_without_scopes_or_with_two_names_is_refused(
        self, quick_api: Api, form: bytes
    ) -> None:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}

        reply = quick_api.sign_up().post("/api/api-keys", raw=form, headers=headers)

        assert error_of(reply) == (400, "VALIDATION_ERROR")

    @pytest.mark.parametrize("expiry", ["2026-11-25T12:00:00+02:00", "2026-11-25T10:00"])
    def test_it_may_expire(self, any_api: Api, expiry: str) -> None:
        made = make(any_api.sign_up(), expiresAt=expiry)

        assert made["expiresAt"] == "2026-11-25T10:00:00.000Z"

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"name": None}, "VALIDATION_ERROR"),
            ({"name": "  "}, "VALIDATION_ERROR"),
            ({"name": "a" * 81}, "VALIDATION_ERROR"),
            ({"name": 5}, "VALIDATION_ERROR"),
            ({"scopes": None}, "VALIDATION_ERROR"),
            ({"scopes": []}, "VALIDATION_ERROR"),
            ({"scopes": "contacts:read"}, "VALIDATION_ERROR"),
            ({"scopes": ["contacts:read", "contacts:read"]}, "VALIDATION_ERROR"),
            ({"scopes": ["contacts:all"]}, "VALIDATION_ERROR"),
            ({"scopes": ["contacts:read"] * 17}, "VALIDATION_ERROR"),
            ({"scopes": [None]}, "VALIDATION_ERROR"),
            ({"expiresAt": "2026-11-24T12:00:00Z"}, "VALIDATION_ERROR"),
            ({"expiresAt": "2020-01-01"}, "VALIDATION_ERROR"),
            ({"expiresAt": 1_800_000_000}, "VALIDATION_ERROR"),
            ({"expiresAt": "tomorrow"}, "INVALID_DATE"),
            ({"expiresAt": "2026-13-01"}, "INVALID_DATE"),
            ({"expiresAt": ""}, "INVALID_DATE"),
        ],
    )
    def test_bad_fields_are_refused(
        self, quick_api: Api, change: dict[str, object], code: str
    ) -> None:
        shop = quick_api.sign_up()

        assert error_of(shop.post("/api/api-keys", BODY | change)) == (400, code)
        assert listed(shop)["total"] == 0

    def test_a_repeat_makes_no_second_key_and_shows_no_text(self, any_api: Api) -> None:
        shop = any_api.sign_up()

        def ask(name: str = "till") -> Result:
            return shop.post(
                "/api/api-keys", BODY | {"name": name}, headers={"Idempotency-Key": "once"}
            )

        first, repeat = ask(), ask()

        assert TEXT.fullmatch(first.json["key"])
        assert repeat.status_code == 201
        assert repeat.headers["Idempotency-Replayed"] == "true"
        assert repeat.headers["Cache-Control"] == "no-store"
        assert repeat.json == first.json | {"key": None}
        assert listed(shop)["total"] == 1
        assert error_of(ask("other")) == (409, "IDEMPOTENCY_KEY_REUSED")

    def test_a_lost_reply_is_built_again_without_the_text(self, quick_api: Api) -> None:
        shop = quick_api.sign_up()
        first = shop.post("/api/api-keys", BODY, headers={"Idempotency-Key": "once"})
        lose_replies(quick_api)

        repeat = shop.post("/api/api-keys", BODY, headers={"Idempotency-Key": "once"})

        assert (repeat.status_code, repeat.json) == (201, first.json | {"key": None})


class TestList:
    def test_the_newest_comes_first_and_ended_ones_are_shown(self, any_api: Api) -> None:
        shop = any_api.sign_up()
        made = [make(shop, name=name) for name in ("one", "two", "three")]
        shop.delete(f"/api/api-keys/{made[1]['id']}")

        page = listed(shop)

        assert [each["name"] for each in page["items"]] == ["three", "two", "one"]
        assert page["items"][1]["revokedAt"] == "2026-11-24T12:00:00.000Z"
        assert (page["total"], page["page"], page["pageSize"]) == (3, 1, 50)
        assert len(listed(shop, "?pageSize=2&page=2")["items"]) == 1

    def test_another_shops_keys_are_not_listed(self, any_api: Api) -> None:
        make(any_api.sign_up())

        assert listed(any_api.sign_up())["total"] == 0


class TestRevoke:
    def test_it_has_effect_on_the_next_request(self, any_api: Api) -> None:
        shop = any_api.sign_up()
        made = make(shop)
        assert any_api.get("/api/me", token=made["key"]).status_code == 200

        for _ in range(2):
            reply = shop.delete(f"/api/api-keys/{made['id']}")
            assert (reply.status_code, reply.json) == (200, {"ok": True})

        assert error_of(any_api.get("/api/me", token=made["key"])) == (401, "UNAUTHORIZED")

    def test_another_shops_key_is_not_found(self, any_api: Api) -> None:
        made = make(any_api.sign_up())

        reply = any_api.sign_up().delete(f"/api/api-keys/{made['id']}")

        assert error_of(reply) == (404, "RESOURCE_NOT_FOUND")
        assert any_api.get("/api/me", token=made["key"]).status_code == 200


class TestUse:
    def test_it_acts_for_its_owner(self, any_api: Api) -> None:
        shop = any_api.sign_up()

        reply = any_api.get("/api/me", token=make(shop)["key"])

        assert reply.json["user"]["id"] == shop.id

    def test_its_use_is_shown_to_the_minute(self, any_api: Api) -> None:
        shop = any_api.sign_up()
        key = make(shop)["key"]

        def used_after(seconds: int) -> object:
            any_api.clock.advance(timedelta(seconds=seconds))
            any_api.get("/api/me", token=key)
            return listed(shop)["items"][0]["lastUsedAt"]

        assert used_after(0) == "2026-11-24T12:00:00.000Z"
        assert used_after(59) == "2026-11-24T12:00:00.000Z"
        assert used_after(1) == "2026-11-24T12:01:00.000Z"

    def test_it_expires(self, any_api: Api) -> None:
        key = make(any_api.sign_up(), expiresAt="2026-11-24T12:01:00Z")["key"]
        assert any_api.get("/api/me", token=key).status_code == 200

        any_api.clock.advance(timedelta(minutes=1))

        assert error_of(any_api.get("/api/me", token=key)) == (401, "UNAUTHORIZED")

    def test_a_changed_text_is_unknown(self, any_api: Api) -> None:
        key = make(any_api.sign_up())["key"]
        other = "A" if key[-1] != "A" else "B"

        for text in (key[:-1], key[:-1] + other, key + "A", key.upper(), "rsk_", key[:12], "rsk_ü"):
            assert error_of(any_api.get("/api/me", token=text)) == (401, "UNAUTHORIZED")

    def test_it_outlives_a_change_of_the_password(self, any_api: Api) -> None:
        shop = any_api.sign_up()
        key = make(shop)["key"]
        body = {"oldPassword": "correct horse", "newPassword": "battery staple"}
        assert shop.put("/api/user/password", body).status_code == 200

        assert any_api.get("/api/me", token=key).status_code == 200

    def test_it_reads_and_writes_within_its_scopes(self, api: Api) -> None:
        key = make(api.sign_up(), scopes=["contacts:read"])["key"]

        assert api.get("/api/contacts", token=key).status_code == 200
        refused = api.post("/api/contacts", {"phone": "+306900000001"}, token=key)
        assert error_of(refused) == (403, "INSUFFICIENT_SCOPE")
        assert refused.json["requiredScope"] == "contacts:write"

    def test_sending_needs_its_own_scope(self, api: Api) -> None:
        key = make(api.sign_up(), scopes=["campaigns:write", "campaigns:read"])["key"]

        refused = api.post("/api/campaigns/1/enqueue", token=key)

        assert error_of(refused) == (403, "INSUFFICIENT_SCOPE")
        assert refused.json["requiredScope"] == "campaigns:send"

    def test_reading_campaigns_includes_their_messages(self, api: Api) -> None:
        shop = api.sign_up()
        body = {"name": "A", "messageText": "Hello"}
        path = f"/api/campaigns/{shop.post('/api/campaigns', body).json['id']}/messages"
        key, other = (
            make(shop, scopes=[scope])["key"] for scope in ("campaigns:read", "lists:read")
        )

        assert api.get(path, token=key).json["items"] == []
        assert api.get(path, token=other).json["requiredScope"] == "campaigns:read"

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("PUT", "/api/user"),
            ("PUT", "/api/user/password"),
            ("GET", "/api/auth/sessions"),
            ("DELETE", "/api/auth/sessions"),
            ("DELETE", "/api/auth/sessions/1"),
            ("GET", "/api/api-keys"),
            ("POST", "/api/api-keys"),
            ("DELETE", "/api/api-keys/1"),
        ],
    )
    def test_it_cannot_change_who_gets_in(self, any_api: Api, method: str, path: str) -> None:
        key = make(any_api.sign_up(), scopes=[scope.value for scope in Scope])["key"]

        assert error_of(any_api.ask(method, path, token=key)) == (403, "FORBIDDEN")


def lose_replies(api: Api) -> None:
    """Forget every kept reply, as if the process had died before it was kept."""
    tables = api.container.resolve(IdempotencyReplies).database.tables
    for name, stored in tables.keys.items():
        lost = type(stored)(stored.once, stored.effect, None, stored.created_at)
        tables.keys.put(name, lost)
