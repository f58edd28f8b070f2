"""The contracts of messages and delivery reports, in memory and on PostgreSQL."""

import pytest

from adapters_http.process.machine import SystemClock, SystemPause
from retail_core.kernel.clock import Clock
from retail_core.messages.ports import Pause
from retail_core.testing.kernel.clock import ClockPause, FixedClock
from tests.contracts.message_log import MessageLog
from tests.contracts.message_traces import MessageTracesContract
from tests.contracts.messages import (
    MessageNumbersContract,
    MessageOriginsContract,
    MessageQueriesContract,
    PauseContract,
)
from tests.contracts.report_inbox import ReportInboxContract
from tests.contracts.report_store import ReportStoreContract
from tests.contracts.reports import MessageStoreContract


class TestMessageNumbers(MessageNumbersContract):
    pass


class TestMessageQueries(MessageQueriesContract):
    pass


class TestMessageLog(MessageLog):
    """A part of the contract of `MessageQueries`."""


class TestMessageTraces(MessageTracesContract):
    pass


class TestMessageOrigins(MessageOriginsContract):
    pass


class TestMessageStore(MessageStoreContract):
    pass


class TestReportStore(ReportStoreContract):
    pass


class TestReportInbox(ReportInboxContract):
    pass


class TestClockPause(PauseContract):
    @pytest.fixture
    def clock(self) -> FixedClock:
        return FixedClock()

    @pytest.fixture
    def pause(self, clock: FixedClock) -> Pause:
        return ClockPause(clock)


class TestSystemPause(PauseContract):
    @pytest.fixture
    def clock(self) -> Clock:
        return SystemClock()

    @pytest.fixture
    def pause(self) -> Pause:
        return SystemPause()
