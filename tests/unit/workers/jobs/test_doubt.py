"""Jobs that settle doubt: rounds are cut into slices, and a wrong book raises an alarm."""

from collections.abc import Callable
from typing import Any

import attrs
import pytest
from loguru import logger

from retail_core.kernel.ids import WorkerId
from retail_core.kernel.jobs import Job
from retail_core.messages.jobs import REFRESH_STATUSES, SETTLE_OVERDUE_UNKNOWN
from retail_core.messages.use_cases.looking_up import RefreshRound
from retail_core.messages.use_cases.resolving import OverdueSettled
from retail_core.messages.use_cases.sweeping import NumbersGiven
from workers.jobs.doubt import refresh_statuses, settle_overdue_unknown, watch_numbers
from workers.jobs.running import Run

NOTHING = OverdueSettled(0, 0, 0)


@attrs.define
class Running:
    """A run that remembers its nudges."""

    nudges: list[Job] = attrs.field(factory=list)
    has_time: Callable[[], bool] = lambda: True

    def of(self, kind: str, **payload: int) -> Run:
        return Run(Job(kind, kind, payload), WorkerId("w"), self.nudges.append, self.has_time)


@attrs.define
class Answers:
    """A use case whose results are known beforehand."""

    results: list[Any]
    asked: list[int] = attrs.field(factory=list)
    round_messages_max: int = 1_200

    def __call__(self, messages_max: int = 0, seconds_max: float | None = None) -> Any:
        self.asked.append(messages_max)
        return self.results.pop(0)


def test_a_round_goes_on_in_slices_until_it_is_over() -> None:
    refresh = Answers([RefreshRound(400, has_more=True), RefreshRound(3, has_more=False)])
    run = Running().of(REFRESH_STATUSES)

    assert refresh_statuses(refresh, run)  # type: ignore[arg-type]
    assert not refresh_statuses(refresh, run)  # type: ignore[arg-type]


def test_holds_are_settled_until_none_is_overdue() -> None:
    settle = Answers([OverdueSettled(5_000, 1, 0), OverdueSettled(3, 0, 0), NOTHING])

    assert not settle_overdue_unknown(settle, Running().of(SETTLE_OVERDUE_UNKNOWN))  # type: ignore[arg-type]
    assert settle.results == []


def test_a_sweep_that_takes_long_goes_on_later() -> None:
    settle = Answers([OverdueSettled(5_000, 1, 0)])
    hurried = Running(has_time=lambda: False).of(SETTLE_OVERDUE_UNKNOWN)

    assert settle_overdue_unknown(settle, hurried)  # type: ignore[arg-type]


def test_a_hold_for_nobody_raises_an_alarm() -> None:
    settle, lines = Answers([OverdueSettled(0, 0, 7)]), list[str]()
    number = logger.add(lambda message: lines.append(str(message)), level="ERROR")

    settle_overdue_unknown(settle, Running().of(SETTLE_OVERDUE_UNKNOWN))  # type: ignore[arg-type]

    logger.remove(number)
    assert any("7 credits for nobody" in line for line in lines)


@pytest.mark.parametrize(("given", "alarms"), [(0, 0), (79, 0), (80, 1), (100, 1)])
def test_the_operator_is_told_of_message_numbers_that_run_out(given: int, alarms: int) -> None:
    watch, lines = Answers([NumbersGiven(given, 100)]), list[str]()
    number = logger.add(lambda message: lines.append(str(message)), level="ERROR")

    watch_numbers(watch, Running().of("watch_numbers"))  # type: ignore[arg-type]

    logger.remove(number)
    assert len(lines) == alarms
