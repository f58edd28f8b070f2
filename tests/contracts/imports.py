"""What the worker and the edge may rely on about imports."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import attrs
import pytest

from retail_core.contacts.model import (
    ConsentSource,
    ConsentType,
    Contact,
    Gender,
    SuppressionReason,
    search_term,
)
from retail_core.contacts.queries import ContactFilter
from retail_core.imports.model import (
    SHOWN_FAULTS_MAX,
    Encoding,
    FileForm,
    FileKind,
    ImportDraft,
    ImportedRow,
    ImportJob,
    ImportMode,
    ImportTerms,
    MergeCounts,
    MergeOutcome,
    RowFault,
)
from retail_core.kernel.ids import AccountId, ImportId
from retail_core.kernel.pages import PageRequest
from retail_core.kernel.phones import LineType, Phone, PhoneNumber
from tests.contracts.contacts import ANA, BOB, added, draft, entry, history, suppress
from tests.contracts.worlds import World

AT = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)
CAT = PhoneNumber("+306900000003")
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


def row(no: int, number: PhoneNumber = ANA, **values: Any) -> ImportedRow:
    return ImportedRow(no, Phone(number, "GR", LineType.MOBILE), **values)


def merge(
    world: World, account: AccountId, job: ImportJob, *rows: ImportedRow
) -> tuple[int, int, list[int]]:
    with world.transactions.begin(account) as uow:
        outcome = uow.import_merge.merge(account, job.id, rows, job.terms, AT)
    assert isinstance(outcome, MergeOutcome)
    return outcome.created, outcome.updated, sorted(outcome.known)


def contacts_of(world: World, account: AccountId, q: str | None = None) -> list[Contact]:
    """The oldest first."""
    which = ContactFilter(term=None if q is None else search_term(q))
    page = world.contact_queries.page(account, which, PageRequest(1, 100))
    return [view.contact for view in reversed(page.items)]


def fault(no: int) -> RowFault:
    return RowFault(no, "phone", "INVALID_PHONE", "Not a valid phone number.", '=1+"2"\n\\N')


class ImportStoreContract:
    def test_what_was_added_can_be_read(self, world: World) -> None:
        account = world.new_account()
        terms = {"mode": ImportMode.UPDATE, "dry_run": True, "tags": ("a", "b")}
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

        for state in (advanced, advanced.completed(later), advanced.failed("because", later)):
            with world.transactions.begin(account) as uow:
                uow.imports.save(account, state)
            with world.transactions.begin(account) as uow:
                assert uow.imports.lock(account, job.id) == state

    def test_stalled_imports_are_found_oldest_first(self, world: World) -> None:
        account = world.new_account()
        long_ago = datetime(2000, 1, 1, tzinfo=UTC)
        touched = [long_ago + timedelta(days=days) for days in (2, 1, 3)]
        jobs = [new_import(world, account) for _ in range(5)]
        with world.transactions.begin(account) as uow:
            for job, moment in zip(jobs, touched, strict=False):
                uow.imports.save(account, job.started(moment))
            uow.imports.save(account, jobs[3].started(long_ago).completed(long_ago))
            uow.imports.save(account, jobs[4].started(long_ago).failed("x", long_ago))

        with world.transactions.across_accounts() as uow:
            found = uow.imports.find_stalled_across_accounts(long_ago + timedelta(days=3), 100)
            first = uow.imports.find_stalled_across_accounts(long_ago + timedelta(days=3), 1)

        mine = [key.id for key in found if key.account == account]
        assert mine == [jobs[1].id, jobs[0].id]
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


class ImportMergeContract:
    def test_a_new_number_becomes_a_contact(self, world: World) -> None:
        account = world.new_account()
        job = new_import(world, account, tags=("x", "y"), consent_source="fair 2026")
        whole = row(
            1,
            email="ana@example.com",
            first_name="Άννα",
            last_name="Λ\t\\",
            gender=Gender.FEMALE,
            birthday=date(1990, 5, 17),
            tags=("vip", "x"),
        )

        assert merge(world, account, job, whole, row(2, BOB)) == (2, 0, [])

        ana, bob = contacts_of(world, account)
        assert ana == Contact(
            id=ana.id,
            phone=ANA,
            country="GR",
            line_type=LineType.MOBILE,
            email="ana@example.com",
            first_name="Άννα",
            last_name="Λ\t\\",
            gender=Gender.FEMALE,
            birthday=date(1990, 5, 17),
            tags=("vip", "x", "y"),
            is_subscribed=True,
            unsubscribed_at=None,
            created_at=AT,
            updated_at=AT,
        )
        assert (bob.phone, bob.email, bob.tags) == (BOB, None, ("x", "y"))
        assert ana.id < bob.id

    def test_a_created_contact_has_one_consent_event(self, world: World) -> None:
        account = world.new_account()
        job = new_import(world, account, consent_source="fair 2026")

        merge(world, account, job, row(1), row(2, BOB, subscribed=False))

        told = [
            (event.type, event.source, event.source_ref, event.statement, event.at)
            for contact in contacts_of(world, account)
            for event in history(world, account, contact.id)
        ]
        said = (ConsentSource.IMPORT, f"import:{job.id}", "fair 2026", AT)
        assert told == [(ConsentType.GRANTED, *said), (ConsentType.WITHDRAWN, *said)]

    def test_a_no_is_an_unsubscribed_contact(self, world: World) -> None:
        account = world.new_account()

        merge(world, account, new_import(world, account), row(1, subscribed=False))

        [contact] = contacts_of(world, account)
        assert (contact.is_subscribed, contact.unsubscribed_at) == (False, AT)

    def test_a_suppressed_number_is_never_subscribed(self, world: World) -> None:
        account = world.new_account()
        suppress(world, account, entry(ANA, SuppressionReason.MANUAL))

        merge(world, account, new_import(world, account), row(1), row(2, BOB))

        ana, bob = contacts_of(world, account)
        assert (ana.is_subscribed, bob.is_subscribed) == (False, True)
        assert [event.type for event in history(world, account, ana.id)] == [ConsentType.WITHDRAWN]

    @pytest.mark.parametrize("dry_run", [False, True])
    def test_a_known_number_is_skipped(self, world: World, *, dry_run: bool) -> None:
        account = world.new_account()
        [old] = added(world, account, draft(ANA, first_name="Ana"))
        job = new_import(world, account, dry_run=dry_run)

        assert merge(world, account, job, row(1, BOB), row(2, first_name="X")) == (1, 0, [2])

        assert contacts_of(world, account)[0] == old

    @pytest.mark.parametrize("mode", list(ImportMode))
    @pytest.mark.parametrize("dry_run", [False, True])
    def test_a_number_twice_in_one_file_counts_once_over_all_batches(
        self, world: World, mode: ImportMode, *, dry_run: bool
    ) -> None:
        account = world.new_account()
        added(world, account, draft(ANA))
        job = new_import(world, account, mode=mode, dry_run=dry_run)

        first = merge(world, account, job, row(1, first_name="1"), row(2, BOB, first_name="2"))
        second = merge(world, account, job, row(3, first_name="3"), row(4, BOB), row(5, CAT))

        updated = int(mode is ImportMode.UPDATE)
        assert first == (1, updated, [] if updated else [1])
        assert second == (1, 0, [3, 4])
        names = {contact.phone: contact.first_name for contact in contacts_of(world, account)}
        if not dry_run:
            assert names == {ANA: "1" if updated else None, BOB: "2", CAT: None}

    @pytest.mark.parametrize("mode", list(ImportMode))
    def test_a_dry_run_stores_nothing(self, world: World, mode: ImportMode) -> None:
        account = world.new_account()
        old = added(world, account, draft(ANA))
        job = new_import(world, account, mode=mode, dry_run=True, tags=("x",))

        merge(world, account, job, row(1, first_name="X", subscribed=False), row(2, BOB))

        assert contacts_of(world, account) == old
        assert history(world, account, old[0].id) == ()

    def test_a_dry_run_can_be_forgotten(self, world: World) -> None:
        account = world.new_account()
        job = new_import(world, account, dry_run=True)
        merge(world, account, job, row(1))

        with world.transactions.begin(account) as uow:
            uow.import_merge.forget_dry_run(account, job.id)

        assert merge(world, account, job, row(1)) == (1, 0, [])

    def test_an_update_overwrites_with_what_is_not_empty(self, world: World) -> None:
        account = world.new_account()
        [old] = added(
            world,
            account,
            draft(ANA, email="old@example.com", first_name="Old", last_name="Same", tags=("a",)),
        )
        job = new_import(world, account, mode=ImportMode.UPDATE)
        new = row(
            1, email="new@example.com", gender=Gender.OTHER, birthday=date(1990, 1, 2), tags=("b",)
        )

        assert merge(world, account, job, new) == (0, 1, [])

        changed = {
            "email": "new@example.com",
            "gender": Gender.OTHER,
            "birthday": date(1990, 1, 2),
            "tags": ("b",),
            "updated_at": AT,
        }
        assert contacts_of(world, account) == [attrs.evolve(old, **changed)]

    def test_an_updated_contact_is_found_by_its_old_and_its_new_words(self, world: World) -> None:
        account = world.new_account()
        added(world, account, draft(ANA, email="old@example.com", first_name="Bea", last_name="S"))
        job = new_import(world, account, mode=ImportMode.UPDATE)

        merge(world, account, job, row(1, first_name="Νίκος"))

        found = [len(contacts_of(world, account, q)) for q in ("ΝΙΚΟΣ", "old@", "Bea", "6900000")]
        assert found == [1, 1, 0, 1]

    @pytest.mark.parametrize(
        ("cell", "tags"),
        [(None, ("a", "b", "x")), (("b", "c"), ("b", "c", "x")), (("x", "d"), ("x", "d"))],
    )
    def test_the_tags_of_the_import_are_added(
        self, world: World, cell: tuple[str, ...] | None, tags: tuple[str, ...]
    ) -> None:
        account = world.new_account()
        added(world, account, draft(ANA, tags=("a", "b")))
        job = new_import(world, account, mode=ImportMode.UPDATE, tags=("x",))

        merge(world, account, job, row(1, tags=cell))

        assert contacts_of(world, account)[0].tags == tags

    def test_nobody_has_more_tags_than_are_allowed(self, world: World) -> None:
        account = world.new_account()
        many = tuple(f"t{n}" for n in range(50))
        added(world, account, draft(ANA, tags=many))
        job = new_import(world, account, mode=ImportMode.UPDATE, tags=("one more",))

        merge(world, account, job, row(1))

        assert contacts_of(world, account)[0].tags == many

    @pytest.mark.parametrize("before", [True, False])
    @pytest.mark.parametrize("said", [True, False])
    def test_an_update_changes_consent_only_downwards(
        self, world: World, *, before: bool, said: bool
    ) -> None:
        account = world.new_account()
        [old] = added(
            world,
            account,
            draft(ANA, is_subscribed=before, unsubscribed_at=None if before else AT),
        )
        job = new_import(world, account, mode=ImportMode.UPDATE)

        merge(world, account, job, row(1, subscribed=said))

        [contact] = contacts_of(world, account)
        assert contact.is_subscribed == (before and said)
        assert (contact.unsubscribed_at is None) == contact.is_subscribed
        told = [event.type for event in history(world, account, old.id)]
        assert told == ([ConsentType.WITHDRAWN] if before and not said else [])

    def test_an_empty_batch_changes_nothing(self, world: World) -> None:
        account = world.new_account()

        assert merge(world, account, new_import(world, account)) == (0, 0, [])

    def test_several_batches_fit_into_one_transaction(self, world: World) -> None:
        account = world.new_account()
        job = new_import(world, account)

        with world.transactions.begin(account) as uow:
            for no, number in enumerate((ANA, BOB), start=1):
                uow.import_merge.merge(account, job.id, [row(no, number)], job.terms, AT)
                uow.imports.add_faults(account, job.id, [fault(no)])

        assert len(contacts_of(world, account)) == 2

    def test_does_not_see_another_accounts_rows(self, world: World) -> None:
        mine, theirs = world.new_account(), world.new_account()
        [known] = added(world, theirs, draft(ANA))
        suppress(world, theirs, entry(BOB))
        job = new_import(world, mine, mode=ImportMode.UPDATE)

        assert merge(world, mine, job, row(1, first_name="X"), row(2, BOB)) == (2, 0, [])

        assert [contact.is_subscribed for contact in contacts_of(world, mine)] == [True, True]
        assert contacts_of(world, theirs) == [known]


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
