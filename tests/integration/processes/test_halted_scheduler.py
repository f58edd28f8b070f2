"""A scheduler that stands still loses the lead, though its connections live."""

import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters_db.operations.leading import LEAD_SECONDS
from adapters_db.operations.migrate import upgrade
from tests.integration.processes.plant import Plant, started
from tests.integration.workers.watching import until
from workers.processes.leading import LEAD_CHECK_SECONDS

LEADS_WITHIN_SECONDS = 60

pytestmark = [pytest.mark.servers, pytest.mark.slow]


def leader(plant: Plant) -> str:
    ((holder,),) = plant.ask("SELECT holder FROM scheduler_lead")
    return str(holder)


def test_another_scheduler_leads_within_a_minute(
    new_database: Callable[[], str], redis_url: str, tmp_path: Path
) -> None:
    database_url = new_database()
    upgrade(database_url)
    with started(tmp_path, database_url, redis_url) as plant:
        until(lambda: leader(plant) != "nobody", LEADS_WITHIN_SECONDS)
        first, halted = leader(plant), plant.running[-1]
        plant.start("workers.scheduler")
        halted.send_signal(signal.SIGSTOP)

        until(lambda: leader(plant) != first, LEADS_WITHIN_SECONDS)

        second = leader(plant)
        halted.send_signal(signal.SIGCONT)
        time.sleep(LEAD_CHECK_SECONDS + 1)
        assert leader(plant) == second
        assert LEAD_SECONDS + LEAD_CHECK_SECONDS < LEADS_WITHIN_SECONDS
