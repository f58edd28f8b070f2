"""A database of one's own: sweeps and claims cross accounts, so other tests must not be near."""

import contextlib
from collections.abc import Callable, Iterator

from adapters_db.connections import Connections
from adapters_db.engine import make_engine
from adapters_db.migrate import upgrade
from adapters_db.settings import DatabaseSettings


@contextlib.contextmanager
def own_connections(new_database: Callable[[], str]) -> Iterator[Connections]:
    """The pool on a fresh database."""
    url = new_database()
    upgrade(url)
    settings = DatabaseSettings(url, url, application_name="retail-own")
    connections = Connections(make_engine(settings), settings)
    yield connections
    connections.engine.dispose()
