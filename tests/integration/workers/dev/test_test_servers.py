from collections.abc import Callable

import psycopg
import pytest
import redis


def test_a_test_gets_an_empty_database_of_its_run(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        row = connection.execute(
            "SELECT current_database() LIKE 'test\\_%', count(*) FROM pg_tables "
            "WHERE schemaname = 'public'"
        ).fetchone()
    assert row == (True, 0)


def test_further_databases_are_others(database_url: str, new_database: Callable[[], str]) -> None:
    assert new_database() != database_url


def test_the_queue_is_there(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.set("a", "1")
        assert client.delete("a") == 1


def test_what_asks_for_a_server_is_marked(request: pytest.FixtureRequest, redis_url: str) -> None:
    assert redis_url
    assert request.node.get_closest_marker("servers") is not None
