import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from adapters_db.connection.connections import Connections
from adapters_db.operations.migrate import upgrade
from adapters_db.transactions import SqlTransactions
from retail_core.kernel.jobs import Job
from retail_core.kernel.settings import Env
from tests.integration.workers.watching import until
from workers import scheduler
from workers.dev.embedded import EmbeddedPostgres
from workers.processes.queue import job_id
from workers.wiring import Settings, build

CREDENTIALS = {
    "APP_ENV": "test",
    "MITTO_API_KEY": "key",
    "SMS_TRAFFIC_ACCOUNT_ID": "account",
    "UNSUBSCRIBE_TOKEN_SECRET": "s" * 32,
}


@contextmanager
def _running(database_url: str, redis_url: str) -> Iterator[Connections]:
    """A scheduler in threads of this process; gives its way to the database."""
    addresses = {"DATABASE_URL": database_url, "REDIS_URL": redis_url}
    settings = Settings.read(Env({**CREDENTIALS, **addresses}))
    container = build(settings)
    stop = threading.Event()
    runs = threading.Thread(target=scheduler.run, args=(scheduler.loops(settings, container), stop))
    runs.start()
    try:
        yield container.resolve(Connections)
    finally:
        stop.set()
        runs.join()
        container.resolve(Connections).engine.dispose()


def _write(connections: Connections, key: str) -> None:
    with SqlTransactions(connections).across_accounts() as uow:
        uow.jobs.add(Job("note", key))


def _waits(client: redis.Redis, key: str) -> bool:
    return bool(client.exists(f"rq:job:{job_id(key)}"))


def test_one_of_two_schedulers_nudges_and_both_relay(
    migrated_database_url: str, redis_url: str, client: redis.Redis
) -> None:
    with _running(migrated_database_url, redis_url) as one:
        until(lambda: _waits(client, "sweep_stale_batches"))
        with _running(migrated_database_url, redis_url):
            _write(one, "relayed")
            until(lambda: _waits(client, "relayed"))
            client.flushdb()
            until(lambda: _waits(client, "sweep_stale_batches"))


@pytest.mark.slow
def test_a_scheduler_waits_for_a_database_that_is_away_and_goes_on(
    server_directory: Path, redis_url: str, client: redis.Redis
) -> None:
    server = EmbeddedPostgres(server_directory / "postgres", durable=False)
    database_url = server.start()
    upgrade(database_url)
    with _running(database_url, redis_url) as connections:
        _write(connections, "before")
        until(lambda: _waits(client, "before"))
        server.stop()
        client.flushdb()
        server.start()
        _write(connections, "after")
        until(lambda: _waits(client, "after"))
        until(lambda: _waits(client, "sweep_stale_batches"))
