"""Trying a campaign (docs/api.md, 3.5): all is checked first, each number is paid for itself."""

from datetime import datetime
from typing import Any, Final

import attrs
import pytest
from falcon.testing import Result

from adapters_http import wiring
from adapters_http.app import create_app
from adapters_http.resources.campaigns import test_sends as campaign_tests
from adapters_http.settings import EdgeSettings
from retail_core.billing.model import Subscription
from retail_core.contacts.model import SuppressionEntry, SuppressionReason
from retail_core.credits.model import Wallet
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.idempotency import Once, StoredReply
from retail_core.kernel.ids import SYSTEM_ACCOUNT
from retail_core.kernel.ports import IdempotencyReplies, Transactions
from retail_core.kernel.settings import Env
from retail_core.messages.model import (
    AllRejected,
    Doubtful,
    GatewayHealth,
    MessageState,
    NotSent,
)
from retail_core.messages.ports import GatewayPace, MessagesUnitOfWork, Pause, SmsGateway
from retail_core.testing.kernel.clock import ClockPause
from retail_core.testing.messages.gateway import FakeGateway, FakePace
from tests.http.api import VARIABLES, Api, Shop, error_of
from tests.http.campaigns.reading import messages_of
from tests.http.campaigns.shops import (
    ROUTES,
    add_person,
    create,
    keyed,
    new_gateway,
    new_shop,
    send,
    stores,
    wallet,
)

ONE, TWO = "+306984303401", "+306984303402"
BARRED = PhoneNumber("+306984399499")
"""No other test uses it: an entry of the owner bars it in every store."""
SENT: Final = {"to", "messageId", "text", "encoding", "segments", "credits", "status"}


@attrs.frozen
class Desk:
    """A shop with a campaign to try, and the gateway that gets the messages."""

    shop: Shop
    gateway: FakeGateway
    campaign: int

    def try_it(self, to: object = ONE, headers: Any = None, **fields: object) -> Result:
        path = f"/api/campaigns/{self.campaign}/test-send"
        return self.shop.post(path, {"to": to} | fields, headers=headers or {})

    def log(self, query: str = "?includeTests=true") -> list[dict[str, Any]]:
        path = f"/api/campaigns/{self.campaign}/messages{query}"
        found: list[dict[str, Any]] = self.shop.get(path).json["items"]
        return found

    def with_campaign(self, **fields: object) -> "Desk":
        return attrs.evolve(self, campaign=create(self.shop, **fields))


class _Forgetful:
    """Keeps no reply."""

    def save(self, once: Once, reply: StoredReply) -> None: ...

    def remove_older_across_accounts(self, before: datetime) -> int:
        raise NotImplementedError


def desk_of(campaign_api: Api) -> Desk:
    """A desk on either world, whose gateway is well."""
    gateway = new_gateway(campaign_api)
    container = campaign_api.container
    with stores(campaign_api).across_accounts() as uow:
        uow.gateway_health.save(GatewayHealth())
    container.register(Transactions[MessagesUnitOfWork], instance=stores(campaign_api))
    container.register(SmsGateway, instance=gateway)
    container.register(GatewayPace, instance=FakePace(campaign_api.clock))
    container.register(Pause, instance=ClockPause(campaign_api.clock))
    routes = (*ROUTES, *campaign_tests.ROUTES)
    app = create_app(wiring.parts(container, EdgeSettings.read(Env(VARIABLES)), routes))
    shop = new_shop(attrs.evolve(campaign_api, app=app))
    return Desk(shop, gateway, create(shop))


@pytest.fixture
def desk(campaign_api: Api) -> Desk:
    return desk_of(campaign_api)


