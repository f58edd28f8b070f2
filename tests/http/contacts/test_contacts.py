"""Creating and finding contacts over HTTP (docs/api.md, 3.2)."""

import pytest

from retail_core.contacts.model import SuppressionReason
from retail_core.kernel.ids import SYSTEM_ACCOUNT
from tests.http.api import Api, Shop, error_of
from tests.http.people import FULL, KEYS, NOON, consents, create, listed, suppress


class TestCreating:
    def test_a_contact_comes_back_with_all_keys(self, shop: Shop) -> None:
        contact = create(shop, **{**FULL, "phone": "6984303406"})

        assert contact == {
            "id": contact["id"],
            "ownerId": shop.id,
            "phone": "+306984303406",
            "email": "ana@example.com",
            "firstName": "Άννα",
            "lastName": "Lo",
            "gender": "female",
            "birthday": "1990-05-17T00:00:00.000Z",
            "tags": ["vip", "a b"],
            "isSubscribed": True,
            "unsubscribedAt": None,
            "lineType": "mobile",
            "isSuppressed": False,
            "createdAt": NOON,
            "updatedAt": NOON,
        }

    def test_what_is_not_given_is_null(self, shop: Shop) -> None:
        contact = create(shop, email="", firstName="", gender=None, birthday="", tags=None)

        assert contact.keys() == KEYS
        empty = [contact[key] for key in ("email", "firstName", "lastName", "gender", "birthday")]
        assert (empty, contact["tags"]) == ([None] * 5, [])

    @pytest.mark.parametrize(
        "phone", [6984303406, "00306984303406", "+30 698-430 (3406)", " 6984303406 "]
    )
    def test_a_number_may_be_written_in_many_ways(self, shop: Shop, phone: object) -> None:
        assert create(shop, phone)["phone"] == "+306984303406"

    def test_a_form_is_as_good_as_json(self, shop: Shop) -> None:
        reply = shop.post(
            "/api/contacts",
            raw=b"phone=6984303406&firstName=Ana&isSubscribed=false",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )

        assert (reply.status_code, reply.json["isSubscribed"]) == (201, False)

    @pytest.mark.parametrize(
        ("fields", "code", "path"),
        [
            ({"phone": None}, "VALIDATION_ERROR", "phone"),
            ({"phone": " "}, "VALIDATION_ERROR", "phone"),
            ({"phone": True}, "VALIDATION_ERROR", "phone"),
            ({"phone": 69.5}, "VALIDATION_ERROR", "phone"),
            ({"phone": "07911123456"}, "INVALID_PHONE", "phone"),
            ({"phone": "6" * 33}, "INVALID_PHONE", "phone"),
            ({"email": "ana@"}, "INVALID_EMAIL", "email"),
            ({"email": "a@" + "b" * 320 + ".gr"}, "INVALID_EMAIL", "email"),
            ({"email": 5}, "VALIDATION_ERROR", "email"),
            ({"gender": "f"}, "INVALID_GENDER", "gender"),
            ({"birthday": "17/05/1990"}, "INVALID_BIRTHDAY", "birthday"),
            ({"birthday": "2026-11-24"}, "INVALID_BIRTHDAY", "birthday"),
            ({"birthday": "1876-11-23"}, "INVALID_BIRTHDAY", "birthday"),
            ({"birthday": "1990-02-30"}, "INVALID_BIRTHDAY", "birthday"),
            ({"firstName": "x" * 121}, "VALIDATION_ERROR", "firstName"),
            ({"tags": "vip"}, "VALIDATION_ERROR", "tags"),
            ({"tags": [""]}, "VALIDATION_ERROR", "tags"),
            ({"tags": ["a;b"]}, "VALIDATION_ERROR", "tags"),
            ({"tags": ["x" * 41]}, "VALIDATION_ERROR", "tags"),
            ({"tags": [str(n) for n in range(51)]}, "VALIDATION_ERROR", "tags"),
            ({"isSubscribed": "yes"}, "VALIDATION_ERROR", "isSubscribed"),
            ({"isSubscribed": None}, "VALIDATION_ERROR", "isSubscribed"),
            ({"consentSource": "x" * 501}, "VALIDATION_ERROR", "consentSource"),
        ],
    )
    def test_bad_values_have_their_codes(
        self, shop: Shop, fields: dict[str, object], code: str, path: str
    ) -> None:
        reply = shop.post("/api/contacts", {"phone": "6984303406", **fields})

        assert error_of(reply) == (400, code)
        assert [fault["path"] for fault in reply.json["fields"]] == [path]
        assert shop.get("/api/contacts").json["total"] == 0

    @pytest.mark.parametrize(
        ("written", "day"),
        [
            ("1876-11-24", "1876-11-24"),
            ("1990-05-17T23:30:00-02:00", "1990-05-18"),
            ("1990-05-17T00:30:00+02:00", "1990-05-16"),
            ("1990-05-17T12:00", "1990-05-17"),
        ],
    )
    def test_a_birthday_is_a_date_in_utc(self, shop: Shop, written: str, day: str) -> None:
        assert create(shop, birthday=written)["birthday"] == f"{day}T00:00:00.000Z"

    def test_a_number_is_taken_once(self, shop: Shop) -> None:
        create(shop)

        reply = shop.post("/api/contacts", {"phone": "+306984303406"})

        assert error_of(reply) == (409, "DUPLICATE_RESOURCE")
        assert reply.json["fields"] == [{"path": "phone", "message": "already used"}]

    def test_a_key_creates_once(self, shop: Shop) -> None:
        headers = {"Idempotency-Key": "k1"}
        first = shop.post("/api/contacts", {"phone": "6984303406"}, headers=headers)
        again = shop.post("/api/contacts", {"phone": "6984303406"}, headers=headers)
        other = shop.post("/api/contacts", {"phone": "6984303407"}, headers=headers)

        assert (first.status_code, again.status_code) == (201, 201)
        assert again.json == first.json
        assert again.headers["Idempotency-Replayed"] == "true"
        assert error_of(other) == (409, "IDEMPOTENCY_KEY_REUSED")

    def test_a_subscribed_contact_has_a_consent_event(self, shop: Shop) -> None:
        contact = create(shop, consentSource="paper form 2026")

        [event] = consents(shop, contact["id"])

        assert event == {
            "id": event["id"],
            "contactId": contact["id"],
            "type": "granted",
            "channel": "sms",
            "purpose": "marketing",
            "source": "manual",
            "sourceRef": None,
            "consentText": None,
            "consentTextVersion": None,
            "statement": "paper form 2026",
            "ip": None,
            "userAgent": None,
            "locale": None,
            "actorUserId": shop.id,
            "occurredAt": NOON,
            "createdAt": event["createdAt"],
        }

    def test_an_unsubscribed_one_has_none(self, shop: Shop) -> None:
        contact = create(shop, isSubscribed=False)

        assert (contact["isSubscribed"], contact["unsubscribedAt"]) == (False, NOON)
        assert consents(shop, contact["id"]) == []

    def test_a_suppressed_number_may_be_stored(self, shop: Shop) -> None:
        suppress(shop, "+306984303406", SuppressionReason.STOP)

        assert create(shop)["isSuppressed"] is True


