"""Delivery reports of the SMS gateway (docs/api.md, 4.1)."""

import hashlib
import hmac
from collections.abc import Callable
from urllib.parse import urlencode

import orjson
import pytest
from falcon.testing import Result

from adapters_http.resources.messages.gateway_webhooks import GatewayDoor
from retail_core.kernel.ports import Transactions
from retail_core.kernel.secrets import SecretText
from retail_core.messages.ports import MessagesUnitOfWork
from tests.http.api import WEBHOOK_SECRET, Api, error_of

PATH = "/webhooks/mitto/dlr"
TOKEN = {"X-Webhook-Token": WEBHOOK_SECRET}
BY_QUERY = f"{PATH}?{urlencode({'secret': WEBHOOK_SECRET})}"
REPORT = b'{"messageId":"m-1","deliveryStatus":"Delivered"}'


def signature(raw: bytes, secret: str = WEBHOOK_SECRET) -> str:
    return hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()


@pytest.fixture
def stored(api: Api) -> Callable[[], list[bytes]]:
    """Takes the raw reports that were stored since the last time."""
    transactions = api.container.resolve(Transactions[MessagesUnitOfWork])

    def take() -> list[bytes]:
        with transactions.across_accounts() as uow:
            found = uow.reports.take_new_across_accounts(1000)
            uow.reports.mark_applied([each.id for each in found], api.clock.now())
            return [each.raw for each in found]

    take()
    return take


def report(
    api: Api,
    raw: bytes = REPORT,
    kind: str | None = "application/json",
    path: str = PATH,
    headers: dict[str, str] = TOKEN,
) -> Result:
    sent = headers | ({"Content-Type": kind} if kind else {})
    return api.post(path, raw=raw, headers=sent)


class TestAuthentication:
    @pytest.mark.parametrize(
        ("path", "headers"),
        [
            (BY_QUERY, {}),
            (PATH, TOKEN),
            (PATH, {"X-Webhook-Signature": signature(REPORT)}),
            (PATH, TOKEN | {"X-Webhook-Signature": "wrong"}),
        ],
    )
    def test_any_one_of_three_forms_is_enough(
        self, api: Api, path: str, headers: dict[str, str]
    ) -> None:
        reply = report(api, path=path, headers=headers)

        assert (reply.status_code, reply.json) == (202, {"ok": True, "updated": 0})

    @pytest.mark.parametrize(
        ("path", "headers"),
        [
            (PATH, {}),
            (f"{PATH}?secret=wrong", {}),
            (f"{PATH}?secret=", {}),
            (PATH, {"X-Webhook-Token": WEBHOOK_SECRET.upper()}),
            (PATH, {"X-Webhook-Token": ""}),
            (PATH, {"X-Webhook-Signature": f"sha256={signature(REPORT)}"}),
            (PATH, {"X-Webhook-Signature": signature(REPORT).upper()}),
            (PATH, {"X-Webhook-Signature": signature(REPORT + b" ")}),
            (PATH, {"X-Webhook-Signature": signature(REPORT, "other")}),
            (PATH, {"X-Webhook-Signature": "ü"}),
            (PATH, {"Authorization": f"Bearer {WEBHOOK_SECRET}"}),
        ],
    )
    def test_anything_else_is_refused(
        self, api: Api, stored: Callable[[], list[bytes]], path: str, headers: dict[str, str]
    ) -> None:
        reply = report(api, path=path, headers=headers)

        assert error_of(reply) == (401, "UNAUTHORIZED")
        assert reply.json["ok"] is False
        assert stored() == []

    def test_without_a_secret_nobody_is_let_in(self) -> None:
        door = GatewayDoor(SecretText(""))

        assert not door.lets_in(query="", token="", signature=signature(b"", ""), raw=b"")


class TestRecording:
    @pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", None])
    def test_json_is_stored_as_it_came(
        self, api: Api, stored: Callable[[], list[bytes]], kind: str | None
    ) -> None:
        assert report(api, kind=kind).status_code == 202

        assert stored() == [REPORT]

    def test_an_array_is_stored_whole(self, api: Api, stored: Callable[[], list[bytes]]) -> None:
        raw = b'[{"id":"a","id":"b"}, 5, null, {"status":"\\u0000"}]'

        assert report(api, raw).status_code == 202

        assert stored() == [raw]

    def test_a_form_is_stored_as_an_object(
        self, api: Api, stored: Callable[[], list[bytes]]
    ) -> None:
        reply = report(api, b"id=m-1&status=ok", "application/x-www-form-urlencoded")

        assert reply.status_code == 202
        assert [orjson.loads(raw) for raw in stored()] == [{"id": "m-1", "status": "ok"}]

    def test_a_query_is_stored_without_the_secret(
        self, api: Api, stored: Callable[[], list[bytes]]
    ) -> None:
        reply = api.get(f"{BY_QUERY}&messageId=m-1&status=ok")

        assert (reply.status_code, reply.json) == (202, {"ok": True, "updated": 0})
        assert [orjson.loads(raw) for raw in stored()] == [{"messageId": "m-1", "status": "ok"}]

    def test_a_head_has_no_effect(self, api: Api, stored: Callable[[], list[bytes]]) -> None:
        assert api.ask("HEAD", f"{BY_QUERY}&messageId=m-1").status_code == 202

        assert stored() == []

    @pytest.mark.parametrize("raw", [b"{", b"5", b"null", b'"x"', b"\xff", b'{"a":NaN}'])
    def test_what_is_no_json_is_refused(
        self, api: Api, stored: Callable[[], list[bytes]], raw: bytes
    ) -> None:
        assert error_of(report(api, raw)) == (400, "VALIDATION_ERROR")
        assert stored() == []

    def test_other_types_are_refused(self, api: Api) -> None:
        assert error_of(report(api, kind="text/xml")) == (415, "UNSUPPORTED_MEDIA_TYPE")
