"""Enqueue again, and at once: nobody is planned twice (docs/api.md, 1.9 and 3.5)."""

import pytest

from retail_core.credits.model import Wallet
from retail_core.kernel.ids import CampaignId
from tests.http.api import Api, Shop, error_of
from tests.http.campaigns.shops import (
    add_person,
    at_once,
    create,
    enqueue,
    give_credits,
    keyed,
    new_shop,
    pause,
    send,
    started,
    state_of,
    stores,
    wallet,
)


class TestAgain:
    def test_a_campaign_that_is_sending_is_not_started_again(self, seller: Shop) -> None:
        campaign = started(seller)

        assert error_of(enqueue(seller, campaign)) == (409, "INVALID_STATUS")
        assert wallet(seller) == Wallet(available=97, held=3)

    def test_a_completed_campaign_is_not_started_again(self, seller: Shop) -> None:
        campaign = started(seller)
        send(seller.api)

        assert state_of(seller, campaign) == ("completed", None)
        assert error_of(enqueue(seller, campaign)) == (409, "INVALID_STATUS")

    def test_a_paused_campaign_is_resumed_and_nobody_planned_twice(self, seller: Shop) -> None:
        campaign = started(seller)
        pause(seller, campaign)
        add_person(seller)
        assert state_of(seller, campaign) == ("paused", "gateway_refused")

        reply = enqueue(seller, campaign)

        assert reply.json["queued"] == reply.json["enqueuedJobs"] == 3
        assert reply.json["credits"] == {"required": 3, "held": 3}
        assert state_of(seller, campaign) == ("sending", None)
        assert wallet(seller) == Wallet(available=97, held=3)
        assert len(send(seller.api).accepted) == 3

    def test_while_another_enqueue_runs_it_is_refused_at_once(self, sql_seller: Shop) -> None:
        campaign = create(sql_seller)

        with stores(sql_seller.api).begin(sql_seller.id) as uow:
            uow.campaigns.lock(sql_seller.id, CampaignId(campaign))
            reply = enqueue(sql_seller, campaign)

        assert error_of(reply) == (409, "ALREADY_SENDING")
        assert enqueue(sql_seller, campaign).status_code == 200

    def test_the_state_is_told_even_while_its_row_is_held(self, sql_seller: Shop) -> None:
        campaign = started(sql_seller)

        with stores(sql_seller.api).begin(sql_seller.id) as uow:
            uow.campaigns.lock(sql_seller.id, CampaignId(campaign))
            reply = enqueue(sql_seller, campaign)

        assert error_of(reply) == (409, "INVALID_STATUS")

    def test_of_many_at_once_one_wins(self, sql_seller: Shop) -> None:
        campaign = create(sql_seller)

        replies = at_once(lambda _: enqueue(sql_seller, campaign))

        codes = sorted(reply.status_code for reply in replies)
        assert codes == [200] + [409] * 7
        assert {error_of(reply)[1] for reply in replies if reply.status_code != 200} <= {
            "INVALID_STATUS",
            "ALREADY_SENDING",
        }
        assert wallet(sql_seller) == Wallet(available=97, held=3)
        assert len(send(sql_seller.api).accepted) >= 3

    def test_campaigns_at_once_never_hold_more_than_there_is(self, sql_api: Api) -> None:
        shop = new_shop(sql_api, credits=10)
        campaigns = [create(shop) for _ in range(8)]

        replies = at_once(lambda number: enqueue(shop, campaigns[number]))

        codes = sorted(reply.status_code for reply in replies)
        assert codes == [200] * 3 + [402] * 5
        assert wallet(shop) == Wallet(available=1, held=9)


