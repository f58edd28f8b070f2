"""Real PostgreSQL and Valkey out of wheels, for `make run` and `make test`.

Both servers listen on loopback only, on a free port that is remembered, and want a password that
is made at random and kept beside the data. `start` may be called on a server that runs already, be
it the one of a run that crashed; it then only gives its address. `stop` ends it cleanly.

>>> server = EmbeddedPostgres(Path("var/postgres"))          # doctest: +SKIP
>>> server.start()                                           # doctest: +SKIP
'postgresql://postgres:...@127.0.0.1:41873/retail'
"""

from typing import Protocol

from workers.dev.embedded.postgres import EmbeddedPostgres
from workers.dev.embedded.processes import ServerError
from workers.dev.embedded.valkey import EmbeddedValkey

__all__ = ["EmbeddedPostgres", "EmbeddedServer", "EmbeddedValkey", "ServerError"]


class EmbeddedServer(Protocol):
    """A server whose data lie in a directory."""

    def start(self) -> str:
        """Start it, or find it running, wait until it answers, and give its address.

        Raises ServerError with the end of the server's log.
        """
        ...

    def stop(self) -> None:
        """Stop it and wait for its end; nothing happens if it does not run."""
        ...

    def is_running(self) -> bool:
        """Whether its process lives."""
        ...
