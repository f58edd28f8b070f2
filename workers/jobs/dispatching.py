"""Dispatching in a worker process: batch after batch, one in the gateway while one is booked."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from loguru import logger

from retail_core.kernel.ids import WorkerId
from retail_core.messages.use_cases import DispatchOutcome

BATCHES_IN_FLIGHT: Final = 2
"""Two, because a batch spends about half its time waiting for the gateway and the database."""


def dispatch_one(
    dispatch: Callable[[WorkerId], DispatchOutcome], worker: WorkerId
) -> DispatchOutcome:
    """Send one batch and say what became of it."""
    outcome = dispatch(worker)
    if outcome is not DispatchOutcome.IDLE:
        logger.info("a batch was {}", outcome.value)
    return outcome


def dispatch_until_idle(
    dispatch: Callable[[WorkerId], DispatchOutcome], worker: WorkerId, has_time: Callable[[], bool]
) -> bool:
    """Send until nothing is due, or there is no more time (True: there may be more to do).

    Raises what a batch raised, after the other one in flight has ended.
    """

    def lane() -> bool:
        while has_time():
            if dispatch_one(dispatch, worker) is DispatchOutcome.IDLE:
                return False
        return True

    with ThreadPoolExecutor(BATCHES_IN_FLIGHT, thread_name_prefix="dispatch") as lanes:
        ended = [lanes.submit(lane) for _ in range(BATCHES_IN_FLIGHT)]
    more = [each.result() for each in ended]
    return any(more)
