"""Lists, exclusions and segments in campaigns, and why somebody is a recipient (3.5)."""

from collections.abc import Callable
from typing import Any

import pytest

from retail_core.contacts.model import Gender
from tests.http.api import Shop, error_of
from tests.http.campaigns.bodies import BODY
from tests.http.campaigns.shops import (
    WITH_TEMPLATE,
    WITH_TEMPLATE_AND_LIST,
    add_person,
    assert_shape,
    create,
    enqueue,
    new_shop,
    send,
    state_of,
)

VIP = {"field": "tags", "op": "has", "value": "vip"}
PREVIEW = "/api/campaigns/preview-audience"


def made(shop: Shop, name: str = "VIP", **fields: object) -> int:
    reply = shop.post("/api/lists", {"name": name, **fields})
    assert reply.status_code == 201, reply.text
    found: int = reply.json["id"]
    return found


def put(shop: Shop, list_id: int, *contacts: int) -> None:
    for contact in contacts:
        assert shop.post(f"/api/lists/{list_id}/contacts/{contact}").status_code == 201


class TestLists:
    def test_a_campaign_goes_to_a_list_without_those_excluded(self, seller: Shop) -> None:
        known, barred = made(seller), made(seller, "Barred")
        one, other = add_person(seller).id, add_person(seller).id
        put(seller, known, one, other)
        put(seller, barred, other)

        reply = seller.post("/api/campaigns", BODY | {"listId": known, "excludeListIds": [barred]})

        assert reply.status_code == 201, reply.text
        assert_shape(reply.json, WITH_TEMPLATE)
        shown = reply.json
        assert (shown["listId"], shown["excludeListIds"], shown["total"]) == (known, [barred], 1)
        campaign = shown["id"]
        read = seller.get(f"/api/campaigns/{campaign}").json
        assert_shape(read, WITH_TEMPLATE_AND_LIST)
        assert read["list"] == seller.get(f"/api/lists/{known}").json
        [item] = seller.get("/api/campaigns").json["items"]
        assert item["list"] == read["list"]
        forecast = seller.get(f"/api/campaigns/{campaign}/forecast").json
        assert (forecast["matched"], forecast["excluded"]["excludedLists"]) == (2, 1)
        assert forecast["recipients"] == 1
        assert enqueue(seller, campaign).json["queued"] == 1

    def test_every_part_is_kept_and_cleared(self, seller: Shop) -> None:
        known = made(seller)
        campaign = create(seller, listId=str(known), excludeListIds=[known], segment=VIP)
        path = f"/api/campaigns/{campaign}"
        assert seller.get(path).json["segment"] == VIP

        kept = seller.put(path, {"name": "New"}).json
        cleared = seller.put(path, {"listId": "", "excludeListIds": [], "segment": None}).json

        assert (kept["listId"], kept["excludeListIds"], kept["segment"]) == (known, [known], VIP)
        shown = (cleared["listId"], cleared["excludeListIds"], cleared["segment"])
        assert shown == (None, [], None)
        assert cleared["total"] == 3

    def test_a_system_list_replaces_an_own_one_and_back(self, seller: Shop) -> None:
        known = made(seller)
        path = f"/api/campaigns/{create(seller, listId=known)}"

        system = seller.put(path, {"listId": "all"}).json
        own = seller.put(path, {"listId": known}).json

        assert (system["listId"], system["systemListId"]) == (None, "all")
        assert (own["listId"], own["systemListId"]) == (known, None)

    @pytest.mark.parametrize(
        ("fields", "code"),
        [
            ({"listId": 2_000_000_000}, "RESOURCE_NOT_FOUND"),
            ({"listId": -5}, "RESOURCE_NOT_FOUND"),
            ({"listId": 10**18}, "RESOURCE_NOT_FOUND"),
            ({"listId": "9" * 5000}, "RESOURCE_NOT_FOUND"),
            ({"excludeListIds": [2_000_000_000]}, "RESOURCE_NOT_FOUND"),
            (
                {"segment": {"field": "lists", "op": "in", "value": [10**18]}},
                "REFERENCE_NOT_FOUND",
            ),
            (
                {"segment": {"field": "lists", "op": "notIn", "value": [2_000_000_000]}},
                "REFERENCE_NOT_FOUND",
            ),
            (
                {"segment": {"field": "clicked", "op": "inCampaign", "value": -7}},
                "REFERENCE_NOT_FOUND",
            ),
        ],
    )
    def test_what_does_not_exist_is_not_found(
        self, seller: Shop, fields: dict[str, Any], code: str
    ) -> None:
        draft = create(seller)

        replies = [
            seller.post("/api/campaigns", BODY | fields),
            seller.put(f"/api/campaigns/{draft}", fields),
            seller.post(PREVIEW, fields),
        ]

        assert [error_of(reply) for reply in replies] == [(404, code)] * 3

    def test_another_stores_list_is_not_found(self, seller: Shop) -> None:
        foreign = made(new_shop(seller.api))

        for fields in ({"listId": foreign}, {"excludeListIds": [foreign]}):
            reply = seller.post("/api/campaigns", BODY | fields)
            assert error_of(reply) == (404, "RESOURCE_NOT_FOUND")


