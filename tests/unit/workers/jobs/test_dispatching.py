"""Several batches of one process in flight, and how the work ends."""

import threading
from collections.abc import Callable

import attrs
import pytest

from retail_core.kernel.errors import Unavailable
from retail_core.kernel.ids import WorkerId
from retail_core.messages.use_cases import DispatchOutcome
from workers.jobs.dispatching import BATCHES_IN_FLIGHT, dispatch_until_idle

ANN = WorkerId("ann")


@attrs.define
class Batches:
    """Stands where `DispatchBatch` stands: so many batches, and then nothing."""

    left: int
    sent: int = 0
    during: Callable[[], object] = lambda: None
    lock: threading.Lock = attrs.field(factory=threading.Lock)

    def __call__(self, worker: WorkerId) -> DispatchOutcome:
        assert worker == ANN
        with self.lock:
            if self.left == 0:
                return DispatchOutcome.IDLE
            self.left -= 1
        self.during()
        with self.lock:
            self.sent += 1
        return DispatchOutcome.SETTLED


def test_it_sends_until_nothing_is_due() -> None:
    batches = Batches(left=7)

    assert dispatch_until_idle(batches, ANN, lambda: True) is False

    assert batches.sent == 7


def test_without_time_it_says_that_there_may_be_more() -> None:
    batches = Batches(left=7)

    assert dispatch_until_idle(batches, ANN, lambda: False) is True

    assert batches.sent == 0


def test_one_batch_is_booked_while_another_is_in_the_gateway() -> None:
    together = threading.Barrier(BATCHES_IN_FLIGHT, timeout=10)
    batches = Batches(left=BATCHES_IN_FLIGHT, during=together.wait)

    dispatch_until_idle(batches, ANN, lambda: True)

    assert batches.sent == BATCHES_IN_FLIGHT


def test_a_missing_database_is_told_after_the_other_batch_has_ended() -> None:
    calls = iter(range(100))

    def away_at_first() -> None:
        if next(calls) == 0:
            raise Unavailable

    batches = Batches(left=5, during=away_at_first)

    with pytest.raises(Unavailable):
        dispatch_until_idle(batches, ANN, lambda: True)

    assert batches.sent == 4
