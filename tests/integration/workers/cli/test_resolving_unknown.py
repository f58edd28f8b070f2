"""The operator's command about unknown messages, against the real database and a simulator."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest

from adapters_db.connection.connections import Connections
from adapters_sms.simulator.server import SimulatorOptions
from adapters_sms.simulator.thread import SimulatorThread
from retail_core.campaigns.model import CampaignCounts
from retail_core.kernel.settings import AppSettings
from tests.contracts.staging import shop
from tests.contracts.worlds import World, sql_world
from tests.doubting import DoubtLine, Lost
from tests.own_database import own_connections
from workers.cli.running import main

pytestmark = pytest.mark.servers


def _no_logs(_settings: AppSettings) -> None:
    """The logs of a test process are pytest's."""


@attrs.frozen
class Operator:
    """Somebody at the command line."""

    variables: Mapping[str, str]
    output: pytest.CaptureFixture[str]

    def __call__(self, *words: str) -> tuple[int, dict[str, Any]]:
        self.output.readouterr()
        code = main(["resolve-unknown", *words, "--json"], self.variables, _no_logs)
        return code, json.loads(self.output.readouterr().out)


@pytest.fixture(scope="module")
def connections(new_database: Callable[[], str]) -> Iterator[Connections]:
    """A database of these tests alone, since they let sweeps go over all accounts."""
    with own_connections(new_database) as connections:
        yield connections


@pytest.fixture
def world(connections: Connections) -> World:
    return sql_world(connections)


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[SimulatorThread]:
    with SimulatorThread(SimulatorOptions(port=0, log_path=tmp_path / "log.jsonl")) as running:
        yield running


@pytest.fixture
def operator(
    connections: Connections, gateway: SimulatorThread, capsys: pytest.CaptureFixture[str]
) -> Operator:
    variables = {
        "APP_ENV": "test",
        "DATABASE_URL": connections.settings.url,
        "REDIS_URL": "disabled",
        "MITTO_API_BASE": gateway.base_url,
        "MITTO_API_KEY": "key",
        "SMS_TRAFFIC_ACCOUNT_ID": "traffic",
    }
    return Operator(variables, capsys)


@pytest.fixture
def lost(world: World) -> Lost:
    account = shop(world)
    return DoubtLine.over(world, f"gw{account}").lose(account, 3)


def counts(world: World, lost: Lost) -> CampaignCounts:
    return world.campaign_queries.get(lost.campaign.account_id, lost.campaign.id).counts


def test_what_is_unknown_is_listed(operator: Operator, world: World, lost: Lost) -> None:
    code, printed = operator("--campaign", str(lost.campaign.id), "--show", "2")

    assert (code, printed["unknown"], printed["asked"]) == (0, 3, 0)
    assert printed["messages"] == [
        {
            "id": lost.number(seq),
            "campaignId": lost.campaign.id,
            "accountId": lost.campaign.account_id,
            "since": world.clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "credits": 1,
            "creditsSettled": False,
            "providerMessageId": None,
        }
        for seq in (0, 1)
    ]
    assert counts(world, lost) == CampaignCounts(unknown=3)


@pytest.mark.parametrize("word", ["sent", "delivered", "failed"])
def test_the_operator_can_say_what_became_of_them(
    operator: Operator, world: World, lost: Lost, word: str
) -> None:
    code, printed = operator("--campaign", str(lost.campaign.id), "--as", word)

    assert (code, printed["settledByOperator"], printed["unknown"]) == (0, 3, 0)
    assert counts(world, lost) == CampaignCounts(**{word: 3})
    line = DoubtLine.over(world)
    line.assert_books_are_right(lost.campaign.account_id, lost.campaign, 1_000)


def test_nobody_declares_the_messages_of_all_shops_at_once(operator: Operator) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["resolve-unknown", "--as", "failed"], operator.variables, _no_logs)

    assert ended.value.code == 2
