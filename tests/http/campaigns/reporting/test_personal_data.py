"""What a person may ask a store for (docs/api.md, 3.2): their data, and that they be erased."""

from collections.abc import Sequence
from typing import Any

import psycopg
import pytest

from adapters_db.campaigns.recount import SqlCampaignAudit
from adapters_db.connection.connections import Connections
from adapters_db.connection.reads import Reads
from retail_core.credits.queries import LedgerAudit
from retail_core.kernel.audit import AuditAction, AuditFilter
from retail_core.kernel.ports import AuditTrail
from retail_core.messages.model import OutgoingMessage, SubmissionOutcome
from tests.http.api import Shop, error_of
from tests.http.campaigns.shops import new_gateway, new_shop, send, started
from tests.http.people import FULL, consents, create
from tests.http.uploading import done, new_list

KEYS = {
    "exportedAt",
    "contact",
    "lists",
    "consents",
    "suppressions",
    "messages",
    "clicks",
    "offerViews",
    "redemptions",
    "conversions",
    "nfcScans",
}
LATER_KEYS = ("clicks", "offerViews", "redemptions", "conversions", "nfcScans")


@pytest.fixture
def shop(sql_api: Any) -> Shop:
    """A shop that can send, with contacts."""
    return new_shop(sql_api)


def actions(shop: Shop, action: AuditAction) -> list[Any]:
    of: Any = AuditTrail
    which = AuditFilter(account=shop.id, action=action)
    return list(shop.api.container.resolve(of).newest_across_accounts(which, 10))


def erase(shop: Shop, contact: int, **body: object) -> Any:
    reply = shop.post(f"/api/contacts/{contact}/erase", body)
    assert reply.status_code == 200, reply.text
    return reply.json


def somebody(shop: Shop) -> dict[str, Any]:
    """A contact with everything, who got a message."""
    contact = create(shop, **FULL)
    own = new_list(shop)
    assert shop.post(f"/api/lists/{own}/contacts/{contact['id']}", {}).status_code == 201
    started(shop)
    send(shop.api)
    return contact


class TestExport:
    def test_all_that_is_known_is_told(self, shop: Shop) -> None:
        contact = somebody(shop)
        shop.put(f"/api/contacts/{contact['id']}", {"isSubscribed": False})
        shop.post("/api/suppressions", {"phone": contact["phone"], "note": "n"})

        reply = shop.get(f"/api/contacts/{contact['id']}/export")

        assert reply.status_code == 200, reply.text
        assert "attachment" in reply.headers["Content-Disposition"]
        told = reply.json
        assert told.keys() == KEYS
        assert told["contact"] == shop.get(f"/api/contacts/{contact['id']}").json
        assert [each["name"] for each in told["lists"]] == ["VIP"]
        assert told["consents"] == consents(shop, contact["id"])
        assert [each["reason"] for each in told["suppressions"]] == ["manual"]
        assert [each["to"] for each in told["messages"]] == [contact["phone"]]
        assert [told[key] for key in LATER_KEYS] == [[]] * len(LATER_KEYS)

    def test_it_is_written_down_but_not_for_the_head_alone(self, shop: Shop) -> None:
        contact = create(shop, **FULL)
        path = f"/api/contacts/{contact['id']}/export"

        shop.ask("HEAD", path)
        before = actions(shop, AuditAction.EXPORTED)
        shop.get(path)

        assert before == []
        assert [each.id for each in actions(shop, AuditAction.EXPORTED)] == [contact["id"]]

    def test_another_shops_contact_is_not_found(self, shop: Shop) -> None:
        contact = create(shop, **FULL)
        other = shop.api.sign_up()

        reply = other.get(f"/api/contacts/{contact['id']}/export")

        assert error_of(reply) == (404, "RESOURCE_NOT_FOUND")
        assert actions(other, AuditAction.EXPORTED) == []


