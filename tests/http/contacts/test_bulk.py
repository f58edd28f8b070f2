"""Many contacts at once: tags on and off, and deletion."""

from typing import Any

import pytest

from retail_core.kernel.audit import AuditAction, AuditFilter
from retail_core.kernel.ports import AuditTrail
from tests.http.api import Shop, error_of
from tests.http.people import create, listed
from tests.http.uploading import new_list

TAGS, DELETE = "/api/contacts/bulk/tags", "/api/contacts/bulk/delete"


def crowd(shop: Shop, people: int = 3, **fields: object) -> list[int]:
    """The ids of new contacts, the lowest first."""
    return [create(shop, f"69843034{n:02d}", **fields)["id"] for n in range(people)]


def done(shop: Shop, path: str, **body: object) -> dict[str, Any]:
    reply = shop.post(path, body)
    assert reply.status_code == 200, reply.text
    told: dict[str, Any] = reply.json
    return told


def tags_of(shop: Shop, contact: int) -> list[str]:
    tags: list[str] = shop.get(f"/api/contacts/{contact}").json["tags"]
    return tags


class TestTags:
    def test_tags_come_and_go(self, shop: Shop) -> None:
        first, second, third = crowd(shop, tags=["a", "old"])

        told = done(shop, TAGS, ids=[first, second], add=["VIP", " vip "], remove=["old"])

        counts = {"matched": 2, "changed": 2, "full": 0, "remaining": 0}
        assert told == {"ok": True, "dryRun": False, **counts}
        assert [tags_of(shop, each) for each in (first, second, third)] == [
            ["a", "vip"],
            ["a", "vip"],
            ["a", "old"],
        ]

    def test_a_dry_run_only_counts(self, shop: Shop) -> None:
        ids = crowd(shop)

        told = done(shop, TAGS, ids=ids, add=["vip"], dryRun=True)

        assert (told["dryRun"], told["changed"], told["remaining"]) == (True, 0, 3)
        assert tags_of(shop, ids[0]) == []

    def test_who_has_no_room_is_told_and_left_alone(self, shop: Shop) -> None:
        [full] = crowd(shop, 1, tags=[f"t{n}" for n in range(50)])

        told = done(shop, TAGS, ids=[full], add=["vip"])

        assert (told["changed"], told["full"], told["remaining"]) == (0, 1, 0)

    @pytest.mark.parametrize(
        "narrowed",
        [
            {"q": "ANA"},
            {"isSubscribed": True},
            {"tags": ["news"]},
            {"listId": "gender_female"},
            {"listId": "own"},
        ],
    )
    def test_a_filter_means_what_it_means_in_the_list(
        self, shop: Shop, narrowed: dict[str, Any]
    ) -> None:
        ana = create(shop, firstName="Ana", gender="female", tags=["news"])["id"]
        bob = create(shop, "6984303407", firstName="Bob", isSubscribed=False)["id"]
        if narrowed.get("listId") == "own":
            own = new_list(shop)
            shop.post(f"/api/lists/{own}/contacts/{ana}", {})
            narrowed = {"listId": str(own)}

        told = done(shop, TAGS, filter=narrowed, add=["found"])

        assert told["changed"] == 1
        assert ("found" in tags_of(shop, ana), "found" in tags_of(shop, bob)) == (True, False)


