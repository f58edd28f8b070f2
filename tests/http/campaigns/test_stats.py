"""The figures of campaigns, one and several (docs/api.md, 3.5; docs/rules.md, 13)."""

from types import NoneType

import pytest

from retail_core.contacts.model import ConsentFact, ConsentSource, ConsentType
from retail_core.kernel.ids import CampaignId, ContactId
from retail_core.messages.model import MessageState
from tests.http.api import Api, Shop, error_of
from tests.http.campaigns.reading import messages_of
from tests.http.campaigns.shops import (
    add_person,
    assert_shape,
    create,
    new_shop,
    report,
    send,
    started,
    stores,
)

NOON = "2026-11-24T12:00:00.000Z"
SUMMARY = {
    "campaignId": int,
    "total": int,
    "sent": int,
    "failed": int,
    "conversions": int,
    "failureRate": float | int,
    "conversionRate": float | int,
}
FIGURES = SUMMARY | {
    "unsubscribes": int,
    "firstSentAt": str | NoneType,
    "updatedAt": str,
    "delivered": int,
    "unknown": int,
    "cancelled": int,
    "deliveredRate": float | int,
    "redemptions": int,
    "nfcConversions": int,
    "offerViews": int,
    "clicks": int,
    "uniqueClicks": int,
    "creditsCharged": int,
}
BASES = pytest.mark.parametrize("base", ["/api/campaigns", "/api/v1/campaigns"])


def left(shop: Shop, contact: int, campaign: int) -> None:
    """A contact opts out by the link of a campaign."""
    fact = ConsentFact(
        contact=ContactId(contact),
        type=ConsentType.WITHDRAWN,
        source=ConsentSource.LINK,
        at=shop.api.clock.now(),
        campaign=CampaignId(campaign),
    )
    with stores(shop.api).begin(shop.id) as uow:
        found = uow.contacts.lock(shop.id, ContactId(contact))
        assert found is not None
        uow.consents.append(shop.id, fact)
        uow.contacts.save(shop.id, found.unsubscribed(fact.at))


@BASES
class TestOne:
    def test_a_draft_has_none(self, seller: Shop, base: str) -> None:
        campaign = create(seller)

        shown = seller.get(f"{base}/{campaign}/stats").json

        assert_shape(shown, FIGURES)
        assert (shown["campaignId"], shown["total"]) == (campaign, 3)
        assert (shown["firstSentAt"], shown["updatedAt"]) == (None, NOON)
        known = {"campaignId", "total", "firstSentAt", "updatedAt"}
        assert {shown[name] for name in FIGURES.keys() - known} == {0}

    def test_they_are_those_of_its_messages(self, seller: Shop, base: str) -> None:
        campaign = started(seller)
        gateway = send(seller.api)
        messages = messages_of(seller, campaign)
        ids = [message["providerMessageId"] for message in messages]
        report(seller.api, list(gateway.become(MessageState.DELIVERED, ids[0])))
        report(seller.api, list(gateway.become(MessageState.FAILED, ids[1])))
        for _ in range(2):  # a contact who comes back and leaves again is one
            left(seller, messages[0]["contactId"], campaign)

        shown = seller.get(f"{base}/{campaign}/stats").json

        assert_shape(shown, FIGURES)
        assert shown["firstSentAt"] == messages[0]["sentAt"] == NOON
        expected = {
            "total": 3,
            "sent": 2,
            "delivered": 1,
            "failed": 1,
            "deliveredRate": 0.5,
            "failureRate": 0.3333,
            "unsubscribes": 1,
            "creditsCharged": 3,
        }
        assert {name: shown[name] for name in expected} == expected

    def test_another_shops_campaign_is_not_found(self, seller: Shop, base: str) -> None:
        campaign = create(seller)

        reply = seller.api.sign_up().get(f"{base}/{campaign}/stats")

        assert error_of(reply) == (404, "RESOURCE_NOT_FOUND")


@BASES
class TestSeveral:
    def test_the_word_is_never_read_as_an_id(self, seller: Shop, base: str) -> None:
        for path in (f"{base}/stats", f"{base}/STATS/", f"{base}/stats?ids="):
            reply = seller.get(path)
            assert (reply.status_code, reply.json) == (200, [])

    def test_own_ones_come_in_the_order_asked_for(self, seller: Shop, base: str) -> None:
        first, second = create(seller), started(seller)
        send(seller.api)
        foreign = create(seller.api.sign_up())

        ids = (
            f"{second},x,{foreign},{first},{second}, ,-1,0,1.5,2147483647,99999999999,{'9' * 5000}"
        )
        shown = seller.get(f"{base}/stats?ids={ids}").json

        assert [each["campaignId"] for each in shown] == [second, first]
        for each in shown:
            assert_shape(each, SUMMARY)
        assert [(each["total"], each["sent"]) for each in shown] == [(3, 3), (3, 0)]

    def test_two_hundred_are_read_at_most(self, quick_seller: Shop, base: str) -> None:
        campaign = create(quick_seller)
        others = ",".join(str(2_000_000_000 + n) for n in range(199))

        assert quick_seller.get(f"{base}/stats?ids={others},{campaign}").json != []
        assert quick_seller.get(f"{base}/stats?ids={others},1999999999,{campaign}").json == []

    def test_a_repeated_parameter_is_refused(self, quick_seller: Shop, base: str) -> None:
        reply = quick_seller.get(f"{base}/stats?ids=1&ids=2")

        assert error_of(reply) == (400, "VALIDATION_ERROR")


def test_one_who_left_by_another_campaign_is_not_counted(campaign_api: Api) -> None:
    shop = new_shop(campaign_api)
    campaign, other = create(shop), create(shop)
    left(shop, add_person(shop).id, other)

    assert shop.get(f"/api/campaigns/{campaign}/stats").json["unsubscribes"] == 0
    assert shop.get(f"/api/campaigns/{other}/stats").json["unsubscribes"] == 1
