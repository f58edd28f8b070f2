"""The way out, over HTTP: the API's routes and the page behind a link."""

import re
from datetime import datetime, timedelta

import pytest
from falcon.testing import Result
from sqlalchemy import update

from adapters_db.connections import Connections
from adapters_db.tables.kernel import account
from adapters_http.contact_settings import FrontEnd
from retail_core.contacts.model import SuppressionReason
from retail_core.kernel.ids import AccountId, CampaignId, ContactId
from retail_core.links.codes import OptOutToken, issue_token
from tests.http.api import VARIABLES, Api, Shop, error_of
from tests.http.test_contacts import consents, create, suppress

SECRET = VARIABLES["UNSUBSCRIBE_TOKEN_SECRET"].encode()
FORM = "application/x-www-form-urlencoded"
BROWSER = {"User-Agent": "Mozilla/5.0 (test)"}


def token_for(shop: Shop, contact: int, *, store: int | None = None, secret: bytes = SECRET) -> str:
    claim = OptOutToken(ContactId(contact), AccountId(store or shop.id), CampaignId(7))
    return issue_token(claim, secret, shop.api.clock.now())


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
    def test_what_the_person_did_not_do_he_cannot_undo(
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


@pytest.fixture
def pages(api: Api, monkeypatch: pytest.MonkeyPatch) -> Api:
    """The app of a deployment without a web client."""
    monkeypatch.setattr(FrontEnd, "page", lambda *_args, **_kwargs: None)
    return api


def page_of(reply: Result) -> str:
    assert reply.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "<script" not in reply.text
    return reply.text


@pytest.mark.parametrize("path", ["/u", "/unsubscribe", "/retail/unsubscribe"])
class TestPage:
    def test_it_shows_the_store_the_person_and_one_button(self, pages: Api, path: str) -> None:
        shop = pages.sign_up(company="<b>Café</b>")
        token = token_for(shop, create(shop, firstName="<i>Ana", lastName="Λο")["id"])

        reply = pages.get(f"{path}/{token}")

        page = page_of(reply)
        assert reply.status_code == 200
        assert "&lt;b&gt;Café&lt;/b&gt;" in page
        assert "&lt;i&gt;Ana Λ." in page
        assert re.findall('value="(.*?)"', page) == ["unsubscribe"]
        assert reply.headers["Cache-Control"] == "no-store"

    def test_the_button_stops_and_another_starts_again(self, pages: Api, path: str) -> None:
        shop = pages.sign_up()
        contact = create(shop)
        page = f"{path}/{token_for(shop, contact['id'])}"

        states = []
        for body in (b"", b"action=resubscribe", b"action=unsubscribe"):
            form = {"Content-Type": FORM}
            assert pages.post(page, raw=body, headers=form).status_code == 200
            [action] = re.findall('value="(.*?)"', page_of(pages.get(page)))
            subscribed = shop.get(f"/api/contacts/{contact['id']}").json["isSubscribed"]
            states.append((subscribed, action))

        assert states == [(False, "resubscribe"), (True, "unsubscribe"), (False, "resubscribe")]

    def test_a_bad_link_is_a_page_too(self, pages: Api, path: str) -> None:
        for reply in (pages.get(f"{path}/bad"), pages.post(f"{path}/bad")):
            assert reply.status_code == 400
            page_of(reply)

    def test_a_deleted_contact_is_a_page_too(self, pages: Api, path: str) -> None:
        shop = pages.sign_up()
        contact = create(shop)
        page = f"{path}/{token_for(shop, contact['id'])}"
        shop.delete(f"/api/contacts/{contact['id']}")

        again = pages.post(page, raw=b"action=resubscribe", headers={"Content-Type": FORM})

        assert [pages.get(page).status_code, pages.post(page).status_code] == [404, 200]
        assert again.status_code == 404
        page_of(again)

    def test_a_barred_number_is_a_page_too(self, pages: Api, path: str) -> None:
        shop = pages.sign_up()
        contact = create(shop)
        suppress(shop, contact["phone"], SuppressionReason.MANUAL)
        page = f"{path}/{token_for(shop, contact['id'])}"

        reply = pages.post(page, raw=b"action=resubscribe", headers={"Content-Type": FORM})

        assert reply.status_code == 409
        page_of(reply)

    def test_a_web_client_shows_its_own_page(self, api: Api, path: str) -> None:
        for code in ("bad", "a%2Fb"):
            reply = api.get(f"{path}/{code}")
            assert reply.status_code == 302
            assert reply.headers["Location"] == f"https://app.example.com/unsubscribe?pt={code}"
            assert reply.headers["Cache-Control"] == "no-store"


def test_a_page_speaks_the_language_of_its_store(pages: Api) -> None:
    shop = pages.sign_up()
    token = token_for(shop, create(shop)["id"])
    with pages.container.resolve(Connections).sweep() as connection:
        connection.execute(update(account).where(account.c.id == shop.id).values(locale="el"))

    page = page_of(pages.get(f"/u/{token}"))

    assert '<html lang="el">' in page
    assert "Διακοπή μηνυμάτων" in page
    assert "το κατάστημα" in page
