"""The app on PostgreSQL with all its routes, and, where that is enough, in memory."""

import importlib
from collections.abc import Iterator
from typing import Any

import attrs
import punq
import pytest
from loguru import logger

from adapters_db.connection.connections import Connections
from adapters_http import wiring
from adapters_http.app import create_app
from retail_core.kernel.ports import Clock
from retail_core.kernel.settings import Env
from retail_core.testing.kernel.clock import FixedClock
from tests.contracts.worlds import World, memory_world
from tests.http.api import VARIABLES, Api, Shop, api_in_memory
from tests.http.things import api_of_things
from tests.own_database import close


@pytest.fixture(scope="session")
def wsgi(migrated_database_url: str) -> Iterator[Any]:
    """The API's composition root, imported as a server does it."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (VARIABLES | {"DATABASE_URL": migrated_database_url}).items():
            patch.setenv(name, value)
        yield importlib.import_module("adapters_http.wsgi")


@pytest.fixture(scope="session")
def _composed(wsgi: Any, migrated_database_url: str) -> Iterator[tuple[punq.Container, Any]]:
    env = Env(VARIABLES | {"DATABASE_URL": migrated_database_url})
    settings = wsgi.Settings.read(env)
    env.finish()
    container = wsgi.compose(settings)
    yield container, settings
    close(container.resolve(Connections))


@pytest.fixture
def api(_composed: tuple[punq.Container, Any]) -> Api:
    """The app with every route, on PostgreSQL; its clock stands at noon until a test moves it."""
    container, settings = _composed
    clock = FixedClock()
    container.register(Clock, instance=clock)
    return Api(create_app(wiring.parts(container, settings.edge)), container, clock)


@pytest.fixture
def limited_sql(_composed: tuple[punq.Container, Any]) -> Api:
    """Every route on PostgreSQL, with the limits of the contract."""
    container, settings = _composed
    clock = FixedClock()
    container.register(Clock, instance=clock)
    edge = attrs.evolve(settings.edge, rate_limits_factor=1)
    return Api(create_app(wiring.parts(container, edge)), container, clock)


@pytest.fixture
def quick_api() -> Api:
    """The app in memory: health and accounts."""
    return api_in_memory(memory_world())


@pytest.fixture(params=["memory", pytest.param("sql", marks=pytest.mark.servers)])
def any_api(request: pytest.FixtureRequest) -> Api:
    """The routes of accounts in both worlds."""
    found: Api = request.getfixturevalue("quick_api" if request.param == "memory" else "api")
    return found


@pytest.fixture
def shop(api: Api) -> Shop:
    """A new shop, signed in, on PostgreSQL."""
    return api.sign_up()


@pytest.fixture
def edge_world() -> World:
    """The world in memory behind `edge`."""
    return memory_world()


@pytest.fixture
def edge(edge_world: World) -> Api:
    """The app over the resources of `things`, to try the edge by itself."""
    return api_of_things(edge_world)


@pytest.fixture
def capture_logs() -> Iterator[list[dict[str, Any]]]:
    """Everything that is logged, as its message with what is bound to it."""
    lines: list[dict[str, Any]] = []

    def keep(message: Any) -> None:
        record = message.record
        lines.append({"message": record["message"], **record["extra"]})

    number = logger.add(keep, level="DEBUG")
    yield lines
    logger.remove(number)
