"""Quiet hours as a shop sees them: in the forecast, in the status, and in what happens."""

from datetime import time, timedelta

from retail_core.accounts.model import ProfileChanges, QuietHours
from retail_core.links.codes import LinkCodes
from retail_core.messages.use_cases import SweepStaleBatches
from tests.http.api import Shop
from tests.http.campaigns.reading import metrics_of, status_of
from tests.http.campaigns.shops import create, new_gateway, send, started, stores

SIESTA = QuietHours(time(13, 50), time(14, 10))
"""It is 14:00 in Greece, where all contacts live."""
SIESTA_OVER = "2026-11-24T12:10:00.000Z"
NOW = "2026-11-24T12:00:00.000Z"


def set_hours(shop: Shop, hours: QuietHours | None) -> None:
    with stores(shop.api).begin(shop.id) as uow:
        changes = ProfileChanges(quiet_hours=hours)
        uow.accounts.save_profile(
            changes.applied_to(uow.accounts.get(shop.id), shop.api.clock.now())
        )


def quiet_forecast(shop: Shop, campaign: int) -> dict[str, object]:
    reply = shop.get(f"/api/campaigns/{campaign}/forecast")
    assert reply.status_code == 200, reply.text
    found: dict[str, object] = reply.json["quietHours"]
    return found


def test_without_quiet_hours_the_first_could_be_sent_to_now(seller: Shop) -> None:
    campaign = create(seller)

    assert quiet_forecast(seller, campaign) == {"deferred": 0, "firstSendAt": NOW}


def test_the_forecast_tells_who_would_have_to_wait(seller: Shop) -> None:
    campaign = create(seller)
    set_hours(seller, SIESTA)

    assert quiet_forecast(seller, campaign) == {"deferred": 3, "firstSendAt": SIESTA_OVER}


def test_the_forecast_of_nobody_has_nobody_wait(seller: Shop) -> None:
    campaign = create(seller, filterGender="other")
    set_hours(seller, SIESTA)

    assert quiet_forecast(seller, campaign) == {"deferred": 0, "firstSendAt": NOW}


def test_who_must_wait_is_shown_waiting_and_sent_to_later(seller: Shop) -> None:
    set_hours(seller, SIESTA)
    campaign = started(seller)
    gateway = new_gateway(seller.api)

    send(seller.api, gateway)

    found = status_of(seller, campaign)
    assert gateway.accepted == []
    assert found["campaign"]["status"] == "sending"
    assert found["deferredUntil"] == SIESTA_OVER
    assert metrics_of(seller, campaign) == {"queued": 3}
    assert found["credits"] == {"held": 3, "captured": 0, "released": 0}
    log = seller.get(f"/api/campaigns/{campaign}/messages").json
    assert [each["status"] for each in log["items"]] == ["queued"] * 3

    seller.api.clock.advance(timedelta(minutes=10))
    codes = seller.api.container.resolve(LinkCodes)
    SweepStaleBatches(stores(seller.api), seller.api.clock, codes)()
    send(seller.api, gateway)

    assert len(gateway.accepted) == 3
    found = status_of(seller, campaign)
    assert (found["campaign"]["status"], found["deferredUntil"]) == ("completed", None)


def test_pause_resume_and_cancel_know_those_who_wait(seller: Shop) -> None:
    set_hours(seller, SIESTA)
    campaign = started(seller)
    send(seller.api)

    paused = seller.post(f"/api/campaigns/{campaign}/pause")
    assert (paused.status_code, paused.json["remaining"]) == (200, 3)
    assert status_of(seller, campaign)["deferredUntil"] == SIESTA_OVER
    resumed = seller.post(f"/api/campaigns/{campaign}/resume")
    assert (resumed.status_code, resumed.json["remaining"]) == (200, 3)
    assert send(seller.api).accepted == []
    cancelled = seller.post(f"/api/campaigns/{campaign}/cancel")
    assert cancelled.json["cancelled"] == 3
    assert cancelled.json["creditsReleased"] == 3
    assert status_of(seller, campaign)["deferredUntil"] is None


def test_hours_that_were_taken_back_count_after_a_pause(seller: Shop) -> None:
    set_hours(seller, SIESTA)
    campaign = started(seller)
    send(seller.api)
    set_hours(seller, None)

    seller.post(f"/api/campaigns/{campaign}/pause")
    seller.post(f"/api/campaigns/{campaign}/resume")

    assert len(send(seller.api).accepted) == 3
