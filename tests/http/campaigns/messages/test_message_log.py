"""The message log (docs/api.md, 3.6): all kinds of messages, filtered, shown and exported."""

import csv
import io
from typing import Any
from uuid import uuid4

import attrs
import pytest

from adapters_http import wiring
from adapters_http.app import create_app
from adapters_http.resources.messages import messages
from adapters_http.settings import EdgeSettings
from retail_core.kernel.audit import AuditAction, AuditFilter
from retail_core.kernel.ids import CampaignId, MessageNumber
from retail_core.kernel.ports import AuditTrail
from retail_core.kernel.settings import Env
from retail_core.messages.model import MessageKind, MessageState, NewSingle, SingleResult
from retail_core.templates.encoding import Encoding, TextSize
from tests.contracts.staging import LEASE
from tests.http.api import VARIABLES, Api, Shop, error_of
from tests.http.campaigns.reading import MESSAGE
from tests.http.campaigns.shops import (
    PAGE,
    ROUTES,
    add_person,
    assert_shape,
    new_shop,
    report,
    send,
    started,
    stores,
)

LOGGED = MESSAGE | {"campaignId": int | None}
STATES = ("queued", "sent", "delivered", "failed", "unknown", "cancelled")


@pytest.fixture
def log_api(campaign_api: Api) -> Api:
    routes = (*ROUTES, *messages.ROUTES)
    edge = EdgeSettings.read(Env(VARIABLES))
    app = create_app(wiring.parts(campaign_api.container, edge, routes))
    return attrs.evolve(campaign_api, app=app)


@pytest.fixture
def shop(log_api: Api) -> Shop:
    """A shop with three contacts."""
    return new_shop(log_api)


def found(shop: Shop, query: str = "") -> list[dict[str, Any]]:
    reply = shop.get(f"/api/messages?{query}")
    assert reply.status_code == 200, reply.text
    assert_shape(reply.json, PAGE)
    for message in reply.json["items"]:
        assert_shape(message, LOGGED)
    items: list[dict[str, Any]] = reply.json["items"]
    assert reply.json["total"] == len(items)
    return items


def a_test(shop: Shop, text: str = "Tried", campaign: int | None = None) -> MessageNumber:
    """A test message that waits."""
    phone = add_person(new_shop(shop.api, people=0)).phone
    with stores(shop.api).begin(shop.id) as uow:
        number = uow.numbers.reserve_block(1)
        single = NewSingle(
            number=number,
            kind=MessageKind.TEST,
            occasion=f"test:{number}",
            reason="sms:test",
            phone=phone,
            sender="MyShop",
            text=text,
            size=TextSize(Encoding.GSM7, 1, 5),
            credits=1,
            campaign=None if campaign is None else CampaignId(campaign),
        )
        assert uow.singles.add(shop.id, single, shop.api.clock.now())
    return number


def exported(shop: Shop, query: str = "") -> list[list[str]]:
    reply = shop.get(f"/api/messages/export?{query}")
    assert reply.status_code == 200, reply.text
    assert reply.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert 'filename="messages.csv"' in reply.headers["Content-Disposition"]
    return list(csv.reader(io.StringIO(reply.content.decode())))


