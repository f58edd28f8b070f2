"""What is written down about those who use the API, and what is not."""

from collections.abc import Mapping, Sequence

import pytest

from adapters_http.context import Request, Response
from retail_core.kernel.audit import (
    Agent,
    AgentKind,
    AuditFilter,
    AuditRecord,
    present_agent,
)
from retail_core.kernel.ports import AuditTrail
from tests.contracts.worlds import World
from tests.http.api import ADDRESS, Shop
from tests.http.people import create
from tests.http.things import Things, api_of_things

MANY = 1000


def deeds(shop: Shop) -> Sequence[AuditRecord]:
    """What was done to a shop, the oldest first."""
    trail: AuditTrail = shop.api.container.resolve(AuditTrail)
    return trail.newest_across_accounts(AuditFilter(account=shop.id), MANY)[::-1]


def of_contact(shop: Shop, contact: int) -> list[tuple[str, Mapping[str, object]]]:
    return [
        (each.action.value, each.details)
        for each in deeds(shop)
        if (each.kind.value, each.id) == ("contact", contact)
    ]


def test_consent_that_staff_changes_is_written_down_with_who_did_it(shop: Shop) -> None:
    contact = create(shop)["id"]
    for is_subscribed in (False, False, True, True):
        shop.put(
            f"/api/contacts/{contact}",
            {"isSubscribed": is_subscribed},
            headers={"X-Request-ID": "consent-1"},
        )

    assert of_contact(shop, contact) == [
        ("consent_changed", {"subscribed": False}),
        ("consent_changed", {"subscribed": True}),
    ]
    agent = deeds(shop)[-1].agent
    assert (agent.kind, agent.account) == (AgentKind.USER, shop.id)
    assert (agent.request_id, agent.address) == ("consent-1", ADDRESS)
    assert agent.session is not None


def test_a_deleted_contact_is_written_down_and_a_refused_deletion_is_not(shop: Shop) -> None:
    contact = create(shop)["id"]

    assert shop.delete(f"/api/contacts/{contact}").status_code == 200
    assert shop.delete(f"/api/contacts/{contact}").status_code == 404

    assert of_contact(shop, contact) == [("contact_deleted", {})]


def test_no_entry_holds_anything_personal(shop: Shop) -> None:
    contact = create(shop, firstName="Persephone", email="persephone@shop.example")["id"]
    shop.put(f"/api/contacts/{contact}", {"isSubscribed": False, "consentSource": "she told me"})
    shop.delete(f"/api/contacts/{contact}")

    written = str(deeds(shop))
    for personal in ("6984303406", "ersephone", "she told", shop.email, shop.token, shop.cookie):
        assert personal not in written


def test_the_thread_serves_the_next_request_as_nobody(
    edge_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Agent] = []
    answer = Things.on_get

    def look(self: Things, req: Request, resp: Response) -> None:
        seen.append(present_agent())
        answer(self, req, resp)

    monkeypatch.setattr(Things, "on_get", look)
    edge = api_of_things(edge_world)
    edge.get("/things", headers={"X-Request-ID": "r-1"})
    seen.append(present_agent())
    edge.get("/troubles/bug")
    seen.append(present_agent())

    assert seen[0] == Agent(AgentKind.VISITOR, request_id="r-1", address=ADDRESS)
    assert seen[1:] == [Agent(), Agent()]
