"""The page behind a link (http-contract, 3.9)."""

import re

import pytest
from falcon.testing import Result
from sqlalchemy import update

from adapters_db.connections import Connections
from adapters_db.tables.kernel import account
from adapters_http.contact_settings import FrontEnd
from retail_core.contacts.model import SuppressionReason
from tests.http.api import Api
from tests.http.links import FORM, token_for
from tests.http.people import create, suppress


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
        assert "&lt;i&gt;Ana Λ.<" in page
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
