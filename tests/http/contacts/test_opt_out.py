"""The way out, by the API's routes (docs/api.md, 3.2)."""

from datetime import datetime, timedelta

import pytest

from retail_core.contacts.model import SuppressionReason
from tests.http.api import Api, Shop, error_of
from tests.http.links import CODES, FORM, a_test, token_for, written_to
from tests.http.people import consents, create, suppress

BROWSER = {"User-Agent": "Mozilla/5.0 (test)"}


@pytest.fixture
def named(api: Api) -> Shop:
    """A shop with a name."""
    return api.sign_up(company="Café <Ω>", senderName="Cafe")


class TestStatus:
    def test_it_shows_whom_a_link_is_for(self, named: Shop) -> None:
        contact = create(named)
        token = token_for(named, contact["id"])

        reply = named.api.get(f"/api/contacts/unsubscribe/{token}")

        assert "Café <Ω>" in reply.json["message"]
        assert {**reply.json, "message": None} == {
            "ok": True,
            "token": token,
            "contactId": contact["id"],
            "storeId": named.id,
            "storeName": "Café <Ω>",
            "isSubscribed": True,
            "message": None,
        }
        assert reply.headers["Cache-Control"] == "no-store"

    def test_preferences_show_no_more_than_an_initial(self, named: Shop) -> None:
        token = token_for(named, create(named, firstName="Ana", lastName="Lo")["id"])

        assert named.api.get(f"/api/contacts/preferences/{token}").json == {
            "storeName": "Café <Ω>",
            "isSubscribed": True,
            "store": {"name": "Café <Ω>"},
            "contact": {"firstName": "Ana", "lastNameInitial": "L"},
        }

    @pytest.mark.parametrize(
        ("fields", "name"), [({"senderName": "Cafe"}, "Cafe"), ({}, "this store")]
    )
    def test_a_store_without_company_has_another_name(
        self, api: Api, fields: dict[str, str], name: str
    ) -> None:
        shop = api.sign_up(**fields)
        token = token_for(shop, create(shop)["id"])

        assert api.get(f"/api/contacts/preferences/{token}").json["storeName"] == name

    def test_reading_never_unsubscribes(self, shop: Shop) -> None:
        contact = create(shop)
        token = token_for(shop, contact["id"])

        for path in ("/api/contacts/unsubscribe", "/api/contacts/preferences", "/u"):
            for method in ("GET", "HEAD"):
                shop.api.ask(method, f"{path}/{token}")

        assert shop.get(f"/api/contacts/{contact['id']}").json == contact

    @pytest.mark.parametrize("path", ["unsubscribe", "preferences"])
    def test_bad_links_have_their_code(self, shop: Shop, path: str) -> None:
        good = token_for(shop, create(shop)["id"])
        foreign = token_for(shop, create(shop.api.sign_up())["id"])
        forged = token_for(shop, 5, secret=b"x")

        for bad in ("x", "a" * 11, good[:-1], f"{good}x", forged, foreign, "a" * 5000):
            reply = shop.api.get(f"/api/contacts/{path}/{bad}")
            assert error_of(reply) == (400, "INVALID_TOKEN"), bad

    def test_a_token_ends_after_a_year(self, api: Api) -> None:
        shop = api.sign_up()
        path = f"/api/contacts/preferences/{token_for(shop, create(shop)['id'])}"
        api.clock.advance(timedelta(days=364))
        assert api.get(path).status_code == 200

        api.clock.advance(timedelta(days=1))

        assert error_of(api.get(path)) == (400, "INVALID_TOKEN")

    @pytest.mark.parametrize("path", ["unsubscribe", "preferences"])
    def test_a_deleted_contact_is_gone(self, shop: Shop, path: str) -> None:
        contact = create(shop)
        token = token_for(shop, contact["id"])
        shop.delete(f"/api/contacts/{contact['id']}")

        reply = shop.api.get(f"/api/contacts/{path}/{token}")

        assert error_of(reply) == (404, "NOT_FOUND")


