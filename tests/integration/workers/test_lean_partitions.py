"""Old partitions of messages become copies without what is personal, whatever happens meanwhile."""

import contextlib
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import psycopg
import pytest

from adapters_db.campaigns.recount import SqlCampaignAudit
from adapters_db.connection.connections import Connections
from adapters_db.connection.reads import Reads
from adapters_db.messages.messages import SqlMessageStore
from adapters_db.operations import lean_partitions
from adapters_db.operations.lean_partitions import LeanPartitions
from adapters_db.operations.pruning import SqlPruning
from retail_core.kernel.errors import Unavailable
from retail_core.kernel.ids import AccountId, ContactId
from retail_core.testing.kernel.clock import FixedClock
from tests.own_database import own_connections
from workers.jobs.cleaning import CleanUp, Lives

NOW: Final = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY: Final = timedelta(days=1)
OLD: Final = NOW - 401 * DAY
BEFORE: Final = NOW - 400 * DAY
ROWS: Final = 1_000
SHOP: Final = AccountId(2)
FIRST, SECOND, DRAFT, NEWEST = 10, 900, 950, 1500
PERSONAL: Final = "phone, first_name, last_name, email, provider_id, error"
KEPT: Final = (
    "SELECT campaign_id, seq, account_id, contact_id, state, encoding, parts, credits, error_code,"
    " sent_at, delivered_at, failed_at, updated_at FROM message ORDER BY campaign_id, seq"
)

Database = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture
def connections(
    new_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Connections]:
    """Steps so small that everything takes several."""
    monkeypatch.setattr(lean_partitions, "ROWS_PER_STEP_MAX", 90)
    monkeypatch.setattr(lean_partitions, "BETWEEN_SWAPS_SECONDS", 0.05)
    with own_connections(new_database) as made:
        yield made


@pytest.fixture
def database(connections: Connections) -> Iterator[Database]:
    """As the owner of the tables, with two old campaigns, a draft, and one of today."""
    with psycopg.connect(connections.settings.direct_url, autocommit=True) as connection:
        connection.execute("INSERT INTO account (id, email) VALUES (2, 'shop@example.com')")
        connection.execute("SELECT make_message_partition(1000, 2000, 1)")
        add(connection, FIRST, OLD)
        add(connection, SECOND, OLD)
        connection.execute(
            "INSERT INTO campaign (id, account_id, name, message_text, include_offer, state,"
            " created_at, updated_at) VALUES (%s, 2, 'x', 'x', false, 'draft', now(), now())",
            (DRAFT,),
        )
        add(connection, NEWEST, NOW - DAY)
        yield connection


def add(database: Database, campaign: int, ended: datetime, state: str = "completed") -> None:
    """A campaign of which every hundredth message failed; the others were handed over."""
    values = {"id": campaign, "rows": ROWS, "at": ended, "state": state}
    database.execute(
        "INSERT INTO campaign (id, account_id, name, message_text, include_offer, state,"
        " started_at, finished_at, created_at, updated_at, total, sent, failed, first_number, plan)"
        " VALUES (%(id)s, 2, 'x', 'x', false, %(state)s, %(at)s,"
        " CASE WHEN %(state)s <> 'paused' THEN %(at)s::timestamptz END, %(at)s, %(at)s,"
        " %(rows)s, %(rows)s * 99 / 100, %(rows)s / 100, %(id)s * 10000::bigint, '{}')",
        values,
    )
    database.execute(
        "INSERT INTO message (campaign_id, seq, account_id, contact_id, phone, first_name,"
        " last_name, email, state, encoding, parts, credits, provider_id, error_code, error,"
        " sent_at, failed_at, updated_at) SELECT %(id)s, no, 2, no + 1, 306900000000 + no, 'Ana',"
        " 'Tell', 'a@example.com', 3 + (no %% 100 = 0)::integer, 0, 1, 1,"
        " 'p-' || %(id)s || '-' || no, CASE WHEN no %% 100 = 0 THEN 'absent' END,"
        " CASE WHEN no %% 100 = 0 THEN 'is away' END,"
        " CASE WHEN no %% 100 > 0 THEN %(at)s::timestamptz END,"
        " CASE WHEN no %% 100 = 0 THEN %(at)s::timestamptz END, %(at)s"
        " FROM generate_series(0, %(rows)s - 1) no",
        values,
    )


