"""Create campaigns (docs/api.md, 3.5)."""

from datetime import date
from typing import Any

import pytest

from retail_core.contacts.model import Gender
from tests.http.api import Api, Shop, error_of
from tests.http.campaigns.bodies import BODY, UNKNOWN, WRONG
from tests.http.campaigns.shops import (
    TEXT,
    WITH_TEMPLATE,
    add_person,
    assert_shape,
)


class TestCreate:
    def test_it_answers_with_the_whole_draft(self, seller: Shop) -> None:
        reply = seller.post("/api/campaigns", BODY)

        assert reply.status_code == 201
        assert_shape(reply.json, WITH_TEMPLATE)
        expected = {
            "ownerId": seller.id,
            "name": "Autumn",
            "messageText": TEXT,
            "status": "draft",
            "includeOffer": True,
            "trackLinks": False,
            "excludeListIds": [],
            "total": 3,
            "sent": 0,
            "failed": 0,
            "processed": None,
            "startedAt": None,
            "createdById": seller.id,
            "createdAt": "2026-11-24T12:00:00.000Z",
            "updatedAt": "2026-11-24T12:00:00.000Z",
        }
        assert {key: reply.json[key] for key in expected} == expected

    def test_all_parts_of_the_audience_must_hold_at_once(self, seller: Shop) -> None:
        add_person(seller, gender=Gender.FEMALE, birthday=date(1980, 1, 1))
        add_person(seller, gender=Gender.FEMALE, birthday=date(2000, 1, 1))
        add_person(seller, gender=Gender.MALE, birthday=date(1980, 1, 1))
        fields = {"filterGender": "FEMALE", "filterAgeGroup": "40+", "listId": "gender_female"}

        campaign = seller.post("/api/campaigns", BODY | fields).json

        assert campaign["filterGender"] == "female"
        assert campaign["filterAgeGroup"] == "40_plus"
        assert (campaign["listId"], campaign["systemListId"]) == (None, "gender_female")
        assert campaign["total"] == 1

    def test_those_who_may_not_be_sent_to_are_not_counted(self, seller: Shop) -> None:
        add_person(seller, is_subscribed=False)
        add_person(seller, birthday=date(2020, 1, 1))

        assert seller.post("/api/campaigns", BODY).json["total"] == 3

    @pytest.mark.parametrize("nothing", [None, "", "  "])
    def test_null_and_nothing_mean_anybody(self, seller: Shop, nothing: str | None) -> None:
        fields = {"filterGender": nothing, "filterAgeGroup": nothing, "listId": nothing}
        others: dict[str, object] = {"templateId": None, "excludeListIds": [], "segment": None}

        reply = seller.post("/api/campaigns", BODY | fields | others)

        assert reply.status_code == 201
        assert reply.json["total"] == 3
        assert reply.json["filterGender"] is reply.json["filterAgeGroup"] is None

    def test_text_is_trimmed_at_its_ends_and_otherwise_kept(self, seller: Shop) -> None:
        text = "Γειά σου {{ firstName | φίλε }},\r\n<b>δώρο</b>\t& 'more'  \n🎁"

        reply = seller.post("/api/campaigns", {"name": " A ", "messageText": f" {text}\n "})

        assert (reply.json["name"], reply.json["messageText"]) == ("A", text)

    def test_the_longest_text_and_name_are_taken(self, seller: Shop) -> None:
        reply = seller.post("/api/campaigns", {"name": "ñ" * 200, "messageText": "🎁" * 2000})

        assert reply.status_code == 201

    def test_a_form_is_taken_like_json(self, seller: Shop) -> None:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        raw = b"name=Autumn&messageText=Hi&includeOffer=false&filterGender="

        reply = seller.post("/api/campaigns", raw=raw, headers=headers)

        assert reply.status_code == 201
        assert reply.json["includeOffer"] is False

    def test_unknown_fields_are_ignored(self, seller: Shop) -> None:
        assert seller.post("/api/campaigns", BODY | {"status": "sending"}).status_code == 201

    @pytest.mark.parametrize(("fields", "code", "path"), WRONG)
    def test_what_is_wrong_is_named(
        self, quick_seller: Shop, fields: dict[str, Any], code: str, path: str
    ) -> None:
        reply = quick_seller.post("/api/campaigns", BODY | fields)

        assert error_of(reply) == (400, code)
        assert path in [fault["path"] for fault in reply.json["fields"]]

    @pytest.mark.parametrize("missing", ["name", "messageText"])
    def test_what_is_missing_is_named(self, quick_seller: Shop, missing: str) -> None:
        body = {key: value for key, value in BODY.items() if key != missing}

        reply = quick_seller.post("/api/campaigns", body)

        assert error_of(reply) == (400, "VALIDATION_ERROR")
        assert [fault["path"] for fault in reply.json["fields"]] == [missing]

    @pytest.mark.parametrize("word", ["woman", "femal", "18_24"])
    def test_a_word_that_is_no_gender_has_a_code(self, quick_seller: Shop, word: str) -> None:
        reply = quick_seller.post("/api/campaigns", BODY | {"filterGender": word})

        assert error_of(reply) == (400, "INVALID_GENDER")

    def test_unknown_placeholders_are_named(self, quick_seller: Shop) -> None:
        body = BODY | {"messageText": "{{first}} {{firstName}} {{ x y }}"}

        reply = quick_seller.post("/api/campaigns", body)

        (fault,) = reply.json["fields"]
        assert "first" in fault["message"]
        assert "x y" in fault["message"]
        assert "firstName" not in fault["message"]

    @pytest.mark.parametrize("fields", UNKNOWN)
    def test_what_does_not_exist_is_not_found(
        self, quick_seller: Shop, fields: dict[str, Any]
    ) -> None:
        assert error_of(quick_seller.post("/api/campaigns", BODY | fields)) == (
            404,
            "RESOURCE_NOT_FOUND",
        )

    def test_an_unknown_template_in_place_of_a_text_is_not_found(self, quick_seller: Shop) -> None:
        reply = quick_seller.post("/api/campaigns", {"name": "A", "templateId": 5})

        assert error_of(reply)[0] == 404

    @pytest.mark.parametrize("fields", UNKNOWN)
    def test_a_rule_is_told_before_what_does_not_exist(
        self, quick_seller: Shop, fields: dict[str, Any]
    ) -> None:
        body = BODY | fields | {"messageText": "{{nickname}}"}

        assert error_of(quick_seller.post("/api/campaigns", body)) == (400, "VALIDATION_ERROR")

    def test_nothing_is_made_of_a_wrong_body(self, seller: Shop) -> None:
        seller.post("/api/campaigns", BODY | {"filterGender": "x"})

        assert seller.get("/api/campaigns").json["total"] == 0

    @pytest.mark.parametrize("raw", [b"", b"{}"])
    def test_no_body_means_an_empty_one(self, quick_seller: Shop, raw: bytes) -> None:
        headers = {"Content-Type": "application/json"}

        reply = quick_seller.post("/api/campaigns", raw=raw, headers=headers)

        assert error_of(reply) == (400, "VALIDATION_ERROR")
        assert [fault["path"] for fault in reply.json["fields"]] == ["name"]

    @pytest.mark.parametrize("raw", [b"[]", b"null", b"7", b'"x"', b"{", b'{"name":"\\ud800"}'])
    def test_what_is_no_object_is_refused(self, quick_seller: Shop, raw: bytes) -> None:
        headers = {"Content-Type": "application/json"}

        reply = quick_seller.post("/api/campaigns", raw=raw, headers=headers)

        assert error_of(reply) == (400, "VALIDATION_ERROR")

    def test_nobody_creates_without_signing_in(self, memory_api: Api) -> None:
        assert error_of(memory_api.post("/api/campaigns", BODY)) == (401, "UNAUTHORIZED")
