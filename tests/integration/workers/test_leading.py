from collections.abc import Iterator

import psycopg
import pytest

from adapters_db.leading import Leadership
from retail_core.kernel.errors import Unavailable


@pytest.fixture
def rivals(migrated_database_url: str) -> Iterator[tuple[Leadership, Leadership]]:
    one, other = (Leadership.at(migrated_database_url) for _ in range(2))
    yield one, other
    one.release()
    other.release()


def test_one_of_two_schedulers_leads(rivals: tuple[Leadership, Leadership]) -> None:
    one, other = rivals
    assert (one.hold(), other.hold()) == (True, False)
    assert (one.hold(), other.hold()) == (True, False)


def test_the_other_leads_when_the_leader_ends(rivals: tuple[Leadership, Leadership]) -> None:
    one, other = rivals
    one.hold()
    one.hold()
    one.release()
    assert other.hold()
    assert not one.hold()


def test_a_leader_whose_connection_is_cut_knows_that_it_does_not_lead(
    rivals: tuple[Leadership, Leadership], migrated_database_url: str
) -> None:
    one, other = rivals
    one.hold()
    with psycopg.connect(migrated_database_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks"
            " JOIN pg_database ON pg_database.oid = database"
            " WHERE locktype = 'advisory' AND datname = current_database()"
        )
    with pytest.raises(Unavailable):
        one.hold()
    assert other.hold()
    assert not one.hold()
