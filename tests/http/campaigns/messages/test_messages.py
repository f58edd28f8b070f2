"""The messages of a campaign (docs/api.md, 2 and 3.5)."""

import pytest

from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.messages.model import MessageState
from tests.http.api import Api, Shop, error_of
from tests.http.campaigns.reading import messages_of
from tests.http.campaigns.shops import (
    add_person,
    create,
    new_shop,
    report,
    send,
    started,
    stores,
)


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
        assert message["text"].startswith("Hi Ana\nStop: https://api.example.com/u/")
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
            uow.message_traces.forget(seller.id, [gone.id])
            assert uow.contacts.lock(seller.id, gone.id)
            uow.contacts.remove(seller.id, [gone.id])

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
