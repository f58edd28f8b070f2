"""Migrations build the schema that the code believes in, forwards and backwards."""

import multiprocessing
import secrets
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, NullPool, create_engine, text

from adapters_db.connection.connections import Connections
from adapters_db.connection.engine import make_engine, psycopg_url
from adapters_db.operations import migrate
from adapters_db.settings import DatabaseSettings
from adapters_db.tables import metadata
from workers.dev.embedded import EmbeddedPostgres


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    engine = create_engine(psycopg_url(url), poolclass=NullPool)
    with engine.connect() as connection:
        yield connection


def tables_of(url: str) -> set[str]:
    with connected(url) as connection:
        rows = connection.execute(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        )
        return set(rows.scalars())


def differences(connection: Connection) -> list[object]:
    """What a new migration would have to change; partitions are their parent's business."""
    partitions = set(
        connection.execute(text("SELECT relname FROM pg_class WHERE relispartition")).scalars()
    )
    context = MigrationContext.configure(
        connection,
        opts={
            "include_name": lambda name, kind, _parents: kind != "table" or name not in partitions,
        },
    )
    return list(compare_metadata(context, metadata))


def upgrade_side_by_side(urls: Sequence[str]) -> None:
    """In processes, as several machines would; Alembic itself is for one thread."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(len(urls), mp_context=context) as processes:
        list(processes.map(migrate.upgrade, urls))


def test_models_and_migrations_agree(migrated_database_url: str) -> None:
    with connected(migrated_database_url) as connection:
        assert differences(connection) == []


def test_there_is_one_newest_migration() -> None:
    script = ScriptDirectory.from_config(migrate.configuration())

    assert len(script.get_heads()) == 1


def test_the_newest_migration_can_be_undone_and_done_again(
    new_database: Callable[[], str],
) -> None:
    url = new_database()
    migrate.upgrade(url)
    newest = migrate.current(url)

    migrate.downgrade(url, "-1")
    assert migrate.current(url) != newest
    migrate.upgrade(url)

    assert migrate.current(url) == newest
    with connected(url) as connection:
        assert differences(connection) == []


def test_everything_can_be_undone_and_done_again(new_database: Callable[[], str]) -> None:
    url = new_database()
    migrate.upgrade(url)

    migrate.downgrade(url, "base")
    assert tables_of(url) == {"alembic_version"}
    migrate.upgrade(url)

    assert {"account", "outbox", "wallet"} <= tables_of(url)


def test_migrating_a_migrated_database_changes_nothing(new_database: Callable[[], str]) -> None:
    url = new_database()

    migrate.upgrade(url)
    migrate.upgrade(url)

    assert migrate.current(url) is not None


def test_migrations_side_by_side_wait_for_each_other(new_database: Callable[[], str]) -> None:
    url = new_database()

    upgrade_side_by_side([url] * 3)

    assert "account" in tables_of(url)


def test_databases_of_one_server_are_migrated_side_by_side(
    new_database: Callable[[], str],
) -> None:
    """Roles belong to the whole server, so two databases may want to make them at once."""
    urls = [new_database() for _ in range(3)]

    upgrade_side_by_side(urls)

    assert all("account" in tables_of(url) for url in urls)


@pytest.fixture
def owned_by_a_plain_login(
    new_database: Callable[[], str], migrated_database_url: str
) -> Iterator[str]:
    """An empty database whose owner is no superuser; the two roles exist on the server already."""
    url = new_database()
    login, password = f"plain_{secrets.token_hex(4)}", secrets.token_hex(16)
    parts = urlsplit(url)
    database = parts.path.strip("/")
    with psycopg.connect(migrated_database_url, autocommit=True) as admin:
        admin.execute(f"CREATE ROLE {login} LOGIN PASSWORD '{password}'".encode())
        admin.execute(f"GRANT retail_bound, retail_sweep TO {login}".encode())
        admin.execute(f"ALTER DATABASE {database} OWNER TO {login}".encode())
    address = f"{login}:{password}@{parts.hostname}:{parts.port}"
    yield urlunsplit(parts._replace(netloc=address))
    with psycopg.connect(migrated_database_url, autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {database} OWNER TO CURRENT_USER".encode())
        with psycopg.connect(url, autocommit=True) as inside:
            inside.execute(f"REASSIGN OWNED BY {login} TO CURRENT_USER".encode())
            inside.execute(f"DROP OWNED BY {login}".encode())
        admin.execute(f"DROP ROLE {login}".encode())


def test_an_owner_who_is_no_superuser_can_migrate_and_run(owned_by_a_plain_login: str) -> None:
    url = owned_by_a_plain_login

    migrate.upgrade(url)
    migrate.downgrade(url, "base")
    migrate.upgrade(url)

    settings = DatabaseSettings(url, url)
    connections = Connections(make_engine(settings), settings)
    with connections.sweep() as connection:
        assert connection.execute(text("SELECT count(*) FROM account")).scalar_one() == 1
    connections.engine.dispose()


def test_a_login_that_may_not_create_the_extension_is_told_what_to_do(
    owned_by_a_plain_login: str, migrated_database_url: str
) -> None:
    url = owned_by_a_plain_login
    parts = urlsplit(url)
    database = parts.path.strip("/")
    migrate.upgrade(url, "0020")
    with psycopg.connect(migrated_database_url, autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {database} OWNER TO CURRENT_USER".encode())
    address = urlsplit(migrated_database_url)._replace(path=parts.path)
    with psycopg.connect(urlunsplit(address), autocommit=True) as admin:
        admin.execute("GRANT ALL ON SCHEMA public TO PUBLIC")

    with pytest.raises(RuntimeError, match="CREATE EXTENSION pg_trgm"):
        migrate.upgrade(url)

    with psycopg.connect(urlunsplit(address), autocommit=True) as admin:
        admin.execute("CREATE EXTENSION pg_trgm")
    migrate.upgrade(url)


def test_an_owner_who_may_create_roles_needs_nobody_to_prepare_anything(
    server_directory: Path,
) -> None:
    """On a server of its own, since roles belong to the whole server."""
    url = EmbeddedPostgres(server_directory / "postgres", durable=False).start()
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute("CREATE ROLE shop LOGIN CREATEROLE PASSWORD 'shop'")
        admin.execute("CREATE DATABASE shop OWNER shop")
    parts = urlsplit(url)
    own = urlunsplit(
        parts._replace(netloc=f"shop:shop@{parts.hostname}:{parts.port}", path="/shop")
    )

    migrate.upgrade(own)

    settings = DatabaseSettings(own, own)
    connections = Connections(make_engine(settings), settings)
    with connections.sweep() as connection:
        assert connection.execute(text("SELECT count(*) FROM account")).scalar_one() == 1
    connections.engine.dispose()
    migrate.downgrade(own, "base")


def test_the_system_account_is_the_first_and_cannot_sign_in(migrated_database_url: str) -> None:
    with connected(migrated_database_url) as connection:
        row = connection.execute(text("SELECT password_hash FROM account WHERE id = 1")).one()

    assert row.password_hash is None