class TestSending:
    def test_the_text_is_sent_at_once_and_charged(self, desk: Desk) -> None:
        reply = desk.try_it([ONE, "6984303402"])

        assert reply.json.keys() == {"ok", "sent", "creditsCharged"}
        assert (reply.json["ok"], reply.json["creditsCharged"]) == (True, 2)
        first, second = reply.json["sent"]
        assert first.keys() == second.keys() == SENT
        assert [each["to"] for each in (first, second)] == [ONE, TWO]
        assert second["messageId"] == first["messageId"] + 1
        expected = {"encoding": "gsm7", "segments": 1, "credits": 1, "status": "sent"}
        assert {key: first[key] for key in expected} == expected
        assert [each.text for each in desk.gateway.accepted] == [first["text"], second["text"]]
        assert first["text"].startswith("Hello Maria\nStop: https://")
        assert wallet(desk.shop) == Wallet(available=98)

    @pytest.mark.parametrize("to", [6984303401, "698 430 3401"])
    def test_a_number_may_stand_alone_or_be_a_number(self, desk: Desk, to: object) -> None:
        assert desk.try_it(to).json["sent"][0]["to"] == ONE

    def test_equal_numbers_get_one_message(self, desk: Desk) -> None:
        assert len(desk.try_it([ONE, "698 430 3401"]).json["sent"]) == 1
        assert len(desk.gateway.accepted) == 1

    def test_a_contacts_data_fill_the_text(self, desk: Desk) -> None:
        person = add_person(desk.shop, first_name="Ana")

        reply = desk.try_it(contactId=person.id)

        assert reply.json["sent"][0]["text"].startswith("Hello Ana\n")
        assert [each.destination for each in desk.gateway.accepted] == [ONE]

    def test_a_test_is_in_the_log_only_where_asked_for(self, desk: Desk) -> None:
        sent = desk.try_it().json["sent"][0]

        assert desk.log("") == []
        (message,) = desk.log()
        assert (message["id"], message["kind"], message["isTest"]) == (
            sent["messageId"],
            "test",
            True,
        )
        assert (message["campaignId"], message["contactId"], message["to"]) == (
            desk.campaign,
            None,
            ONE,
        )
        assert (message["text"], message["status"]) == (sent["text"], "sent")
        assert desk.log("?includeTests=true&status=delivered") == []
        assert len(desk.log("?includeTests=true&status=sent&q=3401")) == 1

    def test_a_test_is_in_no_statistic(self, desk: Desk) -> None:
        desk.try_it()

        status = desk.shop.get(f"/api/campaigns/{desk.campaign}/status").json
        assert set(status["metrics"].values()) == {0}
        assert status["credits"] == {"held": 0, "captured": 0, "released": 0}

    def test_a_campaign_can_be_tried_in_any_state(self, desk: Desk) -> None:
        desk.shop.post(f"/api/campaigns/{desk.campaign}/enqueue")
        send(desk.shop.api, desk.gateway)

        assert desk.try_it().json["creditsCharged"] == 1
        assert len(desk.log()) == 4
        assert desk.log()[0]["isTest"] is True
        assert len(messages_of(desk.shop, desk.campaign)) == 3


class TestOutcomes:
    def test_a_refusal_of_the_gateway_is_shown_and_free(self, desk: Desk) -> None:
        desk.gateway.reject_next(lambda message: message.destination == ONE)

        reply = desk.try_it([ONE, TWO])

        assert [each["status"] for each in reply.json["sent"]] == ["failed", "sent"]
        assert reply.json["creditsCharged"] == 1
        assert wallet(desk.shop) == Wallet(available=99)

    @pytest.mark.parametrize(
        ("outcome", "status", "left"),
        [
            (AllRejected("404"), "failed", Wallet(available=100)),
            (Doubtful("timeout"), "unknown", Wallet(available=99, held=1)),
            (NotSent("503"), "queued", Wallet(available=99, held=1)),
        ],
    )
    def test_whatever_becomes_of_it_is_told(
        self, desk: Desk, outcome: Any, status: str, left: Wallet
    ) -> None:
        desk.gateway.answer_next(outcome)

        reply = desk.try_it()

        assert reply.json["sent"][0]["status"] == status
        assert reply.json["creditsCharged"] == 0
        assert wallet(desk.shop) == left

    def test_a_report_moves_it_on(self, desk: Desk) -> None:
        desk.try_it()
        with stores(desk.shop.api).across_accounts() as uow:
            reports = desk.gateway.become(MessageState.DELIVERED)
            uow.singles.apply_reports_across_accounts(reports, desk.shop.api.clock.now())

        assert desk.log()[0]["status"] == "delivered"


