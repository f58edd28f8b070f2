"""Whatever is sent to the routes of campaigns, the answer is one of the contract's, never a 5xx."""

from typing import Any
from urllib.parse import quote, urlencode

import orjson
import pytest
from falcon.testing import Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.http.api import Api, Shop, error_of
from tests.http.campaigns.shops import (
    WITH_TEMPLATE,
    assert_shape,
    create,
    new_shop,
)

FIELDS = [
    "name",
    "messageText",
    "templateId",
    "filterGender",
    "filterAgeGroup",
    "listId",
    "excludeListIds",
    "segment",
    "includeOffer",
    "trackLinks",
    "scheduledDate",
    "scheduledTime",
    "scheduledAt",
    "nameSearch",
]
QUERIES = [
    "page",
    "pageSize",
    "q",
    "status",
    "withStats",
    "orderBy",
    "order",
    "dateFrom",
    "dateTo",
    "includeTests",
    "anything",
]
WORDS = [
    "",
    " ",
    "male",
    "FEMALE",
    "18_24",
    "40+",
    "all",
    "gender_male",
    "0",
    "-1",
    "1",
    "99999999999999999999999",
    "true",
    "2026-11-24",
    "2026-11-24T10:00:00+02:00",
    "10:00",
    "{{firstName|x}}",
    "{{",
    "{{nobody}}",
    "%",
    "\\",
    "'",
    "Ω≈ç√",
    "🎁" * 200,
    "x" * 2001,
]
texts = st.sampled_from(WORDS) | st.text(max_size=40)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
bodies = st.dictionaries(st.sampled_from(FIELDS), values, max_size=6)
good_names: st.SearchStrategy[dict[str, Any]] = st.just({}) | st.just(
    {"name": "Autumn", "messageText": "Hi {{firstName}}"}
)
queries = st.dictionaries(st.sampled_from(QUERIES), texts, max_size=4)
ids = st.sampled_from(["1", "-1", "0"]) | st.text(min_size=1, max_size=12)
anything = settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def json_of(body: object) -> bytes | None:
    """The body as a client would write it; None for what has no JSON."""
    try:
        return orjson.dumps(body)
    except orjson.JSONEncodeError:  # integers beyond 64 bits
        return None


def is_understood(reply: Result) -> bool:
    """Whether it was a success; a refusal must have the four keys."""
    if reply.status_code < 400:
        return True
    status, code = error_of(reply)
    assert status < 500, reply.text
    assert code != "INTERNAL_ERROR"
    return False


@pytest.fixture
def one_seller(campaign_api: Api) -> Shop:
    """The same shop for all examples of a test; it has nothing to send with."""
    return new_shop(campaign_api, people=1, credits=0)


@anything
@given(body=bodies, rest=good_names)
def test_any_body_of_create(one_seller: Shop, body: dict[str, Any], rest: dict[str, Any]) -> None:
    raw = json_of(rest | body)
    if raw is None:
        return

    reply = one_seller.post("/api/campaigns", raw=raw, headers=json_type())

    if is_understood(reply):
        assert reply.status_code == 201
        assert_shape(reply.json, WITH_TEMPLATE)


@anything
@given(body=bodies, campaign=ids)
def test_any_body_of_edit(one_seller: Shop, body: dict[str, Any], campaign: str) -> None:
    raw = json_of(body)
    if raw is None:
        return
    for number in (str(create(one_seller)), campaign):
        path = f"/api/campaigns/{quote(number, safe='')}"
        reply = one_seller.put(path, raw=raw, headers=json_type())

        if is_understood(reply):
            assert_shape(reply.json, WITH_TEMPLATE)


@anything
@given(body=bodies)
def test_any_body_of_an_audience(one_seller: Shop, body: dict[str, Any]) -> None:
    raw = json_of(body)
    if raw is None:
        return

    reply = one_seller.post("/api/campaigns/preview-audience", raw=raw, headers=json_type())

    if is_understood(reply):
        assert reply.json.keys() == {"count", "preview", "hasMore"}


@anything
@given(raw=st.binary(max_size=60), campaign=ids)
def test_any_bytes(one_seller: Shop, raw: bytes, campaign: str) -> None:
    number = quote(campaign, safe="")

    for path in ("", "/preview-audience", f"/{number}/enqueue"):
        is_understood(one_seller.post(f"/api/campaigns{path}", raw=raw, headers=json_type()))
    is_understood(one_seller.put(f"/api/campaigns/{number}", raw=raw, headers=json_type()))


@anything
@given(query=queries)
def test_any_query(one_seller: Shop, query: dict[str, str]) -> None:
    campaign = create(one_seller)

    for path in ("", f"/{campaign}/messages", f"/{campaign}/status", f"/{campaign}/preview"):
        reply = one_seller.get(f"/api/campaigns{path}?{urlencode(query)}")

        if is_understood(reply) and path in {"", f"/{campaign}/messages"}:
            assert reply.json.keys() == {"items", "total", "page", "pageSize"}


@anything
@given(campaign=ids)
def test_any_id(one_seller: Shop, campaign: str) -> None:
    number = quote(campaign, safe="")

    for path in ("", "/messages", "/status", "/preview", "/forecast"):
        is_understood(one_seller.get(f"/api/campaigns/{number}{path}"))


@anything
@given(
    text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1),
)
def test_any_text_goes_through_whole(one_seller: Shop, text: str) -> None:
    reply = one_seller.post("/api/campaigns", {"name": "A", "messageText": text})

    if is_understood(reply):
        assert reply.json["messageText"] == text.strip()
        sample = one_seller.get(f"/api/campaigns/{reply.json['id']}/preview").json["sample"][0]
        assert "{{" in text or sample["text"] == text.strip()
        assert is_understood(one_seller.get(f"/api/campaigns/{reply.json['id']}/status"))


def json_type() -> dict[str, str]:
    return {"Content-Type": "application/json"}
