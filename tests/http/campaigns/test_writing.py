"""Create, read and edit campaigns (http-contract, 3.5)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest

from retail_core.campaigns.errors import CampaignNotFound
from retail_core.contacts.model import Gender
from retail_core.kernel.ids import CampaignId
from tests.http.api import Api, Shop, error_of
from tests.http.campaigns.shops import (
    TEXT,
    WITH_TEMPLATE,
    WITH_TEMPLATE_AND_LIST,
    add_person,
    assert_shape,
    create,
    new_shop,
    started,
    stores,
)

BODY = {"name": "Autumn", "messageText": TEXT}
WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"name": ""}, "VALIDATION_ERROR", "name"),
    ({"name": "   "}, "VALIDATION_ERROR", "name"),
    ({"name": "x" * 201}, "VALIDATION_ERROR", "name"),
    ({"name": 7}, "VALIDATION_ERROR", "name"),
    ({"name": None}, "VALIDATION_ERROR", "name"),
    ({"name": ["x"]}, "VALIDATION_ERROR", "name"),
    ({"messageText": ""}, "VALIDATION_ERROR", "messageText"),
    ({"messageText": " \n "}, "VALIDATION_ERROR", "messageText"),
    ({"messageText": None}, "VALIDATION_ERROR", "messageText"),
    ({"messageText": "x" * 2001}, "VALIDATION_ERROR", "messageText"),
    ({"messageText": 7}, "VALIDATION_ERROR", "messageText"),
    ({"messageText": "Hi {{nickname}}"}, "VALIDATION_ERROR", "messageText"),
    ({"templateId": "abc"}, "VALIDATION_ERROR", "templateId"),
    ({"templateId": 0}, "VALIDATION_ERROR", "templateId"),
    ({"templateId": True}, "VALIDATION_ERROR", "templateId"),
    ({"templateId": 1.5}, "VALIDATION_ERROR", "templateId"),
    ({"filterGender": 1}, "VALIDATION_ERROR", "filterGender"),
    ({"filterAgeGroup": "18-24"}, "VALIDATION_ERROR", "filterAgeGroup"),
    ({"filterAgeGroup": 18}, "VALIDATION_ERROR", "filterAgeGroup"),
    ({"listId": "vip"}, "VALIDATION_ERROR", "listId"),
    ({"listId": 0}, "VALIDATION_ERROR", "listId"),
    ({"listId": True}, "VALIDATION_ERROR", "listId"),
    ({"listId": 1.5}, "VALIDATION_ERROR", "listId"),
    ({"listId": {"id": 1}}, "VALIDATION_ERROR", "listId"),
    ({"excludeListIds": "1"}, "VALIDATION_ERROR", "excludeListIds"),
    ({"excludeListIds": [1, "x"]}, "VALIDATION_ERROR", "excludeListIds[1]"),
    ({"excludeListIds": [None]}, "VALIDATION_ERROR", "excludeListIds[0]"),
    ({"excludeListIds": [1] * 51}, "VALIDATION_ERROR", "excludeListIds"),
    ({"segment": {"field": "age", "op": "gte", "value": 40}}, "VALIDATION_ERROR", "segment"),
    ({"segment": []}, "VALIDATION_ERROR", "segment"),
    ({"includeOffer": "true"}, "VALIDATION_ERROR", "includeOffer"),
    ({"includeOffer": 1}, "VALIDATION_ERROR", "includeOffer"),
    ({"trackLinks": "no"}, "VALIDATION_ERROR", "trackLinks"),
    ({"trackLinks": True}, "VALIDATION_ERROR", "trackLinks"),
    ({"scheduledAt": "2027-01-01T10:00:00Z"}, "VALIDATION_ERROR", "scheduledAt"),
    ({"scheduledAt": 7}, "VALIDATION_ERROR", "scheduledAt"),
    ({"scheduledDate": 7}, "VALIDATION_ERROR", "scheduledDate"),
    ({"scheduledTime": {}}, "VALIDATION_ERROR", "scheduledTime"),
]
UNKNOWN: list[dict[str, Any]] = [
    {"templateId": 99},
    {"templateId": "99"},
    {"templateId": -1},
    {"templateId": 99_999_999_999},
    {"listId": 99},
    {"listId": " 99 "},
    {"listId": "-1"},
    {"listId": 99_999_999_999},
    {"excludeListIds": [1, "2"]},
]


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


class TestRead:
    def test_it_has_template_and_list(self, seller: Shop) -> None:
        reply = seller.get(f"/api/campaigns/{create(seller)}")

        assert reply.status_code == 200
        assert_shape(reply.json, WITH_TEMPLATE_AND_LIST)
        assert reply.headers["Cache-Control"] == "private, no-cache"

    def test_an_unchanged_campaign_need_not_be_sent_again(self, seller: Shop) -> None:
        path = f"/api/campaigns/{create(seller)}"
        etag = seller.get(path).headers["ETag"]

        reply = seller.get(path, headers={"If-None-Match": etag})

        assert (reply.status_code, reply.content) == (304, b"")

    def test_head_answers_like_get(self, seller: Shop) -> None:
        reply = seller.ask("HEAD", f"/API/Campaigns/{create(seller)}/")

        assert (reply.status_code, reply.content) == (200, b"")

    def test_another_shops_campaign_is_not_found(self, seller: Shop) -> None:
        theirs = create(new_shop(seller.api))

        for suffix in ("", "/preview", "/status", "/messages"):
            reply = seller.get(f"/api/campaigns/{theirs}{suffix}")
            assert error_of(reply) == (404, "RESOURCE_NOT_FOUND")

    @pytest.mark.parametrize("suffix", ["", "/preview", "/status", "/messages"])
    @pytest.mark.parametrize("number", ["0", "abc", "1.5", "+1", "1e3", "-0", "01", "%D9%A1"])
    def test_what_cannot_be_an_id_is_refused(
        self, quick_seller: Shop, number: str, suffix: str
    ) -> None:
        reply = quick_seller.get(f"/api/campaigns/{number}{suffix}")

        assert error_of(reply) == (400, "VALIDATION_ERROR")

    @pytest.mark.parametrize("number", ["-1", "2147483647", "2147483648", "99999999999", "9" * 99])
    def test_an_id_that_no_campaign_has_is_not_found(self, seller: Shop, number: str) -> None:
        for suffix in ("", "/preview", "/status", "/messages"):
            reply = seller.get(f"/api/campaigns/{number}{suffix}")
            assert error_of(reply) == (404, "RESOURCE_NOT_FOUND")


class TestEdit:
    def test_it_changes_what_was_sent_and_keeps_the_rest(self, seller: Shop) -> None:
        before = seller.post("/api/campaigns", BODY | {"filterGender": "male"}).json
        seller.api.clock.advance(timedelta(seconds=1))

        reply = seller.put(f"/api/campaigns/{before['id']}", {"name": "Winter"})

        assert reply.status_code == 200
        assert_shape(reply.json, WITH_TEMPLATE)
        changes = {"name": "Winter", "updatedAt": "2026-11-24T12:00:01.000Z"}
        assert reply.json == before | changes
        assert seller.get(f"/api/campaigns/{before['id']}").json == reply.json | {"list": None}

    @pytest.mark.parametrize(
        ("field", "value", "key", "shown"),
        [
            ("messageText", "New {{lastName}}", "messageText", "New {{lastName}}"),
            ("includeOffer", False, "includeOffer", False),
            ("filterGender", "Other", "filterGender", "other"),
            ("filterAgeGroup", "40+", "filterAgeGroup", "40_plus"),
            ("listId", "age_18_24", "systemListId", "age_18_24"),
        ],
    )
    def test_each_field_can_be_replaced(
        self, seller: Shop, field: str, value: object, key: str, shown: object
    ) -> None:
        campaign = create(seller)

        reply = seller.put(f"/api/campaigns/{campaign}", {field: value})

        assert (reply.status_code, reply.json[key]) == (200, shown)

    @pytest.mark.parametrize("nothing", [None, ""])
    def test_filters_and_list_are_cleared_by_nothing(
        self, seller: Shop, nothing: str | None
    ) -> None:
        fields = ("filterGender", "filterAgeGroup", "listId")
        narrow = dict(zip(fields, ("male", "18_24", "gender_male"), strict=True))
        campaign = create(seller, **narrow)

        reply = seller.put(f"/api/campaigns/{campaign}", dict.fromkeys(fields, nothing))

        assert reply.json["filterGender"] is reply.json["filterAgeGroup"] is None
        assert reply.json["systemListId"] is None
        assert reply.json["total"] == 3

    def test_a_change_counts_the_audience_again(self, seller: Shop) -> None:
        campaign = create(seller)
        add_person(seller, gender=Gender.MALE)

        reply = seller.put(f"/api/campaigns/{campaign}", {"filterGender": "male"})

        assert reply.json["total"] == 1

    @pytest.mark.parametrize(
        "fields",
        [
            {"templateId": None},
            {"excludeListIds": []},
            {"segment": None},
            {"trackLinks": False},
            {"scheduledAt": None},
            {"scheduledDate": None, "scheduledTime": None},
        ],
    )
    def test_what_it_is_already_may_be_said(self, seller: Shop, fields: dict[str, Any]) -> None:
        reply = seller.put(f"/api/campaigns/{create(seller)}", fields)

        assert (reply.status_code, reply.json["status"]) == (200, "draft")

    @pytest.mark.parametrize("body", [{}, {"status": "draft"}, None])
    def test_nothing_to_change_is_refused(
        self, quick_seller: Shop, body: dict[str, Any] | None
    ) -> None:
        reply = quick_seller.put(f"/api/campaigns/{create(quick_seller)}", body)

        assert error_of(reply) == (400, "VALIDATION_ERROR")

    @pytest.mark.parametrize(("fields", "code", "path"), WRONG)
    def test_what_is_wrong_is_named(
        self, quick_seller: Shop, fields: dict[str, Any], code: str, path: str
    ) -> None:
        campaign = create(quick_seller)
        before = quick_seller.get(f"/api/campaigns/{campaign}").json

        reply = quick_seller.put(f"/api/campaigns/{campaign}", fields)

        assert error_of(reply) == (400, code)
        assert path in [fault["path"] for fault in reply.json["fields"]]
        assert quick_seller.get(f"/api/campaigns/{campaign}").json == before

    def test_a_word_that_is_no_gender_has_a_code(self, quick_seller: Shop) -> None:
        reply = quick_seller.put(f"/api/campaigns/{create(quick_seller)}", {"filterGender": "x"})

        assert error_of(reply) == (400, "INVALID_GENDER")

    @pytest.mark.parametrize("fields", UNKNOWN)
    def test_what_does_not_exist_is_not_found(
        self, quick_seller: Shop, fields: dict[str, Any]
    ) -> None:
        reply = quick_seller.put(f"/api/campaigns/{create(quick_seller)}", fields)

        assert error_of(reply) == (404, "RESOURCE_NOT_FOUND")

    @pytest.mark.parametrize("number", ["0", "abc", "1.5", "+1", "-0", "07"])
    def test_what_cannot_be_an_id_has_a_code_of_its_own(
        self, quick_seller: Shop, number: str
    ) -> None:
        reply = quick_seller.put(f"/api/campaigns/{number}", {"name": "B"})

        assert error_of(reply) == (400, "INVALID_ID")

    @pytest.mark.parametrize("number", ["-1", "2147483647", "2147483648"])
    def test_an_id_that_no_campaign_has_is_not_found(self, seller: Shop, number: str) -> None:
        reply = seller.put(f"/api/campaigns/{number}", {"name": "B"})

        assert error_of(reply) == (404, "RESOURCE_NOT_FOUND")

    def test_another_shops_campaign_is_not_found(self, seller: Shop) -> None:
        other = new_shop(seller.api)
        theirs = create(other)

        assert error_of(seller.put(f"/api/campaigns/{theirs}", {"name": "B"}))[0] == 404
        assert other.get(f"/api/campaigns/{theirs}").json["name"] == "Autumn"

    def test_a_campaign_that_started_is_not_changed(self, seller: Shop) -> None:
        campaign = started(seller)

        reply = seller.put(f"/api/campaigns/{campaign}", {"name": "B"})

        assert error_of(reply) == (409, "INVALID_STATUS")
        assert seller.get(f"/api/campaigns/{campaign}").json["name"] == "Autumn"

    def test_the_body_is_checked_before_the_campaign(self, quick_seller: Shop) -> None:
        wrong = {"messageText": "{{nickname}}"}

        for campaign in (987_654, started(quick_seller)):
            reply = quick_seller.put(f"/api/campaigns/{campaign}", wrong)
            assert error_of(reply) == (400, "VALIDATION_ERROR")

    def test_edits_that_meet_wait_for_each_other(self, sql_seller: Shop) -> None:
        path = f"/api/campaigns/{create(sql_seller)}"
        bodies: list[dict[str, object]] = [{"name": "B"}, {"includeOffer": False}] * 4

        with ThreadPoolExecutor(4) as pool:
            replies = list(pool.map(lambda body: sql_seller.put(path, body), bodies))

        assert [reply.status_code for reply in replies] == [200] * 8
        after = sql_seller.get(path).json
        assert (after["name"], after["includeOffer"]) == ("B", False)


def test_a_store_sees_no_campaign_of_another(campaign_api: Api) -> None:
    mine, theirs = new_shop(campaign_api), new_shop(campaign_api)
    campaign = CampaignId(create(mine))

    with stores(campaign_api).begin(theirs.id) as uow, pytest.raises(CampaignNotFound):
        uow.campaigns.get(theirs.id, campaign)
