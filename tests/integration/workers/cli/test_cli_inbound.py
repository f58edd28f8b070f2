"""What the operator is shown of texts that match nobody."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from adapters_db.connection.connections import Connections
from retail_core.engagement.model import Keyword
from tests.answering import apply_all, record
from tests.contracts.people import added, draft
from tests.contracts.staging import clear_the_stage, phone, sent, shop, started
from tests.contracts.worlds import World, sql_world
from tests.integration.workers.cli.test_cli import Cli
from tests.own_database import own_connections

STRANGER = "306984301177"


@pytest.fixture
def connections(new_database: Any) -> Iterator[Connections]:
    with own_connections(new_database) as connections:
        yield connections


@pytest.fixture
def world(connections: Connections) -> World:
    world = sql_world(connections)
    clear_the_stage(world)
    return world


@pytest.fixture
def cli(connections: Connections, capsys: pytest.CaptureFixture[str]) -> Cli:
    variables: Mapping[str, str] = {
        "APP_ENV": "test",
        "DATABASE_URL": connections.settings.url,
        "LOG_LEVEL": "error",
    }
    return Cli(variables, capsys)


def test_a_stop_that_matches_nobody_is_shown_with_masked_numbers(cli: Cli, world: World) -> None:
    account = shop(world)
    known = phone(account)
    added(world, account, draft(known))
    started(world, account)
    sent(world)
    for sender, text in ((known, "STOP"), (STRANGER, "STOP please"), ("Shop", "hello")):
        record(world, sender, text, "+306900009999")
    apply_all(world)

    code, shown = cli("inbound", "--unmatched")

    assert code == 0
    assert (shown["unmatched"], shown["stop"], shown["other"]) == (2, 1, 1)
    assert [each["keyword"] for each in shown["texts"]] == ["other", Keyword.STOP.value]
    assert shown["texts"][1]["from"] == "+30********77"
    assert STRANGER not in str(shown)
    assert "please" not in str(shown)

    one = cli("inbound", "--id", f"{shown['texts'][1]['id']}")[1]
    assert (one["from"], one["to"]) == (STRANGER, "+306900009999")
    assert cli("inbound", "--unmatched", "--show", "1")[1]["texts"] == shown["texts"][:1]


def test_what_matches_somebody_or_is_not_there_is_not_shown(cli: Cli) -> None:
    assert cli("inbound", "--unmatched") == (0, {"unmatched": 0, "texts": []})
    assert cli("inbound", "--id", "1") == (1, {"id": 1, "found": False})
