"""A campaign over three continents: a worker as it is deployed, PostgreSQL and a simulator.

Only the clock is the test's. The simulator's log says who got their message, and each must have got
it at a time that is allowed on the clock where they live.
"""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest

from adapters_db.connection.connections import Connections
from adapters_sms.simulator.server import SimulatorOptions
from adapters_sms.simulator.thread import SimulatorThread
from retail_core.campaigns.model import Campaign, CampaignState
from retail_core.campaigns.use_cases import StartCampaign
from retail_core.kernel.addresses.phones import PhoneNumber, country_of
from retail_core.kernel.ids import WorkerId
from retail_core.kernel.jobs import Job
from retail_core.kernel.ports import Clock
from retail_core.kernel.settings import Env
from retail_core.messages.jobs import DISPATCH
from retail_core.messages.ports import SmsGateway
from tests.contracts.people import added, draft
from tests.contracts.staging import policy, shop, written
from tests.contracts.worlds import World, sql_world
from tests.own_database import close, own_connections
from workers import worker
from workers.jobs.running import JobOutcome, RunJob
from workers.wiring import Settings, build

pytestmark = pytest.mark.servers

START: Final = datetime(2026, 11, 24, 20, 13, tzinfo=UTC)
STEP: Final = timedelta(minutes=20)
HOMES: Final = {
    "+306984300001": ("Europe/Athens", time(9), time(21)),
    "+306984300002": ("Europe/Athens", time(9), time(21)),
    "+12125550101": ("America/New_York", time(10), time(12)),
    "+12125550102": ("America/New_York", time(10), time(12)),
    "+819012345671": ("Asia/Tokyo", time(9), time(21)),
}
"""Zone, and the time of day at which somebody may be sent to."""


class Nowhere:
    """A queue that loses every nudge: the sweep must do."""

    def put(self, _job: Job) -> bool:
        return True


@pytest.fixture
def connections(new_database: Callable[[], str]) -> Iterator[Connections]:
    with own_connections(new_database) as connections:
        yield connections


@pytest.fixture
def world(connections: Connections) -> World:
    return sql_world(connections)


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[SimulatorThread]:
    with SimulatorThread(SimulatorOptions(port=0, log_path=tmp_path / "log.jsonl")) as running:
        yield running


@pytest.fixture
def run(
    connections: Connections, world: World, simulator: SimulatorThread, tmp_path: Path
) -> Iterator[RunJob]:
    """What a worker process runs jobs with, by its own settings; the built-in policy but one."""
    rules = {"quietHours": {"US": {"start": "12:00", "end": "10:00"}}}
    path = tmp_path / "policy.json"
    path.write_text(json.dumps(rules))
    env = Env(
        {
            "APP_ENV": "test",
            "DATABASE_URL": connections.settings.url,
            "REDIS_URL": "disabled",
            "MITTO_API_BASE": simulator.base_url,
            "MITTO_API_KEY": "key",
            "SMS_TRAFFIC_ACCOUNT_ID": "traffic",
            "UNSUBSCRIBE_TOKEN_SECRET": "a secret for links in tests, 32 bytes",
            "QUIET_HOURS_POLICY": "on",
            "POLICY_FILE": str(path),
        }
    )
    settings = Settings.read(env)
    env.finish()
    container = build(settings)
    container.register(Clock, instance=world.clock)
    nowhere: Any = Nowhere()
    yield worker.runner(container, nowhere, WorkerId("w"), worker.Stopping())
    gateway: Any = container.resolve(SmsGateway)
    gateway.close()
    close(container.resolve(Connections))


def started(world: World) -> Campaign:
    world.clock.moment = START
    account = shop(world)
    numbers = [PhoneNumber(each) for each in HOMES]
    added(world, account, *(draft(each, country=country_of(each)) for each in numbers))
    campaign = written(world, account)
    StartCampaign(world.transactions, world.clock, policy(100))(account, campaign.id)
    return campaign


def test_everybody_is_sent_to_at_their_local_time_and_by_itself(
    world: World, run: RunJob, simulator: SimulatorThread
) -> None:
    campaign = started(world)
    sent_at: dict[str, datetime] = {}

    while len(sent_at) < len(HOMES) and world.clock.now() < START + timedelta(days=2):
        for kind in ("sweep_stale_batches", DISPATCH):
            assert run(Job(kind, kind)) is JobOutcome.DONE
        for entry in simulator.accepted():
            sent_at.setdefault(entry.destination or "", world.clock.now())
        world.clock.advance(STEP)

    assert sent_at.keys() == HOMES.keys()
    for number, (zone, first, last) in HOMES.items():
        local = sent_at[number].astimezone(ZoneInfo(zone))
        assert first <= local.time() < last, (zone, local)
        earlier = (sent_at[number] - STEP).astimezone(ZoneInfo(zone))
        assert not first <= earlier.time() < last, "nobody waits longer than they must"
    assert len(simulator.accepted()) == len(HOMES)
    done = world.campaign_queries.get(campaign.account_id, campaign.id)
    assert (done.state, done.counts.sent) == (CampaignState.COMPLETED, len(HOMES))
    assert done.credits.held == 0
