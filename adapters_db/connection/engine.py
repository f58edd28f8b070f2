"""The pool of connections to PostgreSQL."""

from psycopg import Connection as PsycopgConnection
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url

from adapters_db.settings import DatabaseSettings

BOUND_ROLE = "retail_bound"
"""Sees the rows of the account named by the setting `retail.account`, and no other."""

SWEEP_ROLE = "retail_sweep"
"""Sees every account's rows: sign-in, webhooks, public codes, workers."""


def psycopg_url(url: str) -> URL:
    """The same address with our driver, whatever driver (or none) it names."""
    return make_url(url).set(drivername="postgresql+psycopg")


def make_engine(settings: DatabaseSettings) -> Engine:
    """Open nothing yet: connections are made on demand, so a worker may fork before its first."""
    engine = create_engine(
        psycopg_url(settings.url),
        pool_size=settings.pool_connections,
        max_overflow=settings.pool_overflow_connections_max,
        pool_timeout=settings.pool_timeout_seconds,
        pool_use_lifo=True,
        # an error that is logged must not quote what a statement was about
        hide_parameters=True,
        connect_args={
            "application_name": settings.application_name,
            "connect_timeout": settings.connect_timeout_seconds,
            # Statements prepared on the server would not survive a transaction pooler.
            "prepare_threshold": None,
        },
    )
    event.listen(engine, "connect", _lower_privileges)
    event.listen(engine, "begin", _begin)
    return engine


def _lower_privileges(connection: PsycopgConnection[object], _record: object) -> None:
    """Start as the bound role with no account, so that a stray statement sees nothing.

    The driver must not begin transactions by itself: `Connections` does, in one message with the
    role and the account; see `_begin` for everybody else.
    """
    connection.autocommit = True
    connection.execute(f"SET ROLE {BOUND_ROLE}".encode())


def _begin(connection: Connection) -> None:
    """Begin where `Connections` has not: a block that looks like a transaction must be one."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, PsycopgConnection)
    if driver.info.transaction_status is TransactionStatus.IDLE:
        driver.execute(b"BEGIN")
