"""Connections past any pooler, for what a session of PostgreSQL must hold: LISTEN and locks."""

from collections.abc import Callable
from typing import Final

import attrs
import psycopg

from adapters_db.connection.engine import psycopg_url
from retail_core.kernel.errors import Unavailable

CONNECT_SECONDS: Final = 5


class DirectUnavailable(Unavailable):
    """The database does not answer on its direct address."""


@attrs.define
class DirectConnection:
    """One connection of `DIRECT_DATABASE_URL`, opened when needed and opened again when lost.

    For one thread. A peer that is gone without a word is noticed within half a minute.
    """

    url: str = attrs.field(repr=False)
    prepare: Callable[["psycopg.Connection[tuple[object, ...]]"], object] | None = None
    _open: "psycopg.Connection[tuple[object, ...]] | None" = attrs.field(default=None, init=False)

    @property
    def is_open(self) -> bool:
        return self._open is not None

    def get(self) -> "psycopg.Connection[tuple[object, ...]]":
        """The connection. Raises DirectUnavailable."""
        if self._open is None:
            self._open = self._connect()
        return self._open

    def lost(self, error: psycopg.Error) -> DirectUnavailable:
        """Drop the connection after an error; gives the error to raise."""
        self.close()
        return DirectUnavailable(f"the database does not answer: {type(error).__name__}")

    def close(self) -> None:
        """Close it; what the session held (locks, LISTEN) is free at once."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def _connect(self) -> "psycopg.Connection[tuple[object, ...]]":
        try:
            connection = psycopg.connect(
                psycopg_url(self.url)
                .set(drivername="postgresql")
                .render_as_string(hide_password=False),
                autocommit=True,
                connect_timeout=CONNECT_SECONDS,
                keepalives_idle=10,
                keepalives_interval=5,
                keepalives_count=3,
                application_name="retail-direct",
            )
        except psycopg.Error as error:
            raise self.lost(error) from error
        try:
            if self.prepare is not None:
                self.prepare(connection)
        except psycopg.Error as error:
            connection.close()
            raise self.lost(error) from error
        return connection
