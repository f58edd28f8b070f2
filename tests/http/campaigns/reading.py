"""Reading what became of a campaign, with the shapes checked every time."""

from typing import Any

from tests.http.api import Shop
from tests.http.campaigns.shops import CAMPAIGN, PAGE, assert_shape

METRICS = dict.fromkeys(
    ("queued", "success", "processed", "failed", "sent", "delivered", "unknown", "cancelled"), int
)
STATUS = {"campaign": dict, "metrics": dict, "credits": dict, "deferredUntil": str | None}
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
