"""Taking an import back, in memory: what is allowed when, and whoever dies, each row once."""

from datetime import timedelta

import attrs
import pytest

from retail_core.contacts.model.number_hash import NumberHash
from retail_core.imports.errors import ImportNotFound, ImportNotUndoable
from retail_core.imports.jobs import read_import_key, undo_import
from retail_core.imports.model import (
    STALLED_AFTER_SECONDS,
    ImportKey,
    ImportStatus,
    UndoCounts,
)
from retail_core.imports.use_cases import RevertImport, SweepImports, UndoImport
from retail_core.imports.use_cases import undoing as undoing_module
from retail_core.kernel.ids import AccountId, ImportId
from tests.unit.imports.works import STORE, Works, people

UNDO_DAYS = 30


@pytest.fixture(autouse=True)
def _small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(undoing_module, "BATCH_ROWS_MAX", 3)


def imported(count: int, *, dry_run: bool = False) -> Works:
    works = Works.of(people(count), dry_run=dry_run)
    works.run()
    return works


def undo(works: Works, account: AccountId = STORE, import_id: ImportId | None = None) -> ImportId:
    ask = UndoImport(works.transactions, works.clock)
    return ask(account, import_id or works.job.id, UNDO_DAYS)


def revert(works: Works, *, has_time: bool = True) -> bool:
    work = RevertImport(works.transactions, works.clock, NumberHash(b"secret"))
    return work(works.key, lambda: has_time)


class TestAsking:
    def test_it_is_written_down_together_with_its_job(self) -> None:
        works = imported(2)

        assert undo(works) == works.job.id

        assert works.job.status is ImportStatus.UNDOING
        jobs = [due.job for due in works.database.tables.outbox]
        assert undo_import(works.key) in jobs
        assert read_import_key(undo_import(works.key)) == works.key

    def test_an_unknown_or_foreign_import_is_not_found(self) -> None:
        works = imported(1)

        with pytest.raises(ImportNotFound):
            undo(works, import_id=ImportId(99))
        with pytest.raises(ImportNotFound):
            undo(works, AccountId(3))

    def test_what_is_not_completed_cannot_be_undone(self) -> None:
        waiting, failed = Works.of(people(1)), Works.of([["name"]])
        failed.run()

        for works in (waiting, failed, imported(1, dry_run=True)):
            with pytest.raises(ImportNotUndoable):
                undo(works)

    def test_it_can_be_undone_once(self) -> None:
        works = imported(1)
        undo(works)

        with pytest.raises(ImportNotUndoable):
            undo(works)
        revert(works)
        with pytest.raises(ImportNotUndoable):
            undo(works)

    def test_it_can_be_undone_until_its_last_moment(self) -> None:
        works = imported(1)
        works.clock.advance(timedelta(days=UNDO_DAYS, microseconds=1))
        with pytest.raises(ImportNotUndoable):
            undo(works)

        works.clock.advance(timedelta(microseconds=-1))
        undo(works)


class TestReverting:
    def test_everything_goes_step_by_step(self) -> None:
        works = imported(7)
        undo(works)

        runs = [revert(works, has_time=False) for _ in range(4)]

        assert runs == [True, True, True, False]
        assert works.phones() == []
        assert works.job.status is ImportStatus.UNDONE
        assert (works.job.undone, works.job.undone_to) == (UndoCounts(removed=7), None)
        assert len(works.database.tables.consent_subjects) == 7

    def test_a_second_worker_or_a_second_run_changes_nothing(self) -> None:
        works = imported(4)
        undo(works)
        revert(works, has_time=False)

        assert revert(works) is False
        done = works.job
        assert revert(works) is False

        assert works.job == done
        assert done.undone == UndoCounts(removed=4)

    def test_an_import_that_nobody_takes_back_stays(self) -> None:
        works = imported(1)

        assert revert(works) is False
        other = attrs.evolve(works.key, id=ImportId(99))
        assert RevertImport(works.transactions, works.clock, NumberHash(b""))(other) is False
        assert (
            RevertImport(works.transactions, works.clock, NumberHash(b""))(
                ImportKey(AccountId(3), works.job.id)
            )
            is False
        )

        assert len(works.phones()) == 1

    def test_an_undo_that_stands_still_is_nudged_again(self) -> None:
        works = imported(1)
        undo(works)
        for due in list(works.database.tables.outbox):
            works.database.tables.outbox.remove(due.id)
        works.clock.advance(timedelta(seconds=STALLED_AFTER_SECONDS + 1))

        assert SweepImports(works.transactions, works.clock)() == 1

        [due] = works.database.tables.outbox
        assert due.job == undo_import(works.key)
