"""Edit campaigns (docs/api.md, 3.5)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from retail_core.contacts.model import Gender
from tests.http.api import Shop, error_of
from tests.http.campaigns.bodies import BODY, UNKNOWN, WRONG
from tests.http.campaigns.shops import (
    WITH_TEMPLATE,
    add_person,
    assert_shape,
    create,
    new_shop,
    started,
)


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
