"""What an import does to lists: whoever is taken in goes on it."""

from typing import Any

import attrs
import pytest

from retail_core.audiences.model import ListDraft
from retail_core.contacts.model import (
    Contact,
    search_term,
)
from retail_core.contacts.queries import ContactFilter
from retail_core.imports.model import (
    ImportedRow,
    ImportJob,
    ImportMode,
    MergeOutcome,
)
from retail_core.kernel.addresses.phones import LineType, Phone, PhoneNumber
from retail_core.kernel.ids import AccountId
from retail_core.kernel.pages import PageRequest
from tests.contracts.audiences.lists import WOMEN, made, on_it, put
from tests.contracts.imports.imports import AT, new_import
from tests.contracts.people import ANA, BOB, added, draft
from tests.contracts.worlds import World

CAT = PhoneNumber("+306900000003")


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


class PuttingOnLists:
    @pytest.mark.parametrize("mode", list(ImportMode))
    def test_whoever_is_taken_in_goes_on_the_list(self, world: World, mode: ImportMode) -> None:
        account = world.new_account()
        [known] = added(world, account, draft(ANA))
        on = made(world, account)
        job = new_import(world, account, mode=mode, list_id=on.id)

        merge(world, account, job, row(1), row(2, BOB))
        merge(world, account, job, row(3), row(4, CAT))

        there = [contact.id for contact in contacts_of(world, account)]
        expected = there if mode is ImportMode.UPDATE else there[1:]
        assert sorted(on_it(world, account, on)) == expected
        assert known.id == there[0]

    def test_who_was_on_the_list_stays_on_it_as_they_were(self, world: World) -> None:
        account = world.new_account()
        [known] = added(world, account, draft(ANA))
        on = made(world, account)
        put(world, account, on, known)

        job = new_import(world, account, mode=ImportMode.UPDATE, list_id=on.id)
        assert merge(world, account, job, row(1)) == (0, 1, [])

        assert on_it(world, account, on) == [known.id]

    @pytest.mark.parametrize("is_gone", [True, False])
    def test_a_list_that_is_gone_or_filtered_by_now_takes_nobody(
        self, world: World, *, is_gone: bool
    ) -> None:
        account = world.new_account()
        on = made(world, account)
        job = new_import(world, account, list_id=on.id)
        with world.transactions.begin(account) as uow:
            if is_gone:
                uow.lists.remove(account, on.id)
            else:
                uow.lists.save(account, attrs.evolve(on, draft=ListDraft("VIP", filter=WOMEN)))

        assert merge(world, account, job, row(1)) == (1, 0, [])

        if not is_gone:
            assert on_it(world, account, on) == []

    def test_a_dry_run_puts_nobody_on_a_list(self, world: World) -> None:
        account = world.new_account()
        added(world, account, draft(ANA))
        on = made(world, account)
        job = new_import(world, account, mode=ImportMode.UPDATE, dry_run=True, list_id=on.id)

        merge(world, account, job, row(1), row(2, BOB))

        assert on_it(world, account, on) == []
