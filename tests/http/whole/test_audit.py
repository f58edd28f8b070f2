"""What is written down about those who use the API, and what is not."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import pytest
from falcon.testing import Result

from adapters_http.web.context import Request, Response
from retail_core.kernel.audit import (
    Agent,
    AgentKind,
    AuditAction,
    AuditFilter,
    AuditRecord,
    present_agent,
)
from retail_core.kernel.ports import AuditTrail
from tests.contracts.worlds import World
from tests.http.api import ADDRESS, PASSWORD, Shop, cookie_of
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


def signed_in_twice(shop: Shop) -> Result:
    return shop.api.post("/api/auth/login", {"email": shop.email, "password": PASSWORD})


class TestSessions:
    def test_each_way_in_and_out_is_written_down(self, shop: Shop) -> None:
        second = signed_in_twice(shop)
        shop.api.post("/api/auth/logout", cookie=cookie_of(second))
        shop.api.post("/api/auth/logout", cookie=cookie_of(second))
        signed_in_twice(shop)
        shop.delete("/api/auth/sessions")

        assert [each.action.value for each in deeds(shop)] == [
            "account_opened",
            "signed_in",
            "signed_in",
            "session_ended",
            "signed_in",
            "sessions_ended",
        ]
        ended = [each.id for each in deeds(shop) if each.action.value == "session_ended"]
        assert ended == [deeds(shop)[2].id]
        assert deeds(shop)[-1].details == {"sessions": 1}

    def test_a_refused_sign_in_is_counted_without_the_address_that_was_tried(
        self, shop: Shop
    ) -> None:
        tried = "persephone@nowhere.example"
        for email in (shop.email, tried):
            body = {"email": email, "password": "wrong password"}
            assert shop.api.post("/api/auth/login", body).status_code == 401

        which = AuditFilter(action=AuditAction.SIGN_IN_REFUSED)
        trail: AuditTrail = shop.api.container.resolve(AuditTrail)
        newest = trail.newest_across_accounts(which, 2)
        assert [each.account for each in newest] == [None, shop.id]
        assert [each.agent.kind for each in newest] == [AgentKind.VISITOR] * 2
        assert "persephone" not in str(newest)

    def test_a_token_that_comes_back_is_written_down_although_it_is_refused(
        self, shop: Shop
    ) -> None:
        shop.api.post("/api/auth/refresh", cookie=shop.cookie)
        shop.api.clock.advance(timedelta(seconds=11))

        assert shop.api.post("/api/auth/refresh", cookie=shop.cookie).status_code == 401

        assert deeds(shop)[-1].action is AuditAction.SESSION_REUSED

    def test_a_new_password_is_written_down_with_the_sessions_it_ended(self, shop: Shop) -> None:
        signed_in_twice(shop)
        body = {"oldPassword": PASSWORD, "newPassword": "battery staple"}

        assert shop.put("/api/user/password", body).status_code == 200

        last = deeds(shop)[-1]
        assert (last.action.value, last.details) == ("password_changed", {"sessions_ended": 1})

    def test_a_wrong_old_password_is_written_down_with_who_tried_it(self, shop: Shop) -> None:
        body = {"oldPassword": "not the one", "newPassword": "battery staple"}

        assert shop.put("/api/user/password", body).status_code == 401

        last = deeds(shop)[-1]
        assert (last.action.value, last.id, last.details) == ("password_refused", shop.id, {})
        assert (last.agent.kind, last.agent.account) == (AgentKind.USER, shop.id)
        assert last.agent.session is not None


class TestApiKeys:
    def test_a_key_is_written_down_when_it_is_made_when_it_acts_and_when_it_ends(
        self, shop: Shop
    ) -> None:
        scopes = ["contacts:read", "contacts:write"]
        made = shop.post("/api/api-keys", {"name": "Till", "scopes": scopes}).json
        contact = create(shop)["id"]
        shop.api.ask("DELETE", f"/api/contacts/{contact}", token=made["key"])
        shop.delete(f"/api/api-keys/{made['id']}")

        created, deleted, revoked = deeds(shop)[-3:]
        assert (created.action.value, created.id) == ("api_key_created", made["id"])
        assert created.details == {"contacts_read": True, "contacts_write": True}
        assert (deleted.agent.kind, deleted.agent.api_key) == (AgentKind.API_KEY, made["id"])
        assert deleted.agent.session is None
        assert (revoked.action.value, revoked.id) == ("api_key_revoked", made["id"])
        assert made["key"] not in str(deeds(shop))