def told(database: Database, statement: str) -> list[Any]:
    return database.execute(statement.encode()).fetchall()


def with_something_personal(database: Database, columns: str = PERSONAL) -> list[Any]:
    return told(
        database,
        f"SELECT DISTINCT campaign_id FROM message WHERE num_nonnulls({columns}) > 0 ORDER BY 1",
    )


def cleaned(connections: Connections, *, dry_run: bool = False) -> tuple[int, int]:
    counts = CleanUp(SqlPruning(connections), FixedClock(NOW), Lives(DAY))(dry_run=dry_run)
    return counts["message_partitions"], counts["message_texts"]


def begin(connections: Connections) -> None:
    """As far as a copy goes before it takes the place of the rows."""
    for statement in (
        f"SELECT begin_lean_copy(0, '{BEFORE}')",
        f"SELECT copy_lean(0, {3 * ROWS})",
    ):
        with connections.sweep() as connection:
            connection.exec_driver_sql(statement)


def test_an_old_partition_loses_what_is_personal_at_once_and_keeps_all_else(
    connections: Connections, database: Database
) -> None:
    before = told(database, KEPT)
    audit = SqlCampaignAudit(Reads(connections))
    mismatches = audit.mismatches_across_accounts(10)
    (size,) = told(database, "SELECT pg_total_relation_size('message_from_0')")

    assert cleaned(connections, dry_run=True)[0] == 2 * ROWS
    assert cleaned(connections) == (2 * ROWS, 0)
    assert cleaned(connections) == (0, 0)

    assert told(database, KEPT) == before
    assert with_something_personal(database) == [(NEWEST,)]
    assert audit.mismatches_across_accounts(10) == mismatches
    assert told(database, "SELECT pg_total_relation_size('message_from_0')")[0][0] < size[0] / 2
    marked = "SELECT id FROM campaign WHERE texts_removed_at IS NOT NULL ORDER BY id"
    assert told(database, marked) == [(FIRST,), (SECOND,)]


def test_the_copy_is_a_partition_like_any_other(
    connections: Connections, database: Database
) -> None:
    def shape() -> list[Any]:
        indexes = (
            "SELECT replace(pg_get_indexdef(indexrelid), indexrelid::regclass::text, '') AS d"
            " FROM pg_index WHERE indrelid = 'message_from_0'::regclass ORDER BY d"
        )
        checks = (
            "SELECT pg_get_constraintdef(oid) AS d FROM pg_constraint"
            " WHERE conrelid = 'message_from_0'::regclass ORDER BY d"
        )
        grants = (
            "SELECT grantee, privilege_type FROM information_schema.role_table_grants"
            " WHERE table_name = 'message_from_0' ORDER BY 1, 2"
        )
        triggers = "SELECT tgname FROM pg_trigger WHERE tgrelid = 'message_from_0'::regclass"
        bounds = (
            "SELECT relname, pg_get_expr(relpartbound, oid) FROM pg_class"
            " WHERE relispartition AND relkind = 'r' ORDER BY 1"
        )
        return [told(database, each) for each in (indexes, checks, grants, triggers, bounds)]

    before = shape()
    cleaned(connections)

    assert shape() == before
    assert told(database, "SELECT to_regclass('message_lean_0')") == [(None,)]
    options = "SELECT reloptions FROM pg_class WHERE relname = 'message_from_0'"
    assert told(database, options) == [(None,)]


def test_what_changes_while_it_is_copied_is_in_the_copy(
    connections: Connections, database: Database
) -> None:
    begin(connections)
    with connections.bound(SHOP) as connection:
        SqlMessageStore(connection).forget(SHOP, [ContactId(8)])
    # as a report that was late, or an operator, would
    database.execute("UPDATE message SET state = 5 WHERE campaign_id = %s AND seq = 20", (FIRST,))
    database.execute("DELETE FROM message WHERE campaign_id = %s AND seq = 30", (SECOND,))
    expected = told(database, KEPT)

    LeanPartitions(connections).make(BEFORE)

    assert told(database, KEPT) == expected
    of_seven = f"SELECT contact_id FROM message WHERE seq = 7 AND campaign_id = {FIRST}"
    assert told(database, of_seven) == [(None,)]
    of_twenty = f"SELECT state, provider_id FROM message WHERE seq = 20 AND campaign_id = {FIRST}"
    assert told(database, of_twenty) == [(5, None)]
    assert told(database, "SELECT * FROM message_change") == []