class TestReading:
    def test_a_contact_can_be_read(self, shop: Shop) -> None:
        contact = create(shop)

        assert shop.get(f"/api/contacts/{contact['id']}").json == contact

    def test_another_stores_contact_is_not_found(self, api: Api, shop: Shop) -> None:
        path = f"/api/contacts/{create(api.sign_up())['id']}"

        assert error_of(shop.get(path)) == (404, "RESOURCE_NOT_FOUND")
        assert error_of(shop.put(path, {"firstName": "X"})) == (404, "RESOURCE_NOT_FOUND")
        assert error_of(shop.delete(path)) == (404, "RESOURCE_NOT_FOUND")
        assert error_of(shop.get(f"{path}/consents")) == (404, "RESOURCE_NOT_FOUND")
        assert shop.get("/api/contacts").json["total"] == 0

    def test_operator_wide_suppressions_count(self, shop: Shop) -> None:
        phone = f"+30698{shop.id:07d}"
        suppress(shop, phone, SuppressionReason.IMPORT, SYSTEM_ACCOUNT)

        assert create(shop, phone)["isSuppressed"] is True


class TestListing:
    def test_pages_are_bounded_and_newest_first(self, shop: Shop) -> None:
        ids = [create(shop, f"698430340{n}")["id"] for n in range(3)]

        reply = shop.get("/api/contacts?page=-5&pageSize=2")
        last = shop.get("/api/contacts?page=9&pageSize=1000")

        assert (listed(reply), reply.json["total"]) == (ids[:0:-1], 3)
        assert (reply.json["page"], reply.json["pageSize"]) == (1, 2)
        assert (listed(last), last.json["page"], last.json["pageSize"]) == ([], 9, 100)
        assert error_of(shop.get("/api/contacts?page=abc")) == (400, "VALIDATION_ERROR")

    def test_rows_are_full_in_every_case(self, shop: Shop) -> None:
        create(shop, gender="female", birthday="1990-01-01")
        for query in ("", "?q=698", "?listId=all", "?listId=gender_female_age_25_39"):
            [row] = shop.get(f"/api/contacts{query}").json["items"]
            assert row.keys() == KEYS

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("q=%CE%B1%CE%BD%CE%BD%CE%B1", ["ana"]),
            ("q=EXAMPLE", ["ana"]),
            ("q=%2B3069", ["old", "bob", "ana"]),
            ("q=+", ["old", "bob", "ana"]),
            ("q=100%25", []),
            ("isSubscribed=TRUE", ["old", "ana"]),
            ("isSubscribed=false", ["bob"]),
            ("isSubscribed=maybe", ["old", "bob", "ana"]),
            ("tags=vip", ["bob", "ana"]),
            ("tags=VIP,%20new,", ["bob"]),
            ("listId=all", ["old", "ana"]),
            ("listId=gender_male", ["old"]),
            ("listId=age_40_plus", ["old"]),
            ("listId=gender_male_age_40_plus", ["old"]),
            ("listId=gender_female_age_40_plus", []),
            ("listId=all&isSubscribed=false", []),
            ("listId=all&q=anna&tags=vip", []),
        ],
    )
    def test_a_list_can_be_narrowed(self, shop: Shop, query: str, found: list[str]) -> None:
        people = {
            "ana": create(
                shop, "6984303401", firstName="Άννα", email="ana@example.com", tags=["vip"]
            ),
            "bob": create(shop, "6984303402", isSubscribed=False, tags=["vip", "new"]),
            "old": create(shop, "6984303403", gender="male", birthday="1950-01-01"),
        }
        names = {contact["id"]: name for name, contact in people.items()}

        assert [names[each] for each in listed(shop.get(f"/api/contacts?{query}"))] == found

    def test_a_minor_and_a_suppressed_number_are_on_no_system_list(self, shop: Shop) -> None:
        create(shop, "6984303401", birthday="2008-11-25")
        adult = create(shop, "6984303402", birthday="2008-11-24")
        create(shop, "6984303403")
        suppress(shop, "+306984303403", SuppressionReason.MANUAL)

        assert listed(shop.get("/api/contacts?listId=all")) == [adult["id"]]

    @pytest.mark.parametrize(
        ("list_id", "status", "code"),
        [
            ("5", 404, "RESOURCE_NOT_FOUND"),
            ("99999999999", 404, "RESOURCE_NOT_FOUND"),
            ("-1", 404, "RESOURCE_NOT_FOUND"),
            ("0", 400, "VALIDATION_ERROR"),
            ("All", 400, "VALIDATION_ERROR"),
            ("gender_x_age_25_39", 400, "VALIDATION_ERROR"),
            ("vip", 400, "VALIDATION_ERROR"),
        ],
    )
    def test_an_unknown_list_is_refused(
        self, shop: Shop, list_id: str, status: int, code: str
    ) -> None:
        assert error_of(shop.get(f"/api/contacts?listId={list_id}")) == (status, code)
