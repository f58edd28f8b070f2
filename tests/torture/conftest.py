"""A database, a forge and a world of its own: sweeps cross accounts, so others must not be near."""

from collections.abc import Callable, Iterator

import psycopg
import pytest

from adapters_db.connection.connections import Connections
from adapters_db.connection.engine import make_engine
from adapters_db.operations.migrate import upgrade
from adapters_db.settings import DatabaseSettings
from tests.contracts.staging import clear_the_stage
from tests.contracts.worlds import World, sql_world
from tests.torture.guards.trials import Owner
from tests.torture.matrix.forge import Forge
from tests.torture.matrix.matrix import Laboratory
from tests.torture.shops import Shops


@pytest.fixture(scope="package")
def laboratory(
    new_database: Callable[[], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Laboratory]:
    """Where crashes are tried; what children complain of lies beside the gateways' logs."""
    directory = tmp_path_factory.mktemp("torture")
    url = new_database()
    upgrade(url)
    with Shops.at(url) as shops, Forge.lit(directory / "forge.log") as forge:
        yield Laboratory(shops, forge, directory)


@pytest.fixture(scope="package")
def contract_url(new_database: Callable[[], str]) -> str:
    """What guards are taken out of may be left in any state, so nobody else sees it."""
    url = new_database()
    upgrade(url)
    return url


@pytest.fixture(scope="package")
def contract_connections(contract_url: str) -> Iterator[Connections]:
    settings = DatabaseSettings(contract_url, contract_url, lock_timeout_seconds=1)
    engine = make_engine(settings)
    yield Connections(engine, settings)
    engine.dispose()


@pytest.fixture
def contract_world(contract_connections: Connections) -> World:
    world = sql_world(contract_connections)
    clear_the_stage(world)
    return world


@pytest.fixture
def owner(contract_url: str) -> Iterator[Owner]:
    """A connection that may change the schema; whatever it did is undone."""
    with psycopg.connect(contract_url) as connection:
        yield connection
        connection.rollback()
