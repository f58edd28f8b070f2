"""For each route that honours an Idempotency-Key: how a shop makes a good request of it.

A new route that creates, sends or charges has `once=True` and a line in `RECIPES`; any other new
POST that needs a sign-in has a line in `IGNORE_THE_KEY` that says why it may (docs/api.md, 1.9).
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

import attrs

from tests.http import uploading
from tests.http.api import Shop
from tests.http.campaigns import shops
from tests.http.uploading import PEOPLE, form

IGNORE_THE_KEY: Final[Mapping[str, str]] = {
    "/api/campaigns/preview-audience": "reads",
    "/api/campaigns/{campaign_id}/pause": "pausing what is paused changes nothing",
    "/api/campaigns/{campaign_id}/refresh-status": "asks the gateway, and again is as good",
    "/api/lists/{list_id}/sync": "writes down who fits, and again is as good",
    "/api/mitto/refresh-status": "asks the gateway, and again is as good",
    "/api/mitto/refresh-status-bulk": "asks the gateway, and again is as good",
}
ONE: Final = "+306984303401"


@attrs.frozen
class Asked:
    """One request that can be sent again; what is `shown_once` is null in its repeats."""

    path: str
    body: object = None
    raw: bytes | None = None
    headers: Mapping[str, str] = attrs.field(factory=dict)
    shown_once: frozenset[str] = frozenset()

    def repeated(self, first: Any) -> dict[str, Any]:
        """What a repeat says, given the first reply."""
        return {**first.json, **dict.fromkeys(self.shown_once)}

    def send(self, shop: Shop, key: str, **how: Any) -> Any:
        headers = {**self.headers, "Idempotency-Key": key}
        return shop.post(self.path, self.body, raw=self.raw, headers=headers, **how)


Recipe: TypeAlias = Callable[[Shop], Asked]


def _upload(_shop: Shop) -> Asked:
    headers, raw = form([("file", "people.csv", PEOPLE.encode())])
    return Asked("/api/contacts/import", raw=raw, headers=headers)


def _register(_: Shop) -> Asked:
    headers, body = form([("file", "register.txt", ONE.encode())])
    return Asked("/api/suppressions/import", raw=body, headers=headers)


def _undo(shop: Shop) -> Asked:
    job = uploading.send(shop).json["jobId"]
    uploading.run(shop.api, shop.id)
    return Asked(f"/api/contacts/import/{job}/undo", {})


def _paused(shop: Shop) -> int:
    campaign = shops.started(shop)
    assert shop.post(f"/api/campaigns/{campaign}/pause", {}).status_code == 200
    return campaign


def _membership(shop: Shop) -> Asked:
    made = shop.post("/api/lists", {"name": "VIP"}).json["id"]
    person = shops.add_person(shop).id
    return Asked(f"/api/lists/{made}/contacts/{person}", {})


RECIPES: Final[Mapping[str, Recipe]] = {
    "/api/lists": lambda _: Asked("/api/lists", {"name": "VIP"}),
    "/api/lists/{list_id}/contacts/{contact_id}": _membership,
    "/api/contacts/bulk/tags": lambda shop: Asked(
        "/api/contacts/bulk/tags", {"ids": [shops.add_person(shop).id], "add": ["vip"]}
    ),
    "/api/contacts/bulk/delete": lambda shop: Asked(
        "/api/contacts/bulk/delete", {"ids": [shops.add_person(shop).id]}
    ),
    "/api/contacts/{contact_id}/erase": lambda shop: Asked(
        f"/api/contacts/{shops.add_person(shop).id}/erase", {"reason": "asked for it"}
    ),
    "/api/contacts/{contact_id}/request-consent": lambda shop: Asked(
        f"/api/contacts/{shops.add_person(shop, is_subscribed=False).id}/request-consent", {}
    ),
    "/api/api-keys": lambda _: Asked(
        "/api/api-keys",
        {"name": "A", "scopes": ["contacts:read"]},
        shown_once=frozenset({"key"}),
    ),
    "/api/contacts": lambda _: Asked("/api/contacts", {"phone": ONE}),
    "/api/suppressions": lambda _: Asked("/api/suppressions", {"phone": ONE}),
    "/api/suppressions/import": _register,
    "/api/contacts/import": _upload,
    "/api/contacts/import/{job_id}/undo": _undo,
    "/api/campaigns": lambda _: Asked("/api/campaigns", {"name": "A", "messageText": "Hello"}),
    "/api/campaigns/{campaign_id}/enqueue": lambda shop: Asked(
        f"/api/campaigns/{shops.create(shop)}/enqueue", {}
    ),
    "/api/campaigns/{campaign_id}/resume": lambda shop: Asked(
        f"/api/campaigns/{_paused(shop)}/resume", {}
    ),
    "/api/campaigns/{campaign_id}/cancel": lambda shop: Asked(
        f"/api/campaigns/{shops.started(shop)}/cancel", {}
    ),
    "/api/campaigns/{campaign_id}/test-send": lambda shop: Asked(
        f"/api/campaigns/{shops.create(shop)}/test-send", {"to": ONE}
    ),
}
