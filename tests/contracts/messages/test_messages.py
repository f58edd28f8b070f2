"""The contracts of messages and delivery reports, in memory and on PostgreSQL."""

import pytest

from retail_core.kernel.process.machine import SystemClock, SystemPause
from retail_core.kernel.time.clock import Clock
from retail_core.messages.ports import Pause
from retail_core.testing.kernel.clock import ClockPause, FixedClock
from tests.contracts.messages.log import MessageLog
from tests.contracts.messages.messages import (
    MessageNumbersContract,
    MessageOriginsContract,
    MessageQueriesContract,
    PauseContract,
)
from tests.contracts.messages.report_inbox import ReportInboxContract
from tests.contracts.messages.report_store import ReportStoreContract
from tests.contracts.messages.reports import MessageStoreContract
from tests.contracts.messages.traces import MessageTracesContract


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