class TestSegments:
    def test_a_segment_narrows_every_count(self, seller: Shop) -> None:
        vip = add_person(seller, tags=("vip",))
        campaign = create(seller, segment=VIP)

        preview = seller.post(PREVIEW, {"segment": VIP}).json
        forecast = seller.get(f"/api/campaigns/{campaign}/forecast").json
        started = enqueue(seller, campaign).json

        assert (preview["count"], preview["preview"][0]["id"]) == (1, vip.id)
        assert (forecast["matched"], started["queued"]) == (1, 1)

    def test_a_fault_is_told_with_its_path(self, seller: Shop) -> None:
        wrong = {"all": [VIP, {"field": "age", "op": "is", "value": 5}]}

        reply = seller.post("/api/campaigns", BODY | {"segment": wrong})

        assert error_of(reply) == (400, "VALIDATION_ERROR")
        assert [fault["path"] for fault in reply.json["fields"]] == ["segment.all[1].op"]

    def test_whoever_got_a_campaign_was_messaged(self, seller: Shop) -> None:
        enqueue(seller, create(seller))
        send(seller.api)
        add_person(seller)
        within = {"field": "lastMessagedAt", "op": "withinDays", "value": 1}

        recent = seller.post(PREVIEW, {"segment": within}).json["count"]
        others = seller.post(PREVIEW, {"segment": {"not": within}}).json["count"]

        assert (recent, others) == (3, 1)


NAMING: list[Callable[[int], dict[str, Any]]] = [
    lambda known: {"listId": known},
    lambda known: {"excludeListIds": [known]},
    lambda known: {"segment": {"not": {"field": "lists", "op": "in", "value": [known]}}},
]


class TestListsInUse:
    @pytest.mark.parametrize("naming", NAMING, ids=["base", "exclusion", "segment"])
    def test_a_list_that_a_campaign_needs_stays(
        self, seller: Shop, naming: Callable[[int], dict[str, Any]]
    ) -> None:
        known = made(seller)
        create(seller, **naming(known))

        reply = seller.delete(f"/api/lists/{known}")

        assert error_of(reply) == (409, "LIST_IN_USE")

    def test_a_finished_campaign_lets_its_list_go(self, seller: Shop) -> None:
        known = made(seller)
        put(seller, known, add_person(seller).id)
        campaign = create(seller, listId=known)
        enqueue(seller, campaign)
        assert error_of(seller.delete(f"/api/lists/{known}")) == (409, "LIST_IN_USE")
        send(seller.api)
        assert state_of(seller, campaign)[0] == "completed"

        assert seller.delete(f"/api/lists/{known}").status_code == 200

        read = seller.get(f"/api/campaigns/{campaign}").json
        assert (read["listId"], read["list"]) == (None, None)


class TestWhy:
    def test_it_tells_every_rule_and_the_leaf_that_decided(self, seller: Shop) -> None:
        person = add_person(seller, gender=Gender.MALE)
        segment = {"all": [VIP, {"field": "gender", "op": "exists"}]}
        campaign = create(seller, filterGender="male", segment=segment)

        found = seller.get(f"/api/campaigns/{campaign}/audience/{person.id}").json

        assert found["isRecipient"] is found["isFrozen"] is False
        assert (found["contactId"], found["reason"]) == (person.id, "segment")
        assert found["steps"][0] == {
            "rule": "gender",
            "effect": "match",
            "holds": True,
            "decidedBy": [],
        }
        decided = [{"path": "segment.all[0]", "holds": False}]
        assert found["steps"][1]["decidedBy"] == decided
        assert {step["effect"] for step in found["steps"][2:]} == {"exclude"}

    def test_after_the_start_what_was_frozen_counts(self, seller: Shop) -> None:
        person = add_person(seller)
        campaign = create(seller)
        enqueue(seller, campaign)
        late = add_person(seller)
        path = f"/api/campaigns/{campaign}/audience"

        for _ in range(2):
            first, second = (seller.get(f"{path}/{each.id}").json for each in (person, late))
            assert (first["isRecipient"], first["isFrozen"], first["reason"]) == (True, True, None)
            assert (second["isRecipient"], second["reason"]) == (False, "notAtStart")
            send(seller.api)

    def test_strangers_are_not_found(self, seller: Shop) -> None:
        campaign = create(seller)
        foreign = add_person(new_shop(seller.api))

        for path in (f"{campaign}/audience/{foreign.id}", f"2147483647/audience/{foreign.id}"):
            assert error_of(seller.get(f"/api/campaigns/{path}"))[0] == 404
        assert error_of(seller.get(f"/api/campaigns/{campaign}/audience/x"))[0] == 400
