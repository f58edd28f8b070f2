"""How far a campaign got, and its messages (http-contract, 3.5 and 3.6; domain-rules, 8 and 9)."""

from datetime import timedelta
from typing import Any

import pytest

from retail_core.credits.model import Wallet
from retail_core.kernel.phones import PhoneNumber
from retail_core.links.codes import LinkCodes
from retail_core.messages.model import Doubtful, MessageState
from retail_core.messages.use_cases import SweepStaleBatches
from tests.http.api import Api, Shop, error_of
from tests.http.campaigns.shops import (
    CAMPAIGN,
    PAGE,
    add_person,
    assert_shape,
    create,
    enqueue,
    new_gateway,
    new_shop,
    report,
    send,
    started,
    stores,
    wallet,
)

METRICS = dict.fromkeys(
    ("queued", "success", "processed", "failed", "sent", "delivered", "unknown", "cancelled"), int
)
STATUS = {"campaign": dict, "metrics": dict, "credits": dict, "deferredUntil": type(None)}
CREDITS = {"held": int, "captured": int, "released": int}
MESSAGE = {
    "id": int,
    "kind": str,
    "isTest": bool,
    "campaignId": int,
    "automationId": type(None),
    "contactId": int | None,
    "contact": dict | None,
    "to": str | None,
    "sender": str,
    "text": str | None,
    "status": str,
    "errorCode": str | None,
    "error": str | None,
    "encoding": str | None,
    "segments": int | None,
    "credits": int | None,
    "country": str | None,
    "trackingId": str,
    "providerMessageId": str | None,
    "createdAt": str,
    "sentAt": str | None,
    "deliveredAt": str | None,
    "failedAt": str | None,
    "updatedAt": str,
}


def status_of(shop: Shop, campaign: int) -> dict[str, Any]:
    """The status page, which always adds up."""
    reply = shop.get(f"/api/campaigns/{campaign}/status")
    assert reply.status_code == 200, reply.text
    found: dict[str, Any] = reply.json
    assert_shape(found, STATUS)
    assert_shape(found["campaign"], CAMPAIGN)
    assert_shape(found["metrics"], METRICS)
    assert_shape(found["credits"], CREDITS)
    metrics, total = found["metrics"], found["campaign"]["total"]
    if found["campaign"]["startedAt"]:
        assert metrics["queued"] + metrics["processed"] == total
        assert found["campaign"]["processed"] == metrics["processed"]
    assert metrics["success"] == metrics["sent"] + metrics["delivered"]
    assert found["campaign"]["sent"] == metrics["success"]
    assert metrics["processed"] == sum(
        metrics[name] for name in ("success", "failed", "unknown", "cancelled")
    )
    return found


def metrics_of(shop: Shop, campaign: int) -> dict[str, int]:
    """The counts that are not zero."""
    found = status_of(shop, campaign)["metrics"]
    return {name: count for name, count in found.items() if count}


def messages_of(shop: Shop, campaign: int, query: str = "") -> list[dict[str, Any]]:
    reply = shop.get(f"/api/campaigns/{campaign}/messages?{query}")
    assert reply.status_code == 200, reply.text
    assert_shape(reply.json, PAGE)
    for message in reply.json["items"]:
        assert_shape(message, MESSAGE)
    items: list[dict[str, Any]] = reply.json["items"]
    return items


