"""An import and its undo on the real processes, with `kill -9` in the middle of each."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapters_db.connection.connections import Connections
from adapters_db.connection.engine import make_engine
from adapters_db.operations.migrate import upgrade
from adapters_db.settings import DatabaseSettings
from adapters_db.transactions import SqlTransactions
from retail_core.imports.model import UPLOAD_CHUNK_BYTES, FileForm, FileKind, ImportMode
from retail_core.imports.use_cases import ImportRequest, StartImport, UndoImport
from retail_core.kernel.ids import AccountId, ImportId
from retail_core.kernel.process.machine import SystemClock
from tests.integration.processes.plant import FIRST_PHONE, Plant, kill, started
from tests.integration.workers.watching import until

KNOWN = 2_000
ROWS = 40_000
WAITS_FOR_SECONDS = 60

pytestmark = [pytest.mark.servers, pytest.mark.slow, pytest.mark.timeout(300)]

CONTACTS = """
SELECT id, phone, email, first_name, tags, is_subscribed, unsubscribed_at, updated_at, search_text
FROM contact ORDER BY id
"""


def file_of(rows: int) -> bytes:
    """Every tenth opts out; the last rows name the first numbers again."""
    lines = ["phone;firstName;email;subscribed"]
    lines += [
        f"{FIRST_PHONE + no};Όνομα {no};p{no}@example.com;{'no' if no % 10 == 0 else ''}"
        for no in range(rows - 10)
    ]
    lines += [f"{FIRST_PHONE + no};Twice;;" for no in range(10)]
    return "\n".join(lines).encode()


def send(transactions: SqlTransactions, account: AccountId) -> ImportId:
    content = file_of(ROWS)
    request = ImportRequest(
        file_name="people.csv",
        form=FileForm(FileKind.CSV),
        size_bytes=len(content),
        region="GR",
        mode=ImportMode.UPDATE,
        tags=("fair",),
    )
    pieces = range(0, len(content), UPLOAD_CHUNK_BYTES)
    chunks = (content[at : at + UPLOAD_CHUNK_BYTES] for at in pieces)
    return StartImport(transactions, SystemClock())(account, request, chunks)


def kill_in_the_middle(plant: Plant, is_in_the_middle: Callable[[], bool]) -> None:
    """Let the only worker die at work, and let the sweep find that out at once."""
    worker = plant.start("workers.worker")
    until(is_in_the_middle, WAITS_FOR_SECONDS)
    kill(worker)
    assert is_in_the_middle(), "it was over before the worker died"
    plant.ask("UPDATE import_job SET touched_at = touched_at - interval '2 minutes' RETURNING id")


def job(plant: Plant) -> dict[str, Any]:
    """The newest import."""
    ((row,),) = plant.ask("SELECT to_jsonb(i) FROM import_job i ORDER BY id DESC LIMIT 1")
    found: dict[str, Any] = row
    return found


def test_every_row_counts_once_and_the_undo_restores_the_state_before(
    new_database: Callable[[], str], redis_url: str, tmp_path: Path
) -> None:
    database_url = new_database()
    upgrade(database_url)
    settings = DatabaseSettings(url=database_url, direct_url=database_url)
    transactions = SqlTransactions(Connections(make_engine(settings), settings))
    with started(tmp_path, database_url, redis_url) as plant:
        plant.shop(KNOWN)
        ((account,),) = plant.ask("SELECT id FROM account WHERE email = 'owner@example.com'")
        before = plant.ask(CONTACTS)
        import_id = send(transactions, account)

        kill_in_the_middle(plant, lambda: 0 < job(plant)["position"] < ROWS)
        worker = plant.start("workers.worker")
        until(lambda: job(plant)["status"] == "completed", WAITS_FOR_SECONDS)
        kill(worker)

        done = job(plant)
        assert (done["created"], done["updated"], done["skipped"]) == (
            ROWS - 10 - KNOWN,
            KNOWN,
            10,
        )
        assert_every_row_counted_once(plant, import_id)
        UndoImport(transactions, SystemClock())(account, import_id, 30)
        kill_in_the_middle(
            plant, lambda: job(plant)["removed"] > 0 and job(plant)["status"] == "undoing"
        )
        plant.start("workers.worker")
        until(lambda: job(plant)["status"] == "undone", WAITS_FOR_SECONDS)

        undone = job(plant)
        counts = (undone["removed"], undone["restored"], undone["kept"])
        assert counts == (ROWS - 10 - KNOWN, KNOWN, 0)
        assert plant.ask(CONTACTS) == before
        assert_consent_is_the_fold_of_its_facts(plant)
    transactions.connections.engine.dispose()


def assert_every_row_counted_once(plant: Plant, import_id: ImportId) -> None:
    [(contacts, subscribed, tagged)] = plant.ask(
        "SELECT count(*), count(*) FILTER (WHERE is_subscribed), "
        "count(*) FILTER (WHERE tags = '{fair}') FROM contact"
    )
    out = (ROWS - 10) // 10
    assert (contacts, subscribed, tagged) == (ROWS - 10, ROWS - 10 - out, ROWS - 10)
    facts = plant.ask(
        "SELECT contact_id, count(*) FROM consent_event WHERE source_ref = %s "
        "GROUP BY contact_id HAVING count(*) > 1",
        f"import:{import_id}",
    )
    assert facts == []
    [(faults,)] = plant.ask("SELECT count(*) FROM import_fault WHERE import_id = %s", import_id)
    assert faults == 10
    assert_consent_is_the_fold_of_its_facts(plant)


def assert_consent_is_the_fold_of_its_facts(plant: Plant) -> None:
    """The latest fact of every contact says what its row says."""
    assert (
        plant.ask(
            "SELECT c.id FROM contact c WHERE c.is_subscribed IS DISTINCT FROM ("
            "SELECT e.type = 'granted' FROM consent_event e "
            "WHERE e.account_id = c.account_id AND e.contact_id = c.id "
            "ORDER BY e.id DESC LIMIT 1)"
        )
        == []
    )