def test_a_draft_that_is_started_meanwhile_keeps_all_that_its_messages_have(
    connections: Connections, database: Database
) -> None:
    begin(connections)
    database.execute("DELETE FROM campaign WHERE id = %s", (DRAFT,))
    add(database, DRAFT, NOW)

    LeanPartitions(connections).make(BEFORE)

    assert with_something_personal(database) == [(DRAFT,), (NEWEST,)]
    full = f"SELECT count(*) FROM message WHERE num_nonnulls({PERSONAL}) >= 5"
    assert told(database, f"{full} AND campaign_id = {DRAFT}") == [(ROWS,)]


def test_a_change_that_is_not_committed_yet_is_waited_for(
    connections: Connections, database: Database
) -> None:
    begin(connections)
    with psycopg.connect(connections.settings.direct_url) as eraser:
        eraser.execute("UPDATE message SET contact_id = NULL WHERE contact_id = 8")
        with pytest.raises(Unavailable), connections.sweep() as connection:
            connection.exec_driver_sql("SELECT swap_lean(0)")
        with ThreadPoolExecutor() as pool:
            made = pool.submit(LeanPartitions(connections).make, BEFORE)
            time.sleep(0.5)
            assert not made.done()
            eraser.commit()
            made.result(timeout=30)

    assert with_something_personal(database) == [(NEWEST,)]
    assert told(database, "SELECT count(*) FROM message WHERE contact_id = 8") == [(0,)]


def test_whoever_sends_is_held_up_for_a_blink_behind_somebody_who_reads_for_long(
    connections: Connections, database: Database
) -> None:
    begin(connections)
    longest, sent, is_over = 0.0, 0, threading.Event()

    def send() -> None:
        nonlocal longest, sent
        with psycopg.connect(connections.settings.direct_url, autocommit=True) as sender:
            while not is_over.is_set():
                started = time.monotonic()
                sender.execute(
                    "INSERT INTO message (campaign_id, seq, account_id, state, encoding, parts,"
                    " credits, updated_at) VALUES (1600, %s, 2, 3, 0, 1, 1, now())",
                    (sent,),
                )
                longest, sent = max(longest, time.monotonic() - started), sent + 1

    with ThreadPoolExecutor() as pool, psycopg.connect(connections.settings.direct_url) as reader:
        reader.execute("SELECT count(*) FROM message")
        sending = pool.submit(send)
        made = pool.submit(LeanPartitions(connections).make, BEFORE)
        time.sleep(1)
        assert not made.done()
        reader.rollback()
        made.result(timeout=30)
        is_over.set()
        sending.result()

    assert told(database, "SELECT count(*) FROM message WHERE campaign_id = 1600") == [(sent,)]
    assert longest < 1
    assert with_something_personal(database) == [(NEWEST,)]


Key = tuple[int, int]


def change(url: str, keys: Sequence[Key]) -> None:
    with psycopg.connect(url, autocommit=True) as writer:
        for key in keys:
            writer.execute(
                "UPDATE message SET credits = credits + 1, contact_id = NULL"
                " WHERE campaign_id = %s AND seq = %s",
                key,
            )


def clean(connections: Connections) -> None:
    """Until it comes to an end, whatever dies."""
    while True:
        with contextlib.suppress(Unavailable):
            LeanPartitions(connections).make(BEFORE)
            return


def kill(database: Database, seconds: float) -> int:
    """Every backend that is in the middle of a step, again and again."""
    rng, until, killed = random.Random(7), time.monotonic() + seconds, 0
    while time.monotonic() < until:
        time.sleep(rng.uniform(0, 0.01))
        killed += database.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND state = 'active'"
            " AND query LIKE 'SELECT %_lean%(%' AND pid <> pg_backend_pid()"
        ).rowcount
    return killed


