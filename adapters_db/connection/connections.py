"""Open transactions whose role and account the database itself checks."""

import contextlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import attrs
import psycopg
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from adapters_db.connection.engine import BOUND_ROLE, SWEEP_ROLE
from adapters_db.connection.patience import (
    GRANTED,
    Remaining,
    milliseconds,
    seconds_of,
    without_end,
)
from adapters_db.connection.questions import Asked, Row, answers
from adapters_db.settings import DatabaseSettings
from retail_core.kernel.errors import Unavailable
from retail_core.kernel.ids import AccountId


@attrs.frozen
class Connections:
    """Transactions on the pool, each with its role, its account and its time-outs.

    Every setting ends with its transaction, so this is safe behind a transaction pooler. Raises
    `Unavailable` when the database cannot be reached, gave up (deadlock, time-out), the pool has
    no connection left, or whoever asks has no time left.
    """

    engine: Engine
    settings: DatabaseSettings
    remaining_seconds: Remaining = without_end

    @contextmanager
    def bound(self, account: AccountId, *, read_only: bool = False) -> Iterator[Connection]:
        """A transaction that can see and write the rows of `account` only."""
        mode = _mode(read_only=read_only)
        with self._transaction(BOUND_ROLE, f"{account:d}", mode) as connection:
            yield connection

    @contextmanager
    def sweep(self, *, read_only: bool = False) -> Iterator[Connection]:
        """A transaction that can see and write the rows of all accounts."""
        with self._transaction(SWEEP_ROLE, "", _mode(read_only=read_only)) as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A transaction whose statements all see the rows of all accounts as of one moment."""
        mode = "ISOLATION LEVEL REPEATABLE READ READ ONLY"
        with self._transaction(SWEEP_ROLE, "", mode) as connection:
            yield connection

    def ask(self, account: AccountId, *asked: Asked) -> list[list[Row]]:
        """The rows of each question, read in one transaction as the bound role, in one message."""
        return self._answers(BOUND_ROLE, f"{account:d}", asked)

    def ask_across_accounts(self, *asked: Asked) -> list[list[Row]]:
        """As `ask`, seeing the rows of all accounts."""
        return self._answers(SWEEP_ROLE, "", asked)

    def _answers(self, role: str, account: str, asked: Sequence[Asked]) -> list[list[Row]]:
        granted = seconds_of(self.settings.statement_timeout_seconds, self.remaining_seconds())
        opening = self._opening(role, account, granted, _mode(read_only=True))
        with _unavailable():
            try:
                return self._answered(opening, asked)
            except _StaleConnection:
                self.engine.dispose()  # its idle siblings are as old as this one
                return self._answered(opening, asked)

    def _answered(self, opening: bytes, asked: Sequence[Asked]) -> list[list[Row]]:
        # what goes back to the pool is rolled back there, if it has to be
        with contextlib.closing(self.engine.raw_connection()) as pooled:
            driver = cast("psycopg.Connection[tuple[Any, ...]]", pooled.driver_connection)
            try:
                return answers(driver, opening, asked)
            except psycopg.OperationalError as error:
                if not driver.closed:
                    raise
                pooled.invalidate()
                raise _StaleConnection from error

    @contextmanager
    def _transaction(self, role: str, account: str, mode: str) -> Iterator[Connection]:
        granted = seconds_of(self.settings.statement_timeout_seconds, self.remaining_seconds())
        opening = self._opening(role, account, granted, mode)
        with _unavailable(), self._opened(opening) as connection, connection.begin():
            connection.info[GRANTED] = granted
            yield connection

    def _opening(self, role: str, account: str, granted: float, mode: str) -> bytes:
        """All that begins a transaction, as one message: a round trip costs more than parsing.

        No value in it comes from outside: roles are ours, the rest are numbers.
        """
        limits = self.settings
        return (
            f"BEGIN {mode};"
            f"SET LOCAL role = {role};"
            f"SET LOCAL retail.account = '{account}';"
            f"SET LOCAL statement_timeout = {milliseconds(granted)};"
            f"SET LOCAL lock_timeout = {milliseconds(min(limits.lock_timeout_seconds, granted))};"
            "SET LOCAL idle_in_transaction_session_timeout = "
            f"'{limits.idle_in_transaction_timeout_seconds}s'"
        ).encode()

    def _opened(self, opening: bytes) -> Connection:
        """Begin; on a stale connection try a fresh one, since nothing has been done in it yet."""
        connection = self.engine.connect()
        try:
            _open(connection, opening)
        except psycopg.OperationalError:
            self.engine.dispose()  # its idle siblings are as old as this one
            connection = self.engine.connect()
            _open(connection, opening)
        return connection


def _mode(*, read_only: bool) -> str:
    return "READ ONLY" if read_only else "READ WRITE"


class _StaleConnection(psycopg.OperationalError):
    """The connection was gone before or while it was asked; a read may be asked again."""


def psycopg_connection(connection: Connection) -> "psycopg.Connection[tuple[Any, ...]]":
    """The driver's own connection, in the same transaction, for COPY and pipelines."""
    return cast(
        "psycopg.Connection[tuple[Any, ...]]",
        connection.connection.driver_connection,
    )


def _open(connection: Connection, opening: bytes) -> None:
    try:
        psycopg_connection(connection).execute(opening)
    except BaseException:
        connection.invalidate()  # whatever state it is in, nobody gets it again
        connection.close()
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
