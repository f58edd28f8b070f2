"""A campaign survives what is worst for it: its workers killed, its queue wiped, in the middle."""

from collections.abc import Callable
from pathlib import Path

import pytest
import redis

from adapters_db.operations.migrate import upgrade
from retail_core.messages.model import MessageState
from tests.integration.processes.plant import Plant, kill, started
from tests.integration.workers.watching import until
from workers.jobs.dispatching import BATCHES_IN_FLIGHT

CONTACTS = 3_000
MIDDLE = CONTACTS // 4
BATCH = 100
PROCESSES = 2
IN_FLIGHT_MAX = PROCESSES * BATCHES_IN_FLIGHT * BATCH
TEXT = "Coffee is on us"
# a call must end within a lease, and a test should not wait two minutes for one
SHORT_LEASE = {"MITTO_TIMEOUT_SECONDS": "1", "BATCH_LEASE_SECONDS": "3"}

pytestmark = [pytest.mark.servers, pytest.mark.slow]


def send(plant: Plant) -> int:
    """Start a campaign to everybody, and wait until it is in the middle."""
    email = plant.shop(CONTACTS)
    words = ("--email", email, "--name", "Coffee", "--text", TEXT)
    campaign = plant.command("send-campaign", *words)["campaignId"]
    until(lambda: len(plant.accepted()) > MIDDLE)
    assert plant.state(campaign) == "sending"
    return int(campaign)


def wipe(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.flushdb()


def assert_everybody_is_accounted_for_and_nobody_sent_to_twice(plant: Plant, campaign: int) -> None:
    """Compare the rows with the log of the gateway, which knows who was really sent to."""
    accepted, rows = plant.accepted(), plant.numbers_by_state(campaign)
    sent, unknown = set(rows[MessageState.SENT]), set(rows[MessageState.UNKNOWN])
    assert len(accepted) == len(set(accepted)), "a phone would have received two"
    assert sum(map(len, rows.values())) == CONTACTS
    assert len(sent | unknown) == CONTACTS, "somebody is neither sent to nor unknown"
    assert sent <= set(accepted), "somebody counts as sent to and was not"
    assert set(accepted) - sent <= unknown, "somebody was sent to and does not know it"
    wallet = plant.ask("SELECT available, held FROM wallet WHERE account_id > 1")
    assert wallet == [(0, len(unknown))]
    assert plant.command("verify-ledger") == {"wallets": [], "holds": [], "campaigns": []}


@pytest.mark.parametrize("is_wiped", [False, True], ids=["killed", "killed and wiped"])
def test_a_worker_that_is_killed_in_the_middle_sends_to_nobody_twice(
    *, is_wiped: bool, new_database: Callable[[], str], redis_url: str, tmp_path: Path
) -> None:
    database_url = new_database()
    upgrade(database_url)
    with started(tmp_path, database_url, redis_url, **SHORT_LEASE) as plant:
        worker = plant.start("workers.worker")
        campaign = send(plant)
        kill(worker)
        if is_wiped:
            wipe(redis_url)
        plant.start("workers.worker")
        plant.wait_for_end(campaign)
        assert_everybody_is_accounted_for_and_nobody_sent_to_twice(plant, campaign)
        unknown = plant.numbers_by_state(campaign)[MessageState.UNKNOWN]
        assert len(unknown) <= IN_FLIGHT_MAX, "only what was in flight can be unknown"


def test_a_queue_that_is_wiped_in_the_middle_costs_nobody_a_message(
    new_database: Callable[[], str], redis_url: str, tmp_path: Path
) -> None:
    database_url = new_database()
    upgrade(database_url)
    with started(tmp_path, database_url, redis_url) as plant:
        plant.start("workers.worker")
        campaign = send(plant)
        wipe(redis_url)
        plant.wait_for_end(campaign)
        assert_everybody_is_accounted_for_and_nobody_sent_to_twice(plant, campaign)
        assert len(plant.accepted()) == CONTACTS