@pytest.mark.parametrize("killed_for_seconds", [0, 2])
def test_nothing_is_lost_with_two_who_clean_up_while_others_write(
    connections: Connections, database: Database, killed_for_seconds: int
) -> None:
    """And where a backend dies again and again in the middle of it."""
    rng, url = random.Random(5), connections.settings.direct_url
    changes = [(rng.choice([FIRST, SECOND]), rng.randrange(ROWS)) for _ in range(400)]

    with ThreadPoolExecutor() as pool:
        work = [pool.submit(change, url, changes[part::2]) for part in range(2)]
        work += [pool.submit(clean, connections) for _ in range(2)]
        killed = kill(database, killed_for_seconds)
        for each in work:
            each.result(timeout=60)
    LeanPartitions(connections).make(BEFORE)

    assert (killed > 0) == (killed_for_seconds > 0)
    expected = {(campaign, seq): 1 for campaign in (FIRST, SECOND) for seq in range(ROWS)}
    for key in changes:
        expected[key] += 1
    rows = told(database, "SELECT campaign_id, seq, credits, contact_id FROM message")
    found = {row[:2]: row[2] for row in rows if row[0] != NEWEST}
    assert found == expected
    kept = {row[:2] for row in rows if row[0] != NEWEST and row[3] is not None}
    assert kept == set(expected) - set(changes)
    assert with_something_personal(database) == [(NEWEST,)]


def test_what_goes_with_its_partition_before_long_is_not_emptied_by_itself(
    connections: Connections, database: Database
) -> None:
    database.execute("UPDATE campaign SET finished_at = %s WHERE id = 900", (NOW - 371 * DAY,))

    assert cleaned(connections) == (0, 0)

    database.execute("UPDATE campaign SET finished_at = %s WHERE id = 10", (NOW - 432 * DAY,))
    assert cleaned(connections, dry_run=True) == (0, ROWS)
    assert cleaned(connections) == (0, ROWS)
    assert with_something_personal(database, "phone") == [(SECOND,), (NEWEST,)]


@pytest.mark.parametrize("change", ["finished_at = now()", "state = 'paused', finished_at = NULL"])
def test_a_partition_with_a_campaign_that_is_young_or_not_over_stays(
    connections: Connections, database: Database, change: str
) -> None:
    statement = f"UPDATE campaign SET {change} WHERE id = {SECOND}"
    database.execute(statement.encode())

    assert cleaned(connections) == (0, ROWS)

    assert with_something_personal(database, "phone") == [(SECOND,), (NEWEST,)]


def test_the_partition_that_campaigns_still_come_to_stays(
    connections: Connections, database: Database
) -> None:
    database.execute("UPDATE campaign SET finished_at = %s", (OLD,))
    database.execute("UPDATE campaign SET finished_at = NULL WHERE id = %s", (DRAFT,))

    assert cleaned(connections) == (2 * ROWS, ROWS)


def test_numbers_that_go_sooner_go_row_by_row_and_ids_of_the_gateway_stay_for_400_days(
    connections: Connections, database: Database
) -> None:
    database.execute(
        "UPDATE campaign SET finished_at = %s WHERE id <> %s", (NOW - 100 * DAY, DRAFT)
    )
    lives = Lives(DAY, message_texts=30 * DAY)

    counts = CleanUp(SqlPruning(connections), FixedClock(NOW), lives)()

    assert (counts["message_partitions"], counts["message_texts"]) == (0, 3 * ROWS)
    ids = "SELECT count(provider_id) FROM message"
    assert told(database, ids) == [(3 * ROWS,)]


def test_only_who_sweeps_may_begin_a_copy_and_nobody_sees_it(
    connections: Connections, database: Database
) -> None:
    begin(connections)
    for role, statement in (
        ("retail_bound", "SELECT swap_lean(0)"),
        ("retail_bound", "SELECT count(*) FROM message_change"),
        ("retail_bound", "SELECT count(*) FROM message_lean_0"),
        ("retail_sweep", "SELECT count(*) FROM message_lean_0"),
        ("retail_sweep", "INSERT INTO message_change (campaign_id, seq) VALUES (1, 1)"),
    ):
        database.execute(f"SET ROLE {role}".encode())
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            database.execute(statement.encode())
        database.execute("RESET ROLE")