class TestList:
    def test_all_kinds_stand_in_one_list_the_newest_first(self, shop: Shop) -> None:
        first = started(shop)
        test = a_test(shop, campaign=first)
        second = started(shop)

        rows = found(shop)

        assert [(row["kind"], row["campaignId"]) for row in rows] == [
            *[("campaign", second)] * 3,
            ("test", first),
            *[("campaign", first)] * 3,
        ]
        assert rows[3]["id"] == test
        assert [row["id"] for row in rows] == sorted((row["id"] for row in rows), reverse=True)

    def test_filters(self, shop: Shop) -> None:
        first, second = started(shop), started(shop)
        test = a_test(shop, campaign=first)
        person = found(shop)[1]["contactId"]
        number = found(shop, "kind=test")[0]["to"]

        assert len(found(shop, f"campaignId={first}")) == 4
        assert len(found(shop, f"campaignId={first}&isTest=false")) == 3
        assert [row["id"] for row in found(shop, "isTest=true")] == [test]
        assert len(found(shop, f"contactId={person}")) == 2
        assert [row["id"] for row in found(shop, f"q={number[1:]}")] == [test]
        assert len(found(shop, f"status=queued&campaignId={second}")) == 3
        for nothing in ("kind=confirmation", "automationId=7", "campaignId=2147483647"):
            assert found(shop, nothing) == []

    def test_by_every_status(self, shop: Shop) -> None:
        started(shop)
        gateway = send(shop.api)
        rows = found(shop)
        report(shop.api, list(gateway.become(MessageState.DELIVERED, rows[0]["providerMessageId"])))
        report(shop.api, list(gateway.become(MessageState.FAILED, rows[1]["providerMessageId"])))
        a_test(shop)

        counts = {word: len(found(shop, f"status={word}")) for word in STATES}

        nobody = dict.fromkeys(STATES, 0)
        assert counts == nobody | {"queued": 1, "sent": 1, "delivered": 1, "failed": 1}

    def test_by_date(self, shop: Shop) -> None:
        started(shop)

        for query, count in (
            ("dateFrom=2026-11-24", 3),
            ("dateTo=2026-11-24", 3),
            ("dateTo=2026-11-23", 0),
            ("dateFrom=2026-11-24T12:00:00.000Z", 3),
            ("dateFrom=2026-11-24T12:00:00.001Z", 0),
        ):
            assert len(found(shop, query)) == count, query

    @pytest.mark.parametrize(
        "query",
        [
            "kind=sms",
            "status=submitting",
            "dateFrom=yesterday",
            "dateTo=2026-02-30",
            "isTest=1",
            "q=abc",
            "campaignId=0",
            "contactId=x",
            "automationId=1.5",
            "page=x",
        ],
    )
    @pytest.mark.parametrize("path", ["/api/messages", "/api/messages/export"])
    def test_a_bad_value_is_refused(self, shop: Shop, path: str, query: str) -> None:
        if "page" in query and path.endswith("export"):
            return  # it has no pages

        assert error_of(shop.get(f"{path}?{query}")) == (400, "VALIDATION_ERROR")

    def test_another_shops_messages_are_in_no_list(self, shop: Shop) -> None:
        campaign = started(shop)
        other = new_shop(shop.api)

        for query in ("", f"campaignId={campaign}", f"contactId={found(shop)[0]['contactId']}"):
            assert found(other, query) == []
            assert len(exported(other, query)) == 1


class TestOne:
    def test_a_message_tells_what_happened_to_it(self, shop: Shop) -> None:
        started(shop)
        gateway = send(shop.api)
        row = found(shop)[0]
        report(shop.api, list(gateway.become(MessageState.FAILED, row["providerMessageId"])))

        reply = shop.get(f"/api/messages/{row['id']}")

        assert reply.status_code == 200, reply.text
        shown = reply.json
        assert_shape(shown, LOGGED | {"events": list})
        assert shown["status"] == "failed"
        for event in shown["events"]:
            assert_shape(event, {"at": str, "type": str, "state": str, "detail": str | None})
        assert {event["type"]: event["state"] for event in shown["events"]} == {
            "submitted": "queued",
            "accepted": "sent",
            "report": "failed",
        }

    def test_a_waiting_message_has_no_history(self, shop: Shop) -> None:
        started(shop)
        test = a_test(shop)

        for number in (test, *(row["id"] for row in found(shop))):
            shown = shop.get(f"/api/messages/{number}").json
            assert (shown["id"], shown["events"], shown["text"]) == (number, [], None)

    @pytest.mark.parametrize("number", ["9007199254740991", "9007199254740992", "-1", "99999999"])
    def test_a_number_nobody_has_is_not_found(self, shop: Shop, number: str) -> None:
        assert error_of(shop.get(f"/api/messages/{number}")) == (404, "RESOURCE_NOT_FOUND")

    @pytest.mark.parametrize("number", ["0", "abc", "1.5", "+1"])
    def test_what_is_no_number_is_refused(self, shop: Shop, number: str) -> None:
        assert error_of(shop.get(f"/api/messages/{number}")) == (400, "VALIDATION_ERROR")

    def test_another_shops_message_is_not_found(self, shop: Shop) -> None:
        started(shop)
        test, other = a_test(shop), new_shop(shop.api)

        for number in (test, found(shop)[0]["id"]):
            reply = other.get(f"/api/messages/{number}")
            assert error_of(reply) == (404, "RESOURCE_NOT_FOUND")


