import time
from collections.abc import Iterator

import psycopg
import pytest

from adapters_db.operations.leading import Leadership
from retail_core.kernel.errors import Unavailable

LEASE_SECONDS = 1.0


@pytest.fixture
def rivals(migrated_database_url: str) -> Iterator[tuple[Leadership, Leadership]]:
    one, other = (Leadership.at(migrated_database_url, LEASE_SECONDS) for _ in range(2))
    with psycopg.connect(migrated_database_url, autocommit=True) as connection:
        connection.execute("UPDATE scheduler_lead SET leads_until = '-infinity'")
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


def test_a_leader_that_stands_still_loses_the_lead_though_its_connection_lives(
    rivals: tuple[Leadership, Leadership],
) -> None:
    one, other = rivals
    assert one.hold()
    time.sleep(LEASE_SECONDS + 0.2)
    assert other.hold()
    assert not one.hold()


def test_whoever_lost_the_lead_gives_nothing_away(rivals: tuple[Leadership, Leadership]) -> None:
    one, other = rivals
    one.hold()
    time.sleep(LEASE_SECONDS + 0.2)
    other.hold()
    one.release()
    assert not one.hold()


def test_the_other_leads_at_once_when_the_leader_dies(
    rivals: tuple[Leadership, Leadership], migrated_database_url: str
) -> None:
    one, other = rivals
    assert other.hold()
    other.release()
    one.hold()
    assert not other.hold()
    cut_connection_of_leader(migrated_database_url)
    assert other.hold()


def test_a_leader_whose_connection_is_cut_knows_and_takes_the_lead_again(
    rivals: tuple[Leadership, Leadership], migrated_database_url: str
) -> None:
    one, other = rivals
    one.hold()
    cut_connection_of_leader(migrated_database_url)
    with pytest.raises(Unavailable):
        one.hold()
    assert one.hold()
    assert not other.hold()


def cut_connection_of_leader(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(backend, 5000) FROM scheduler_lead")
