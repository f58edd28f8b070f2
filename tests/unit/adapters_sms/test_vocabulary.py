"""The tables of names and words."""

from datetime import UTC, datetime

import pytest

from adapters_sms import vocabulary
from retail_core.messages.model import MessageState

ARRIVAL = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize("word", ["Delivered", "DELIVRD", " delivered "])
def test_delivered_comes_in_two_words_and_any_case(word: str) -> None:
    assert vocabulary.state_of(word) is MessageState.DELIVERED


@pytest.mark.parametrize(
    "word",
    [
        "Sent",
        "ok",
        "Completed",
        "queued",
        "ACCEPTED",
        "acceptd",
        "Submitted",
        "buffered",
        "EnRoute",
    ],
)
def test_on_its_way_is_sent(word: str) -> None:
    assert vocabulary.state_of(word) is MessageState.SENT


@pytest.mark.parametrize(
    "word",
    [
        "Failure",
        "failed",
        "Undelivered",
        "UNDELIV",
        "expired",
        "rejected",
        "REJECTD",
        "deleted",
        "Error",
    ],
)
def test_all_words_for_not_delivered_are_failed(word: str) -> None:
    assert vocabulary.state_of(word) is MessageState.FAILED


@pytest.mark.parametrize("word", ["", "Quantum", "delivered!", "not delivered", "0"])
def test_any_other_word_is_no_state(word: str) -> None:
    assert vocabulary.state_of(word) is None


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-24T12:00:00Z",
        "2026-11-24T12:00:00",
        "2026-11-24 14:00:00+02:00",
        "2026-11-24T12:00:00.0000000Z",
        1795521600,
        "1795521600",
        1795521600000,
        "1795521600000",
        1795521600.0,
    ],
    ids=repr,
)
def test_a_time_is_understood_in_every_usual_form(value: object) -> None:
    assert vocabulary.moment_of(value) == NOON


@pytest.mark.parametrize(
    "value",
    [None, True, "", "soon", [], {}, 12, "9" * 17, float("nan"), "0001-01-01T00:00:00+05:00"],
)
def test_what_is_no_time_is_none(value: object) -> None:
    assert vocabulary.moment_of(value) is None


def test_the_first_believable_time_counts() -> None:
    element = {"updatedAt": "0001-01-01T00:00:00", "doneAt": "?", "timestamp": NOON.isoformat()}

    assert vocabulary.time_of(element, ARRIVAL) == NOON


def test_nothing_was_reported_before_it_happened() -> None:
    assert vocabulary.time_of({"doneAt": "2026-11-24T15:00:00"}, ARRIVAL) == ARRIVAL


@pytest.mark.parametrize(
    "value",
    ["+306984303406", "306984303406", "00306984303406", "+30 698 430-3406", 306984303406],
    ids=repr,
)
def test_a_number_is_understood_with_and_without_its_plus(value: object) -> None:
    assert vocabulary.phone_of({"msisdn": value}) == "+306984303406"


@pytest.mark.parametrize("value", [None, True, "", "Shop", "0698", [1], 1.5, "+" + "9" * 16])
def test_what_is_no_number_is_none(value: object) -> None:
    assert vocabulary.phone_of({"to": value}) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (17, 17),
        ("17", 17),
        (str(2**53 - 1), 2**53 - 1),
        (2**53, None),
        (0, None),
        (-3, None),
        (True, None),
        ("c17", None),
        ("\u0661\u0667", None),
        ("1" * 40, None),
        (1.5, None),
    ],
    ids=repr,
)
def test_a_reference_is_ours_only_if_it_could_be_a_message_number(
    value: object, expected: int | None
) -> None:
    assert vocabulary.reference_of({"reference": value}) == expected


@pytest.mark.parametrize("value", ["a b", "ü", "x" * 129, "a\x7f b"])
def test_an_id_that_could_not_be_asked_for_is_none(value: str) -> None:
    assert vocabulary.provider_id_of({"messageId": value}) is None


def test_control_characters_never_reach_the_database() -> None:
    assert vocabulary.first_text({"status": "De\x00liv\ud800ered"}, ["status"], 64) == "Delivered"


def test_a_failure_says_why_and_shows_no_number() -> None:
    element = {"description": "306984303406 is absent"}

    assert vocabulary.error_of(element, MessageState.FAILED, "Failure") == "… is absent"
    assert vocabulary.error_of({}, MessageState.FAILED, "Failure") == "Failure"
    assert vocabulary.error_of(element, MessageState.DELIVERED, "Delivered") is None
