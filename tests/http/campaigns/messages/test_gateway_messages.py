"""Asking the gateway about messages: of the caller's own log, and nothing else."""

from typing import Any, Final
from urllib.parse import quote

import attrs
import pytest
from falcon.testing import Result

from adapters_http import wiring
from adapters_http.app import create_app
from adapters_http.resources.messages import gateway_messages
from adapters_http.settings import EdgeSettings
from retail_core.kernel.ids import ProviderId
from retail_core.kernel.ports import Transactions
from retail_core.kernel.settings import Env
from retail_core.messages.model import MessageState
from retail_core.messages.ports import GatewayPace, MessagesUnitOfWork, Pause, SmsGateway
from retail_core.testing.kernel.clock import ClockPause
from retail_core.testing.messages.gateway import FakeGateway, FakePace
from tests.http.api import VARIABLES, Api, Shop
from tests.http.campaigns.shops import ROUTES, new_gateway, new_shop, send, started, stores

SHAPE: Final = {
    "messageId",
    "text",
    "sender",
    "conversation",
    "createdAt",
    "updatedAt",
    "trafficAccountId",
    "deliveryStatus",
    "messageParts",
    "requestInfo",
    "rawResponse",
}
STRANGE: Final = ("..%2F..%2F", "a%20b", "a%2Fb", "x" * 129, "%CE%B1")


@attrs.frozen
class Desk:
    """A shop whose campaign was sent, and the gateway that knows its messages."""

    shop: Shop
    gateway: FakeGateway
    campaign: int
    ids: list[str]

    def post(self, path: str, body: object = None) -> Result:
        return self.shop.post(path, {} if body is None else body)

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.shop.get(f"/api/campaigns/{self.campaign}/status").json
        return found


@pytest.fixture
def desk(campaign_api: Api) -> Desk:
    gateway = new_gateway(campaign_api)
    container = campaign_api.container
    container.register(Transactions[MessagesUnitOfWork], instance=stores(campaign_api))
    container.register(SmsGateway, instance=gateway)
    container.register(GatewayPace, instance=FakePace(campaign_api.clock))
    container.register(Pause, instance=ClockPause(campaign_api.clock))
    env = Env(VARIABLES)
    routes = (*ROUTES, *gateway_messages.ROUTES)
    app = create_app(wiring.parts(container, EdgeSettings.read(env), routes))
    shop = new_shop(attrs.evolve(campaign_api, app=app))
    campaign = started(shop)
    send(shop.api, gateway)
    rows = shop.get(f"/api/campaigns/{campaign}/messages").json["items"]
    return Desk(shop, gateway, campaign, [row["providerMessageId"] for row in rows])


def test_a_campaigns_messages_are_asked_about(desk: Desk) -> None:
    desk.gateway.become(MessageState.DELIVERED, ProviderId(desk.ids[0]))
    path = f"/api/campaigns/{desk.campaign}/refresh-status"

    first, again = desk.post(path), desk.post(path)

    assert first.status_code == 200
    assert first.json == {"campaignId": desk.campaign, "refreshed": 3, "updated": 1, "errors": 0}
    assert again.json == {"campaignId": desk.campaign, "refreshed": 2, "updated": 0, "errors": 0}
    assert desk.status()["metrics"]["delivered"] == 1


def test_a_gateway_that_is_away_is_counted_as_errors(desk: Desk) -> None:
    desk.gateway.is_away = True

    reply = desk.post(f"/api/campaigns/{desk.campaign}/refresh-status")

    assert reply.json == {"campaignId": desk.campaign, "refreshed": 0, "updated": 0, "errors": 3}


def test_another_shops_campaign_cannot_be_asked_about(desk: Desk) -> None:
    other = new_shop(desk.shop.api)

    assert other.post(f"/api/campaigns/{desk.campaign}/refresh-status").status_code == 404
    reply = other.post("/api/mitto/refresh-status-bulk", {"campaignId": desk.campaign})
    assert reply.status_code == 404


def test_a_message_is_shown_as_the_gateway_knows_it(desk: Desk) -> None:
    reply = desk.shop.get(f"/api/mitto/message/{desk.ids[0]}")

    assert reply.status_code == 200
    assert reply.json.keys() == SHAPE
    assert reply.json["messageId"] == desk.ids[0]
    assert reply.json["messageParts"] == 1
    assert reply.json["rawResponse"]["messageId"] == desk.ids[0]


