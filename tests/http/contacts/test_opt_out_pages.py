"""The page behind a link (docs/api.md, 3.9)."""

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import attrs
import pytest
from falcon.testing import Result
from sqlalchemy import update

from adapters_db.connection.connections import Connections
from adapters_db.connection.reads import Reads
from adapters_db.tables.accounts import account
from adapters_http.contact_settings import FrontEnd
from adapters_http.pages.refusals import WORDS
from retail_core.accounts.model import Locale
from retail_core.contacts.model import SuppressionReason
from retail_core.kernel.errors import Unavailable
from tests.http.api import BROWSER, PROGRAM, Api, Shop, error_of
from tests.http.links import CODES, FORM, a_test, token_for, written_to
from tests.http.people import create, suppress


@pytest.fixture
def pages(api: Api, monkeypatch: pytest.MonkeyPatch) -> Api:
    """The app of a deployment without a web client, asked by a browser."""
    monkeypatch.setattr(FrontEnd, "page", lambda *_args, **_kwargs: None)
    return attrs.evolve(api, accept=BROWSER)


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
        assert "&lt;i&gt;Ana Λ, +30…06.<" in page
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

    def test_whoever_was_deleted_may_still_make_sure(self, pages: Api, path: str) -> None:
        shop = pages.sign_up(company="Café")
        message, contact = written_to(shop)
        page = f"{path}/{CODES.opt_out_code(message)}"
        shop.delete(f"/api/contacts/{contact['id']}")

        before = pages.get(page)
        done = pages.post(page)
        after = pages.get(page)

        assert [before.status_code, done.status_code, after.status_code] == [404, 200, 404]
        assert re.findall('value="(.*?)"', page_of(before)) == ["unsubscribe"]
        assert "You will receive no more messages from Café." in page_of(done)
        assert re.findall('value="(.*?)"', done.text + after.text) == []
        assert create(shop, contact["phone"])["isSuppressed"] is True

    def test_a_number_that_was_changed_is_no_longer_there(self, pages: Api, path: str) -> None:
        shop = pages.sign_up()
        message, contact = written_to(shop)
        page = f"{path}/{CODES.opt_out_code(message)}"
        shop.put(f"/api/contacts/{contact['id']}", {"phone": "6984303499"})

        assert pages.get(page).status_code == 404
        assert contact["phone"][-2:] in page_of(pages.post(page))

        now = shop.get(f"/api/contacts/{contact['id']}").json
        assert (now["isSubscribed"], now["isSuppressed"]) == (True, False)
        assert create(shop, contact["phone"])["isSuppressed"] is True

    def test_the_link_of_a_test_shows_the_page_and_changes_nothing(
        self, pages: Api, path: str
    ) -> None:
        shop = pages.sign_up(company="Café")
        contact = create(shop)
        number = a_test(shop, contact["phone"])
        page = f"{path}/{CODES.opt_out_code(number)}"

        seen = pages.get(page)
        pressed = [
            pages.post(page, raw=f"action={action}".encode(), headers={"Content-Type": FORM})
            for action in ("unsubscribe", "resubscribe")
        ]

        assert (seen.status_code, "test message" in page_of(seen)) == (200, True)
        assert re.findall('value="(.*?)"', seen.text) == ["unsubscribe"]
        for reply in pressed:
            assert reply.status_code == 200
            assert "nothing was changed" in page_of(reply)
        assert shop.get(f"/api/contacts/{contact['id']}").json == contact

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


def speak_greek(shop: Shop) -> None:
    with shop.api.container.resolve(Connections).sweep() as connection:
        connection.execute(update(account).where(account.c.id == shop.id).values(locale="el"))


def test_a_page_speaks_the_language_of_its_store(pages: Api) -> None:
    shop = pages.sign_up()
    token = token_for(shop, create(shop)["id"])
    speak_greek(shop)

    page = page_of(pages.get(f"/u/{token}"))

    assert '<html lang="el">' in page
    assert "Διακοπή μηνυμάτων" in page
    assert "το κατάστημα" in page


