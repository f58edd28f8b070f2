"""A register of numbers in memory: each row once, whoever dies; and the erased in any file."""

import pytest

from retail_core.contacts.model import SuppressionReason
from retail_core.contacts.model.number_hash import NumberHash
from retail_core.imports.errors import ImportNotUndoable
from retail_core.imports.model import FileForm, FileKind
from retail_core.imports.use_cases import StartSuppressionImport, SuppressionsRequest, UndoImport
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.testing.kernel.clock import FixedClock
from retail_core.testing.memory import MemoryDatabase
from tests.unit.imports.works import STORE, Killed, Reader, Rehearsal, Rows, Works, people

ANA = PhoneNumber("+306984303400")


def register(rows: Rows, dies_at: int | None = None) -> Works:
    clock = FixedClock()
    works = Works(Reader(Rehearsal(rows, dies_at)), clock, MemoryDatabase(clock))
    request = SuppressionsRequest(
        file_name="a.txt", form=FileForm(FileKind.CSV), size_bytes=8, region="GR", note="n"
    )
    StartSuppressionImport(works.transactions, clock)(STORE, request, [b"the ", b"file"])
    return works


def barred(works: Works) -> list[str]:
    return [row.phone or "" for row in works.database.tables.suppressions]


@pytest.mark.parametrize("first", [0, 1], ids=["header", "no header"])
def test_each_row_counts_once_wherever_a_worker_dies(
    monkeypatch: pytest.MonkeyPatch, first: int
) -> None:
    monkeypatch.setattr("retail_core.imports.use_cases.importing.BATCH_ROWS_MAX", 2)
    rows = people(5)[first:]
    works = register(rows, dies_at=3)
    with pytest.raises(Killed):
        works.run()
    works.reader.table = Rehearsal(rows)

    works.run()

    assert barred(works) == [f"+30698430340{number}" for number in range(5)]
    assert (works.job.position, works.job.total, works.job.counts.created) == (5, 5, 5)


def test_who_sent_it_is_written_down() -> None:
    works = register(people(1))

    [entry] = works.database.tables.audit_entries
    assert entry.details == {"reason": "import", "import": works.job.id}


def test_it_cannot_be_undone() -> None:
    works = register(people(1))
    works.run()

    with pytest.raises(ImportNotUndoable):
        UndoImport(works.transactions, works.clock)(STORE, works.job.id, 30)


def test_an_erased_number_in_a_file_of_contacts_is_never_subscribed() -> None:
    works = erased_among_people()

    works.run()

    with works.transactions.begin(STORE) as uow:
        assert uow.suppressions.reasons(STORE, ANA) == {SuppressionReason.ERASURE}
        ana = uow.contacts.lock_by_phone(STORE, ANA)
    assert ana is not None
    assert not ana.is_subscribed


def test_a_rehearsal_bars_nobody() -> None:
    works = erased_among_people(dry_run=True)

    works.run()

    with works.transactions.begin(STORE) as uow:
        assert uow.suppressions.reasons(STORE, ANA) == frozenset()


def erased_among_people(*, dry_run: bool = False) -> Works:
    works = Works.of(people(2), dry_run=dry_run)
    with works.transactions.begin(STORE) as uow:
        uow.suppressions.add_erased(STORE, NumberHash(b"x").of(ANA), works.clock.now())
    return works
