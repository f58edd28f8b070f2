"""Changing and deleting contacts, and the history of their consent (docs/api.md, 3.2)."""

from datetime import timedelta

import pytest

from retail_core.contacts.model import SuppressionReason
from tests.http.api import Shop, error_of
from tests.http.people import FULL, NOON, consents, create, listed, suppress


class TestChanging:
    def test_an_empty_body_changes_nothing(self, shop: Shop) -> None:
        contact = create(shop, **{**FULL, "phone": "6984303406"})
        shop.api.clock.advance(timedelta(minutes=1))

        assert shop.put(f"/api/contacts/{contact['id']}", {}).json == contact

    def test_only_what_is_sent_changes(self, shop: Shop) -> None:
        contact = create(shop, **{**FULL, "phone": "6984303406"})
        shop.api.clock.advance(timedelta(minutes=1))

        changed = shop.put(f"/api/contacts/{contact['id']}", {"lastName": "Li"}).json

        assert changed == {**contact, "lastName": "Li", "updatedAt": "2026-11-24T12:01:00.000Z"}

    @pytest.mark.parametrize("nothing", [None, ""])
    def test_fields_can_be_cleared(self, shop: Shop, nothing: object) -> None:
        contact = create(shop, **{**FULL, "phone": "6984303406"})
        fields = ("email", "firstName", "lastName", "gender", "birthday")

        changed = shop.put(f"/api/contacts/{contact['id']}", dict.fromkeys(fields, nothing)).json

        assert [changed[field] for field in fields] == [None] * 5

    @pytest.mark.parametrize(("tags", "after"), [(None, []), ([], []), (["B"], ["b"])])
    def test_tags_are_replaced_whole(self, shop: Shop, tags: object, after: list[str]) -> None:
        contact = create(shop, tags=["a"])

        assert shop.put(f"/api/contacts/{contact['id']}", {"tags": tags}).json["tags"] == after

    @pytest.mark.parametrize("phone", [None, "", "123"])
    def test_a_phone_cannot_be_cleared(self, shop: Shop, phone: object) -> None:
        path = f"/api/contacts/{create(shop)['id']}"

        assert error_of(shop.put(path, {"phone": phone})) == (400, "INVALID_PHONE")

    def test_a_changed_contact_is_found_by_its_new_number(self, shop: Shop) -> None:
        contact = create(shop)

        shop.put(f"/api/contacts/{contact['id']}", {"phone": "+4915112345678"})

        assert listed(shop.get("/api/contacts?q=4915112345678")) == [contact["id"]]
        assert listed(shop.get("/api/contacts?q=6984303406")) == []

    def test_a_number_of_another_contact_is_refused(self, shop: Shop) -> None:
        create(shop, "6984303401")
        path = f"/api/contacts/{create(shop, '6984303402')['id']}"

        assert error_of(shop.put(path, {"phone": "6984303401"})) == (409, "DUPLICATE_RESOURCE")

    @pytest.mark.parametrize(
        "body", [{"isSubscribed": None}, {"isSubscribed": "no"}, {"isSubscribed": 0}]
    )
    def test_is_subscribed_must_be_a_boolean(self, shop: Shop, body: object) -> None:
        path = f"/api/contacts/{create(shop)['id']}"

        assert error_of(shop.put(path, body)) == (400, "VALIDATION_ERROR")

    def test_an_opt_out_is_dated_and_written_down_once(self, shop: Shop) -> None:
        contact = create(shop)
        path = f"/api/contacts/{contact['id']}"
        out = shop.put(path, {"isSubscribed": False}).json
        shop.api.clock.advance(timedelta(minutes=1))

        again = shop.put(path, {"isSubscribed": False, "firstName": "X"}).json

        assert (out["isSubscribed"], out["unsubscribedAt"]) == (False, NOON)
        assert again["unsubscribedAt"] == NOON
        told = [(event["type"], event["actorUserId"]) for event in consents(shop, contact["id"])]
        assert told == [("withdrawn", shop.id), ("granted", shop.id)]

    def test_an_opt_in_clears_the_date_and_is_written_down(self, shop: Shop) -> None:
        contact = create(shop, isSubscribed=False)

        changed = shop.put(
            f"/api/contacts/{contact['id']}", {"isSubscribed": True, "consentSource": "by phone"}
        ).json

        assert (changed["isSubscribed"], changed["unsubscribedAt"]) == (True, None)
        [event] = consents(shop, contact["id"])
        assert (event["type"], event["statement"]) == ("granted", "by phone")

    @pytest.mark.parametrize(
        ("reason", "stays"),
        [
            (SuppressionReason.STOP, False),
            (SuppressionReason.UNSUBSCRIBE, False),
            (SuppressionReason.MANUAL, False),
            (SuppressionReason.IMPORT, True),
            (SuppressionReason.INVALID_NUMBER, True),
        ],
    )
    def test_setting_subscribed_lifts_what_a_store_may_lift(
        self, shop: Shop, reason: SuppressionReason, *, stays: bool
    ) -> None:
        contact = create(shop)
        suppress(shop, contact["phone"], reason)

        changed = shop.put(f"/api/contacts/{contact['id']}", {"isSubscribed": True}).json

        assert changed["isSuppressed"] is stays
        assert len(consents(shop, contact["id"])) == (1 if stays else 2)

    def test_a_refused_change_changes_nothing(self, shop: Shop) -> None:
        contact = create(shop)
        path = f"/api/contacts/{contact['id']}"

        shop.put(path, {"isSubscribed": False, "gender": "x"})

        assert shop.get(path).json == contact


class TestDeleting:
    def test_a_deleted_contact_is_gone(self, shop: Shop) -> None:
        path = f"/api/contacts/{create(shop)['id']}"

        assert shop.delete(path).json == {"ok": True}

        assert error_of(shop.get(path)) == (404, "RESOURCE_NOT_FOUND")
        assert error_of(shop.delete(path)) == (404, "RESOURCE_NOT_FOUND")
        assert create(shop)["isSuppressed"] is False

    def test_an_opt_out_survives_a_deletion(self, shop: Shop) -> None:
        path = f"/api/contacts/{create(shop)['id']}"
        shop.put(path, {"isSubscribed": False})

        shop.delete(path)

        assert create(shop)["isSuppressed"] is True


class TestConsents:
    def test_the_history_comes_in_pages(self, shop: Shop) -> None:
        path = f"/api/contacts/{create(shop)['id']}"
        for subscribed in (False, True, False):
            shop.put(path, {"isSubscribed": subscribed})

        page = shop.get(f"{path}/consents?pageSize=2&page=2").json

        assert [event["type"] for event in page["items"]] == ["withdrawn", "granted"]
        assert (page["total"], page["page"], page["pageSize"]) == (4, 2, 2)
        assert shop.get(f"{path}/consents?pageSize=500").json["pageSize"] == 200
