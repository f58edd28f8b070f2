"""Lists over the API (docs/api.md, 3.3)."""

from datetime import timedelta
from typing import Any

import pytest

from retail_core.audiences.model import SYSTEM_LISTS
from retail_core.contacts.model import SuppressionReason
from tests.http.api import Api, Shop, error_of
from tests.http.people import KEYS, create, listed, suppress

LIST = {
    "id",
    "ownerId",
    "name",
    "description",
    "filterGender",
    "filterAgeMin",
    "filterAgeMax",
    "createdAt",
    "updatedAt",
}
SYSTEM = {
    "id",
    "name",
    "description",
    "isSystem",
    "filterGender",
    "filterAgeGroup",
    "memberCount",
    "ownerId",
    "createdAt",
    "updatedAt",
}


def made(shop: Shop, name: str = "VIP", **fields: object) -> dict[str, Any]:
    reply = shop.post("/api/lists", {"name": name, **fields})
    assert reply.status_code == 201, reply.text
    found: dict[str, Any] = reply.json
    return found


def put(shop: Shop, list_id: int, *contacts: int) -> None:
    for contact in contacts:
        reply = shop.post(f"/api/lists/{list_id}/contacts/{contact}")
        assert reply.status_code == 201, reply.text


def person(shop: Shop, last: int, **fields: object) -> int:
    found: int = create(shop, f"+3069000000{last:02}", **fields)["id"]
    return found


class TestWriting:
    def test_a_list_is_made_read_and_changed(self, shop: Shop) -> None:
        known = made(shop, " VIP ", description=" best ", filterGender="FEMALE", filterAgeMin="18")

        assert known.keys() == LIST
        shown = (known["name"], known["description"], known["filterGender"], known["filterAgeMin"])
        assert shown == ("VIP", "best", "female", 18)
        path = f"/api/lists/{known['id']}"
        assert shop.get(path).json == known | {"matchCount": 0}
        changes = {"filterGender": "", "filterAgeMin": None, "description": None}
        reply = shop.put(path, changes)
        assert (reply.status_code, reply.json) == (200, known | dict.fromkeys(changes))
        assert "matchCount" not in shop.get(path).json
        assert shop.put(path, {}).json == reply.json

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({}, "VALIDATION_ERROR"),
            ({"name": " "}, "VALIDATION_ERROR"),
            ({"name": None}, "VALIDATION_ERROR"),
            ({"name": "x" * 161}, "VALIDATION_ERROR"),
            ({"name": "x", "description": "x" * 401}, "VALIDATION_ERROR"),
            ({"name": "x", "filterGender": "man"}, "INVALID_GENDER"),
            ({"name": "x", "filterAgeMin": 151}, "VALIDATION_ERROR"),
            ({"name": "x", "filterAgeMin": -1}, "VALIDATION_ERROR"),
            ({"name": "x", "filterAgeMax": "1.5"}, "VALIDATION_ERROR"),
            ({"name": "x", "filterAgeMin": 30, "filterAgeMax": 20}, "VALIDATION_ERROR"),
        ],
    )
    def test_a_bad_list_is_refused(self, shop: Shop, body: dict[str, Any], code: str) -> None:
        assert error_of(shop.post("/api/lists", body)) == (400, code)

    def test_the_filter_that_is_wrong_is_named(self, shop: Shop) -> None:
        body = {"name": "x", "filterGender": "man"}
        replies = [
            shop.post("/api/lists", body),
            shop.put(f"/api/lists/{made(shop)['id']}", body),
        ]

        for reply in replies:
            assert error_of(reply) == (400, "INVALID_GENDER")
            assert [fault["path"] for fault in reply.json["fields"]] == ["filterGender"]

    def test_a_bound_is_checked_against_the_stored_other(self, shop: Shop) -> None:
        known = made(shop, filterAgeMin=30)

        reply = shop.put(f"/api/lists/{known['id']}", {"filterAgeMax": 20})

        assert error_of(reply) == (400, "VALIDATION_ERROR")

    def test_a_name_is_taken_once(self, shop: Shop) -> None:
        made(shop)
        other = made(shop, "Other")

        assert error_of(shop.post("/api/lists", {"name": "VIP"})) == (409, "DUPLICATE_RESOURCE")
        renamed = shop.put(f"/api/lists/{other['id']}", {"name": "VIP"})
        assert error_of(renamed) == (409, "DUPLICATE_RESOURCE")

    def test_the_same_key_makes_one_list(self, shop: Shop) -> None:
        how: Any = {"headers": {"Idempotency-Key": "k1"}}
        replies = [shop.post("/api/lists", {"name": "VIP"}, **how) for _ in range(2)]

        assert replies[0].json == replies[1].json
        assert error_of(shop.post("/api/lists", {"name": "B"}, **how))[0] == 409

    def test_a_deleted_list_leaves_its_contacts(self, shop: Shop) -> None:
        known, contact = made(shop)["id"], person(shop, 1)
        put(shop, known, contact)

        assert shop.delete(f"/api/lists/{known}").json == {"ok": True}

        assert error_of(shop.get(f"/api/lists/{known}"))[0] == 404
        assert shop.get(f"/api/contacts/{contact}").status_code == 200

    @pytest.mark.parametrize("list_id", ["all", "gender_male", "0", "1.5", "x"])
    def test_words_are_no_ids_of_own_lists(self, shop: Shop, list_id: str) -> None:
        for method in ("GET", "PUT", "DELETE"):
            reply = shop.ask(method, f"/api/lists/{list_id}", {} if method == "PUT" else None)
            assert error_of(reply) == (400, "VALIDATION_ERROR")

    def test_another_stores_list_is_not_found(self, api: Api, shop: Shop) -> None:
        foreign = made(api.sign_up())["id"]
        contact = person(shop, 1)
        for method, path in (
            ("GET", ""),
            ("PUT", ""),
            ("DELETE", ""),
            ("POST", "/sync"),
            ("GET", "/contacts"),
            ("POST", f"/contacts/{contact}"),
            ("DELETE", f"/contacts/{contact}"),
        ):
            reply = shop.ask(method, f"/api/lists/{foreign}{path}")
            assert error_of(reply) == (404, "RESOURCE_NOT_FOUND")
        asked = shop.get(f"/api/contacts?listId={foreign}")
        assert error_of(asked) == (404, "RESOURCE_NOT_FOUND")