def test_one_message_is_refreshed(desk: Desk) -> None:
    desk.gateway.become(MessageState.FAILED, ProviderId(desk.ids[1]))

    reply = desk.post("/api/mitto/refresh-status", {"providerMessageId": desk.ids[1]})

    assert reply.status_code == 200
    assert reply.json["updated"] == 1
    assert reply.json["status"].keys() == SHAPE
    assert reply.json["internalStatus"] == "failed"
    assert reply.json["affectedCampaignIds"] == [desk.campaign]
    assert desk.status()["metrics"]["failed"] == 1


def test_many_messages_are_refreshed_each_with_a_result_of_its_own(desk: Desk) -> None:
    reply = desk.post(
        "/api/mitto/refresh-status-bulk", {"providerMessageIds": [*desk.ids[:2], "nobodys"]}
    )

    assert reply.status_code == 200
    assert {key: reply.json[key] for key in ("total", "updated", "failed")} == {
        "total": 3,
        "updated": 2,
        "failed": 1,
    }
    first, _, last = reply.json["results"]
    assert first == {"providerMessageId": desk.ids[0], "success": True}
    assert (last["success"], last["code"]) == (False, "MESSAGE_NOT_FOUND")


def test_a_campaign_is_refreshed_in_bulk_until_nothing_is_open(desk: Desk) -> None:
    desk.gateway.become(MessageState.DELIVERED)
    asked = {"campaignId": desk.campaign}

    first = desk.post("/api/mitto/refresh-status-bulk", asked)
    nothing = desk.post("/api/mitto/refresh-status-bulk", asked)

    assert (first.json["total"], first.json["failed"]) == (3, 0)
    assert nothing.json == {"total": 0, "updated": 0, "failed": 0, "results": []}


def test_a_gateway_that_is_away_is_unavailable_and_says_no_more(desk: Desk) -> None:
    desk.gateway.is_away = True

    shown = desk.shop.get(f"/api/mitto/message/{desk.ids[0]}")
    one = desk.post("/api/mitto/refresh-status", {"providerMessageId": desk.ids[0]})
    many = desk.post("/api/mitto/refresh-status-bulk", {"providerMessageIds": desk.ids[:1]})

    for reply in (shown, one):
        assert (reply.status_code, reply.json["code"]) == (503, "SERVICE_UNAVAILABLE")
        assert reply.json.keys() == {"message", "code", "status", "requestId"}
    assert many.status_code == 200
    assert many.json["results"][0]["code"] == "REFRESH_FAILED"


def test_another_shops_messages_are_not_found_and_not_asked_for(desk: Desk) -> None:
    other = new_shop(desk.shop.api)
    desk.gateway.is_away = True  # asking would be seen

    shown = other.get(f"/api/mitto/message/{desk.ids[0]}")
    one = other.post("/api/mitto/refresh-status", {"providerMessageId": desk.ids[0]})
    many = other.post("/api/mitto/refresh-status-bulk", {"providerMessageIds": desk.ids})

    for reply in (shown, one):
        assert (reply.status_code, reply.json["code"]) == (404, "MESSAGE_NOT_FOUND")
    assert {each["code"] for each in many.json["results"]} == {"MESSAGE_NOT_FOUND"}


def test_a_message_that_the_gateway_forgot_is_not_found(desk: Desk) -> None:
    desk.gateway._taken.clear()

    shown = desk.shop.get(f"/api/mitto/message/{desk.ids[0]}")
    one = desk.post("/api/mitto/refresh-status", {"providerMessageId": desk.ids[0]})

    assert {shown.json["code"], one.json["code"]} == {"MESSAGE_NOT_FOUND"}


@pytest.mark.parametrize("strange", STRANGE)
def test_what_is_no_id_is_refused_before_anything_else(desk: Desk, strange: str) -> None:
    assert desk.shop.get(f"/api/mitto/message/{strange}").status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"providerMessageId": None},
        {"providerMessageId": 7},
        {"providerMessageId": ""},
        {"providerMessageId": "../.."},
    ],
)
def test_a_refresh_needs_an_id(desk: Desk, body: object) -> None:
    reply = desk.post("/api/mitto/refresh-status", body)

    assert (reply.status_code, reply.json["code"]) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"providerMessageIds": []},
        {"providerMessageIds": ["x"] * 101},
        {"providerMessageIds": ["x", "a/b"]},
        {"providerMessageIds": "x"},
        {"campaignId": 0},
        {"campaignId": "seven"},
    ],
)
def test_a_bulk_refresh_needs_a_campaign_or_ids(desk: Desk, body: object) -> None:
    reply = desk.post("/api/mitto/refresh-status-bulk", body)

    assert (reply.status_code, reply.json["code"]) == (400, "VALIDATION_ERROR")


def test_an_id_with_a_colon_may_be_escaped(desk: Desk) -> None:
    assert desk.shop.get(f"/api/mitto/message/{quote('a:b.c-d_e', safe='')}").status_code == 404
