"""Delivery reports in Mitto's forms."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters_sms import vocabulary
from adapters_sms.reports import MittoReportReader
from retail_core.kernel.ids import MESSAGE_NUMBER_MAX
from retail_core.messages.model import DeliveryReport, MessageState
from retail_core.messages.ports import ReportReader
from tests.contracts.messages.sms_gateway import ARRIVAL, ReportReaderContract

NAMES = [
    *vocabulary.ID_NAMES,
    *vocabulary.REFERENCE_NAMES,
    *vocabulary.NUMBER_NAMES,
    *vocabulary.STATUS_NAMES,
    *vocabulary.TIME_NAMES,
    *vocabulary.ERROR_NAMES,
]
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text()
    | st.sampled_from(["Delivered", "FAILED", "2026-11-24T12:00:00Z", "+306984303406"])
)
VALUES = LEAVES | st.lists(LEAVES, max_size=3) | st.dictionaries(st.text(), LEAVES, max_size=3)
ELEMENTS = st.dictionaries(st.sampled_from(NAMES), VALUES) | VALUES


def read(body: object) -> Sequence[DeliveryReport]:
    return MittoReportReader(sends_references=True).read(orjson.dumps(body), ARRIVAL)


class TestMittoReportReader(ReportReaderContract):
    def reader(self) -> ReportReader:
        return MittoReportReader(sends_references=True)

    def written(self, reports: Sequence[DeliveryReport]) -> bytes:
        return orjson.dumps(
            [
                {
                    "messageId": each.provider_id,
                    "reference": each.reference,
                    "destination": each.phone,
                    "deliveryStatus": each.word,
                    "updatedAt": each.at,
                    "description": each.error,
                }
                for each in reports
            ]
        )


@pytest.mark.parametrize("name", ["messageId", "id", "MessageId"])
def test_the_id_comes_under_three_names(name: str) -> None:
    assert read({name: "abc"})[0].provider_id == "abc"


@pytest.mark.parametrize("name", ["deliveryStatus", "status", "Status", "delivery_status"])
def test_the_status_comes_under_four_names(name: str) -> None:
    assert read({name: "Failure"})[0].state is MessageState.FAILED


@pytest.mark.parametrize("name", ["destination", "to", "msisdn", "receiver"])
def test_the_number_comes_under_four_names(name: str) -> None:
    assert read({name: "306984303406"})[0].phone == "+306984303406"


@pytest.mark.parametrize("name", ["updatedAt", "doneAt", "timestamp", "Timestamp", "createdAt"])
def test_the_time_comes_under_five_names(name: str) -> None:
    assert read({name: "2026-11-24T12:00:00Z"})[0].at == datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize("name", ["error", "Error", "description", "errorMessage"])
def test_the_error_comes_under_four_names(name: str) -> None:
    assert read({"status": "failed", name: "absent"})[0].error == "absent"


def test_the_first_name_that_says_something_wins() -> None:
    body = {"id": "second", "messageId": "first", "deliveryStatus": "", "status": "Delivered"}

    (report,) = read(body)

    assert (report.provider_id, report.state) == ("first", MessageState.DELIVERED)


def test_one_object_is_one_report() -> None:
    assert len(read({"messageId": "a"})) == 1
    assert len(read([])) == 0


def test_json_that_only_the_standard_library_reads_is_read() -> None:
    raw = b'{"messageId": "a", "status": "Delivered", "description": "\\ud800", "x": NaN}'

    (report,) = MittoReportReader(sends_references=True).read(raw, ARRIVAL)

    assert report.state is MessageState.DELIVERED


@given(body=st.lists(ELEMENTS, max_size=5) | ELEMENTS)
def test_whatever_json_comes_the_report_can_be_stored(body: object) -> None:
    for report in read(body):
        assert report.at is not None
        assert report.at <= ARRIVAL
        assert report.at.utcoffset() == timedelta(0)
        assert len(report.word) <= vocabulary.WORD_CHARACTERS_MAX
        assert report.reference is None or 0 < report.reference <= MESSAGE_NUMBER_MAX
        for text in (report.provider_id, report.phone, report.word, report.error or ""):
            assert text is None or "\x00" not in text
            assert text is None or text.encode().decode() == text


def test_unless_messages_carry_references_none_in_a_report_is_ours() -> None:
    raw = orjson.dumps({"messageId": "id-1", "reference": "12", "status": "Delivered"})

    [deaf] = MittoReportReader().read(raw, ARRIVAL)
    [hearing] = MittoReportReader(sends_references=True).read(raw, ARRIVAL)

    assert (deaf.reference, hearing.reference) == (None, 12)