class TestExport:
    def test_it_has_the_columns_of_the_contract_and_a_row_for_each(self, shop: Shop) -> None:
        ana = add_person(shop, first_name="Ana")
        campaign = started(shop, messageText="Hi {{firstName|you}}")
        send(shop.api)
        test = a_test(shop)

        head, first, *rows = exported(shop, "bom=false")

        assert ",".join(head) == (
            "id,kind,isTest,campaignId,automationId,contactId,to,sender,status,errorCode,encoding,"
            "segments,credits,createdAt,sentAt,deliveredAt,failedAt,text"
        )
        assert first[:4] == [str(test), "test", "yes", ""]
        assert first[8:13] == ["queued", "", "", "", ""]
        assert len(rows) == 4
        (row,) = [dict(zip(head, row, strict=True)) for row in rows if row[5] == str(ana.id)]
        assert row["text"].startswith("Hi Ana\nStop: https://")
        assert (row["to"], row["campaignId"], row["isTest"]) == (ana.phone, str(campaign), "no")
        assert (row["segments"], row["credits"], row["encoding"]) == ("1", "1", "gsm7")
        assert row["sentAt"] == "2026-11-24T12:00:00.000Z"

    def test_who_took_what_is_written_down(self, shop: Shop) -> None:
        a_test(shop)

        assert "Content-Length" not in shop.ask("HEAD", "/api/messages/export").headers
        exported(shop, "kind=test&q=69")

        of: Any = AuditTrail
        which = AuditFilter(account=shop.id, action=AuditAction.EXPORTED)
        [record] = shop.api.container.resolve(of).newest_across_accounts(which, 10)
        assert record.details == {"rows": 1, "kind": "test", "search": True}

    def test_filters_hold_for_the_export_too(self, shop: Shop) -> None:
        started(shop)
        test = a_test(shop)

        assert [row[0] for row in exported(shop, "kind=test")[1:]] == [str(test)]
        assert len(exported(shop, "status=delivered")) == 1

    @pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
    def test_no_cell_but_the_number_is_a_formula(self, log_api: Api, start: str) -> None:
        shop = new_shop(log_api, people=1)
        text = f"{start}cmd|' /C calc'!A0"
        number = sent_test(shop, text)

        rows = {row[0]: row for row in exported(shop)[1:]}

        assert rows[str(number)][-1] == f"'{text}"
        assert all(row[6].startswith("+") for row in rows.values())

    def test_separator_and_byte_order_mark_are_chosen(self, shop: Shop) -> None:
        started(shop)
        how = {"comma": b",", "semicolon": b";", "tab": b"\t"}

        for word, character in how.items():
            reply = shop.get(f"/api/messages/export?separator={word}")
            assert reply.content.startswith(b"\xef\xbb\xbfid" + character + b"kind")
        plain = shop.get("/api/messages/export?bom=false")
        assert plain.content.startswith(b"id,kind")
        for bad in ("separator=pipe", "bom=1"):
            reply = shop.get(f"/api/messages/export?{bad}")
            assert error_of(reply) == (400, "VALIDATION_ERROR")


def sent_test(shop: Shop, text: str) -> int:
    """A test message that was sent."""
    number = a_test(shop, text)
    with stores(shop.api).begin(shop.id) as uow:
        now = shop.api.clock.now()
        ref = uuid4()
        uow.singles.commit_intent(shop.id, ref, now, now + LEASE, now.date(), 10)
        uow.singles.settle(shop.id, ref, [SingleResult(number, MessageState.SENT)], now)
    return number
