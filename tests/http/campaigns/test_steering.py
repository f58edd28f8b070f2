"""Pausing, resuming and cancelling (http-contract, 3.5)."""

import pytest

from tests.http.api import Shop, error_of
from tests.http.campaigns.shops import create, started

STEPS = ("pause", "resume", "cancel")


def steer(shop: Shop, campaign: object, step: str) -> dict[str, object]:
    reply = shop.post(f"/api/campaigns/{campaign}/{step}", {})
    assert reply.status_code == 200, reply.text
    found: dict[str, object] = reply.json
    return found


def test_a_campaign_is_paused_resumed_and_cancelled_with_its_credits_given_back(
    sql_seller: Shop,
) -> None:
    campaign = started(sql_seller)
    held = sql_seller.get(f"/api/campaigns/{campaign}/status").json["credits"]["held"]

    assert steer(sql_seller, campaign, "pause") == {"ok": True, "status": "paused", "remaining": 3}
    assert steer(sql_seller, campaign, "pause")["status"] == "paused"
    assert steer(sql_seller, campaign, "resume") == {
        "ok": True,
        "status": "sending",
        "remaining": 3,
    }
    cancelled = steer(sql_seller, campaign, "cancel")

    assert cancelled == {
        "ok": True,
        "status": "cancelled",
        "sent": 0,
        "cancelled": 3,
        "creditsReleased": held,
    }
    assert steer(sql_seller, campaign, "cancel") == cancelled
    status = sql_seller.get(f"/api/campaigns/{campaign}/status").json
    assert status["campaign"]["status"] == "cancelled"
    assert status["metrics"]["cancelled"] == 3
    assert status["credits"] == {"held": 0, "captured": 0, "released": held}
    assert sql_seller.get("/api/me").json["user"]["credits"] == 100


@pytest.mark.parametrize("step", STEPS)
def test_a_draft_cannot_be_steered(sql_seller: Shop, step: str) -> None:
    campaign = create(sql_seller)

    reply = sql_seller.post(f"/api/campaigns/{campaign}/{step}", {})

    assert error_of(reply) == (409, "INVALID_STATUS")


@pytest.mark.parametrize("step", STEPS)
def test_another_shops_campaign_is_not_found(sql_seller: Shop, step: str) -> None:
    campaign = started(sql_seller)
    other = sql_seller.api.sign_up()

    reply = other.post(f"/api/campaigns/{campaign}/{step}", {})

    assert error_of(reply) == (404, "RESOURCE_NOT_FOUND")