class TestUnsubscribing:
    @pytest.mark.parametrize("key", ["token", "pageToken"])
    def test_an_opt_out_is_honoured_and_written_down(self, shop: Shop, key: str) -> None:
        contact = create(shop)
        token = token_for(shop, contact["id"])

        for _ in range(2):
            reply = shop.api.client.simulate_post(
                "/api/contacts/unsubscribe",
                json={key: token},
                headers=BROWSER,
                remote_addr="203.0.113.7",
            )
            assert (reply.status_code, reply.json["ok"]) == (200, True)
            assert reply.json["storeName"] == "this store"

        now = shop.get(f"/api/contacts/{contact['id']}").json
        assert (now["isSubscribed"], now["isSuppressed"]) == (False, True)
        assert datetime.fromisoformat(now["unsubscribedAt"]) == shop.api.clock.now()
        event, _ = consents(shop, contact["id"])
        assert (event["type"], event["source"], event["sourceRef"]) == (
            "withdrawn",
            "link",
            "campaign:7",
        )
        assert (event["userAgent"], event["locale"], event["actorUserId"]) == (
            "Mozilla/5.0 (test)",
            "en",
            None,
        )
        assert event["ip"] == "203.0.113.7"

    def test_a_code_means_the_number_that_its_text_went_to(self, shop: Shop) -> None:
        message, contact = written_to(shop)
        body = {"token": CODES.opt_out_code(message)}
        shop.put(f"/api/contacts/{contact['id']}", {"phone": "6984303499"})

        gone = shop.api.get(f"/api/contacts/preferences/{body['token']}")
        reply = shop.api.post("/api/contacts/unsubscribe", body)

        assert error_of(gone) == (404, "NOT_FOUND")
        assert (reply.status_code, reply.json["storeName"]) == (200, None)
        assert "no more messages" in reply.json["message"]
        again = shop.api.post("/api/contacts/resubscribe", body)
        assert error_of(again) == (404, "NOT_FOUND")
        now = shop.get(f"/api/contacts/{contact['id']}").json
        assert (now["isSubscribed"], now["isSuppressed"]) == (True, False)
        assert create(shop, contact["phone"])["isSuppressed"] is True

    def test_a_name_is_shown_to_whom_the_text_went_alone(self, shop: Shop) -> None:
        message, contact = written_to(shop, firstName="Ana")
        path = f"/api/contacts/preferences/{CODES.opt_out_code(message)}"
        assert shop.api.get(path).json["contact"]["firstName"] == "Ana"
        shop.put(f"/api/contacts/{contact['id']}", {"phone": "6984303499"})
        create(shop, contact["phone"], firstName="Bob")

        reply = shop.api.get(path)

        assert reply.json["isSubscribed"] is True
        assert reply.json["contact"] == {"firstName": None, "lastNameInitial": None}

    def test_what_bars_a_deleted_number_is_on_the_list_without_it(self, shop: Shop) -> None:
        message, contact = written_to(shop)
        shop.delete(f"/api/contacts/{contact['id']}")
        shop.api.post("/api/contacts/unsubscribe", {"token": CODES.opt_out_code(message)})

        [entry] = shop.get("/api/suppressions").json["items"]

        assert (entry["phone"], entry["reason"], entry["source"]) == (None, "unsubscribe", "link")
        locked = shop.delete(f"/api/suppressions/{entry['id']}")
        assert error_of(locked) == (409, "SUPPRESSION_LOCKED")

    def test_the_link_of_a_test_says_so_and_changes_nothing(self, shop: Shop) -> None:
        contact = create(shop)
        code = CODES.opt_out_code(a_test(shop, contact["phone"]))

        status = shop.api.get(f"/api/contacts/unsubscribe/{code}")
        shown = shop.api.get(f"/api/contacts/preferences/{code}")

        assert (status.json["contactId"], status.json["isSubscribed"]) == (0, True)
        assert "test message" in status.json["message"]
        assert shown.json["contact"] == {"firstName": None, "lastNameInitial": None}
        for action in ("unsubscribe", "resubscribe"):
            reply = shop.api.post(f"/api/contacts/{action}", {"token": code})
            assert (reply.status_code, reply.json["storeName"]) == (200, "this store")
            assert "nothing was changed" in reply.json["message"]
        assert shop.get(f"/api/contacts/{contact['id']}").json == contact

    def test_a_form_is_as_good_as_json(self, shop: Shop) -> None:
        contact = create(shop)

        reply = shop.api.post(
            "/api/contacts/unsubscribe",
            raw=f"pageToken={token_for(shop, contact['id'])}".encode(),
            headers={"Content-Type": FORM},
        )

        assert reply.status_code == 200
        assert shop.get(f"/api/contacts/{contact['id']}").json["isSubscribed"] is False

    def test_whoever_was_out_already_is_barred_all_the_same(self, shop: Shop) -> None:
        contact = create(shop, isSubscribed=False)
        token = token_for(shop, contact["id"])

        assert shop.api.post("/api/contacts/unsubscribe", {"token": token}).status_code == 200

        assert shop.get(f"/api/contacts/{contact['id']}").json["isSuppressed"] is True
        assert consents(shop, contact["id"]) == []

    def test_a_deleted_contact_is_no_error(self, shop: Shop) -> None:
        contact = create(shop)
        token = token_for(shop, contact["id"])
        shop.delete(f"/api/contacts/{contact['id']}")

        reply = shop.api.post("/api/contacts/unsubscribe", {"token": token})

        assert (reply.status_code, reply.json["storeName"]) == (200, None)

    @pytest.mark.parametrize("action", ["unsubscribe", "resubscribe"])
    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({}, "VALIDATION_ERROR"),
            ({"token": 5}, "VALIDATION_ERROR"),
            ({"token": ""}, "VALIDATION_ERROR"),
            ({"pageToken": None}, "VALIDATION_ERROR"),
            ({"token": "x"}, "INVALID_TOKEN"),
        ],
    )
    def test_bad_tokens_have_their_codes(
        self, api: Api, action: str, body: object, code: str
    ) -> None:
        assert error_of(api.post(f"/api/contacts/{action}", body)) == (400, code)


