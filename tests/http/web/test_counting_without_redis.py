"""How requests are counted while Redis is away: the same, by each process alone."""

from collections.abc import Sequence
from typing import Any

import pytest
import redis

from adapters_http.limits.counting import Asked, LocalCounts, Verdict
from adapters_http.limits.shared import AWAY_SECONDS, FallingBack, SharedStore
from retail_core.kernel.secrets import SecretText
from retail_core.testing.kernel.clock import FixedClock
from tests.contracts.counting import LONG, MANY
from workers.dev.embedded.processes import free_port


class Breakable:
    """Shared counts that can be away; tells how often they were asked."""

    def __init__(self) -> None:
        self.is_away = False
        self.asked = 0
        self._counts = LocalCounts(FixedClock())

    def take(self, asked: Sequence[Asked]) -> Verdict:
        self.asked += 1
        if self.is_away:
            raise redis.ConnectionError
        return self._counts.take(asked)


class Stopwatch:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class TestWithoutRedis:
    def test_the_same_limits_hold_per_process(self) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.delenv("REDIS_URL", raising=False)
            store = SharedStore.at(SecretText(f"redis://127.0.0.1:{free_port()}/0"))
            counts = store.counts(FixedClock())

            verdicts = [counts.take([Asked(LONG, "a")]).allowed for _ in range(5)]

        assert verdicts == [True, True, True, False, False]

    def test_not_every_request_waits_for_it(self) -> None:
        shared, watch = Breakable(), Stopwatch()
        counts = FallingBack(shared, LocalCounts(FixedClock()), watch)
        shared.is_away = True

        for _ in range(20):
            counts.take([Asked(MANY, "a")])
        assert shared.asked == 1
        watch.now += AWAY_SECONDS
        for _ in range(20):
            counts.take([Asked(MANY, "a")])
        assert shared.asked == 2

    def test_it_is_asked_again_once_it_answers(self) -> None:
        shared, watch = Breakable(), Stopwatch()
        counts = FallingBack(shared, LocalCounts(FixedClock()), watch)
        shared.is_away = True
        counts.take([Asked(MANY, "a")])
        shared.is_away = False
        watch.now += AWAY_SECONDS

        remaining = [counts.take([Asked(MANY, "a")]).standing.remaining for _ in range(3)]

        assert remaining == [24, 23, 22]

    def test_one_line_tells_of_it_and_one_of_its_return(
        self, capture_logs: list[dict[str, Any]]
    ) -> None:
        shared, watch = Breakable(), Stopwatch()
        counts = FallingBack(shared, LocalCounts(FixedClock()), watch)
        shared.is_away = True
        for _ in range(10):
            counts.take([Asked(LONG, "a")])
            watch.now += AWAY_SECONDS
        shared.is_away = False
        for _ in range(3):
            counts.take([Asked(LONG, "a")])

        assert [line["message"] for line in capture_logs] == [
            "rate limits are counted per process: ConnectionError",
            "rate limits are counted for all processes together again",
        ]
