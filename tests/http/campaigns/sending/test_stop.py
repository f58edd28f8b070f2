"""The whole way of a STOP: it comes in while a campaign waits, and nothing more is sent to them."""

import pytest
from sqlalchemy import text as sql

from adapters_db.connection.connections import Connections
from tests.answering import applying_over
from tests.http.api import WEBHOOK_SECRET, Api, Shop
from tests.http.campaigns.shops import add_person, new_shop, send, started, stores
from tests.http.people import consents

TOKEN = {"X-Webhook-Token": WEBHOOK_SECRET}


@pytest.fixture
def shop(sql_api: Api) -> Shop:
    """A shop without contacts that can send."""
    return new_shop(sql_api, people=0)


def text(api: Api, **told: str) -> None:
    """Let a text arrive, and a worker apply it."""
    reply = api.post("/webhooks/mitto/inbound", told, headers=TOKEN)
    assert reply.status_code == 202, reply.text
    apply = applying_over(stores(api), api.clock)
    while apply().taken:
        pass


def numbers(api: Api) -> list[str]:
    """Whom a worker sends to now."""
    return sorted(message.destination for message in send(api).accepted)


def test_nothing_more_is_sent_to_them(shop: Shop) -> None:
    api = shop.api
    leaves, stays = add_person(shop), add_person(shop)
    started(shop)
    send(api)
    waiting = started(shop)

    text(api, **{"from": leaves.phone[1:], "to": "MyShop", "text": "ΣΤΟΠ παρακαλώ"})

    assert numbers(api) == [stays.phone]
    contact = shop.get(f"/api/contacts/{leaves.id}").json
    assert (contact["isSubscribed"], contact["isSuppressed"]) == (False, True)
    fact, _ = consents(shop, leaves.id)
    assert (fact["type"], fact["source"]) == ("withdrawn", "stop")
    log = shop.get(f"/api/campaigns/{waiting}/messages").json["items"]
    assert sorted(each["status"] for each in log) == ["cancelled", "sent"]

    text(api, **{"from": leaves.phone, "to": "MyShop", "text": "start"})
    started(shop)
    assert numbers(api) == sorted([leaves.phone, stays.phone])


def test_the_texts_of_an_erased_person_are_forgotten(shop: Shop) -> None:
    api = shop.api
    person = add_person(shop)
    started(shop)
    send(api)
    text(api, **{"from": person.phone, "text": "who are you?"})
    before = kept(api, person.phone)

    assert shop.post(f"/api/contacts/{person.id}/erase", {}).status_code == 200

    assert before == 1
    assert kept(api, person.phone) == 0


def kept(api: Api, phone: str) -> int:
    """In how many stored texts a number stands."""
    statement = "SELECT count(*) FROM inbound_text WHERE position(:raw IN raw) > 0"
    connections: Connections = api.container.resolve(Connections)
    with connections.sweep() as connection:
        found = connection.execute(sql(statement), {"raw": phone.encode()})
        return int(found.scalar_one())
