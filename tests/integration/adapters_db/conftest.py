"""Tests of the database adapter look behind the ports, on the run's migrated database."""

import pytest

from adapters_db.connection.connections import Connections
from tests.contracts.worlds import World, connections, sql_world

__all__ = ["connections"]


@pytest.fixture
def world(connections: Connections) -> World:
    """All ports on PostgreSQL."""
    return sql_world(connections)
