"""The database's patience with whoever has only so much time left, such as a request."""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import psycopg
from sqlalchemy import Connection, Engine, event

from retail_core.kernel.errors import Unavailable

Remaining: TypeAlias = Callable[[], float | None]
"""The seconds that are left for the work of this thread; None if nobody counts them."""

GRANTED: Final = "granted_seconds"
SLACK_SECONDS: Final = 1.0
"""Saying a time-out again costs a round trip: worth it once this much was used up meanwhile."""


def without_end() -> float | None:
    """Nobody waits for a worker or a command."""
    return None


def seconds_of(limit_seconds: float, remaining: float | None) -> float:
    """The shorter of both. Raises Unavailable when the time is over."""
    if remaining is None:
        return limit_seconds
    if remaining <= 0:
        raise Unavailable("the time for this is over")
    return min(limit_seconds, remaining)


def milliseconds(seconds: float) -> int:
    """As a setting of PostgreSQL, where nothing would mean without end."""
    return max(1, int(seconds * 1000))


def limit_statements(engine: Engine, remaining_seconds: Remaining) -> None:
    """Begin no statement when the time is over, and let none run much longer than that.

    A transaction begins with the time-out of what is left then (`Connections`); here it shrinks
    with what its statements have used.
    """

    def limit(connection: Connection, *_: Any) -> None:  # noqa: ANN401 - SQLAlchemy's details
        remaining = remaining_seconds()
        if remaining is None:
            return
        granted = connection.info.get(GRANTED, 0.0)
        if seconds_of(granted, remaining) < granted - SLACK_SECONDS:
            driver = connection.connection.driver_connection
            assert isinstance(driver, psycopg.Connection)
            driver.execute(f"SET LOCAL statement_timeout = {milliseconds(remaining)}".encode())
            connection.info[GRANTED] = remaining

    event.listen(engine, "before_cursor_execute", limit)
