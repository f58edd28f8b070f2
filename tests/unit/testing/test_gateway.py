"""The fakes of the gateway keep the contracts of the real one."""

from collections.abc import Sequence
from datetime import timedelta

import attrs
import pytest

from retail_core.kernel.ids import AccountId
from retail_core.messages.model import (
    AccessRefused,
    AllRejected,
    BatchRefused,
    DeliveryReport,
    MessageState,
    NotSent,
    SubmissionOutcome,
)
from retail_core.messages.ports import GatewayPace, ReportReader
from retail_core.testing.kernel.clock import FixedClock
from retail_core.testing.messages.gateway import (
    FakeGateway,
    FakePace,
    PlainReportReader,
    plain_reports,
)
from tests.contracts.messages.sms_gateway import (
    IN_TIME,
    GatewayPaceContract,
    GatewayWorld,
    ReportReaderContract,
    SmsGatewayContract,
    outgoing,
)

REFUSALS: dict[type[SubmissionOutcome], SubmissionOutcome] = {
    NotSent: NotSent("busy"),
    BatchRefused: BatchRefused("http_400"),
    AccessRefused: AccessRefused("http_401"),
    AllRejected: AllRejected("http_404"),
}


@attrs.frozen
class MemoryWorld:
    gateway: FakeGateway = attrs.field(factory=FakeGateway)

    def handed_over(self) -> list[tuple[str, str]]:
        return [(each.destination, each.text) for each in self.gateway.accepted]

    def answer_next_with(self, outcome: type[SubmissionOutcome]) -> None:
        self.gateway.answer_next(REFUSALS[outcome])

    def lose_next_answer(self) -> None:
        self.gateway.lose_next_answer()

    def reject_some_of_next(self) -> None:
        self.gateway.reject_next(lambda message: message.number % 2 == 0)

    def go_away(self) -> None:
        self.gateway.is_away = True

    def deliver_all(self) -> None:
        self.gateway.become(MessageState.DELIVERED)


class TestFakeGateway(SmsGatewayContract):
    @pytest.fixture
    def world(self) -> GatewayWorld:
        return MemoryWorld()


class TestFakePace(GatewayPaceContract):
    @pytest.fixture
    def pace(self) -> GatewayPace:
        return FakePace(
            account_calls_max=self.ACCOUNT_CALLS_MAX,
            store_calls_max=self.STORE_CALLS_MAX,
            window=timedelta(seconds=self.WINDOW_SECONDS),
        )


class TestPlainReportReader(ReportReaderContract):
    def reader(self) -> ReportReader:
        return PlainReportReader()

    def written(self, reports: Sequence[DeliveryReport]) -> bytes:
        return plain_reports(reports)


def test_what_became_of_messages_comes_as_reports() -> None:
    gateway = FakeGateway()
    gateway.submit(outgoing(2), IN_TIME)

    reports = gateway.become(MessageState.FAILED)

    assert [(each.reference, each.state, each.error) for each in reports] == [
        (1, MessageState.FAILED, "failed"),
        (2, MessageState.FAILED, "failed"),
    ]


def test_the_pace_is_free_again_when_time_has_passed() -> None:
    clock = FixedClock()
    pace = FakePace(clock, store_calls_max=1)
    pace.reserve(AccountId(1))
    clock.advance(timedelta(seconds=1))

    assert pace.reserve(AccountId(1)) == 0.0