class TestStatus:
    def test_a_draft_waits_for_nothing(self, seller: Shop) -> None:
        found = status_of(seller, create(seller))

        assert found["campaign"]["status"] == "draft"
        assert set(found["metrics"].values()) == set(found["credits"].values()) == {0}

    def test_all_wait_after_the_start(self, seller: Shop) -> None:
        campaign = started(seller)

        assert metrics_of(seller, campaign) == {"queued": 3}
        assert status_of(seller, campaign)["credits"] == {"held": 3, "captured": 0, "released": 0}

    def test_sent_delivered_and_failed_are_told_apart(self, seller: Shop) -> None:
        campaign = started(seller)
        gateway = send(seller.api)
        assert metrics_of(seller, campaign) == {"sent": 3, "success": 3, "processed": 3}
        found = status_of(seller, campaign)
        assert found["campaign"]["status"] == "completed"
        assert found["campaign"]["finishedAt"] == "2026-11-24T12:00:00.000Z"
        assert found["credits"] == {"held": 0, "captured": 3, "released": 0}

        ids = [message["providerMessageId"] for message in messages_of(seller, campaign)]
        report(seller.api, list(gateway.become(MessageState.DELIVERED, ids[0])))
        report(seller.api, list(gateway.become(MessageState.FAILED, ids[1])))

        assert metrics_of(seller, campaign) == {
            "sent": 1,
            "delivered": 1,
            "success": 2,
            "failed": 1,
            "processed": 3,
        }
        assert wallet(seller) == Wallet(available=97)

    def test_what_the_gateway_rejects_is_failed_and_costs_nothing(self, seller: Shop) -> None:
        campaign = started(seller)
        gateway = new_gateway(seller.api)
        refused = messages_of(seller, campaign)[0]["to"]
        gateway.reject_next(lambda message: message.destination == refused)

        send(seller.api, gateway)

        assert metrics_of(seller, campaign) == {
            "sent": 2,
            "success": 2,
            "failed": 1,
            "processed": 3,
        }
        assert status_of(seller, campaign)["credits"] == {"held": 0, "captured": 2, "released": 1}
        assert wallet(seller) == Wallet(available=98)
        (message,) = messages_of(seller, campaign, "status=failed")
        assert (message["to"], message["errorCode"]) == (refused, "8")
        assert message["failedAt"]

    def test_what_may_have_been_sent_is_unknown(self, memory_api: Api) -> None:
        shop = new_shop(memory_api)
        campaign = started(shop)
        gateway = new_gateway(memory_api)
        gateway.answer_next(Doubtful("answer_lost"))

        send(memory_api, gateway)
        memory_api.clock.advance(timedelta(minutes=5))
        codes = memory_api.container.resolve(LinkCodes)
        SweepStaleBatches(stores(memory_api), memory_api.clock, codes)()

        assert metrics_of(shop, campaign) == {"unknown": 3, "processed": 3}
        assert status_of(shop, campaign)["campaign"]["status"] == "completed"
        assert wallet(shop) == Wallet(available=97, held=3)

    def test_who_opted_out_meanwhile_is_cancelled(self, seller: Shop) -> None:
        late = add_person(seller)
        campaign = started(seller)
        with stores(seller.api).begin(seller.id) as uow:
            contact = uow.contacts.lock(seller.id, late.id)
            assert contact is not None
            uow.contacts.save(seller.id, contact.unsubscribed(seller.api.clock.now()))

        send(seller.api)

        assert metrics_of(seller, campaign) == {
            "sent": 3,
            "success": 3,
            "cancelled": 1,
            "processed": 4,
        }
        (message,) = messages_of(seller, campaign, "status=cancelled")
        assert (message["contactId"], message["errorCode"]) == (late.id, "opted_out")
        assert wallet(seller) == Wallet(available=97)

    def test_a_failed_campaign_has_nobody(self, campaign_api: Api) -> None:
        shop = new_shop(campaign_api, people=0)
        campaign = create(shop)
        enqueue(shop, campaign)

        found = status_of(shop, campaign)

        assert found["campaign"]["status"] == "failed"
        assert found["campaign"]["total"] == 0


