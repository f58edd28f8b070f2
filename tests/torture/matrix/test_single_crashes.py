"""Single messages keep the same promises as those of campaigns."""

import pytest

from tests.conftest import SEED
from tests.torture.matrix.forge import End
from tests.torture.matrix.matrix import Cell, Laboratory
from tests.torture.matrix.singles import MESSAGES, run_single_cell, sample_of_single_cells
from workers.dev.crash_points import CrashAt, CrashPoint

pytestmark = [pytest.mark.servers, pytest.mark.slow]


@pytest.mark.parametrize("cell", sample_of_single_cells(SEED), ids=str)
def test_a_crash_doubles_and_loses_no_single_message(cell: Cell, laboratory: Laboratory) -> None:
    found = run_single_cell(laboratory, cell)
    assert found.end in {End.KILLED, End.DONE}, f"TEST_SEED={SEED}: {found}"
    assert not found.complaints, f"TEST_SEED={SEED}: {found}"


def test_single_messages_in_flight_are_in_doubt_after_a_crash(laboratory: Laboratory) -> None:
    found = run_single_cell(laboratory, Cell(CrashAt(CrashPoint.AFTER_SUBMIT), "none"))
    assert found.end is End.KILLED
    assert not found.complaints, str(found)
    assert found.states == {"unknown": MESSAGES}