@pytest.mark.parametrize("origin", ["null", "https://messages.example", "https://evil.example"])
@pytest.mark.parametrize("path", ["/u", "/unsubscribe", "/retail/unsubscribe"])
def test_a_form_is_served_whatever_its_origin_and_touches_no_cookie(
    pages: Api, path: str, origin: str
) -> None:
    shop = pages.sign_up()
    contact = create(shop)

    reply = pages.post(
        f"{path}/{token_for(shop, contact['id'])}",
        raw=b"action=unsubscribe",
        headers={"Content-Type": FORM, "Origin": origin},
        cookie=shop.cookie,
    )

    assert (reply.status_code, reply.cookies) == (200, {})
    assert "Access-Control-Allow-Origin" not in reply.headers
    assert shop.get(f"/api/contacts/{contact['id']}").json["isSubscribed"] is False
    refreshed = pages.post("/api/auth/refresh", {}, cookie=shop.cookie)
    assert refreshed.status_code == 200


def test_a_page_lets_the_browser_tell_where_its_form_comes_from(pages: Api) -> None:
    shop = pages.sign_up()
    page = pages.get(f"/u/{token_for(shop, create(shop)['id'])}")

    for reply in (page, pages.get("/u/bad"), pages.get("/u/a/b"), pages.get("/docs")):
        assert page_of(reply)
        assert reply.headers["Referrer-Policy"] == "same-origin"
    assert pages.get("/api/me").headers["Referrer-Policy"] == "no-referrer"


def test_a_page_allows_its_own_style_and_nothing_else(pages: Api) -> None:
    shop = pages.sign_up()
    reply = pages.get(f"/u/{token_for(shop, create(shop)['id'])}")

    policy = reply.headers["Content-Security-Policy"]

    [style] = re.findall(r"<style>(.*?)</style>", reply.text, re.DOTALL)
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_waiting_is_told_in_the_unit_that_people_use() -> None:
    spans = [WORDS[Locale.EN].span(seconds) for seconds in (1, 60, 61, 3600, 3601, 86_400)]

    assert spans == ["a minute", "a minute", "2 minutes", "60 minutes", "2 hours", "24 hours"]


