"""What the worker may rely on when it brings rows into the contacts."""

from datetime import date

import attrs
import pytest

from retail_core.contacts.model import (
    ConsentSource,
    ConsentType,
    Contact,
    Gender,
    SuppressionReason,
)
from retail_core.imports.model import (
    ImportMode,
)
from retail_core.kernel.addresses.phones import LineType, PhoneNumber
from tests.contracts.imports.imports import AT, fault, new_import
from tests.contracts.imports.lists import CAT, PuttingOnLists, contacts_of, merge, row
from tests.contracts.people import ANA, BOB, added, draft, entry, history, suppress
from tests.contracts.worlds import World

AWKWARD_TEXTS = [
    "plain",
    "\\N",
    "\\.",
    "a\\tb\\",
    "tab\there",
    "two\nlines",
    "two\r\nlines",
    "NULL",
    "{a,b}",
    "\"quoted\" 'twice'",
    "Ά, ΈΣ",
    "🎉\u2028",
    "\x85",
]


class ImportMergeContract(PuttingOnLists):
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

    def test_texts_come_as_they_are_whatever_stands_in_them(self, world: World) -> None:
        account = world.new_account()
        rows = [
            row(no, PhoneNumber(f"+3069{no:08}"), first_name=text, last_name="Ω", tags=(text,))
            for no, text in enumerate(AWKWARD_TEXTS, start=1)
        ]

        assert merge(world, account, new_import(world, account), *rows) == (len(rows), 0, [])

        found = contacts_of(world, account)
        assert [contact.first_name for contact in found] == AWKWARD_TEXTS
        assert [contact.tags for contact in found] == [(text,) for text in AWKWARD_TEXTS]
        for contact, text in zip(found, AWKWARD_TEXTS, strict=True):
            assert contact in contacts_of(world, account, text)

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
        before = history(world, account, old[0].id)
        job = new_import(world, account, mode=mode, dry_run=True, tags=("x",))

        merge(world, account, job, row(1, first_name="X", subscribed=False), row(2, BOB))

        assert contacts_of(world, account) == old
        assert history(world, account, old[0].id) == before

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

        changed = attrs.evolve(
            old,
            email="new@example.com",
            gender=Gender.OTHER,
            birthday=date(1990, 1, 2),
            tags=("b",),
            updated_at=AT,
        )
        assert contacts_of(world, account) == [changed]

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
        news = [ConsentType.WITHDRAWN] if before and not said else []
        assert told == news + ([ConsentType.GRANTED] if before else [])

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