class TestResubscribing:
    def test_the_way_back_is_open(self, shop: Shop) -> None:
        contact = create(shop)
        token = token_for(shop, contact["id"])
        shop.api.post("/api/contacts/unsubscribe", {"token": token})

        for _ in range(2):
            reply = shop.api.post("/api/contacts/resubscribe", {"token": token})
            assert (reply.status_code, reply.json["ok"]) == (200, True)

        assert shop.get(f"/api/contacts/{contact['id']}").json == contact
        told = [(event["type"], event["source"]) for event in consents(shop, contact["id"])]
        assert told == [("granted", "link"), ("withdrawn", "link"), ("granted", "manual")]

    @pytest.mark.parametrize(
        "reason",
        [SuppressionReason.MANUAL, SuppressionReason.IMPORT, SuppressionReason.INVALID_NUMBER],
    )
    def test_what_the_person_did_not_do_they_cannot_undo(
        self, shop: Shop, reason: SuppressionReason
    ) -> None:
        contact = create(shop)
        token = token_for(shop, contact["id"])
        shop.api.post("/api/contacts/unsubscribe", {"token": token})
        suppress(shop, contact["phone"], reason)

        reply = shop.api.post("/api/contacts/resubscribe", {"token": token})

        assert error_of(reply) == (409, "CONTACT_SUPPRESSED")
        now = shop.get(f"/api/contacts/{contact['id']}").json
        assert (now["isSubscribed"], now["isSuppressed"]) == (False, True)

    def test_a_deleted_contact_is_gone(self, shop: Shop) -> None:
        contact = create(shop)
        token = token_for(shop, contact["id"])
        shop.delete(f"/api/contacts/{contact['id']}")

        reply = shop.api.post("/api/contacts/resubscribe", {"token": token})

        assert error_of(reply) == (404, "NOT_FOUND")