class TestOnce:
    def test_the_same_key_creates_one_campaign(self, seller: Shop) -> None:
        body = {"name": "Once", "messageText": "Hi"}

        first = seller.post("/api/campaigns", body, headers=keyed("k1"))
        second = seller.post("/api/campaigns", body, headers=keyed("k1"))

        assert (first.status_code, second.status_code) == (201, 201)
        assert "Idempotency-Replayed" not in first.headers
        assert second.headers["Idempotency-Replayed"] == "true"
        assert second.content == first.content
        assert seller.get("/api/campaigns").json["total"] == 1

    def test_the_same_key_holds_once(self, seller: Shop) -> None:
        campaign = create(seller)

        first = enqueue(seller, campaign, headers=keyed("k1"))
        send(seller.api)
        second = enqueue(seller, campaign, headers=keyed("k1"))

        assert (first.status_code, second.status_code) == (200, 200)
        assert second.headers["Idempotency-Replayed"] == "true"
        assert second.content == first.content
        assert wallet(seller) == Wallet(available=97)

    @pytest.mark.parametrize("change", [{"name": "Other"}, {"name": "Once", "extra": 1}])
    def test_the_same_key_with_another_body_is_refused(
        self, seller: Shop, change: dict[str, object]
    ) -> None:
        body = {"name": "Once", "messageText": "Hi"}
        seller.post("/api/campaigns", body, headers=keyed("k1"))

        reply = seller.post("/api/campaigns", body | change, headers=keyed("k1"))

        assert error_of(reply) == (409, "IDEMPOTENCY_KEY_REUSED")
        assert seller.get("/api/campaigns").json["total"] == 1

    def test_the_same_key_for_another_campaign_is_refused(self, seller: Shop) -> None:
        first, second = create(seller), create(seller)
        enqueue(seller, first, headers=keyed("k1"))

        reply = enqueue(seller, second, headers=keyed("k1"))

        assert error_of(reply) == (409, "IDEMPOTENCY_KEY_REUSED")
        assert state_of(seller, second) == ("draft", None)

    def test_another_shop_may_use_the_same_key(self, seller: Shop) -> None:
        body = {"name": "Once", "messageText": "Hi"}
        other = new_shop(seller.api)

        ids = {
            shop.post("/api/campaigns", body, headers=keyed("k1")).json["id"]
            for shop in (seller, other)
        }

        assert len(ids) == 2

    def test_after_a_refusal_the_same_key_may_succeed(self, campaign_api: Api) -> None:
        shop = new_shop(campaign_api, credits=0)
        campaign = create(shop)
        assert enqueue(shop, campaign, headers=keyed("k1")).status_code == 402
        give_credits(shop, 3)

        reply = enqueue(shop, campaign, headers=keyed("k1"))

        assert reply.status_code == 200
        assert "Idempotency-Replayed" not in reply.headers

    def test_a_failed_campaign_leaves_the_key_free(self, campaign_api: Api) -> None:
        shop = new_shop(campaign_api, people=0)
        campaign = create(shop)

        first = enqueue(shop, campaign, headers=keyed("k1"))
        second = enqueue(shop, campaign, headers=keyed("k1"))

        assert error_of(first) == (400, "NO_RECIPIENTS")
        assert error_of(second) == (409, "INVALID_STATUS")

    @pytest.mark.parametrize("key", ["x" * 256, "a b", "α", "\x7f"])
    def test_a_key_of_other_than_visible_ascii_is_refused(
        self, quick_seller: Shop, key: str
    ) -> None:
        headers = keyed(key.encode().decode("latin-1"))

        reply = quick_seller.post("/api/campaigns", {"name": "A"}, headers=headers)

        assert error_of(reply) == (400, "VALIDATION_ERROR")

    def test_the_longest_key_is_taken(self, quick_seller: Shop) -> None:
        body = {"name": "A", "messageText": "Hi"}

        reply = quick_seller.post("/api/campaigns", body, headers=keyed("~" * 255))

        assert reply.status_code == 201

    def test_routes_that_do_not_create_ignore_it(self, quick_seller: Shop) -> None:
        headers = keyed("k1")

        for fields in ({}, {"filterGender": "male"}):
            reply = quick_seller.post("/api/campaigns/preview-audience", fields, headers=headers)
            assert reply.status_code == 200

    def test_the_same_key_at_once_creates_one_campaign(self, sql_seller: Shop) -> None:
        body = {"name": "Once", "messageText": "Hi"}

        replies = at_once(
            lambda _: sql_seller.post("/api/campaigns", body, headers=keyed("together"))
        )

        done = [reply for reply in replies if reply.status_code == 201]
        assert done
        assert len({reply.json["id"] for reply in done}) == 1
        for reply in replies:
            if reply not in done:
                assert error_of(reply) == (409, "IDEMPOTENCY_IN_PROGRESS")
                assert reply.headers["Retry-After"] == "1"
        assert sql_seller.get("/api/campaigns").json["total"] == 1

    def test_the_same_key_at_once_holds_once(self, sql_seller: Shop) -> None:
        campaign = create(sql_seller)

        replies = at_once(lambda _: enqueue(sql_seller, campaign, headers=keyed("together")))

        done = [reply for reply in replies if reply.status_code == 200]
        assert done
        assert len({reply.content for reply in done}) == 1
        assert {error_of(reply) for reply in replies if reply not in done} <= {
            (409, "IDEMPOTENCY_IN_PROGRESS")
        }
        assert wallet(sql_seller) == Wallet(available=97, held=3)
