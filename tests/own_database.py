"""A database of one's own: sweeps and claims cross accounts, so other tests must not be near."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Final

from adapters_db.connection.connections import Connections
from adapters_db.connection.engine import make_engine
from adapters_db.operations.migrate import upgrade
from adapters_db.settings import DatabaseSettings

TIMER_SECONDS_MAX: Final = 5.0


@contextlib.contextmanager
def own_connections(new_database: Callable[[], str]) -> Iterator[Connections]:
    """The pool on a fresh database."""
    url = new_database()
    upgrade(url)
    settings = DatabaseSettings(url, url, application_name="retail-own")
    connections = Connections(make_engine(settings), settings)
    yield connections
    close(connections)


def close(connections: Connections) -> None:
    """Close the pool after the last nudge that comes later: it would open a connection again."""
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.join(TIMER_SECONDS_MAX)
    connections.engine.dispose()