class TestOnce:
    def test_the_same_key_sends_once(self, desk: Desk) -> None:
        first = desk.try_it(headers=keyed("k1"))
        second = desk.try_it(headers=keyed("k1"))

        assert second.headers["Idempotency-Replayed"] == "true"
        assert second.content == first.content
        assert len(desk.gateway.accepted) == 1
        assert wallet(desk.shop) == Wallet(available=99)

    def test_a_reply_that_was_lost_is_made_again(self, memory_api: Api) -> None:
        memory_api.container.register(IdempotencyReplies, instance=_Forgetful())
        desk = desk_of(memory_api)

        first = desk.try_it([ONE, TWO], headers=keyed("k1"))
        second = desk.try_it([ONE, TWO], headers=keyed("k1"))

        assert second.headers["Idempotency-Replayed"] == "true"
        assert (second.status_code, second.json) == (200, first.json)
        assert len(desk.gateway.accepted) == 2

    def test_the_same_key_for_other_numbers_is_refused(self, desk: Desk) -> None:
        desk.try_it(headers=keyed("k1"))

        assert error_of(desk.try_it(TWO, headers=keyed("k1"))) == (409, "IDEMPOTENCY_KEY_REUSED")
        assert len(desk.gateway.accepted) == 1


class TestRefusals:
    @pytest.mark.parametrize("to", [None, [], [ONE] * 6, {}, True, [True], [[ONE]], 1.5, [None]])
    def test_one_to_five_numbers_are_needed(self, desk: Desk, to: object) -> None:
        assert error_of(desk.try_it(to)) == (400, "VALIDATION_ERROR")

    def test_every_bad_number_is_named_and_nothing_sent(self, desk: Desk) -> None:
        reply = desk.try_it([ONE, "06984303406", "2101234567", "x"])

        assert error_of(reply) == (400, "INVALID_PHONE")
        assert [each["path"] for each in reply.json["fields"]] == ["to[1]", "to[2]", "to[3]"]
        self.assert_nothing_happened(desk)

    @pytest.mark.parametrize("owner_wide", [True, False])
    def test_a_suppressed_number_is_not_sent_to(self, desk: Desk, *, owner_wide: bool) -> None:
        account = SYSTEM_ACCOUNT if owner_wide else desk.shop.id
        entry = SuppressionEntry(
            phone=BARRED, reason=SuppressionReason.MANUAL, at=desk.shop.api.clock.now()
        )
        with stores(desk.shop.api).begin(account) as uow:
            uow.suppressions.add(account, entry)

        assert error_of(desk.try_it([ONE, BARRED])) == (409, "CONTACT_SUPPRESSED")
        self.assert_nothing_happened(desk)

    def test_a_text_that_is_too_long_is_not_sent(self, desk: Desk) -> None:
        long = desk.with_campaign(messageText="Ω" * 1_999 + "ώ")

        reply = long.try_it()

        assert error_of(reply) == (400, "MESSAGE_TOO_LONG")
        assert reply.json["segments"] > 20

    def test_a_subscription_is_needed(self, desk: Desk) -> None:
        with stores(desk.shop.api).begin(desk.shop.id) as uow:
            uow.subscriptions.save(desk.shop.id, Subscription())

        assert error_of(desk.try_it()) == (403, "SUBSCRIPTION_REQUIRED")
        self.assert_nothing_happened(desk)

    def test_credits_for_all_of_them_are_needed(self, desk: Desk) -> None:
        poor = new_shop(desk.shop.api, credits=1)
        campaign = create(poor)

        reply = poor.post(f"/api/campaigns/{campaign}/test-send", {"to": [ONE, TWO]})

        assert error_of(reply) == (402, "INSUFFICIENT_CREDITS")
        assert (reply.json["required"], reply.json["available"]) == (2, 1)
        assert desk.gateway.calls == []
        assert wallet(poor) == Wallet(available=1)

    def test_other_shops_campaigns_and_contacts_are_not_found(self, desk: Desk) -> None:
        other = new_shop(desk.shop.api)
        stranger = add_person(other)

        theirs = attrs.evolve(desk, campaign=create(other))

        assert error_of(theirs.try_it()) == (404, "RESOURCE_NOT_FOUND")
        assert error_of(desk.try_it(contactId=stranger.id)) == (404, "RESOURCE_NOT_FOUND")
        self.assert_nothing_happened(desk)

    def assert_nothing_happened(self, desk: Desk) -> None:
        assert desk.gateway.calls == []
        assert desk.log() == []
        assert wallet(desk.shop) == Wallet(available=100)
