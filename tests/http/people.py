"""A shop's contacts, as tests of the API make and read them."""

from typing import Any

from falcon.testing import Result

from retail_core.contacts.model import SuppressionEntry, SuppressionReason
from retail_core.contacts.ports import ContactsUnitOfWork
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import AccountId
from retail_core.kernel.ports import Transactions
from tests.http.api import Shop

NOON = "2026-11-24T12:00:00.000Z"
KEYS = {
    "id",
    "ownerId",
    "phone",
    "lineType",
    "email",
    "firstName",
    "lastName",
    "gender",
    "birthday",
    "tags",
    "isSubscribed",
    "unsubscribedAt",
    "isSuppressed",
    "createdAt",
    "updatedAt",
}
FULL = {
    "phone": "6984303406",
    "email": " Ana@Example.com ",
    "firstName": " Άννα ",
    "lastName": "Lo",
    "gender": "FEMALE",
    "birthday": "1990-05-17",
    "tags": ["VIP", "vip", "a b"],
    "consentSource": "paper form 2026",
}


def create(shop: Shop, phone: object = "6984303406", **fields: object) -> dict[str, Any]:
    reply = shop.post("/api/contacts", {"phone": phone, **fields})
    assert reply.status_code == 201, reply.text
    contact: dict[str, Any] = reply.json
    return contact


def consents(shop: Shop, contact_id: int) -> list[dict[str, Any]]:
    reply = shop.get(f"/api/contacts/{contact_id}/consents")
    assert reply.status_code == 200, reply.text
    items: list[dict[str, Any]] = reply.json["items"]
    return items


def suppress(
    shop: Shop, phone: str, reason: SuppressionReason, account: AccountId | None = None
) -> None:
    of: Any = Transactions
    transactions = shop.api.container.resolve(of[ContactsUnitOfWork])
    owner = account or shop.id
    with transactions.begin(owner) as uow:
        entry = SuppressionEntry(phone=PhoneNumber(phone), reason=reason, at=shop.api.clock.now())
        uow.suppressions.add(owner, entry)


def listed(reply: Result) -> list[int]:
    assert reply.status_code == 200, reply.text
    return [item["id"] for item in reply.json["items"]]