class TestListing:
    def test_the_systems_lists_are_on_every_page_outside_its_size(self, shop: Shop) -> None:
        lists = [made(shop, name)["id"] for name in "abc"]

        for page, own in ((1, lists[:0:-1]), (2, lists[:1]), (3, [])):
            reply = shop.get(f"/api/lists?page={page}&pageSize=2").json
            assert (reply["total"], reply["page"], reply["pageSize"]) == (11, page, 2)
            assert [item["id"] for item in reply["items"]] == [*SYSTEM_LISTS, *own]

    def test_lists_that_did_not_change_are_not_sent_again(self, shop: Shop) -> None:
        made(shop)
        person(shop, 1)
        known = {"If-None-Match": shop.get("/api/lists").headers["ETag"]}
        shop.api.clock.advance(timedelta(seconds=1))

        assert shop.get("/api/lists", headers=known).status_code == 304
        person(shop, 2)
        assert shop.get("/api/lists", headers=known).status_code == 200

    def test_every_list_shows_how_many_are_on_it(self, shop: Shop) -> None:
        by_hand, filtered = made(shop)["id"], made(shop, "Women", filterGender="female")["id"]
        women = [
            person(shop, 1, gender="female", birthday="2000-01-01"),
            person(shop, 2, gender="female"),
        ]
        gone = person(shop, 3, gender="female", isSubscribed=False)
        person(shop, 4, gender="female", birthday="2015-01-01")
        suppress(shop, "+306900000005", SuppressionReason.MANUAL)
        person(shop, 5, gender="male")
        put(shop, by_hand, women[0], gone)

        items = shop.get("/api/lists").json["items"]

        assert [item.keys() for item in items[:8]] == [SYSTEM] * 8
        assert all(item.keys() == LIST | {"isSystem", "memberCount"} for item in items[8:])
        counts = {item["id"]: item["memberCount"] for item in items}
        expected = {"all": 2, "gender_female": 2, "age_25_39": 1, by_hand: 2, filtered: 2}
        assert counts == dict.fromkeys(SYSTEM_LISTS, 0) | expected
        for name in SYSTEM_LISTS:
            asked = shop.get(f"/api/contacts?listId={name}&pageSize=1").json
            assert asked["total"] == counts[name]
        assert shop.get(f"/api/lists/{filtered}").json["matchCount"] == 2

    def test_lists_are_searched_by_name_and_the_systems_by_description(self, shop: Shop) -> None:
        known = made(shop, "Men of the year")["id"]
        made(shop, "Other")

        found = listed(shop.get("/api/lists?q=MEN"))
        nobody = shop.get("/api/lists?q=%25").json

        assert set(found) == {"gender_male", "gender_female", known}
        assert (nobody["items"], nobody["total"]) == ([], 0)

    def test_adults_only_leaves_unknown_ages_off_the_systems_lists(self, shop: Shop) -> None:
        person(shop, 1)
        person(shop, 2, birthday="1990-01-01")
        shop.put("/api/user", {"adultsOnly": True})

        items = shop.get("/api/lists").json["items"]

        assert items[0]["memberCount"] == 1
        assert shop.get("/api/contacts?listId=all").json["total"] == 1


