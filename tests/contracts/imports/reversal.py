"""What the worker may rely on when it takes an import back."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retail_core.contacts.model import ConsentSource, ConsentType, Contact, Gender
from retail_core.imports.model import ImportedRow, ImportJob, ImportMode, UndoStep
from retail_core.kernel.addresses.phones import LineType, Phone, PhoneNumber
from retail_core.kernel.ids import SYSTEM_ACCOUNT, AccountId
from retail_core.messages.model import Dropped
from tests.contracts.audiences.lists import made, on_it, put
from tests.contracts.imports.imports import AT, new_import
from tests.contracts.imports.lists import contacts_of, merge, row
from tests.contracts.people import ANA, BOB, added, draft, entry, full, history, phones, suppress
from tests.contracts.staging import bar, claimed, clear_the_stage, intend, shop, started
from tests.contracts.worlds import World

LATER = AT + timedelta(hours=1)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
ROWS_MAX = 100
UPDATE = ImportMode.UPDATE


def revert(
    world: World,
    account: AccountId,
    job: ImportJob,
    *,
    after: PhoneNumber | None = None,
    rows_max: int = ROWS_MAX,
) -> UndoStep:
    with world.transactions.begin(account) as uow:
        step: UndoStep = uow.import_reversal.revert(
            account, job.id, job.terms, after, rows_max, LATER
        )
    return step


def counts(step: UndoStep) -> tuple[int, int, int]:
    return step.counts.removed, step.counts.restored, step.counts.kept


def edit(world: World, account: AccountId, contact: Contact, **changes: Any) -> Contact:
    """Somebody works on a contact after the import."""
    edited = attrs.evolve(contact, updated_at=AT + timedelta(minutes=1), **changes)
    with world.transactions.begin(account) as uow:
        uow.contacts.save(account, edited)
    return edited


def one(world: World, account: AccountId) -> Contact:
    [contact] = contacts_of(world, account)
    return contact


def told(world: World, account: AccountId, contact: Contact) -> list[tuple[Any, Any]]:
    """The oldest first."""
    return [(event.type, event.source) for event in reversed(history(world, account, contact.id))]


class ImportReversalContract:
    def test_what_was_created_goes_and_its_consent_is_withdrawn(self, world: World) -> None:
        account = world.new_account()
        job = new_import(world, account)
        merge(world, account, job, row(1), row(2, BOB, subscribed=False))
        ana, bob = contacts_of(world, account)

        step = revert(world, account, job)

        assert counts(step) == (2, 0, 0)
        assert [(each.id, each.phone) for each in step.removed] == [(ana.id, ANA), (bob.id, BOB)]
        assert step.last == BOB
        assert contacts_of(world, account) == []
        with world.transactions.begin(account) as uow:
            latest = [uow.consents.latest_type(account, each.id) for each in (ana, bob)]
        assert latest == [ConsentType.WITHDRAWN, ConsentType.WITHDRAWN]

    def test_a_created_contact_that_was_edited_since_stays_without_the_imports_tags(
        self, world: World
    ) -> None:
        account = world.new_account()
        job = new_import(world, account, tags=("fair",))
        merge(world, account, job, row(1, tags=("vip",)))
        edited = edit(world, account, one(world, account), last_name="New")

        assert counts(revert(world, account, job)) == (0, 0, 1)

        assert one(world, account) == attrs.evolve(edited, tags=("vip",), updated_at=LATER)

    def test_whoever_is_just_being_handed_over_stays(self, world: World) -> None:
        clear_the_stage(world)
        account = shop(world)
        job = new_import(world, account, tags=("fair",))
        merge(world, account, job, row(1), row(2, BOB))
        ana, bob = contacts_of(world, account)
        started(world, account)
        batch = claimed(world)
        bar(world, account, bob.phone)
        assert intend(world, batch, uuid4()) == {1: Dropped.SUPPRESSED}

        step = revert(world, account, job)

        assert counts(step) == (1, 0, 1)
        assert [each.id for each in step.removed] == [bob.id]
        assert one(world, account) == attrs.evolve(ana, tags=(), updated_at=LATER)

    def test_whoever_is_only_claimed_goes_and_is_not_handed_over(self, world: World) -> None:
        clear_the_stage(world)
        account = shop(world)
        job = new_import(world, account)
        merge(world, account, job, row(1))
        started(world, account)
        batch = claimed(world)

        assert counts(revert(world, account, job)) == (1, 0, 0)

        assert intend(world, batch, uuid4()) == {0: Dropped.ERASED}

    def test_a_contact_that_is_gone_is_not_counted(self, world: World) -> None:
        account = world.new_account()
        job = new_import(world, account)
        merge(world, account, job, row(1))
        contact = one(world, account)
        with world.transactions.begin(account) as uow:
            uow.contacts.remove(account, [contact.id])

        step = revert(world, account, job)

        assert (counts(step), step.last) == ((0, 0, 0), ANA)

    def test_what_was_changed_is_put_back_to_the_letter(self, world: World) -> None:
        account = world.new_account()
        [old] = added(world, account, attrs.evolve(full(), updated_at=LONG_AGO))
        job = new_import(world, account, mode=UPDATE, tags=("fair",))
        new = row(
            1,
            email="new@example.com",
            first_name="New",
            last_name="Ω",
            gender=Gender.OTHER,
            birthday=date(2000, 1, 2),
            tags=("x",),
        )
        merge(world, account, job, new)

        assert counts(revert(world, account, job)) == (0, 1, 0)

        assert one(world, account) == old
        found = [len(contacts_of(world, account, q)) for q in ("ΑΝΝΑ", "ana@", "o'neil", "new@")]
        assert found == [1, 1, 1, 0]

    def test_only_what_nobody_changed_since_is_put_back(self, world: World) -> None:
        account = world.new_account()
        added(world, account, draft(ANA, email="old@example.com", first_name="Old", tags=("a",)))
        job = new_import(world, account, mode=UPDATE, tags=("fair",))
        merge(world, account, job, row(1, email="new@example.com", first_name="New"))
        edit(world, account, one(world, account), first_name="Third", tags=("a", "fair", "b"))

        assert counts(revert(world, account, job)) == (0, 0, 1)

        contact = one(world, account)
        assert (contact.email, contact.first_name) == ("old@example.com", "Third")
        assert (contact.tags, contact.updated_at) == (("a", "b"), LATER)
        found = [len(contacts_of(world, account, q)) for q in ("old@", "third", "new")]
        assert found == [1, 1, 0]

    def test_an_edit_of_what_the_import_left_alone_stands_in_nobodys_way(
        self, world: World
    ) -> None:
        account = world.new_account()
        added(world, account, draft(ANA, email="old@example.com"))
        job = new_import(world, account, mode=UPDATE)
        merge(world, account, job, row(1, email="new@example.com"))
        edit(world, account, one(world, account), last_name="Third")

        assert counts(revert(world, account, job)) == (0, 1, 0)

        contact = one(world, account)
        assert (contact.email, contact.last_name) == ("old@example.com", "Third")

    def test_who_was_opted_out_by_the_import_is_subscribed_again(self, world: World) -> None:
        account = world.new_account()
        [old] = added(world, account, draft(ANA))
        job = new_import(world, account, mode=UPDATE)
        merge(world, account, job, row(1, subscribed=False))

        assert counts(revert(world, account, job)) == (0, 1, 0)

        assert one(world, account) == old
        assert told(world, account, old) == [
            (ConsentType.GRANTED, ConsentSource.MANUAL),
            (ConsentType.WITHDRAWN, ConsentSource.IMPORT),
            (ConsentType.GRANTED, ConsentSource.IMPORT_UNDO),
        ]

    @pytest.mark.parametrize("by_operator", [False, True])
    def test_who_said_no_since_stays_opted_out(self, world: World, *, by_operator: bool) -> None:
        account = world.new_account()
        number, _ = phones(account)
        [old] = added(world, account, draft(number))
        job = new_import(world, account, mode=UPDATE)
        merge(world, account, job, row(1, number, subscribed=False))
        suppress(world, SYSTEM_ACCOUNT if by_operator else account, entry(number))

        assert counts(revert(world, account, job)) == (0, 0, 1)

        assert not one(world, account).is_subscribed
        assert len(told(world, account, old)) == 2

    def test_who_was_opted_out_again_since_stays_so(self, world: World) -> None:
        account = world.new_account()
        added(world, account, draft(ANA))
        job = new_import(world, account, mode=UPDATE)
        merge(world, account, job, row(1, subscribed=False))
        edit(world, account, one(world, account), unsubscribed_at=AT + timedelta(seconds=9))

        assert counts(revert(world, account, job)) == (0, 0, 1)

        assert not one(world, account).is_subscribed

    def test_only_memberships_of_the_import_are_taken_off(self, world: World) -> None:
        account = world.new_account()
        was_on, came = added(world, account, draft(ANA), draft(BOB))
        on = made(world, account)
        put(world, account, on, was_on)
        job = new_import(world, account, mode=UPDATE, list_id=on.id)
        third = PhoneNumber("+306900000003")
        merge(world, account, job, row(1), row(2, BOB), row(3, third))
        kept = edit(world, account, contacts_of(world, account)[2], last_name="New")
        assert sorted(on_it(world, account, on)) == [was_on.id, came.id, kept.id]

        assert counts(revert(world, account, job)) == (0, 2, 1)

        assert on_it(world, account, on) == [was_on.id]

    def test_it_goes_by_number_and_comes_to_an_end(self, world: World) -> None:
        account = world.new_account()
        job = new_import(world, account)
        short = PhoneNumber("+30690000000")
        merge(world, account, job, row(1, BOB), row(2, ANA), row(3, short))

        first = revert(world, account, job, rows_max=2)
        second = revert(world, account, job, after=first.last, rows_max=2)
        third = revert(world, account, job, after=second.last, rows_max=2)

        assert (first.last, second.last, third.last) == (ANA, BOB, None)
        assert [counts(step) for step in (first, second, third)] == [
            (2, 0, 0),
            (1, 0, 0),
            (0, 0, 0),
        ]

    def test_removed_people_are_remembered_by_hash(self, world: World) -> None:
        account = world.new_account()
        job = new_import(world, account)
        merge(world, account, job, row(1))
        [removed] = revert(world, account, job).removed

        for _ in range(2):
            with world.transactions.begin(account) as uow:
                uow.import_reversal.remember_removed(account, [(removed.id, b"h" * 32)], LATER)
                uow.import_reversal.remember_removed(account, [], LATER)

    def test_does_not_see_another_accounts_rows(self, world: World) -> None:
        mine, theirs = world.new_account(), world.new_account()
        job = new_import(world, theirs)
        merge(world, theirs, job, row(1))

        for named in (mine, theirs):
            with world.transactions.begin(mine) as uow:
                step = uow.import_reversal.revert(named, job.id, job.terms, None, 9, LATER)
            assert step.last is None

        assert len(contacts_of(world, theirs)) == 1

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
    @given(data=st.data())
    def test_undoing_at_once_restores_the_state_before(
        self, world: World, data: st.DataObject
    ) -> None:
        account = world.new_account()
        before = [draft(number, **fields) for number, fields in data.draw(_PEOPLE).items()]
        added(world, account, *before)
        state = contacts_of(world, account)
        mode = data.draw(st.sampled_from(ImportMode))
        on = made(world, account)
        put(world, account, on, *state[: data.draw(st.integers(0, 3))])
        members = on_it(world, account, on)
        list_id = data.draw(st.sampled_from([None, on.id]))
        job = new_import(world, account, mode=mode, tags=data.draw(_TAGS), list_id=list_id)
        rows = [
            ImportedRow(no, Phone(number, "GR", LineType.MOBILE), **fields)
            for no, (number, fields) in enumerate(data.draw(_ROWS).items(), start=1)
        ]
        created, updated, _ = merge(world, account, job, *rows)

        step = revert(world, account, job)

        assert counts(step) == (created, updated, 0)
        assert contacts_of(world, account) == state
        assert on_it(world, account, on) == members
        for contact in state:
            types = [kind for kind, _ in told(world, account, contact)]
            granted = [ConsentType.GRANTED] if contact.is_subscribed else []
            assert types in (granted, [*granted, ConsentType.WITHDRAWN, ConsentType.GRANTED])


def _of(**fields: Any) -> Any:
    numbers = st.sampled_from([PhoneNumber(f"+30690000000{n}") for n in range(5)])
    return st.dictionaries(numbers, st.fixed_dictionaries({}, optional=fields), max_size=5)


_TAGS = st.sampled_from([(), ("a",), ("b", "c"), ("c", "a")])
_VALUES: dict[str, Any] = {
    "email": st.sampled_from(["a@example.com", "b@example.com"]),
    "first_name": st.sampled_from(["Άννα", "Bob\t\\"]),
    "last_name": st.sampled_from(["X", "Ω"]),
    "gender": st.sampled_from(Gender),
    "birthday": st.dates(date(1950, 1, 1), date(2020, 1, 1)),
    "tags": _TAGS,
}
_ROWS = _of(**_VALUES, subscribed=st.booleans())
_PEOPLE = _of(**_VALUES)