class TestErasure:
    def test_the_person_is_gone_and_counted(self, shop: Shop) -> None:
        contact = somebody(shop)

        told = erase(shop, contact["id"], reason="asked for it")

        counts = {"messages": 1, "consents": 1, "memberships": 1, "events": 0}
        assert (told["ok"], told["erased"]) == (True, counts)
        for path in ("", "/consents", "/export"):
            reply = shop.get(f"/api/contacts/{contact['id']}{path}")
            assert error_of(reply) == (404, "RESOURCE_NOT_FOUND")
        again = shop.post(f"/api/contacts/{contact['id']}/erase", {})
        assert error_of(again) == (404, "RESOURCE_NOT_FOUND")
        [noted] = actions(shop, AuditAction.CONTACT_ERASED)
        assert (noted.id, noted.details) == (contact["id"], counts)

    def test_nothing_personal_is_left_in_any_table(self, shop: Shop) -> None:
        contact = create(shop, "6984303999", firstName="Xenophon", email="xeno@phon.example")
        done(shop, "phone,firstName\n6984303999,Xenophon\n06984303999,Xenophon\n", mode="update")
        key = {"Idempotency-Key": f"k{contact['id']}"}
        shop.post("/api/contacts", {"phone": "6984303998", "firstName": "Xenophon"}, headers=key)
        shop.delete(f"/api/contacts/{contact['id'] + 1}")
        started(shop)
        send(shop.api)
        started(shop)

        erase(shop, contact["id"])

        found = self.tables_with(shop, "Xenophon", "xeno@phon", "6984303999")
        # the file itself is kept for a day after its import
        assert found <= {"import_chunk"}, found

    def tables_with(self, shop: Shop, *words: str) -> set[str]:
        """Where any of these stands, in whatever column."""
        of: Any = Connections
        url = shop.api.container.resolve(of).settings.url
        with psycopg.connect(url, autocommit=True) as connection:
            names = connection.execute(
                "SELECT table_name FROM information_schema.columns "
                "WHERE table_schema = 'public' AND column_name = 'account_id'"
            ).fetchall()
            return {
                name
                for (name,) in names
                for word in words
                if connection.execute(
                    f"SELECT 1 FROM {name} t WHERE account_id = %s "
                    "AND t::text LIKE '%%' || %s || '%%'".encode(),
                    (shop.id, word),
                ).fetchone()
            }

    def test_the_books_still_add_up(self, shop: Shop) -> None:
        contact = somebody(shop)
        campaign = started(shop)
        before = shop.get(f"/api/campaigns/{campaign}").json["total"]

        erase(shop, contact["id"])
        send(shop.api)

        after = shop.get(f"/api/campaigns/{campaign}").json
        assert (after["total"], after["processed"]) == (before, before)
        of: Any = LedgerAudit
        wallets = shop.api.container.resolve(of).mismatches_across_accounts(1000)
        assert [each for each in wallets if each.account == shop.id] == []
        of = Reads
        books = SqlCampaignAudit(shop.api.container.resolve(of))
        counters = books.mismatches_across_accounts(1000)
        assert [each for each in counters if each.account == shop.id] == []

    def test_it_is_refused_while_a_message_is_just_being_submitted(self, shop: Shop) -> None:
        contact = create(shop, **FULL)
        started(shop)
        gateway, path = new_gateway(shop.api), f"/api/contacts/{contact['id']}/erase"
        during: list[Any] = []

        def ask(messages: Sequence[OutgoingMessage]) -> SubmissionOutcome:
            during.append(shop.post(path, {}))
            return gateway.take(messages)

        gateway.answer_next(ask)
        send(shop.api, gateway)

        assert [error_of(reply) for reply in during] == [(409, "INVALID_STATUS")]
        assert erase(shop, contact["id"])["erased"]["messages"] == 1

    def test_the_number_is_barred_for_good_and_shown_to_nobody(self, shop: Shop) -> None:
        contact = somebody(shop)
        erase(shop, contact["id"])

        entries = shop.get("/api/suppressions").json["items"]
        back = create(shop, **FULL)

        assert [(each["phone"], each["reason"]) for each in entries] == [(None, "erasure")]
        assert back["isSuppressed"] is True
        refused = shop.put(f"/api/contacts/{back['id']}", {"isSubscribed": True}).json
        assert refused["isSuppressed"] is True

    def test_it_is_recognised_in_a_later_import(self, shop: Shop) -> None:
        contact = somebody(shop)
        erase(shop, contact["id"])

        done(shop, f"phone\n{contact['phone']}\n")

        [back] = shop.get(f"/api/contacts?q={contact['phone'][1:]}").json["items"]
        assert (back["isSuppressed"], back["isSubscribed"]) == (True, False)

    def test_another_shops_contact_is_not_found_and_stays(self, shop: Shop) -> None:
        contact = create(shop, **FULL)
        other = shop.api.sign_up()

        reply = other.post(f"/api/contacts/{contact['id']}/erase", {})

        assert error_of(reply) == (404, "RESOURCE_NOT_FOUND")
        assert shop.get(f"/api/contacts/{contact['id']}").status_code == 200

    @pytest.mark.parametrize("reason", ["x" * 501, 5, ["x"]])
    def test_a_bad_reason_is_refused(self, shop: Shop, reason: object) -> None:
        contact = create(shop, **FULL)

        reply = shop.post(f"/api/contacts/{contact['id']}/erase", {"reason": reason})

        assert error_of(reply) == (400, "VALIDATION_ERROR")
