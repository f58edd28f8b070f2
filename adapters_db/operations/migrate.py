"""Bring a database to a version of the schema, from code: no configuration file is needed."""

import logging
import time
from collections.abc import Callable
from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, NullPool, create_engine

from adapters_db.connection.engine import psycopg_url

LOCK_TIMEOUT_SECONDS = 10
"""A migration that cannot get its lock gives up, rather than queue everybody behind itself."""

LOCK_LOOK_SECONDS = 0.1
_ADVISORY_LOCK = 7_308_324_466


def _is_shown(record: logging.LogRecord) -> bool:
    """Steps are for those who ask for more; each look at the revision tells the database's kind."""
    record.levelno, record.levelname = logging.DEBUG, "DEBUG"
    return record.msg.startswith("Running") and logging.getLogger().isEnabledFor(logging.DEBUG)


logging.getLogger("alembic.runtime.migration").addFilter(_is_shown)


def upgrade(url: str, revision: str = "heads") -> None:
    """Migrate forward; side by side one runs and the others find it done."""
    _run(url, lambda config: command.upgrade(config, revision))


def downgrade(url: str, revision: str) -> None:
    """Migrate back to `revision` (`-1`: one step, `base`: an empty schema)."""
    _run(url, lambda config: command.downgrade(config, revision))


def current(url: str) -> str | None:
    """The revision that the database is at, or None before the first."""
    engine = create_engine(psycopg_url(url), poolclass=NullPool)
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def configuration() -> Config:
    """Alembic's configuration, without an address: `migrations/env.py` gets a connection."""
    config = Config()
    # By name, not by import: migrations lie above the adapters and may import their tables.
    config.set_main_option("script_location", str(files("migrations")))
    return config


def _run(url: str, run: Callable[[Config], None]) -> None:
    config = configuration()
    engine = create_engine(psycopg_url(url), poolclass=NullPool)
    with engine.connect() as connection:
        _lock(connection)
        connection.exec_driver_sql(f"SET lock_timeout = '{LOCK_TIMEOUT_SECONDS}s'")
        connection.commit()
        config.attributes["connection"] = connection
        run(config)


def _lock(connection: Connection) -> None:
    """Wait for our turn without a statement that waits: an index made concurrently waits for it."""
    statement = f"SELECT pg_try_advisory_lock({_ADVISORY_LOCK})"
    while not connection.exec_driver_sql(statement).scalar():
        connection.commit()
        time.sleep(LOCK_LOOK_SECONDS)
