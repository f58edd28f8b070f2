"""A judge that never complains proves nothing: here is a worker that must be caught."""

import time
from collections.abc import Sequence

import pytest

from tests.torture.guards.naive import ASKS_NOBODY, NAIVE, NEVER_LATE, REQUEUES_SINGLES
from tests.torture.guards.trials import somebody_opts_out_between_claim_and_hand_over
from tests.torture.matrix.forge import Task
from tests.torture.matrix.matrix import BATCH_MESSAGES, VARIABLES, Cell, Laboratory, run_cell
from tests.torture.matrix.singles import MESSAGES, run_single_cell
from workers.dev.crash_points import CrashAt, CrashPoint


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


def test_who_hands_over_after_the_lease_is_caught(laboratory: Laboratory) -> None:
    """The judge goes by the gateway's log alone; with the guard, it has nothing to say."""
    assert not _late(laboratory)
    try:
        assert len(_late(laboratory.lacking(NEVER_LATE))) == BATCH_MESSAGES
    finally:
        laboratory.sweep_up()


def _late(laboratory: Laboratory) -> Sequence[str]:
    """What is late when a worker halts before its call until its lease is over."""
    planned = laboratory.campaign()
    with laboratory.gateway(planned) as gateway:
        at = CrashAt(CrashPoint.BEFORE_SUBMIT, stops=True)
        fate = laboratory.forge.run(laboratory.order(gateway.base_url, Task.DISPATCH, at=at))
        time.sleep(int(VARIABLES["BATCH_LEASE_SECONDS"]))
        laboratory.recover(planned, gateway.base_url)
        laboratory.forge.go_on(fate)
    return laboratory.judge(planned).late


def test_who_queues_single_messages_again_is_caught(laboratory: Laboratory) -> None:
    cell = Cell(CrashAt(CrashPoint.AFTER_SUBMIT), "none")
    found = run_single_cell(laboratory.lacking(REQUEUES_SINGLES), cell)
    assert sum("got 2" in each for each in found.complaints) == MESSAGES, str(found)
