"""How far a campaign got: counts that always add up (docs/api.md, 3.5; docs/rules.md, 8, 9)."""

from datetime import timedelta

from retail_core.credits.model import Wallet
from retail_core.links.codes import LinkCodes
from retail_core.messages.model import Doubtful, MessageState
from retail_core.messages.use_cases import SweepStaleBatches
from tests.http.api import Api, Shop
from tests.http.campaigns.reading import messages_of, metrics_of, status_of
from tests.http.campaigns.shops import (
    add_person,
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
