"""Partitions of messages: there before they are needed, few, and searched only where it helps."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import psycopg
import pytest

from adapters_db.connection.connections import Connections, psycopg_connection
from adapters_db.messages import partitions
from adapters_db.messages.partitions import Partition
from retail_core.kernel.ids import AccountId, ProviderId
from retail_core.messages.model import (
    PARKED_WAITS,
    REPORTED_AT_MOST_WITHIN,
    REPORTED_WITHIN,
    MessageState,
)
from retail_core.messages.use_cases import MatchParkedReports
from tests.contracts.staging import messages, people, report, sent, shop, started
from tests.contracts.worlds import World, sql_world
from tests.own_database import own_connections

Database = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture
def connections(new_database: Callable[[], str]) -> Iterator[Connections]:
    """A database of each test alone: its partitions are all there are."""
    with own_connections(new_database) as connections:
        yield connections


@pytest.fixture
def database(connections: Connections) -> Iterator[Database]:
    """As the owner of the tables."""
    url = connections.settings.direct_url
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def world(connections: Connections) -> World:
    return sql_world(connections)


def all_of(database: Database) -> list[Partition]:
    rows = database.execute("SELECT first_campaign, below FROM message_partition ORDER BY 1")
    return [Partition(*row) for row in rows]


def ensure(database: Database, campaign: int) -> None:
    database.execute("SELECT ensure_message_partition(%s)", (campaign,))


def write(database: Database, campaign: int) -> None:
    database.execute(
        "INSERT INTO message (campaign_id, seq, account_id, state, encoding, parts, credits,"
        " updated_at) VALUES (%s, 0, 1, 3, 0, 1, 1, now())",
        (campaign,),
    )


def test_the_next_partition_is_made_before_the_newest_is_full(database: Database) -> None:
    ensure(database, 749)
    before = all_of(database)
    ensure(database, 750)
    after = all_of(database)

    assert before == [Partition(0, 1_000)]
    assert [each.first for each in after] == [0, 1_000]


def test_a_draft_makes_it(world: World, database: Database) -> None:
    database.execute("SELECT setval('campaign_id_seq', 800)")
    account = shop(world)
    people(world, account, 1)

    started(world, account)

    assert [each.first for each in all_of(database)] == [0, 1_000]


@pytest.mark.parametrize(
    ("days", "width"),
    [(7, 3_000), (28, 1_000), (280, 1_000), (0.001, 8_000)],
    ids=["by the pace of the one before", "a quarter in a week", "at least", "at most"],
)
def test_a_partition_is_as_wide_as_four_weeks_need(
    database: Database, days: float, width: int
) -> None:
    database.execute("UPDATE message_partition SET made_at = now() - %s", (timedelta(days=days),))

    ensure(database, 750)

    newest = all_of(database)[-1]
    assert newest.below - newest.first == pytest.approx(width, abs=1)


def test_a_year_of_campaigns_takes_a_few_partitions(database: Database) -> None:
    """A thousand more each day, and ten times as many in the second half of the year."""
    campaign = 0
    for day in range(365):
        campaign += 1_000 if day < 180 else 10_000
        database.execute("UPDATE message_partition SET made_at = made_at - interval '1 day'")
        for id_ in range(max(campaign - 10_000, 0), campaign + 1, 250):
            ensure(database, id_)

    assert 10 <= len(all_of(database)) <= 30
    write(database, campaign)


def test_ids_that_a_jump_left_out_get_a_partition_when_they_come(database: Database) -> None:
    ensure(database, 50_500)
    ensure(database, 40_000)
    ensure(database, 1_000)

    found = all_of(database)
    assert Partition(50_000, 58_000) in found
    assert all(one.below <= other.first for one, other in pairwise(found))
    for campaign in (50_500, 40_000, 1_000):
        write(database, campaign)


def test_many_drafts_at_once_make_one(connections: Connections, database: Database) -> None:
    def draft(campaign: int) -> None:
        with connections.sweep() as connection:
            driver = psycopg_connection(connection)
            driver.execute("SELECT ensure_message_partition(%s)", (campaign,))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(draft, range(700, 1_100, 4)))

    assert [each.first for each in all_of(database)] == [0, 1_000]


def test_nobody_waits_for_whoever_is_just_making_the_next(
    connections: Connections, database: Database
) -> None:
    with connections.sweep() as connection:
        driver = psycopg_connection(connection)
        driver.execute("SELECT ensure_message_partition(750)")
        database.execute("SET lock_timeout = '1s'")
        ensure(database, 751)
        write(database, 751)


def test_shops_see_partitions_and_change_nothing_but_their_use(connections: Connections) -> None:
    with connections.bound(AccountId(1)) as connection:
        driver = psycopg_connection(connection)
        assert partitions.first_used_since(driver, datetime.now(UTC)) == 0
        with pytest.raises(psycopg.errors.InsufficientPrivilege), driver.transaction():
            driver.execute("UPDATE message_partition SET below = 5")
        with pytest.raises(psycopg.errors.InsufficientPrivilege), driver.transaction():
            driver.execute("SELECT make_message_partition(5000, 6000, 1)")


class TestUse:
    def used(self, database: Database) -> Any:
        return database.execute("SELECT last_hand_over FROM message_partition").fetchone()

    def on_stage(self, world: World) -> tuple[Any, list[ProviderId]]:
        account = shop(world)
        people(world, account, 1)
        campaign = started(world, account)
        _, ids = sent(world)
        return campaign, ids

    def test_a_hand_over_is_noted_to_the_hour(self, world: World, database: Database) -> None:
        self.on_stage(world)
        first = world.clock.now()
        world.clock.advance(timedelta(minutes=59))
        self.on_stage(world)
        within = self.used(database)
        world.clock.advance(timedelta(minutes=2))
        self.on_stage(world)

        assert within == (first,)
        assert self.used(database) == (world.clock.now(),)

    def test_whoever_notes_it_keeps_nobody_waiting(self, world: World, database: Database) -> None:
        with database.transaction():
            database.execute("UPDATE message_partition SET last_hand_over = NULL")
            campaign, _ = self.on_stage(world)

        assert messages(world, campaign)[0].state is MessageState.SENT

    def test_a_late_report_finds_its_message_with_the_second_try(self, world: World) -> None:
        campaign, ids = self.on_stage(world)
        world.clock.advance(REPORTED_WITHIN + timedelta(hours=2))
        late = report(ids[0], MessageState.DELIVERED, world.clock.now())

        with world.transactions.across_accounts() as uow:
            now = world.clock.now()
            unmatched = list(uow.messages.apply_reports_across_accounts([late], now))
            uow.reports.park(unmatched, now)
        world.clock.advance(PARKED_WAITS[0])
        tried = MatchParkedReports(world.transactions, world.clock)()

        assert (unmatched, tried) == ([late], 1)
        assert messages(world, campaign)[0].state is MessageState.DELIVERED

    def test_a_stranger_is_looked_for_no_further_back_than_messages_keep_ids(
        self, world: World
    ) -> None:
        campaign, ids = self.on_stage(world)
        world.clock.advance(REPORTED_AT_MOST_WITHIN + timedelta(hours=2))
        late = report(ids[0], MessageState.DELIVERED, world.clock.now())

        with world.transactions.across_accounts() as uow:
            unmatched = uow.messages.apply_reports_across_accounts(
                [late], world.clock.now(), everywhere=True
            )

        assert list(unmatched) == [late]
        assert messages(world, campaign)[0].state is MessageState.SENT


def test_who_asks_for_hand_overs_begins_where_one_may_have_been(database: Database) -> None:
    since = datetime.now(UTC) - timedelta(days=100)
    for first in (1_000, 2_000, 3_000):
        database.execute("SELECT make_message_partition(%s, %s, 1)", (first, first + 1_000))

    def begins(*used_days_ago: int | None, made_days_ago: int = 900) -> int:
        for place, days in enumerate(used_days_ago):
            database.execute(
                "UPDATE message_partition SET made_at = now() - %s * interval '1 day',"
                " last_hand_over = now() - %s::integer * interval '1 day'"
                " WHERE first_campaign = %s",
                (made_days_ago, days, place * 1_000),
            )
        return partitions.first_used_since(database, since)

    assert begins(300, 200, 90, 1) == 2_000
    assert begins(300, 90, 200, 1) == 1_000
    assert begins(300, 200, 104, 1) == 2_000
    assert begins(300, 200, None, 1) == 2_000
    assert begins(300, 300, 300, 300, made_days_ago=50) == 0


def test_spans_that_touch_are_one() -> None:
    spans = [Partition(2_000, 3_000), Partition(0, 1_000), Partition(1_000, 2_000)]

    assert partitions.in_any([*spans, Partition(9, 10)][:3], "c") == "(c >= 0 AND c < 3000)"
    assert partitions.in_any([], "c") == "false"