class TestRefusals:
    """What a person's browser meets is a page that says what to do."""

    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("GET", "/u/bad", 400),
            ("POST", "/u/bad", 400),
            ("GET", "/u/%zz", 400),
            ("GET", "/U/%00", 400),
            ("GET", "/u/bad?a=1&a=2", 400),
            ("GET", "/u", 404),
            ("GET", "/u/a/b", 404),
            ("GET", "/unsubscribe", 404),
            ("GET", "/retail/nothing", 404),
            ("GET", "/o/abcdefgh", 404),
            ("GET", "/s/abcdefgh", 404),
            ("GET", "/c/abcdefgh", 404),
            ("GET", "/NFC/abcdefgh", 404),
            ("DELETE", "/u/bad", 405),
            ("PUT", "/retail/unsubscribe/bad", 405),
        ],
    )
    @pytest.mark.parametrize(
        ("asked", "language"),
        [
            ("el-GR,el;q=0.9,en;q=0.8", "el"),
            ("en-GB,en;q=0.9,el;q=0.5", "en"),
            ("fr,de;q=0.7", "en"),
            ("el;q=x,*;q=0.1", "en"),
            ("", "en"),
        ],
    )
    def test_it_is_a_page_in_the_language_of_the_browser(
        self, pages: Api, method: str, path: str, status: int, asked: str, language: str
    ) -> None:
        reply = pages.ask(method, path, headers={"Accept-Language": asked})

        assert reply.status_code == status
        page = page_of(reply)
        assert f'<html lang="{language}">' in page
        assert f"<h1>{WORDS[Locale(language)].of(status).title}</h1>" in page
        assert reply.headers["Cache-Control"] == "no-store"
        assert reply.headers["Content-Security-Policy"].startswith("default-src 'none'")

    @pytest.mark.parametrize(
        ("accept", "kind"),
        [
            (PROGRAM, "application/json"),
            ("application/json, text/plain, */*", "application/json"),
            ("*/*", "text/html"),
            ("", "text/html"),
            (BROWSER, "text/html"),
            ("text/html, application/json", "text/html"),
            ("application/json;q=0.1, text/html", "text/html"),
            ("rubbish", "text/html"),
        ],
    )
    def test_json_is_for_those_who_ask_for_it(self, pages: Api, accept: str, kind: str) -> None:
        for path, status in (("/u/bad", 400), ("/u/a/b", 404)):
            reply = pages.get(path, headers={"Accept": accept})
            assert reply.status_code == status
            assert reply.headers["Content-Type"] == f"{kind}; charset=utf-8"

    def test_programs_are_told_the_code(self, pages: Api) -> None:
        shop = pages.sign_up()
        contact = create(shop)
        path = f"/u/{token_for(shop, contact['id'])}"
        suppress(shop, contact["phone"], SuppressionReason.MANUAL)
        program = attrs.evolve(pages, accept=PROGRAM)
        start = {"action": "resubscribe"}

        assert error_of(program.get("/u/bad")) == (400, "INVALID_TOKEN")
        assert error_of(program.post(path, start)) == (409, "CONTACT_SUPPRESSED")
        shop.delete(f"/api/contacts/{contact['id']}")
        assert error_of(program.get(path)) == (404, "NOT_FOUND")
        assert error_of(program.post(path, start)) == (404, "NOT_FOUND")

    def test_elsewhere_errors_are_json_for_browsers_too(self, pages: Api) -> None:
        for path in ("/api/nothing", "/users", "/unsubscribed/x", "/nothing"):
            assert error_of(pages.get(path)) == (404, "RESOURCE_NOT_FOUND")

    def test_an_outage_is_told_in_the_language_of_the_browser_and_may_be_tried_again(
        self, pages: Api
    ) -> None:
        shop = pages.sign_up()
        path = f"/u/{token_for(shop, create(shop)['id'])}"
        greek = {"Accept-Language": "el", "Content-Type": FORM}
        with _outage():
            seen = pages.get(path, headers=greek)
            pressed = pages.post(path, raw=b"action=resubscribe", headers=greek)

        assert (seen.status_code, pressed.status_code) == (503, 503)
        for reply in (seen, pressed):
            assert WORDS[Locale.EL].away.title in page_of(reply)
            assert reply.headers["X-Request-ID"] in reply.text
        assert re.findall('value="(.*?)"', pressed.text) == ["resubscribe"]

    def test_whoever_may_not_look_may_still_stop(
        self, limited_sql: Api, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(FrontEnd, "page", lambda *_args, **_kwargs: None)
        pages = attrs.evolve(limited_sql, accept=BROWSER)
        shop = pages.sign_up()
        contact = create(shop)
        path = f"/u/{token_for(shop, contact['id'])}"
        views = [pages.get(path, headers={"Accept-Language": "el"}) for _ in range(61)]

        assert [view.status_code for view in views] == [200] * 60 + [429]
        assert "ένα λεπτό" in page_of(views[-1])
        assert re.findall('value="(.*?)"', views[-1].text) == ["unsubscribe"]
        assert pages.post(path, {"action": "unsubscribe"}).status_code == 200
        assert shop.get(f"/api/contacts/{contact['id']}").json["isSubscribed"] is False


@contextmanager
def _outage() -> Iterator[None]:
    """The database is away for a while."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("account", "across_accounts", "ask_across_accounts"):
            patch.setattr(Reads, name, _away)
        yield


def _away(*_: Any, **__: Any) -> Any:
    raise Unavailable("connection refused")