class TestMembers:
    def test_members_come_latest_first_as_full_contacts(self, shop: Shop) -> None:
        known = made(shop)["id"]
        one, two, three = (person(shop, last) for last in (1, 2, 3))
        put(shop, known, two, three, one)
        shop.put(f"/api/contacts/{three}", {"isSubscribed": False})
        path = f"/api/lists/{known}/contacts"

        assert listed(shop.get(path)) == [one, three, two]
        assert shop.get(path).json["items"][0].keys() == KEYS
        assert listed(shop.get(f"{path}?isSubscribed=TRUE")) == [one, two]
        assert listed(shop.get(f"{path}?isSubscribed=false")) == [three]
        assert listed(shop.get(f"{path}?isSubscribed=perhaps")) == [one, three, two]
        assert listed(shop.get(f"{path}?page=2&pageSize=2")) == [two]
        assert listed(shop.get(f"/api/contacts?listId={known}")) == [three, two, one]
        assert listed(shop.get(f"/api/contacts?listId={known}&isSubscribed=true")) == [two, one]

    def test_somebody_is_put_on_a_list_once_and_taken_off_as_often_as_you_like(
        self, shop: Shop
    ) -> None:
        known, contact = made(shop)["id"], person(shop, 1)
        path = f"/api/lists/{known}/contacts/{contact}"

        reply = shop.post(path)
        assert reply.json.keys() == {"id", "listId", "contactId", "createdAt"}
        assert (reply.json["listId"], reply.json["contactId"]) == (known, contact)
        assert error_of(shop.post(path)) == (409, "DUPLICATE_RESOURCE")
        for _ in range(2):
            assert shop.delete(path).json == {"ok": True}
        assert listed(shop.get(f"/api/lists/{known}/contacts")) == []

    def test_nobody_is_put_on_a_filtered_list_by_hand(self, shop: Shop) -> None:
        known, contact = made(shop, filterAgeMin=20)["id"], person(shop, 1)
        path = f"/api/lists/{known}/contacts/{contact}"

        assert error_of(shop.post(path)) == (409, "LIST_IS_FILTERED")
        assert error_of(shop.delete(path)) == (409, "LIST_IS_FILTERED")

    def test_a_contact_that_does_not_exist_is_told(self, shop: Shop) -> None:
        known = made(shop)["id"]

        reply = shop.post(f"/api/lists/{known}/contacts/2147483647")

        assert error_of(reply) == (404, "RESOURCE_NOT_FOUND")
        assert error_of(shop.post(f"/api/lists/{known}/contacts/x"))[0] == 400

    def test_a_filtered_list_is_live_everywhere(self, shop: Shop) -> None:
        known = made(shop, filterGender="female")["id"]
        one, two = (person(shop, last, gender="female") for last in (1, 2))
        person(shop, 3, gender="male")
        path = f"/api/lists/{known}/contacts"
        assert listed(shop.get(path)) == [two, one]

        shop.put(f"/api/contacts/{one}", {"gender": "other"})

        assert listed(shop.get(path)) == listed(shop.get(f"/api/contacts?listId={known}")) == [two]

    def test_a_sync_tells_who_came_and_went(self, shop: Shop) -> None:
        known, plain = made(shop, filterGender="female")["id"], made(shop, "Plain")["id"]
        contact = person(shop, 1, gender="female")
        put(shop, plain, contact)

        first = shop.post(f"/api/lists/{known}/sync").json
        shop.put(f"/api/contacts/{contact}", {"gender": None})
        second = shop.post(f"/api/lists/{known}/sync").json
        left_alone = shop.post(f"/api/lists/{plain}/sync").json

        assert first == {"ok": True, "added": 1, "removed": 0, "total": 1}
        assert second == {"ok": True, "added": 0, "removed": 1, "total": 0}
        assert left_alone == {"ok": True, "added": 0, "removed": 0, "total": 1}
