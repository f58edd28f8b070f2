"""Enqueue: one decision, in the contract's order of checks (docs/api.md, 3.5)."""

from datetime import date

import pytest

from retail_core.credits.model import Wallet
from retail_core.kernel.addresses.phones import PhoneNumber
from tests.contracts.worlds import memory_world
from tests.http.api import Api, Shop, error_of
from tests.http.campaigns.shops import (
    activate,
    add_person,
    assert_shape,
    campaigns_in_memory,
    create,
    enqueue,
    give_credits,
    new_shop,
    state_of,
    unchecked,
    wallet,
)

STARTED = {
    "queued": int,
    "enqueuedJobs": int,
    "campaignId": int,
    "status": str,
    "credits": dict,
}
TOO_LONG = "α" * 2000


class TestStart:
    def test_it_answers_with_what_waits_and_what_is_held(self, seller: Shop) -> None:
        campaign = create(seller)

        reply = enqueue(seller, campaign)

        assert reply.status_code == 200
        assert_shape(reply.json, STARTED)
        assert reply.json == {
            "queued": 3,
            "enqueuedJobs": 3,
            "campaignId": campaign,
            "status": "sending",
            "credits": {"required": 3, "held": 3},
        }
        assert wallet(seller) == Wallet(available=97, held=3)
        after = seller.get(f"/api/campaigns/{campaign}").json
        assert (after["status"], after["total"], after["processed"]) == ("sending", 3, 0)
        assert after["startedAt"] == "2026-11-24T12:00:00.000Z"

    def test_an_empty_object_may_be_sent(self, seller: Shop) -> None:
        reply = seller.post(f"/api/campaigns/{create(seller)}/enqueue", {})

        assert reply.status_code == 200

    def test_the_hold_is_what_every_text_costs_exactly(self, campaign_api: Api) -> None:
        shop = new_shop(campaign_api, people=2)
        add_person(shop, first_name="α" * 40)
        add_person(shop, phone=PhoneNumber("+491512345678"), country="DE")
        campaign = create(shop, messageText="Hello {{firstName}}", includeOffer=False)

        credits = enqueue(shop, campaign).json["credits"]

        # two Greek numbers with one part, one of two parts in Unicode, one in Germany at 2 a part
        assert credits == {"required": 6, "held": 6}

    def test_the_audience_is_that_of_the_moment(self, seller: Shop) -> None:
        campaign = create(seller)
        add_person(seller)
        add_person(seller, is_subscribed=False)
        add_person(seller, birthday=date(2015, 1, 1))

        assert enqueue(seller, campaign).json["queued"] == 4
        assert seller.get(f"/api/campaigns/{campaign}").json["total"] == 4

    @pytest.mark.parametrize("number", ["0", "abc", "1.5", "+1", "-0"])
    def test_what_cannot_be_an_id_has_a_code_of_its_own(
        self, quick_seller: Shop, number: str
    ) -> None:
        assert error_of(enqueue(quick_seller, number)) == (400, "INVALID_ID")

    @pytest.mark.parametrize("number", ["-1", "2147483647", "2147483648", "9" * 60])
    def test_an_id_that_no_campaign_has_is_not_found(self, seller: Shop, number: str) -> None:
        assert error_of(enqueue(seller, number)) == (404, "RESOURCE_NOT_FOUND")

    def test_another_shops_campaign_is_not_found(self, seller: Shop) -> None:
        other = new_shop(seller.api)
        theirs = create(other)

        assert error_of(enqueue(seller, theirs)) == (404, "RESOURCE_NOT_FOUND")
        assert state_of(other, theirs) == ("draft", None)

    @pytest.mark.parametrize("raw", [b"[]", b"7", b"{", b'{"a":1,"a":2}'])
    def test_a_body_that_is_no_object_is_refused(self, quick_seller: Shop, raw: bytes) -> None:
        headers = {"Content-Type": "application/json"}

        reply = enqueue(quick_seller, create(quick_seller), raw=raw, headers=headers)

        assert error_of(reply) == (400, "VALIDATION_ERROR")

    def test_another_type_of_body_is_refused(self, quick_seller: Shop) -> None:
        headers = {"Content-Type": "text/plain"}

        reply = enqueue(quick_seller, create(quick_seller), raw=b"x", headers=headers)

        assert error_of(reply) == (415, "UNSUPPORTED_MEDIA_TYPE")

    def test_it_is_not_read(self, quick_seller: Shop) -> None:
        reply = quick_seller.get(f"/api/campaigns/{create(quick_seller)}/enqueue")

        assert error_of(reply) == (405, "METHOD_NOT_ALLOWED")

    def test_nobody_starts_without_signing_in(self, quick_seller: Shop) -> None:
        campaign = create(quick_seller)

        reply = quick_seller.api.post(f"/api/campaigns/{campaign}/enqueue")

        assert error_of(reply) == (401, "UNAUTHORIZED")


