"""Nothing that the description allows breaks the app, and nothing it answers is undescribed.

`make fuzz EXAMPLES=10000` plays longer than `make test` does.
"""

import math
import os
from collections.abc import Callable, Iterator
from typing import Any, Final

import punq
import pytest

from adapters_db.connection.connections import Connections
from adapters_db.operations.migrate import upgrade
from adapters_http import wiring
from adapters_http.app import create_app
from retail_core.kernel.ports import Clock
from retail_core.kernel.settings import Env
from retail_core.messages.ports import GatewayPace, Pause, SmsGateway
from retail_core.testing.kernel.clock import ClockPause, FixedClock
from retail_core.testing.messages.gateway import FakeGateway, FakePace
from tests.http.api import VARIABLES, Api
from tests.http.campaigns.shops import new_shop
from tests.http.neighbours import DOCUMENT
from tests.http.playing import ENDS_THE_SESSION, LINKS, ONE_BY_ONE, SHORTLY, Played, play
from tests.own_database import close

EXAMPLES: Final = int(os.environ.get("FUZZ_EXAMPLES") or 1)
WALKS_MIN: Final = 20
SECONDS_MAX: Final = 7200
OPERATIONS: Final = {
    f"{method.upper()} {path}" for path, rows in DOCUMENT["paths"].items() for method in rows
}


@pytest.fixture
def stage(wsgi: Any, new_database: Callable[[], str]) -> Iterator[Api]:
    """The app on a database of its own, with a gateway that takes everything."""
    url = new_database()
    upgrade(url)
    env = Env(VARIABLES | {"DATABASE_URL": url})
    settings = wsgi.Settings.read(env)
    env.finish()
    container: punq.Container = wsgi.compose(settings)
    clock = FixedClock()
    container.register(Clock, instance=clock)
    container.register(SmsGateway, instance=FakeGateway(clock, name="played"))
    container.register(GatewayPace, instance=FakePace(clock))
    container.register(Pause, instance=ClockPause(clock))
    yield Api(create_app(wiring.parts(container, settings.edge)), container, clock)
    close(container.resolve(Connections))


@pytest.mark.slow
@pytest.mark.timeout(SECONDS_MAX)
def test_the_app_keeps_to_its_description(stage: Api) -> None:
    played, each = Played(), math.ceil(EXAMPLES / len(OPERATIONS))
    single = SHORTLY if each == 1 else ONE_BY_ONE
    play(stage, new_shop(stage), each, single, played)
    play(stage, new_shop(stage), each, single, played, **ENDS_THE_SESSION)
    play(stage, new_shop(stage), max(WALKS_MIN, EXAMPLES // 5), LINKS, played)

    print(played.summary())  # noqa: T201 - shown by `make fuzz`
    told = "\n\n".join(f"{name}\n{text}" for name, text in sorted(played.faults.items()))
    assert played.faults == {}, told
    assert not any(status >= 500 for status in played.statuses)
    assert played.operations == OPERATIONS
