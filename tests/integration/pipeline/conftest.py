"""A database of its own: sweeps and claims cross accounts, so other tests must not be near."""

from collections.abc import Callable, Iterator

import pytest

from adapters_db.connection.connections import Connections
from tests.contracts.staging import clear_the_stage
from tests.contracts.worlds import World, sql_world
from tests.own_database import own_connections


@pytest.fixture(scope="package")
def connections(new_database: Callable[[], str]) -> Iterator[Connections]:
    """The pool on a database of these tests alone."""
    with own_connections(new_database) as connections:
        yield connections


@pytest.fixture
def world(connections: Connections) -> World:
    """PostgreSQL without anything left to do."""
    world = sql_world(connections)
    clear_the_stage(world)
    return world
