"""Everything is killed or halted at random while campaigns go out; long by `make torture`."""

from pathlib import Path

import pytest

from tests.conftest import SEED
from tests.torture.loops.fleet import fleet
from tests.torture.loops.kills import Chaos
from tests.torture.shops import Shops

pytestmark = [pytest.mark.servers, pytest.mark.slow]

SECONDS = 2.0


def test_kills_of_everything_double_and_lose_nobody(server_directory: Path) -> None:
    with fleet(server_directory) as servers, Shops.at(servers.database_url) as shops:
        story = Chaos.of(servers, shops, SEED).run(SECONDS, server_directory)
    assert not story.verdict.complaints, f"TEST_SEED={SEED}: {story.verdict}"
    assert not story.troubles, f"TEST_SEED={SEED}: {story.troubles}"
    assert story.kills.total() > 0
    assert story.halts.total() > 0
    assert story.verdict.accepted > 0, "nobody was sent to, so nothing was shown"
