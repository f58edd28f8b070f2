"""A worker that stood still until its lease was over hands nothing over when it goes on."""

import signal
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from adapters_db.operations.migrate import upgrade
from retail_core.messages.model import MessageState
from tests.integration.processes.plant import FIRST_PHONE, Plant, started
from tests.integration.workers.watching import until

CONTACTS = 40
SHORT_LEASE = {"MITTO_TIMEOUT_SECONDS": "1", "BATCH_LEASE_SECONDS": "3", "SMS_BATCH_SIZE": "10"}
WAITS_FOR_SECONDS = 60

pytestmark = [pytest.mark.servers, pytest.mark.slow]


def halted_under(worker: psutil.Popen) -> psutil.Process | None:
    """The process that CRASH_AT halted."""
    halted = [each for each in worker.children() if each.status() == psutil.STATUS_STOPPED]
    return halted[0] if halted else None


def unknown_to(plant: Plant, campaign: int) -> set[str]:
    return set(plant.numbers_by_state(campaign)[MessageState.UNKNOWN])


@pytest.mark.parametrize("point", ["after_intent", "before_submit"])
def test_whoever_left_while_the_worker_stood_still_gets_nothing(
    new_database: Callable[[], str], redis_url: str, tmp_path: Path, point: str
) -> None:
    database_url = new_database()
    upgrade(database_url)
    with started(tmp_path, database_url, redis_url, **SHORT_LEASE) as plant:
        email = plant.shop(CONTACTS)
        worker = plant.start(
            "workers.dev.crashing", CRASH_AT=f"{point}:1:stop", WORKER_CONCURRENCY="1"
        )
        words = ("--email", email, "--name", "Coffee", "--text", "Coffee is on us")
        campaign = plant.command("send-campaign", *words)["campaignId"]
        until(lambda: halted_under(worker) is not None, WAITS_FOR_SECONDS)
        halted = halted_under(worker)
        assert halted is not None
        plant.start("workers.worker")
        plant.wait_for_end(campaign)
        left = unknown_to(plant, campaign)
        assert left, "nobody was in the hands of who stood still"
        for number in left:
            plant.command("suppress", "--phone", f"+{number}", "--note", "a test")
        plant.command("resolve-unknown", "--campaign", str(campaign), "--as", "failed")
        before = plant.accepted()
        assert not left & set(before)

        ended = batches_ended(tmp_path)
        halted.send_signal(signal.SIGCONT)
        until(lambda: batches_ended(tmp_path) > ended, WAITS_FOR_SECONDS)

        assert sorted(plant.accepted()) == sorted(before)
        assert len(before) == CONTACTS - len(left)
        everybody = {f"30{FIRST_PHONE + number}" for number in range(CONTACTS)}
        assert left | set(before) == everybody
        assert plant.command("verify-ledger") == {"wallets": [], "holds": [], "campaigns": []}


def batches_ended(directory: Path) -> int:
    """How many batches workers are done with, by their own account."""
    logs = directory.glob("workers.*.log")
    return sum(log.read_text().count("a batch was") for log in logs)
