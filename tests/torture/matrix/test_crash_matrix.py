"""Wherever a worker dies and whatever the gateway does: nobody twice, nobody lost, all booked.

The suite tries a seeded sample in which each point occurs, and each time another fault;
`make torture` tries all of them.
"""

import pytest

from tests.conftest import SEED
from tests.torture.matrix.forge import End
from tests.torture.matrix.matrix import Cell, Laboratory, points, run_cell, sample
from workers.dev.crash_points import CrashAt, CrashPoint

pytestmark = [pytest.mark.servers, pytest.mark.slow]


@pytest.mark.parametrize("cell", sample(SEED), ids=str)
def test_a_crash_under_a_fault_doubles_and_loses_nobody(cell: Cell, laboratory: Laboratory) -> None:
    outcome = run_cell(laboratory, cell)
    assert outcome.is_clean, f"TEST_SEED={SEED}: {outcome}"


def test_a_worker_dies_where_it_is_told_to(laboratory: Laboratory) -> None:
    outcome = run_cell(laboratory, Cell(CrashAt(CrashPoint.AFTER_SUBMIT), "none"))
    assert outcome.first.end is End.KILLED
    assert outcome.is_clean, str(outcome)
    assert outcome.verdict.unknown > 0, "what was in flight cannot be known"


def test_the_sample_meets_each_point_under_another_fault() -> None:
    cells = sample(SEED)
    assert len({cell.fault for cell in cells}) == len(cells)
    assert {cell.at.point for cell in cells if cell.at} == set(points())