class TestMessages:
    def test_a_waiting_message_has_its_id_but_no_text(self, seller: Shop) -> None:
        campaign = started(seller)

        messages = messages_of(seller, campaign)

        assert len(messages) == 3
        for message in messages:
            assert (message["kind"], message["isTest"]) == ("campaign", False)
            assert (message["campaignId"], message["status"]) == (campaign, "queued")
            assert message["contact"] == {"firstName": None, "lastName": None}
            nothing = ("text", "encoding", "segments", "credits", "providerMessageId", "sentAt")
            assert {message[name] for name in nothing} == {None}
            assert len(message["trackingId"]) == 12
            assert (message["sender"], message["country"]) == ("MyShop", "GR")

    def test_a_sent_message_shows_what_was_sent(self, campaign_api: Api) -> None:
        shop = new_shop(campaign_api, people=0)
        ana = add_person(shop, first_name="Ana", last_name="Lo")
        campaign = started(shop, messageText="Hi {{firstName}}")
        (waiting,) = messages_of(shop, campaign)

        gateway = send(campaign_api)

        (message,) = messages_of(shop, campaign)
        assert message["text"] in [each.text for each in gateway.accepted]
        assert message["text"].startswith("Hi Ana\nOffer: https://api.example.com/o/")
        assert message["trackingId"] in message["text"]
        assert (message["id"], message["trackingId"]) == (waiting["id"], waiting["trackingId"])
        assert message["contact"] == {"firstName": "Ana", "lastName": "Lo"}
        assert (message["contactId"], message["to"]) == (ana.id, ana.phone)
        expected = {"status": "sent", "encoding": "gsm7", "segments": 1, "credits": 1}
        assert {key: message[key] for key in expected} == expected
        assert message["providerMessageId"]
        assert message["sentAt"] == "2026-11-24T12:00:00.000Z"
        assert message["deliveredAt"] is message["failedAt"] is None

    def test_a_deleted_contact_leaves_only_the_message(self, seller: Shop) -> None:
        gone = add_person(seller, first_name="Ana")
        campaign = started(seller)
        send(seller.api)
        with stores(seller.api).begin(seller.id) as uow:
            uow.message_traces.forget_contact(seller.id, gone.id)
            assert uow.contacts.lock(seller.id, gone.id)
            uow.contacts.remove(seller.id, gone.id)

        message = messages_of(seller, campaign)[0]

        nothing = ("contactId", "contact", "to", "text", "country")
        assert {message[name] for name in nothing} == {None}
        assert (message["status"], message["segments"]) == ("sent", 1)

    def test_the_newest_come_first_in_pages(self, seller: Shop) -> None:
        campaign = started(seller)

        ids = [message["id"] for message in messages_of(seller, campaign)]
        second = seller.get(f"/api/campaigns/{campaign}/messages?page=2&pageSize=2").json

        assert ids == sorted(ids, reverse=True)
        assert (second["total"], second["page"], second["pageSize"]) == (3, 2, 2)
        assert [message["id"] for message in second["items"]] == ids[2:]

    @pytest.mark.parametrize(
        ("query", "page", "page_size"),
        [("", 1, 50), ("pageSize=1000", 1, 200), ("page=-1&pageSize=0", 1, 1)],
    )
    def test_pages_are_brought_within_their_bounds(
        self, seller: Shop, query: str, page: int, page_size: int
    ) -> None:
        reply = seller.get(f"/api/campaigns/{create(seller)}/messages?{query}").json

        assert reply == {"items": [], "total": 0, "page": page, "pageSize": page_size}

    def test_by_status(self, seller: Shop) -> None:
        campaign = started(seller)
        assert len(messages_of(seller, campaign, "status=queued")) == 3
        gateway = send(seller.api)
        (first, *_) = messages_of(seller, campaign)
        report(seller.api, list(gateway.become(MessageState.DELIVERED, first["providerMessageId"])))

        counts = {
            word: len(messages_of(seller, campaign, f"status={word}"))
            for word in ("queued", "sent", "delivered", "failed", "unknown", "cancelled")
        }

        assert counts == {
            "queued": 0,
            "sent": 2,
            "delivered": 1,
            "failed": 0,
            "unknown": 0,
            "cancelled": 0,
        }
        (delivered,) = messages_of(seller, campaign, "status=delivered")
        assert delivered["deliveredAt"] == "2026-11-24T12:00:00.000Z"

    @pytest.mark.parametrize("is_sent", [False, True])
    def test_by_digits_of_the_number(self, campaign_api: Api, is_sent: bool) -> None:  # noqa: FBT001 - a parameter
        shop = new_shop(campaign_api, people=0)
        add_person(shop, phone=PhoneNumber("+306977111222"))
        add_person(shop, phone=PhoneNumber("+306977333444"))
        campaign = started(shop)
        if is_sent:
            send(campaign_api)

        assert len(messages_of(shop, campaign, "q=6977")) == 2
        (found,) = messages_of(shop, campaign, "q=111222")
        assert found["to"] == "+306977111222"
        assert len(messages_of(shop, campaign, "q=%2B306977333")) == 1
        assert len(messages_of(shop, campaign, "q=697%20733")) == 1
        assert messages_of(shop, campaign, "q=999999") == []

    def test_tests_may_be_asked_for(self, seller: Shop) -> None:
        campaign = started(seller)

        assert len(messages_of(seller, campaign, "includeTests=true")) == 3

    @pytest.mark.parametrize(
        "query",
        [
            "status=submitting",
            "status=Sent",
            "q=abc",
            "q=%25",
            "includeTests=1",
            "page=x",
            "pageSize=x",
        ],
    )
    def test_a_bad_value_is_refused(self, quick_seller: Shop, query: str) -> None:
        reply = quick_seller.get(f"/api/campaigns/{create(quick_seller)}/messages?{query}")

        assert error_of(reply) == (400, "VALIDATION_ERROR")