class TestOrderOfChecks:
    """Each case has every later fault as well."""

    def test_state_comes_before_text(self, campaign_api: Api) -> None:
        shop = new_shop(campaign_api, people=0, credits=0, active=False)
        campaign = create(shop)
        enqueue(shop, campaign)

        assert state_of(shop, campaign) == ("failed", "no_recipients")
        assert error_of(enqueue(shop, campaign)) == (409, "INVALID_STATUS")

    @pytest.mark.parametrize(
        ("text", "code"), [("Hi {{nickname}}", "UNKNOWN_PLACEHOLDER"), (" \n", "NO_MESSAGE_TEXT")]
    )
    def test_text_comes_before_the_audience(self, memory_api: Api, text: str, code: str) -> None:
        shop = new_shop(memory_api, people=0, credits=0, active=False)
        campaign = unchecked(shop, text)

        assert error_of(enqueue(shop, campaign)) == (400, code)
        assert state_of(shop, campaign) == ("draft", None)

    def test_an_unknown_placeholder_is_named(self, seller: Shop) -> None:
        reply = enqueue(seller, unchecked(seller, "Hi {{nickname}}"))

        assert error_of(reply) == (400, "UNKNOWN_PLACEHOLDER")
        assert "nickname" in reply.json["message"]

    @pytest.mark.parametrize("people", [0, 2])
    def test_a_text_too_long_comes_before_the_audience(
        self, campaign_api: Api, people: int
    ) -> None:
        shop = new_shop(campaign_api, people=people, credits=0, active=False)
        campaign = create(shop, messageText=TOO_LONG)

        reply = enqueue(shop, campaign)

        assert error_of(reply) == (400, "MESSAGE_TOO_LONG")
        assert reply.json["segments"] == 31  # 2,044 units with the opt-out link, 67 a part
        assert state_of(shop, campaign) == ("draft", None)

    def test_the_longest_text_of_a_recipient_counts(self, seller: Shop) -> None:
        campaign = create(seller, messageText="x" * 1980 + "{{firstName}}")
        assert enqueue(seller, campaign).status_code == 200
        add_person(seller, first_name="Ω" + "α" * 100)

        reply = enqueue(seller, create(seller, messageText="x" * 1980 + "{{firstName}}"))

        assert error_of(reply) == (400, "MESSAGE_TOO_LONG")
        assert reply.json["segments"] > 20

    def test_an_empty_audience_comes_before_the_subscription(self, campaign_api: Api) -> None:
        shop = new_shop(campaign_api, people=0, credits=0, active=False)
        add_person(shop, is_subscribed=False)
        campaign = create(shop)

        reply = enqueue(shop, campaign)

        assert error_of(reply) == (400, "NO_RECIPIENTS")
        after = shop.get(f"/api/campaigns/{campaign}").json
        assert (after["status"], after["statusReason"]) == ("failed", "no_recipients")
        assert after["finishedAt"] == "2026-11-24T12:00:00.000Z"
        assert (after["total"], after["startedAt"], after["processed"]) == (0, None, None)

    def test_the_subscription_comes_before_the_credits(self, campaign_api: Api) -> None:
        shop = new_shop(campaign_api, credits=0, active=False)
        campaign = create(shop)

        assert error_of(enqueue(shop, campaign)) == (403, "SUBSCRIPTION_REQUIRED")
        assert state_of(shop, campaign) == ("draft", None)

    def test_too_few_credits_are_told_with_both_figures(self, campaign_api: Api) -> None:
        shop = new_shop(campaign_api, credits=2)
        campaign = create(shop)
        before = shop.get(f"/api/campaigns/{campaign}").json

        reply = enqueue(shop, campaign)

        assert error_of(reply) == (402, "INSUFFICIENT_CREDITS")
        assert (reply.json["required"], reply.json["available"]) == (3, 2)
        assert shop.get(f"/api/campaigns/{campaign}").json == before
        assert wallet(shop) == Wallet(available=2)

    def test_after_a_refusal_the_same_campaign_can_start(self, campaign_api: Api) -> None:
        shop = new_shop(campaign_api, credits=0, active=False)
        campaign = create(shop)
        enqueue(shop, campaign)
        activate(shop)
        enqueue(shop, campaign)
        give_credits(shop, 3)

        assert enqueue(shop, campaign).json["queued"] == 3
        assert wallet(shop) == Wallet(available=0, held=3)

    def test_a_shop_without_any_sender_is_refused(self) -> None:
        api = campaigns_in_memory(memory_world(), MITTO_SENDER="")
        shop = api.sign_up()
        add_person(shop)

        reply = enqueue(shop, create(shop))

        assert error_of(reply) == (400, "CAMPAIGN_ENQUEUE_ERROR")
