"""Open transactions whose role and account the database itself checks."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import attrs
import psycopg
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from adapters_db.engine import BOUND_ROLE, SWEEP_ROLE
from adapters_db.settings import DatabaseSettings
from retail_core.kernel.errors import Unavailable
from retail_core.kernel.ids import AccountId

_OPEN = """
SELECT set_config('role', %s, true), set_config('retail.account', %s, true),
       set_config('transaction_read_only', %s, true), set_config('statement_timeout', %s, true),
       set_config('lock_timeout', %s, true),
       set_config('idle_in_transaction_session_timeout', %s, true)
"""


@attrs.frozen
class Connections:
    """Transactions on the pool, each with its role, its account and its time-outs.

    Every setting ends with its transaction, so this is safe behind a transaction pooler. Raises
    `Unavailable` when the database cannot be reached, gave up (deadlock, time-out) or the pool
    has no connection left.
    """

    engine: Engine
    settings: DatabaseSettings

    @contextmanager
    def bound(self, account: AccountId, *, read_only: bool = False) -> Iterator[Connection]:
        """A transaction that can see and write the rows of `account` only."""
        with self._transaction(BOUND_ROLE, str(account), read_only=read_only) as connection:
            yield connection

    @contextmanager
    def sweep(self, *, read_only: bool = False) -> Iterator[Connection]:
        """A transaction that can see and write the rows of all accounts."""
        with self._transaction(SWEEP_ROLE, "", read_only=read_only) as connection:
            yield connection

    @contextmanager
    def _transaction(self, role: str, account: str, *, read_only: bool) -> Iterator[Connection]:
        seconds = self.settings
        parameters = (
            role,
            account,
            "on" if read_only else "off",
            f"{seconds.statement_timeout_seconds}s",
            f"{seconds.lock_timeout_seconds}s",
            f"{seconds.idle_in_transaction_timeout_seconds}s",
        )
        with _unavailable(), self._opened(parameters) as connection, connection.begin():
            yield connection

    def _opened(self, parameters: tuple[str, ...]) -> Connection:
        """Begin and set everything in one round trip; on a stale connection try a fresh one.

        Nothing has been done in the transaction yet, so beginning it again is safe.
        """
        connection = self.engine.connect()
        try:
            _open(connection, parameters)
        except psycopg.OperationalError:
            connection.invalidate()
            connection.close()
            self.engine.dispose()  # its idle siblings are as old as this one
            connection = self.engine.connect()
            _open(connection, parameters)
        return connection


def psycopg_connection(connection: Connection) -> "psycopg.Connection[tuple[Any, ...]]":
    """The driver's own connection, in the same transaction, for COPY and pipelines."""
    return cast(
        "psycopg.Connection[tuple[Any, ...]]",
        connection.connection.driver_connection,
    )


def _open(connection: Connection, parameters: tuple[str, ...]) -> None:
    driver = psycopg_connection(connection)
    try:
        with driver.pipeline():  # the driver's BEGIN travels with it
            driver.execute(_OPEN, parameters)
    except BaseException:
        if not driver.closed:
            driver.rollback()
        raise


@contextmanager
def _unavailable() -> Iterator[None]:
    """Name what may work later; let every other error of the database be the defect it is."""
    try:
        yield
    except (OperationalError, PoolTimeoutError, psycopg.OperationalError) as error:
        raise Unavailable from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise Unavailable from error
        raise
