"""Hears that somebody wrote a job, so that the relay need not ask again and again."""

import attrs
import psycopg

from adapters_db.connection.direct import DirectConnection
from adapters_db.kernel.outbox import CHANNEL


def _listen(connection: "psycopg.Connection[tuple[object, ...]]") -> None:
    connection.execute(f"LISTEN {CHANNEL}".encode())


@attrs.frozen
class OutboxListener:
    """Waits for NOTIFY on its own connection; for one thread.

    What was notified before the connection was opened is not heard: look into the outbox after
    `is_listening` turned true, and now and then anyway.
    """

    _direct: DirectConnection

    @classmethod
    def at(cls, direct_url: str) -> "OutboxListener":
        return cls(DirectConnection(direct_url, _listen))

    @property
    def is_listening(self) -> bool:
        return self._direct.is_open

    def wait(self, timeout_seconds: float) -> bool:
        """True as soon as a job was written, False when the time is over. Sends no query.

        Raises `Unavailable` when the connection cannot be had or is lost.
        """
        connection = self._direct.get()
        try:
            heard = list(connection.notifies(timeout=timeout_seconds, stop_after=1))
        except psycopg.Error as error:
            raise self._direct.lost(error) from error
        return bool(heard)

    def close(self) -> None:
        self._direct.close()
