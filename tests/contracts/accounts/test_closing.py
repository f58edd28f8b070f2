"""The contract of closing accounts: in memory, and on a database of its own."""

from collections.abc import Callable, Iterator

import pytest

from adapters_db.connection.connections import Connections
from tests.contracts.accounts.closing import ClosingStoreContract
from tests.contracts.staging import clear_the_stage
from tests.contracts.worlds import World, memory_world, sql_world
from tests.own_database import own_connections


class TestClosingInMemory(ClosingStoreContract):
    @pytest.fixture
    def world(self) -> World:
        return memory_world()


@pytest.fixture(scope="module")
def own(new_database: Callable[[], str]) -> Iterator[Connections]:
    """The pool on a database of these tests alone."""
    with own_connections(new_database) as connections:
        yield connections


@pytest.mark.servers
class TestClosingOnPostgres(ClosingStoreContract):
    @pytest.fixture
    def world(self, own: Connections) -> World:
        world = sql_world(own)
        clear_the_stage(world)
        return world
