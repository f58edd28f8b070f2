"""What an answer means: the table of the domain rules, line by line."""

from collections.abc import Mapping
from datetime import UTC, datetime

import orjson
import pytest

from adapters_sms.answers import Answer, outcome_of, retry_after_seconds
from retail_core.messages.model import (
    Accepted,
    AccessRefused,
    AllRejected,
    BatchRefused,
    Doubtful,
    NotSent,
    Rejection,
    SubmissionOutcome,
)

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
WHY = {"error": "Unknown traffic account"}


def outcome(
    status: int, body: object = None, messages: int = 2, headers: Mapping[str, str] | None = None
) -> SubmissionOutcome:
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return outcome_of(Answer(status, headers or {}, raw), messages, NOW)


def with_ids(*ids: object) -> dict[str, object]:
    return {"messages": [{"messageId": each, "trafficAccountId": "t"} for each in ids]}


@pytest.mark.parametrize("status", [200, 201, 202])
def test_2xx_with_as_many_ids_is_accepted_in_order(status: int) -> None:
    assert outcome(status, with_ids("b", "a")) == Accepted(("b", "a"))  # type: ignore[arg-type]


@pytest.mark.parametrize("status", [429, 503])
def test_429_and_503_may_be_tried_again(status: int) -> None:
    assert outcome(status, WHY, headers={"retry-after": "7"}) == NotSent(f"http_{status}", 7.0)
    assert outcome(status, WHY) == NotSent(f"http_{status}", None)


@pytest.mark.parametrize("status", [400, 413, 422])
def test_400_413_and_422_refuse_the_batch(status: int) -> None:
    assert isinstance(outcome(status, WHY), BatchRefused)


@pytest.mark.parametrize("status", [401, 403])
def test_401_and_403_refuse_the_key(status: int) -> None:
    assert isinstance(outcome(status), AccessRefused)


@pytest.mark.parametrize("status", [402, 404, 405, 408, 409, 415, 451, 499])
def test_every_other_4xx_is_final(status: int) -> None:
    assert isinstance(outcome(status, WHY), AllRejected)


PAGES = [
    b"<html><h1>Not found</h1></html>",
    b"404 page not found",
    b"",
    b'{"error": "brok',
    ["error"],
    {"message": "no Route matched with those values"},
    {"message": "Not Found", "status": 404},
    {"timestamp": 1, "status": 404, "error": "Not Found", "path": "/api"},
    {"error": ""},
]


@pytest.mark.parametrize("body", PAGES, ids=repr)
def test_a_404_of_somebody_else_says_nothing_about_the_messages(body: object) -> None:
    assert outcome(404, body) == Doubtful("http_404")


@pytest.mark.parametrize("status", [400, 402, 404, 405, 408, 410, 422, 499, 503])
@pytest.mark.parametrize("body", PAGES[:5], ids=repr)
def test_a_page_of_a_proxy_is_no_refusal_of_the_gateway(status: int, body: object) -> None:
    """It may stand for a call that was passed on, whose answer got lost behind it."""
    headers = {"retry-after": "7"}
    assert outcome(status, body, headers=headers) == Doubtful(f"http_{status}")


@pytest.mark.parametrize("status", [407, 421, 425, 429, 511])
@pytest.mark.parametrize("body", PAGES[:2], ids=repr)
def test_what_by_its_meaning_was_passed_on_to_nobody_may_be_tried_again(
    status: int, body: object
) -> None:
    assert outcome(status, body) == NotSent(f"http_{status}", None)


def test_a_call_too_large_for_a_proxy_is_halved() -> None:
    assert isinstance(outcome(413, b"<html>"), BatchRefused)


@pytest.mark.parametrize("status", [100, 301, 302, 307, 500, 501, 502, 504, 520, 599])
def test_everything_else_is_doubtful(status: int) -> None:
    assert outcome(status) == Doubtful(f"http_{status}")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b'{"messages": [{"messageId": "a"}, {"mess',
        None,
        [],
        {},
        {"messages": None},
        {"messages": {"0": {"messageId": "a"}}},
        {"messages": ["a", "b"]},
        with_ids("a"),
        with_ids("a", "b", "c"),
        with_ids("a", "a"),
        with_ids("a", ["b"]),
        with_ids("a", True),
        with_ids("a", "no\tid"),
        with_ids("a", "x" * 200),
    ],
    ids=repr,
)
def test_2xx_that_does_not_give_each_message_one_id_is_doubtful(body: object) -> None:
    assert isinstance(outcome(200, body), Doubtful)


def test_2xx_whose_body_broke_off_is_doubtful() -> None:
    assert isinstance(outcome_of(Answer(200, {}, None), 1, NOW), Doubtful)


def test_a_refusal_whose_body_broke_off_is_nobodys() -> None:
    assert outcome_of(Answer(400, {}, None), 1, NOW) == Doubtful("http_400")


def test_an_entry_without_id_is_one_rejection_with_its_code() -> None:
    body = {
        "messages": [
            {"messageId": "a"},
            {"messageId": None, "errorCode": 8, "error": "Invalid receiver 306984303406"},
        ]
    }

    assert outcome(200, body) == Accepted(
        ("a", Rejection("8", "Invalid receiver …"))  # type: ignore[arg-type]
    )


def test_a_rejection_without_a_code_still_has_one() -> None:
    assert outcome(200, {"messages": [{}]}, messages=1) == Accepted((Rejection("rejected", ""),))


def test_a_number_is_taken_as_an_id() -> None:
    assert outcome(200, with_ids(17, 18)) == Accepted(("17", "18"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("2.5", 2.5),
        ("-3", 0.0),
        ("999999", 3600.0),
        ("Tue, 24 Nov 2026 12:00:30 GMT", 30.0),
        ("Tue, 24 Nov 2026 11:00:00 GMT", 0.0),
        ("Tue, 24 Nov 2099 12:00:00 GMT", 3600.0),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("Tue, 99 Nov 2026 99:00:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_within_bounds(value: str, seconds: float | None) -> None:
    assert retry_after_seconds({"retry-after": value}, NOW) == seconds


def test_a_date_is_measured_by_the_gateways_own_clock() -> None:
    headers = {
        "date": "Tue, 24 Nov 2026 10:00:00 GMT",
        "retry-after": "Tue, 24 Nov 2026 10:00:05 GMT",
    }

    assert retry_after_seconds(headers, NOW) == 5.0