class TestDelete:
    def test_they_are_gone_and_who_opted_out_stays_barred(self, shop: Shop) -> None:
        first, second, third = crowd(shop)
        shop.put(f"/api/contacts/{second}", {"isSubscribed": False})

        told = done(shop, DELETE, ids=[first, second])

        counts = {"matched": 2, "deleted": 2, "remaining": 0}
        assert told == {"ok": True, "dryRun": False, **counts}
        assert listed(shop.get("/api/contacts")) == [third]
        barred = [each["phone"] for each in shop.get("/api/suppressions").json["items"]]
        assert barred == ["+306984303401"]

    def test_it_is_written_down_once_with_the_number_of_them(self, shop: Shop) -> None:
        done(shop, DELETE, ids=crowd(shop))

        of: Any = AuditTrail
        which = AuditFilter(account=shop.id, action=AuditAction.CONTACT_DELETED)
        [noted] = shop.api.container.resolve(of).newest_across_accounts(which, 10)
        assert noted.details == {"contacts": 3}

    def test_a_dry_run_only_counts(self, shop: Shop) -> None:
        ids = crowd(shop)

        told = done(shop, DELETE, filter={"q": "6984"}, dryRun=True)

        assert (told["matched"], told["deleted"], told["remaining"]) == (3, 0, 3)
        assert listed(shop.get("/api/contacts")) == ids[::-1]

    def test_a_repeat_deletes_nobody_else(self, shop: Shop) -> None:
        ids = crowd(shop)
        key = {"Idempotency-Key": "once"}

        first = shop.post(DELETE, {"ids": ids}, headers=key)
        create(shop, "6984303499")
        again = shop.post(DELETE, {"ids": ids}, headers=key)

        assert (first.json, again.headers["Idempotency-Replayed"]) == (again.json, "true")
        assert len(listed(shop.get("/api/contacts"))) == 1


class TestBoth:
    @pytest.mark.parametrize("path", [TAGS, DELETE])
    @pytest.mark.parametrize(
        "whom",
        [
            {},
            {"ids": []},
            {"ids": [0]},
            {"ids": [-1]},
            {"ids": ["x"]},
            {"ids": 5},
            {"ids": [1.5]},
            {"ids": [1] * 10_001},
            {"ids": [1], "filter": {"q": "a"}},
            {"filter": {}},
            {"filter": {"q": " "}},
            {"filter": {"tags": []}},
            {"filter": {"tags": "vip"}},
            {"filter": {"isSubscribed": "true"}},
            {"filter": {"listId": "nonsense"}},
            {"filter": {"q": "x" * 501}},
            {"filter": "all"},
            {"ids": [1], "dryRun": "yes"},
        ],
    )
    def test_whoever_is_meant_must_be_named_well(
        self, shop: Shop, path: str, whom: dict[str, Any]
    ) -> None:
        crowd(shop, 1)

        reply = shop.post(path, {"add": ["vip"], **whom})

        assert error_of(reply) == (400, "VALIDATION_ERROR")
        assert len(listed(shop.get("/api/contacts"))) == 1

    @pytest.mark.parametrize(
        "change",
        [
            {},
            {"add": []},
            {"add": ["a;b"]},
            {"add": [""]},
            {"add": ["vip"], "remove": ["VIP"]},
            {"add": "vip"},
            {"add": ["x" * 41]},
            {"add": [f"t{n}" for n in range(51)]},
        ],
    )
    def test_tags_must_be_tags(self, shop: Shop, change: dict[str, Any]) -> None:
        reply = shop.post(TAGS, {"ids": crowd(shop, 1), **change})

        assert error_of(reply) == (400, "VALIDATION_ERROR")

    @pytest.mark.parametrize(
        ("body", "path"),
        [
            ({"ids": [1], "add": ["a;b"]}, "add"),
            ({"ids": [1], "remove": ["a;b"]}, "remove"),
            ({"filter": {"listId": "nonsense"}, "add": ["vip"]}, "filter.listId"),
        ],
    )
    def test_what_is_wrong_is_named_as_it_was_sent(
        self, shop: Shop, body: dict[str, Any], path: str
    ) -> None:
        reply = shop.post(TAGS, body)

        assert [fault["path"] for fault in reply.json["fields"]] == [path]

    @pytest.mark.parametrize("path", [TAGS, DELETE])
    def test_unknown_ids_and_those_of_another_shop_are_nobody(self, shop: Shop, path: str) -> None:
        [own] = crowd(shop, 1)
        other = shop.api.sign_up()

        told = done(other, path, ids=[own, 2_147_483_647, 2**40], add=["vip"])

        assert told["matched"] == 0
        assert tags_of(shop, own) == []

    @pytest.mark.parametrize("path", [TAGS, DELETE])
    def test_another_shops_list_is_not_found(self, shop: Shop, path: str) -> None:
        own = new_list(shop)
        other = shop.api.sign_up()

        reply = other.post(path, {"filter": {"listId": str(own)}, "add": ["vip"]})

        assert error_of(reply) == (404, "RESOURCE_NOT_FOUND")
