"""The kernel's contracts, in memory and on PostgreSQL."""

import pytest

from retail_core.kernel.ports import Randomness
from retail_core.kernel.process.machine import SystemClock, SystemRandomness
from retail_core.kernel.time.clock import Clock
from retail_core.testing.kernel.clock import FixedClock
from retail_core.testing.kernel.randomness import SeededRandomness
from tests.contracts.kernel.audit import AuditLogContract, AuditTrailContract
from tests.contracts.kernel.kernel import (
    ClockContract,
    JobOutboxContract,
    RandomnessContract,
    TransactionsContract,
    WorkContract,
)
from tests.contracts.kernel.replies import IdempotencyRepliesContract


class TestWork(WorkContract):
    pass


class TestTransactions(TransactionsContract):
    pass


class TestJobOutbox(JobOutboxContract):
    pass


class TestAuditLog(AuditLogContract):
    pass


class TestAuditTrail(AuditTrailContract):
    pass


class TestIdempotencyReplies(IdempotencyRepliesContract):
    pass


class TestFixedClock(ClockContract):
    @pytest.fixture
    def clock(self) -> Clock:
        return FixedClock()


class TestSeededRandomness(RandomnessContract):
    @pytest.fixture
    def randomness(self) -> Randomness:
        return SeededRandomness()


class TestSystemClock(ClockContract):
    @pytest.fixture
    def clock(self) -> Clock:
        return SystemClock()


class TestSystemRandomness(RandomnessContract):
    @pytest.fixture
    def randomness(self) -> Randomness:
        return SystemRandomness()
