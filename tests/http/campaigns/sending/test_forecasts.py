"""What sending would take, before it is sent (docs/api.md, 3.5)."""

from datetime import date

import pytest

from retail_core.kernel.addresses.phones import LineType
from tests.http.api import Api, Shop, error_of
from tests.http.campaigns.shops import (
    add_person,
    assert_shape,
    create,
    new_shop,
    started,
    unchecked,
)

FORECAST = {
    "campaignId": int,
    "computedAt": str,
    "matched": int,
    "excluded": dict,
    "recipients": int,
    "segments": int,
    "credits": int,
    "encodings": dict,
    "histogram": list,
    "countries": list,
    "longest": dict | None,
    "placeholders": list,
    "smartEncoding": list,
    "quietHours": dict,
    "balance": dict,
}
EXCLUDED = {
    "notSubscribed": 1,
    "suppressed": 0,
    "excludedLists": 0,
    "underAge": 1,
    "ageUnknown": 0,
    "frequencyCap": 0,
    "landline": 1,
    "countryNotPriced": 0,
}


@pytest.fixture
def empty(campaign_api: Api) -> Shop:
    return new_shop(campaign_api, people=0)


def test_it_counts_every_text_and_everybody_left_out(empty: Shop) -> None:
    add_person(empty, first_name="Ana")
    greek = add_person(empty, first_name="Ελένη")
    add_person(empty)
    add_person(empty, is_subscribed=False)
    add_person(empty, birthday=date(2020, 1, 1))
    add_person(empty, line_type=LineType.LANDLINE)
    campaign = create(empty, messageText="Hi {{firstName|you}}! " + "x" * 100, includeOffer=False)

    reply = empty.get(f"/api/campaigns/{campaign}/forecast")

    assert reply.status_code == 200, reply.text
    found = reply.json
    assert_shape(found, FORECAST)
    assert found["excluded"] == EXCLUDED
    assert found["matched"] == found["recipients"] + sum(EXCLUDED.values()) == 6
    assert found["encodings"] == {
        "gsm7": {"recipients": 2, "segments": 2},
        "ucs2": {"recipients": 1, "segments": 3},
    }
    assert found["histogram"] == [
        {"encoding": "gsm7", "segments": 1, "recipients": 2},
        {"encoding": "ucs2", "segments": 3, "recipients": 1},
    ]
    assert found["countries"] == [
        {"country": "GR", "recipients": 3, "segments": 5, "creditsPerSegment": 1, "credits": 5}
    ]
    assert found["longest"]["contactId"] == greek.id
    assert found["placeholders"] == [{"name": "firstName", "missing": 1, "fallback": 1}]
    assert found["smartEncoding"] == [
        {"mode": "typography", "segments": 5, "credits": 5},
        {"mode": "greek", "segments": 3, "credits": 3},
    ]
    assert found["balance"]["required"] == found["credits"] == 5


def test_what_is_forecast_is_what_is_held(empty: Shop) -> None:
    for name in ("Ana", "Ελένη", None):
        add_person(empty, first_name=name)
    campaign = create(empty, messageText="Hi {{firstName}} " + "y" * 150)
    expected = empty.get(f"/api/campaigns/{campaign}/forecast").json

    reply = empty.post(f"/api/campaigns/{campaign}/enqueue", {})

    assert reply.json["queued"] == expected["recipients"]
    assert reply.json["credits"]["held"] == expected["credits"]


def test_an_audience_of_nobody_takes_nothing(empty: Shop) -> None:
    campaign = create(empty)

    found = empty.get(f"/api/campaigns/{campaign}/forecast").json

    assert (found["recipients"], found["credits"], found["longest"]) == (0, 0, None)


def test_a_started_campaign_has_no_forecast(seller: Shop) -> None:
    campaign = started(seller)

    reply = seller.get(f"/api/campaigns/{campaign}/forecast")

    assert error_of(reply) == (409, "INVALID_STATUS")


def test_a_text_too_long_is_counted_all_the_same(empty: Shop) -> None:
    add_person(empty)
    campaign = create(empty, messageText="α" * 2000)

    found = empty.get(f"/api/campaigns/{campaign}/forecast").json

    # 2,044 units with the opt-out link, 67 a part
    assert found["longest"]["segments"] == found["segments"] == 31
    assert found["longest"]["length"] == 2044


def test_too_few_credits_are_told_but_not_refused(campaign_api: Api) -> None:
    shop = new_shop(campaign_api, credits=2, active=False)

    found = shop.get(f"/api/campaigns/{create(shop)}/forecast").json

    assert found["balance"] == {"required": 3, "available": 2, "sufficient": False}


def test_a_placeholder_is_covered_only_where_all_its_uses_are(empty: Shop) -> None:
    add_person(empty, last_name=" ")
    text = "{{firstName|you}} {{first_name}} {{lastName|x}} {{lastName}} {{storeName}}"
    campaign = create(empty, messageText=text)

    found = empty.get(f"/api/campaigns/{campaign}/forecast").json

    assert found["placeholders"] == [
        {"name": "firstName", "missing": 1, "fallback": 1},
        {"name": "first_name", "missing": 1, "fallback": 0},
        {"name": "lastName", "missing": 1, "fallback": 0},
        {"name": "storeName", "missing": 0, "fallback": 0},
    ]


@pytest.mark.parametrize(
    ("text", "code"), [("Hi {{nickname}}", "UNKNOWN_PLACEHOLDER"), (" \n", "NO_MESSAGE_TEXT")]
)
def test_a_text_that_cannot_be_sent_has_no_forecast(memory_api: Api, text: str, code: str) -> None:
    shop = new_shop(memory_api)

    reply = shop.get(f"/api/campaigns/{unchecked(shop, text)}/forecast")

    assert error_of(reply) == (400, code)
