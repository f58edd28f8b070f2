"""The tables in memory keep what a real database keeps."""

import pytest

from retail_core.kernel.errors import Unavailable
from retail_core.kernel.ids import AccountId
from retail_core.testing import database as database_module
from retail_core.testing.kernel.table import DuplicateRow, Journal, MemoryTable
from retail_core.testing.memory import MemoryDatabase, MemoryTransactions

Row = tuple[str, str | None]
Table = MemoryTable[int, Row]


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest.fixture
def table(journal: Journal) -> Table:
    return MemoryTable(journal, lambda row: row[1])


def test_a_key_is_unique(table: Table) -> None:
    table.insert(1, ("a", "x"))

    with pytest.raises(DuplicateRow):
        table.insert(1, ("b", "y"))


def test_a_unique_value_is_unique(table: Table) -> None:
    table.insert(1, ("a", "x"))

    with pytest.raises(DuplicateRow):
        table.insert(2, ("b", "x"))


def test_a_missing_unique_value_never_collides(table: Table) -> None:
    table.insert(1, ("a", None))
    table.insert(2, ("b", None))

    assert len(table) == 2


def test_a_row_may_keep_its_own_unique_value(table: Table) -> None:
    table.insert(1, ("a", "x"))
    table.put(1, ("b", "x"))

    assert table.get(1) == ("b", "x")


def test_a_unique_value_is_free_after_its_row_is_gone(table: Table) -> None:
    table.insert(1, ("a", "x"))
    table.remove(1)
    table.insert(2, ("b", "x"))

    assert list(table) == [("b", "x")]


def test_a_unique_value_is_free_after_its_row_took_another(table: Table) -> None:
    table.insert(1, ("a", "x"))
    table.put(1, ("a", "y"))
    table.insert(2, ("b", "x"))

    assert dict(table.items()) == {1: ("a", "y"), 2: ("b", "x")}


def test_a_rollback_undoes_inserts_changes_and_removals(journal: Journal, table: Table) -> None:
    table.insert(1, ("a", "x"))
    table.insert(2, ("b", "y"))
    journal.commit()

    table.put(1, ("c", "z"))
    table.remove(2)
    table.insert(3, ("d", "y"))
    journal.roll_back()

    assert dict(table.items()) == {1: ("a", "x"), 2: ("b", "y")}


def test_a_rollback_frees_the_unique_values_it_undid(journal: Journal, table: Table) -> None:
    table.insert(1, ("a", "x"))
    journal.roll_back()

    table.insert(2, ("b", "x"))
    assert 2 in table


def test_a_commit_cannot_be_undone(journal: Journal, table: Table) -> None:
    table.insert(1, ("a", "x"))
    journal.commit()
    journal.roll_back()

    assert 1 in table


def test_a_second_transaction_of_one_thread_is_refused_rather_than_mixed_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(database_module, "LOCK_TIMEOUT_SECONDS", 0.01)
    transactions = MemoryTransactions(MemoryDatabase())

    with (
        transactions.begin(AccountId(2)),
        pytest.raises(Unavailable),
        transactions.across_accounts(),
    ):
        pass
