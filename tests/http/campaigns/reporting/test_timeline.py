"""What happened with one contact, in one line."""

from datetime import timedelta
from typing import Any

import pytest

from tests.http.api import Shop, error_of
from tests.http.campaigns.shops import new_shop, send, started
from tests.http.people import FULL, create
from tests.http.uploading import done


@pytest.fixture
def shop(sql_api: Any) -> Shop:
    """A shop that can send."""
    return new_shop(sql_api)


def told(shop: Shop, contact: int, query: str = "") -> dict[str, Any]:
    reply = shop.get(f"/api/contacts/{contact}/timeline?{query}")
    assert reply.status_code == 200, reply.text
    page: dict[str, Any] = reply.json
    return page


def eventful(shop: Shop) -> int:
    """A contact with one event of each kind, and one more of consent."""
    contact: int = create(shop, **FULL)["id"]
    clock = shop.api.clock
    clock.advance(timedelta(minutes=1))
    done(shop, "phone,lastName\n6984303406,New\n", mode="update")
    clock.advance(timedelta(minutes=1))
    started(shop)
    send(shop.api)
    clock.advance(timedelta(minutes=1))
    shop.put(f"/api/contacts/{contact}", {"isSubscribed": False})
    clock.advance(timedelta(minutes=1))
    shop.post("/api/suppressions", {"phone": FULL["phone"]})
    return contact


def test_all_kinds_stand_in_one_line_the_newest_first(shop: Shop) -> None:
    contact = eventful(shop)

    page = told(shop, contact)

    kinds = [event["kind"] for event in page["items"]]
    assert kinds == ["suppression", "consent", "message", "import", "consent"]
    assert page["total"] == 5
    newest, left, message, row, granted = page["items"]
    assert newest["suppression"]["reason"] == "manual"
    assert left["consent"]["type"] == "withdrawn"
    assert message["message"]["to"] == "+306984303406"
    assert row["importRow"]["created"] is False
    assert (granted["consent"]["type"], granted["message"]) == ("granted", None)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 200])
def test_pages_hold_everything_once(shop: Shop, size: int) -> None:
    contact = eventful(shop)
    whole = told(shop, contact)["items"]

    pages = [told(shop, contact, f"page={n}&pageSize={size}") for n in range(1, 7)]

    assert [event for page in pages for event in page["items"]] == whole
    assert told(shop, contact, "page=999999999999")["items"] == []


def test_another_shops_contact_is_not_found(shop: Shop) -> None:
    contact = create(shop, **FULL)["id"]
    other = shop.api.sign_up()

    reply = other.get(f"/api/contacts/{contact}/timeline")

    assert error_of(reply) == (404, "RESOURCE_NOT_FOUND")
    assert told(shop, contact)["total"] == 1
