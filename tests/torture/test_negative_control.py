"""A judge that never complains proves nothing: here is a worker that must be caught."""

import pytest

from tests.torture.matrix import Cell, Laboratory, run_cell
from tests.torture.naive import ASKS_NOBODY, NAIVE, REQUEUES_SINGLES
from tests.torture.singles import MESSAGES, run_single_cell
from tests.torture.trials import somebody_opts_out_between_claim_and_hand_over
from workers.crash_points import CrashAt, CrashPoint


@pytest.mark.parametrize(
    "cell",
    [
        Cell(CrashAt(CrashPoint.AFTER_SUBMIT), "none"),
        Cell(CrashAt(CrashPoint.BEFORE_SETTLE_COMMIT), "none"),
        Cell(None, "taken, then closed"),
    ],
    ids=str,
)
def test_a_naive_worker_is_caught(laboratory: Laboratory, cell: Cell) -> None:
    try:
        outcome = run_cell(laboratory.lacking(*NAIVE), cell)
    finally:
        laboratory.sweep_up()

    assert len(outcome.verdict.duplicates) >= 4, str(outcome)


def test_who_asks_nobody_whether_they_left_is_caught(laboratory: Laboratory) -> None:
    try:
        with pytest.raises(AssertionError, match="disregarded"):
            somebody_opts_out_between_claim_and_hand_over(laboratory.lacking(ASKS_NOBODY))
    finally:
        laboratory.sweep_up()


def test_who_queues_single_messages_again_is_caught(laboratory: Laboratory) -> None:
    cell = Cell(CrashAt(CrashPoint.AFTER_SUBMIT), "none")
    found = run_single_cell(laboratory.lacking(REQUEUES_SINGLES), cell)
    assert sum("got 2" in each for each in found.complaints) == MESSAGES, str(found)
