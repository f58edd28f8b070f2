"""One leader among any number of processes, by a lock that dies with its holder."""

from typing import Final

import attrs
import psycopg

from adapters_db.direct import DirectConnection

SCHEDULER_LOCK: Final = 0x5E7A11_5C4ED
"""Number of the advisory lock; advisory locks belong to one database."""


@attrs.frozen
class Leadership:
    """A session's advisory lock: held as long as the connection lives; for one thread."""

    _direct: DirectConnection

    @classmethod
    def at(cls, direct_url: str) -> "Leadership":
        return cls(DirectConnection(direct_url))

    def hold(self) -> bool:
        """Take the lead or keep it; False while another process leads.

        Raises `Unavailable` when the database does not answer; then nothing is held.
        """
        connection = self._direct.get()
        try:
            row = connection.execute(
                # a session may take its lock twice; it must not, or one release would not do
                "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory'"
                " AND pid = pg_backend_pid() AND granted) OR pg_try_advisory_lock(%s)",
                (SCHEDULER_LOCK,),
            ).fetchone()
        except psycopg.Error as error:
            raise self._direct.lost(error) from error
        return row is not None and row[0] is True

    def release(self) -> None:
        """Let another process lead at once."""
        self._direct.close()
