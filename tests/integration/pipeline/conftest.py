"""A database of its own: sweeps and claims cross accounts, so other tests must not be near."""

from collections.abc import Callable, Iterator

import pytest

from adapters_db.connections import Connections
from adapters_db.engine import make_engine
from adapters_db.migrate import upgrade
from adapters_db.settings import DatabaseSettings
from tests.contracts.staging import clear_the_stage
from tests.contracts.worlds import World, sql_world


@pytest.fixture(scope="package")
def connections(new_database: Callable[[], str]) -> Iterator[Connections]:
    """The pool on a fresh database."""
    url = new_database()
    upgrade(url)
    settings = DatabaseSettings(url, url, application_name="retail-pipeline")
    connections = Connections(make_engine(settings), settings)
    yield connections
    connections.engine.dispose()


@pytest.fixture
def world(connections: Connections) -> World:
    """PostgreSQL without anything left to do."""
    world = sql_world(connections)
    clear_the_stage(world)
    return world
