"""Texts that people send back (docs/api.md, 4.1)."""

from urllib.parse import urlencode

import orjson
import pytest
from falcon.testing import Result

from adapters_http.resources.engagement.gateway_inbound import TEXTS_MAX
from tests.answering import applying_over
from tests.http.api import WEBHOOK_SECRET, Api, error_of
from tests.http.campaigns.shops import stores

PATH = "/webhooks/mitto/inbound"
TOKEN = {"X-Webhook-Token": WEBHOOK_SECRET}
BY_QUERY = f"{PATH}?{urlencode({'secret': WEBHOOK_SECRET})}"
TEXT = b'{"from":"306984303406","to":"Shop","text":"hello"}'


class Stored:
    """Takes the raw texts that were stored since the last time."""

    def __init__(self, api: Api) -> None:
        self._transactions, self._clock = stores(api), api.clock
        self._apply = applying_over(self._transactions, api.clock)

    def __call__(self) -> list[bytes]:
        raws: list[bytes] = []
        while True:
            with self._transactions.across_accounts() as uow:
                some = uow.inbound_texts.take_some_across_accounts(TEXTS_MAX, self._clock.now())
            raws += [each.raw for each in some]
            for _ in some:
                self._apply(1)
            if not some:
                return raws


@pytest.fixture
def stored(api: Api) -> Stored:
    taken = Stored(api)
    taken()
    return taken


def tell(api: Api, raw: bytes = TEXT, path: str = PATH, **headers: str) -> Result:
    sent = {"Content-Type": "application/json"} | TOKEN | headers
    return api.post(path, raw=raw, headers=sent)


def test_a_text_is_stored_as_it_came(api: Api, stored: Stored) -> None:
    reply = tell(api)

    assert (reply.status_code, reply.json) == (202, {"ok": True})
    assert stored() == [TEXT]


def test_a_query_is_stored_without_the_secret(api: Api, stored: Stored) -> None:
    reply = api.get(f"{BY_QUERY}&from=%2B306984303406&to=Shop&text=hi+there")

    assert (reply.status_code, reply.json) == (202, {"ok": True})
    [raw] = stored()
    assert orjson.loads(raw) == {"from": "+306984303406", "to": "Shop", "text": "hi there"}


def test_a_form_is_stored_as_an_object(api: Api, stored: Stored) -> None:
    raw = b"msisdn=306984303406&message=hi"
    reply = tell(api, raw, **{"Content-Type": "application/x-www-form-urlencoded"})

    assert reply.status_code == 202
    assert [orjson.loads(raw) for raw in stored()] == [{"msisdn": "306984303406", "message": "hi"}]


def test_the_texts_of_an_array_are_stored_each(api: Api, stored: Stored) -> None:
    assert tell(api, b'[{"text":"a"}, 5, {"text":"b"}]').status_code == 202

    assert stored() == [b'{"text":"a"}', b"5", b'{"text":"b"}']


def test_more_texts_than_one_call_may_tell_are_refused_before_any_is_stored(
    api: Api, stored: Stored
) -> None:
    def array(length: int) -> bytes:
        return orjson.dumps([{"text": "hello"}] * length)

    assert error_of(tell(api, array(TEXTS_MAX + 1))) == (400, "VALIDATION_ERROR")
    assert stored() == []
    assert tell(api, array(TEXTS_MAX)).status_code == 202
    assert len(stored()) == TEXTS_MAX


def test_a_head_has_no_effect(api: Api, stored: Stored) -> None:
    assert api.ask("HEAD", f"{BY_QUERY}&from=306984303406&text=STOP").status_code == 202

    assert stored() == []


@pytest.mark.parametrize("raw", [b"{", b"5", b"null", b'"x"', b"\xff", b'{"a":NaN}'])
def test_what_is_no_json_is_refused(api: Api, stored: Stored, raw: bytes) -> None:
    assert error_of(tell(api, raw)) == (400, "VALIDATION_ERROR")
    assert stored() == []


@pytest.mark.parametrize(
    "raw",
    [b"{}", b"[]", b'{"from":{},"text":[]}', b'{"from":5,"text":true}', b'{"text":"\\u0000"}'],
)
def test_odd_texts_are_stored_and_applied_without_harm(
    api: Api, stored: Stored, raw: bytes
) -> None:
    assert tell(api, raw).status_code == 202

    assert len(stored()) == (raw != b"[]")


def test_who_does_not_know_the_secret_is_refused(api: Api, stored: Stored) -> None:
    for path, headers in (
        (PATH, {}),
        (f"{PATH}?secret=wrong", {}),
        (PATH, {"X-Webhook-Token": "x"}),
    ):
        reply = api.post(path, raw=TEXT, headers={"Content-Type": "application/json"} | headers)

        assert error_of(reply) == (401, "UNAUTHORIZED")
        assert reply.json["ok"] is False
    assert stored() == []
