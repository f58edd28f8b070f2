"""Double opt-in by the API and the page behind its link."""

import re
from typing import Any

import pytest

from adapters_http.contact_settings import FrontEnd
from retail_core.contacts.model import SuppressionReason
from retail_core.engagement.model import ConfirmationPolicy
from retail_core.links.codes import LinkCodes
from tests.http.api import Api, Shop, error_of
from tests.http.campaigns import shops
from tests.http.links import FORM, SECRET
from tests.http.people import consents, suppress
from tests.http.whole.test_audit import of_contact

NAME = "My Shop Ltd"


@pytest.fixture
def asking(api: Api) -> Shop:
    """A shop that may send."""
    return shops.new_shop(api, people=0)


def stranger(shop: Shop) -> int:
    return shops.add_person(shop, is_subscribed=False).id


def asked(shop: Shop, contact: int, body: object = None, **how: Any) -> Any:
    return shop.post(f"/api/contacts/{contact}/request-consent", body or {}, **how)


def link_of(message: int) -> str:
    """The path in the SMS; what waits shows no text yet."""
    return f"/u/{LinkCodes(SECRET).opt_out_code(message)}"


def subscribed(shop: Shop, contact: int) -> bool:
    found: bool = shop.get(f"/api/contacts/{contact}").json["isSubscribed"]
    return found


def test_a_contact_is_asked_and_confirms_with_the_button(
    asking: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FrontEnd, "page", lambda *_args, **_kwargs: None)
    contact = stranger(asking)
    body = {"consentText": "I want offers.", "consentSource": "at the till", "language": "gr"}

    reply = asked(asking, contact, body)

    assert reply.status_code == 202
    assert reply.json == {
        "ok": True,
        "messageId": reply.json["messageId"],
        "status": "queued",
        "lapsesAt": "2026-12-01T12:00:00.000Z",
    }
    page = link_of(reply.json["messageId"])
    shown = asking.api.get(page)
    assert f"Do you want to receive text messages from {NAME}?" in shown.text
    assert re.findall('value="(.*?)"', shown.text) == ["resubscribe"]
    assert not subscribed(asking, contact)

    done = asking.api.post(page, raw=b"action=resubscribe", headers={"Content-Type": FORM})

    assert f"Thank you. You will receive messages from {NAME}." in done.text
    assert subscribed(asking, contact)
    confirmed, requested = consents(asking, contact)
    assert (confirmed["type"], confirmed["source"]) == ("confirmed", "link")
    assert confirmed["sourceRef"] == f"message:{reply.json['messageId']}"
    assert (requested["type"], requested["source"]) == ("requested", "manual")
    assert (requested["consentText"], requested["statement"]) == ("I want offers.", "at the till")
    assert (requested["locale"], requested["actorUserId"]) == ("el", asking.id)
    assert of_contact(asking, contact) == [("consent_requested", {})]


def test_the_web_client_shows_its_page_and_confirms_by_the_api(asking: Shop) -> None:
    contact = stranger(asking)
    page = link_of(asked(asking, contact).json["messageId"])

    there = asking.api.get(page)
    code = page.rpartition("/")[2]
    done = asking.api.post("/api/contacts/resubscribe", {"pageToken": code})

    assert there.headers["Location"] == f"https://app.example.com/resubscribe?pt={code}"
    assert "Thank you" in done.json["message"]
    assert consents(asking, contact)[0]["type"] == "confirmed"


def test_the_link_leads_to_our_page_whatever_other_links_do(asking: Shop) -> None:
    policy = asking.api.container.resolve(ConfirmationPolicy)

    assert policy.link("CODE") == "https://api.example.com/u/CODE"
    assert (policy.daily_max, policy.fallback_sender) == (200, "Retail")


def test_whoever_left_by_themselves_can_be_asked_and_comes_back(asking: Shop) -> None:
    person = shops.add_person(asking, is_subscribed=False)
    suppress(asking, person.phone, SuppressionReason.STOP)

    page = link_of(asked(asking, person.id).json["messageId"])
    code = page.rpartition("/")[2]
    asking.api.post("/api/contacts/resubscribe", {"token": code})

    contact = asking.get(f"/api/contacts/{person.id}").json
    assert (contact["isSubscribed"], contact["isSuppressed"]) == (True, False)


def test_what_hinders_it_is_told_and_nothing_is_written(api: Api, asking: Shop) -> None:
    barred = shops.add_person(asking, is_subscribed=False)
    suppress(asking, barred.phone, SuppressionReason.MANUAL)
    foreign = shops.add_person(asking, is_subscribed=False, country="DE").id
    poor = shops.new_shop(api, people=0, credits=0)
    planless = shops.new_shop(api, people=0, active=False)

    assert error_of(asked(asking, barred.id)) == (409, "CONTACT_SUPPRESSED")
    assert error_of(asked(asking, shops.add_person(asking).id)) == (409, "INVALID_STATUS")
    assert error_of(asked(asking, foreign)) == (400, "INVALID_PHONE")
    assert error_of(asked(poor, stranger(poor))) == (402, "INSUFFICIENT_CREDITS")
    assert error_of(asked(planless, stranger(planless))) == (403, "SUBSCRIPTION_REQUIRED")
    assert error_of(asked(asking, 2_000_000_000)) == (404, "RESOURCE_NOT_FOUND")
    assert [consents(asking, each) for each in (barred.id, foreign)] == [[], []]
    assert asking.get("/api/messages").json["total"] == 0


def test_a_second_time_within_a_day_is_too_soon(asking: Shop) -> None:
    contact = stranger(asking)
    asked(asking, contact)

    again = asked(asking, contact)

    assert error_of(again) == (429, "RATE_LIMITED")
    assert again.headers["Retry-After"] == "86400"
    assert len(consents(asking, contact)) == 1


def test_the_same_key_asks_once(asking: Shop) -> None:
    contact = stranger(asking)
    key = {"Idempotency-Key": "ask-1"}

    first, second = (asked(asking, contact, headers=key) for _ in range(2))

    assert (second.status_code, second.json) == (202, first.json)
    assert second.headers["Idempotency-Replayed"] == "true"
    assert len(consents(asking, contact)) == 1


@pytest.mark.parametrize(
    "body", [{"consentText": "x" * 1001}, {"consentSource": "x" * 501}, {"language": "de"}]
)
def test_bad_bodies_are_refused(asking: Shop, body: dict[str, str]) -> None:
    assert error_of(asked(asking, stranger(asking), body)) == (400, "VALIDATION_ERROR")
