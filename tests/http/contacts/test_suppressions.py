"""Numbers that are not sent to, over HTTP (docs/api.md, 3.2)."""

from typing import Any

import pytest

from retail_core.contacts.model import SuppressionReason
from retail_core.kernel.ids import SYSTEM_ACCOUNT
from tests.http.api import Api, Shop, error_of
from tests.http.people import NOON, create, listed, suppress

PATH = "/api/suppressions"


def added(shop: Shop, phone: object = "6984303406", **fields: object) -> dict[str, Any]:
    reply = shop.post(PATH, {"phone": phone, **fields})
    assert reply.status_code == 201, reply.text
    entry: dict[str, Any] = reply.json
    return entry


class TestAdding:
    def test_a_number_is_barred_whoever_it_belongs_to(self, shop: Shop) -> None:
        entry = added(shop, note=" asked by phone ")

        assert entry == {
            "id": entry["id"],
            "ownerId": shop.id,
            "phone": "+306984303406",
            "reason": "manual",
            "note": "asked by phone",
            "source": None,
            "contactId": None,
            "createdAt": NOON,
        }

    def test_a_contact_with_the_number_is_named_and_shown_as_barred(self, shop: Shop) -> None:
        contact = create(shop)

        assert added(shop, 6984303406)["contactId"] == contact["id"]
        assert shop.get(f"/api/contacts/{contact['id']}").json["isSuppressed"] is True
        assert shop.get(f"/api/contacts/{contact['id']}").json["isSubscribed"] is True

    def test_a_number_is_barred_by_hand_once(self, shop: Shop) -> None:
        added(shop)

        assert error_of(shop.post(PATH, {"phone": "+306984303406"})) == (409, "DUPLICATE_RESOURCE")

    def test_the_same_key_bars_it_once(self, shop: Shop) -> None:
        key = {"Idempotency-Key": "bar-it"}
        first, second = (shop.post(PATH, {"phone": "6984303406"}, headers=key) for _ in range(2))

        assert (first.status_code, first.json) == (second.status_code, second.json)
        assert shop.get(PATH).json["total"] == 1

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({}, "INVALID_PHONE"),
            ({"phone": None}, "INVALID_PHONE"),
            ({"phone": "12"}, "INVALID_PHONE"),
            ({"phone": "6984303406", "note": "x" * 201}, "VALIDATION_ERROR"),
            ({"phone": ["6984303406"]}, "VALIDATION_ERROR"),
        ],
    )
    def test_bad_input_is_refused(self, shop: Shop, body: object, code: str) -> None:
        assert error_of(shop.post(PATH, body)) == (400, code)


class TestListing:
    def test_it_is_filtered_by_digits_and_reason(self, shop: Shop) -> None:
        ana, bob = added(shop, "6984303406"), added(shop, "6984303407")
        suppress(shop, "+306984303407", SuppressionReason.STOP)

        assert listed(shop.get(f"{PATH}?q=3406")) == [ana["id"]]
        assert listed(shop.get(f"{PATH}?q=%2B30%20698"))[1:] == [bob["id"], ana["id"]]
        assert listed(shop.get(f"{PATH}?q=x")) == []
        assert listed(shop.get(f"{PATH}?reason=manual&pageSize=1")) == [bob["id"]]
        assert error_of(shop.get(f"{PATH}?reason=whim")) == (400, "VALIDATION_ERROR")

    def test_neither_the_operators_nor_another_shops_are_shown(self, api: Api, shop: Shop) -> None:
        added(api.sign_up())
        suppress(shop, f"+3068{shop.id:08d}", SuppressionReason.MANUAL, SYSTEM_ACCOUNT)

        assert shop.get(PATH).json == {"items": [], "total": 0, "page": 1, "pageSize": 50}


class TestDeleting:
    def test_what_the_store_put_there_goes(self, shop: Shop) -> None:
        entry = added(shop)

        assert shop.delete(f"{PATH}/{entry['id']}").json == {"ok": True}
        assert shop.get(PATH).json["total"] == 0
        assert error_of(shop.delete(f"{PATH}/{entry['id']}")) == (404, "RESOURCE_NOT_FOUND")

    @pytest.mark.parametrize("reason", ["stop", "unsubscribe", "erasure"])
    def test_what_the_person_said_stays(self, shop: Shop, reason: str) -> None:
        suppress(shop, "+306984303406", SuppressionReason(reason))
        [entry] = listed(shop.get(PATH))

        assert error_of(shop.delete(f"{PATH}/{entry}")) == (409, "SUPPRESSION_LOCKED")
        assert listed(shop.get(PATH)) == [entry]

    @pytest.mark.parametrize("reason", ["import", "invalid_number"])
    def test_what_a_register_or_the_gateway_put_there_goes_too(
        self, shop: Shop, reason: str
    ) -> None:
        suppress(shop, "+306984303406", SuppressionReason(reason))
        [entry] = listed(shop.get(PATH))

        assert shop.delete(f"{PATH}/{entry}").status_code == 200

    def test_another_shops_entry_is_not_found(self, api: Api, shop: Shop) -> None:
        other = api.sign_up()
        entry = added(other)

        assert error_of(shop.delete(f"{PATH}/{entry['id']}")) == (404, "RESOURCE_NOT_FOUND")
        assert listed(other.get(PATH)) == [entry["id"]]
