"""The pace of a single process."""

import threading

import attrs
import pytest

from adapters_sms.pace import Limit, LocalPace, alone
from adapters_sms.settings import PaceSettings
from retail_core.kernel.ids import AccountId
from retail_core.messages.ports import GatewayPace
from tests.contracts.messages.sms_gateway import GatewayPaceContract

STORE = AccountId(1)


@attrs.define
class StoppedClock:
    now_us: int = 1_000_000

    def __call__(self) -> int:
        return self.now_us


class TestLocalPace(GatewayPaceContract):
    @pytest.fixture
    def pace(self) -> GatewayPace:
        window_us = int(self.WINDOW_SECONDS * 1_000_000)
        return LocalPace(
            Limit(self.ACCOUNT_CALLS_MAX, window_us), Limit(self.STORE_CALLS_MAX, window_us)
        )


def test_alone_a_process_takes_a_tenth() -> None:
    clock = StoppedClock()
    pace = attrs.evolve(alone(PaceSettings()), now_us=clock)

    waits = [pace.reserve(STORE) for _ in range(11)]

    assert waits == [0.0] * 5 + [1.0] * 5 + [2.0]


def test_a_tenth_of_few_calls_is_one_call_in_a_longer_time() -> None:
    assert Limit(3, 1_000_000).share() == Limit(1, 3_333_333)
    assert Limit(1, 1_000_000).share() == Limit(1, 10_000_000)
    assert Limit(100, 1_000_000).share() == Limit(10, 1_000_000)


def test_calls_of_the_past_are_forgotten() -> None:
    clock = StoppedClock()
    pace = LocalPace(Limit(2, 1_000_000), Limit(1, 1_000_000), clock)
    for _ in range(5):
        assert pace.reserve(STORE) == 0.0
        clock.now_us += 1_000_000

    assert len(pace._all) == 1
    assert list(pace._by_store) == [STORE]


def test_threads_share_one_pace() -> None:
    pace = LocalPace(Limit(4, 60_000_000), Limit(4, 60_000_000))
    waits: list[float] = []
    threads = [
        threading.Thread(target=lambda: waits.append(pace.reserve(STORE))) for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert waits.count(0.0) == 4
