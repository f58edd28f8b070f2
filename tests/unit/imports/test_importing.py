"""An import from its file to its contacts, in memory: whoever dies, each row counts once."""

from datetime import datetime, timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retail_core.contacts.model.number_hash import NumberHash
from retail_core.imports.jobs import import_contacts, read_import_key
from retail_core.imports.model import (
    SIGN_OF_LIFE_SECONDS,
    STALLED_AFTER_SECONDS,
    STARTS_WITHOUT_PROGRESS_MAX,
    ImportKey,
    ImportStatus,
    MergeCounts,
)
from retail_core.imports.use_cases import ImportContacts, SweepImports
from retail_core.imports.use_cases import importing as importing_module
from retail_core.kernel.ids import AccountId, ImportId
from retail_core.testing.imports.imports import MemoryUploadReads
from tests.unit.imports.works import STORE, Killed, Reader, Rehearsal, Rows, Works, people


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing_module, "BATCH_ROWS_MAX", 3)


class TestStarting:
    def test_file_and_job_are_stored_together(self) -> None:
        works = Works.of(people(1))

        [due] = works.database.tables.outbox
        assert due.job == import_contacts(works.key)
        assert read_import_key(due.job) == works.key
        assert (works.job.status, works.job.is_counted) == (ImportStatus.WAITING, False)


class TestImporting:
    def test_all_rows_are_counted(self) -> None:
        works = Works.of([["x", "phone"], ["", ""], *([["", "6984303401"]] * 2), ["", "bad"]])

        assert works.run() is False

        job = works.job
        assert job.status is ImportStatus.COMPLETED
        assert (job.position, job.total, job.faults) == (3, 3, 2)
        assert job.counts == MergeCounts(created=1, updated=0, skipped=2)
        assert works.phones() == ["+306984303401"]
        faults = [stored.fault for stored in works.database.tables.import_faults]
        assert [(fault.row, fault.code) for fault in faults] == [
            (2, "DUPLICATE_RESOURCE"),
            (3, "INVALID_PHONE"),
        ]

    def test_a_finished_import_is_not_run_again(self) -> None:
        works = Works.of(people(1))
        works.run()

        works.run()

        assert works.reader.opened == 1

    def test_an_unknown_import_is_nothing_to_do(self) -> None:
        works = Works.of(people(1))
        uploads = MemoryUploadReads(works.database)
        numbers = NumberHash(b"x")
        run = ImportContacts(works.transactions, uploads, works.reader, works.clock, numbers)

        assert run(ImportKey(STORE, ImportId(99))) is False
        assert run(ImportKey(AccountId(3), works.job.id)) is False
        assert works.reader.opened == 0

    def test_it_ends_between_two_batches_when_time_is_up(self) -> None:
        works = Works.of(people(8))

        runs = [works.run(lambda: False) for _ in range(4)]

        assert runs == [True, True, True, False]
        assert works.job.status is ImportStatus.COMPLETED
        assert works.job.counts == MergeCounts(created=8)

    def test_a_dry_run_leaves_nothing_behind(self) -> None:
        works = Works.of(people(4), dry_run=True)

        works.run()

        assert works.job.counts == MergeCounts(created=4)
        assert works.phones() == []
        assert len(works.database.tables.import_numbers) == 0

    @pytest.mark.parametrize("rows", [[], [["", ""]], [["name"], ["x"]]])
    def test_a_table_without_numbers_fails(self, rows: Rows) -> None:
        works = Works.of(rows)

        works.run()

        assert works.job.status is ImportStatus.FAILED
        assert works.job.error

    def test_a_file_that_breaks_at_its_end_stores_nothing(self) -> None:
        works = Works.of(people(8))
        works.reader.table = attrs.evolve(works.reader.table, breaks_at=8)

        works.run()

        assert (works.job.status, works.job.error) == (ImportStatus.FAILED, "broken")
        assert works.phones() == []

    def test_a_table_stays_open_between_two_slices_and_no_longer(self) -> None:
        works = Works.of(people(7))

        assert works.run(lambda: False) is True
        assert works.reader.kept == {works.key}
        while works.run(lambda: False):
            pass

        assert (works.reader.opened, works.reader.kept) == (1, set())

    def test_whoever_reads_for_long_shows_that_they_live(self) -> None:
        works = Works.of(people(1))
        later = timedelta(seconds=SIGN_OF_LIFE_SECONDS)
        seen: list[datetime] = []

        def read_slowly() -> None:
            seen.append(works.job.touched_at)
            works.clock.advance(later)

        works.reader.slowly = read_slowly
        began = works.clock.now()
        works.run()

        assert seen == [began, began + later]


class TestCrashes:
    @given(st.integers(0, 12), st.lists(st.integers(0, 13), max_size=4))
    def test_each_row_counts_once_wherever_workers_die(self, count: int, deaths: list[int]) -> None:
        works = Works.of(people(count))
        # the file was read to its end once before anybody died in the middle of it
        works.run(lambda: False)

        for death in deaths:
            works.reader.table = attrs.evolve(works.reader.table, dies_at=death)
            try:
                works.run()
            except Killed:
                works.clock.advance(timedelta(minutes=2))
        works.reader.table = Rehearsal(people(count))
        works.run()

        assert works.job.status is ImportStatus.COMPLETED
        assert works.job.counts == MergeCounts(created=count)
        assert works.phones() == [f"+3069843034{number:02d}" for number in range(count)]

    @pytest.mark.parametrize("after_rows", [0, 3, 6])
    def test_two_workers_at_once_count_each_row_once(self, after_rows: int) -> None:
        works = Works.of(people(8))
        rival = attrs.evolve(works, reader=Reader(Rehearsal(people(8))))
        done = iter(range(99))

        def rival_overtakes() -> bool:
            if next(done) * 3 == after_rows:
                rival.run()
            return True

        assert works.run(rival_overtakes) is False

        assert works.job.counts == MergeCounts(created=8)
        assert works.job.status is ImportStatus.COMPLETED

    def test_a_rival_that_ends_it_while_the_file_is_opened_is_respected(self) -> None:
        works = Works.of(people(4))
        rival = attrs.evolve(works, reader=Reader(Rehearsal(people(4))))
        works.reader.meanwhile = rival.run

        assert works.run() is False

        assert works.job.counts == MergeCounts(created=4)

    def test_a_file_that_kills_every_worker_is_given_up(self) -> None:
        works = Works.of(people(1))
        works.reader.table = attrs.evolve(works.reader.table, dies_at=0)

        for _ in range(STARTS_WITHOUT_PROGRESS_MAX):
            with pytest.raises(Killed):
                works.run()
        works.run()

        assert works.job.status is ImportStatus.FAILED
        assert works.reader.opened == STARTS_WITHOUT_PROGRESS_MAX


class TestSweeping:
    def test_a_stalled_import_is_nudged_again(self) -> None:
        works = Works.of(people(1))
        works.database.tables.outbox.remove(1)
        sweep = SweepImports(works.transactions, works.clock)

        assert sweep() == 0
        works.clock.advance(timedelta(seconds=STALLED_AFTER_SECONDS + 1))
        assert sweep() == 1

        [due] = works.database.tables.outbox
        assert due.job == import_contacts(works.key)
        works.run()
        assert sweep() == 0
