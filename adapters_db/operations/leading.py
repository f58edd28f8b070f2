"""One leader among any number of processes, by a lease that a halted one loses."""

import secrets
from contextlib import suppress
from typing import Final

import attrs
import psycopg

from adapters_db.connection.direct import DirectConnection, DirectUnavailable
from adapters_db.connection.engine import SWEEP_ROLE

LEAD_SECONDS: Final = 20
"""So long the lead is left to a process that may stand still; renewed every few seconds."""

# One statement, committed by the server itself: whoever halts over it holds no lock. A leader
# that died has no connection any more, and is not waited for.
_HOLD: Final = """
UPDATE scheduler_lead
SET holder = %(holder)s, backend = pg_backend_pid(),
    leads_until = clock_timestamp() + make_interval(secs => %(seconds)s)
WHERE holder = %(holder)s OR leads_until <= clock_timestamp()
   OR NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.pid = scheduler_lead.backend)
"""
_RELEASE: Final = "UPDATE scheduler_lead SET leads_until = '-infinity' WHERE holder = %s"


def _prepare(connection: "psycopg.Connection[tuple[object, ...]]") -> None:
    connection.execute(f"SET ROLE {SWEEP_ROLE}".encode())
    connection.execute("SET lock_timeout = '3s'")
    connection.execute("SET statement_timeout = '5s'")


@attrs.frozen
class Leadership:
    """The row of `scheduler_lead`, by the clock of the database alone; for one thread."""

    _direct: DirectConnection
    _holder: str = attrs.field(factory=lambda: secrets.token_hex(8))
    _seconds: float = LEAD_SECONDS

    @classmethod
    def at(cls, direct_url: str, seconds: float = LEAD_SECONDS) -> "Leadership":
        return cls(DirectConnection(direct_url, _prepare), seconds=seconds)

    def hold(self) -> bool:
        """Take the lead or keep it for a while; False while another process leads.

        Raises `Unavailable` when the database does not answer; then it ends by itself.
        """
        connection = self._direct.get()
        try:
            found = connection.execute(_HOLD, {"holder": self._holder, "seconds": self._seconds})
        except psycopg.Error as error:
            raise self._direct.lost(error) from error
        return found.rowcount == 1

    def release(self) -> None:
        """Let another process lead at once, as far as the database answers."""
        with suppress(DirectUnavailable, psycopg.Error):
            if self._direct.is_open:
                self._direct.get().execute(_RELEASE, (self._holder,))
        self._direct.close()
