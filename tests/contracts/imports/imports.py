"""What the worker and the edge may rely on about imports."""

from datetime import UTC, datetime, timedelta
from typing import Any

from retail_core.imports.model import (
    SHOWN_FAULTS_MAX,
    Encoding,
    FileForm,
    FileKind,
    ImportDraft,
    ImportJob,
    ImportMode,
    ImportTerms,
    MergeCounts,
    RowFault,
    UndoCounts,
)
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import AccountId, ImportId, ListId
from tests.contracts.worlds import World

AT = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)
ANA = PhoneNumber("+306900000001")
NOWHERE = ImportId(2_000_000_000)


def import_draft(**terms: Any) -> ImportDraft:
    return ImportDraft(
        file_name="πελάτες.csv",
        form=FileForm(FileKind.CSV, Encoding.WINDOWS_1253),
        size_bytes=12,
        terms=ImportTerms(**{"region": "GR", **terms}),
        created_at=AT,
    )


def new_import(world: World, account: AccountId, **terms: Any) -> ImportJob:
    with world.transactions.begin(account) as uow:
        return uow.imports.add(account, import_draft(**terms))


def fault(no: int) -> RowFault:
    return RowFault(no, "phone", "INVALID_PHONE", "Not a valid phone number.", '=1+"2"\n\\N')


class ImportStoreContract:
    def test_what_was_added_can_be_read(self, world: World) -> None:
        account = world.new_account()
        terms = {
            "mode": ImportMode.UPDATE,
            "dry_run": True,
            "tags": ("a", "b"),
            "list_id": ListId(7),
        }
        job = new_import(world, account, **terms, consent_source="paper")

        with world.transactions.begin(account) as uow:
            assert uow.imports.lock(account, job.id) == job
            assert uow.imports.lock(account, NOWHERE) is None

        draft_again = import_draft(**terms, consent_source="paper")
        assert job == ImportJob.planned(job.id, draft_again)

    def test_its_progress_can_be_saved(self, world: World) -> None:
        account = world.new_account()
        job = new_import(world, account)
        later = AT + timedelta(minutes=1)
        advanced = job.started(AT).counted(9, AT).advanced(MergeCounts(2, 1, 3), 4, later)

        done = advanced.completed(later)
        undoing = done.undoing(1, later).taken_back(UndoCounts(3, 2, 1), ANA, later)
        states = (advanced, done, undoing, undoing.undone_for_good(later))
        for state in (*states, advanced.failed("because", later)):
            with world.transactions.begin(account) as uow:
                uow.imports.save(account, state)
            with world.transactions.begin(account) as uow:
                assert uow.imports.lock(account, job.id) == state

    def test_stalled_imports_are_found_oldest_first(self, world: World) -> None:
        account = world.new_account()
        long_ago = datetime(2000, 1, 1, tzinfo=UTC)
        touched = [long_ago + timedelta(days=days) for days in (0.75, 0.5, 3)]
        jobs = [new_import(world, account) for _ in range(6)]
        with world.transactions.begin(account) as uow:
            for job, moment in zip(jobs, touched, strict=False):
                uow.imports.save(account, job.started(moment))
            uow.imports.save(account, jobs[3].started(long_ago).completed(long_ago))
            uow.imports.save(account, jobs[4].started(long_ago).failed("x", long_ago))
            done = jobs[5].started(long_ago).completed(long_ago)
            uow.imports.save(account, done.undoing(1, long_ago + timedelta(days=1)))

        with world.transactions.across_accounts() as uow:
            found = uow.imports.find_stalled_across_accounts(long_ago + timedelta(days=3), 100)
            first = uow.imports.find_stalled_across_accounts(long_ago + timedelta(days=3), 1)

        mine = [(each.key.id, each.is_undo) for each in found if each.key.account == account]
        assert mine == [(jobs[1].id, False), (jobs[0].id, False), (jobs[5].id, True)]
        assert len(first) == 1

    def test_does_not_see_another_accounts_rows(self, world: World) -> None:
        mine, theirs = world.new_account(), world.new_account()
        job = new_import(world, theirs)

        for named in (mine, theirs):
            with world.transactions.begin(mine) as uow:
                assert uow.imports.lock(named, job.id) is None
                uow.imports.save(named, job.started(AT))

        with world.transactions.begin(theirs) as uow:
            assert uow.imports.lock(theirs, job.id) == job


class UploadStoreContract:
    def test_a_file_comes_back_piece_by_piece(self, world: World) -> None:
        account = world.new_account()
        job = new_import(world, account)
        pieces = [bytes(range(256)) * 4096, b"\x00last"]

        with world.transactions.begin(account) as uow:
            for no, piece in enumerate(pieces):
                uow.uploads.add_chunk(account, job.id, no, piece)

        read = [world.upload_reads.chunk(account, job.id, no) for no in range(3)]
        assert read == [*pieces, None]


class UploadReadsContract:
    def test_does_not_see_another_accounts_rows(self, world: World) -> None:
        mine, theirs = world.new_account(), world.new_account()
        job = new_import(world, theirs)
        with world.transactions.begin(theirs) as uow:
            uow.uploads.add_chunk(theirs, job.id, 0, b"phone")

        assert world.upload_reads.chunk(mine, job.id, 0) is None
        assert world.upload_reads.chunk(theirs, job.id, 0) == b"phone"


class ImportQueriesContract:
    def test_the_first_faults_are_shown_once_it_is_completed(self, world: World) -> None:
        account = world.new_account()
        job = new_import(world, account)
        faults = [fault(no) for no in range(1, SHOWN_FAULTS_MAX + 2)]
        with world.transactions.begin(account) as uow:
            uow.imports.add_faults(account, job.id, faults[:500])
            uow.imports.add_faults(account, job.id, faults[500:])

        view = world.import_queries.find(account, job.id)
        assert view is not None
        assert (view.job, list(view.faults)) == (job, [])

        with world.transactions.begin(account) as uow:
            uow.imports.save(account, job.started(AT).completed(AT))
        view = world.import_queries.find(account, job.id)
        assert view is not None
        assert list(view.faults) == faults[:SHOWN_FAULTS_MAX]

    def test_all_faults_can_be_read(self, world: World) -> None:
        account = world.new_account()
        job, other = new_import(world, account), new_import(world, account)
        faults = [fault(no) for no in range(1, 5_002)]
        with world.transactions.begin(account) as uow:
            uow.imports.add_faults(account, job.id, faults)
            uow.imports.add_faults(account, other.id, [])

        assert list(world.import_queries.faults(account, job.id)) == faults
        assert list(world.import_queries.faults(account, other.id)) == []

    def test_a_foreign_import_is_told_from_none(self, world: World) -> None:
        account = world.new_account()
        job = new_import(world, account)

        assert world.import_queries.owner_across_accounts(job.id) == account
        assert world.import_queries.owner_across_accounts(NOWHERE) is None

    def test_does_not_see_another_accounts_rows(self, world: World) -> None:
        mine, theirs = world.new_account(), world.new_account()
        job = new_import(world, theirs)
        with world.transactions.begin(theirs) as uow:
            uow.imports.add_faults(theirs, job.id, [fault(1)])

        assert world.import_queries.find(mine, job.id) is None
        assert list(world.import_queries.faults(mine, job.id)) == []
