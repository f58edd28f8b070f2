"""An opt-out by link is honoured, whatever happens to its number at the same moment."""

from collections.abc import Callable
from functools import partial

import attrs
import pytest

from retail_core.contacts.model import OptOutLink
from retail_core.contacts.use_cases import OptOut
from retail_core.imports.use_cases import ImportContacts
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import MessageNumber
from tests.answering import HASH
from tests.contracts.worlds import World
from tests.integration.pipeline.races.test_import_races import file_of, sent
from tests.integration.pipeline.races.test_leaving_races import Everything, beside
from tests.links_stage import OUT, Owner
from workers.readers import TableReaders

Add = Callable[[Owner, PhoneNumber], object]


def by_hand(owner: Owner, number: PhoneNumber) -> object:
    return owner.creates(number)


def by_a_change(owner: Owner, number: PhoneNumber) -> object:
    other = owner.has(owner.number())
    owner.changes(other.id, number)
    return other


def by_a_file(owner: Owner, number: PhoneNumber) -> object:
    key = sent(owner.world, owner.account, file_of([int(number[3:])]))
    upload = owner.world.upload_reads
    take_in = ImportContacts(owner.transactions, upload, TableReaders(), owner.world.clock, HASH)
    return take_in(key)


ADDS = pytest.mark.parametrize("add", [by_hand, by_a_change, by_a_file])


def forgotten(owner: Owner) -> tuple[PhoneNumber, MessageNumber]:
    """A number that was written to and deleted, and the message that went there."""
    number = owner.number()
    contact = owner.has(number)
    message = owner.writes()[number]
    owner.deletes(contact.id)
    return number, message


def pressing(owner: Owner, link: OptOutLink, transactions: Everything) -> OptOut:
    return attrs.evolve(owner, transactions=transactions).press(link)


def doing(owner: Owner, act: Callable[[Owner], object], transactions: Everything) -> object:
    return act(attrs.evolve(owner, transactions=transactions))


@ADDS
def test_a_number_that_is_added_beside_its_opt_out_is_not_written_to(
    world: World, add: Add
) -> None:
    owner = Owner.of(world)
    number, message = forgotten(owner)
    owner.has(owner.number())

    beside(owner.world, partial(pressing, owner, owner.link(message)), partial(add, owner, number))

    assert owner.barred(number) == OUT
    assert number not in owner.writes()


@pytest.mark.parametrize("add", [by_hand, by_a_change])
def test_an_opt_out_beside_the_adding_of_its_number_is_honoured(world: World, add: Add) -> None:
    owner = Owner.of(world)
    number, message = forgotten(owner)
    owner.has(owner.number())
    link = owner.link(message)

    out = beside(
        owner.world,
        partial(doing, owner, lambda acting: add(acting, number)),
        partial(owner.press, link),
    )

    assert out is OptOut.DONE
    assert owner.barred(number) == OUT
    assert number not in owner.writes()


def test_a_deletion_of_long_ago_leaves_a_link_that_works(world: World) -> None:
    owner = Owner.of(world)
    number, message = forgotten(owner)

    owner.stop(message)

    owner.creates(number)
    assert owner.writes() == {}


@ADDS
def test_whoever_was_added_before_is_taken_out(world: World, add: Add) -> None:
    owner = Owner.of(world)
    number, message = forgotten(owner)
    add(owner, number)

    assert owner.stop(message) is OptOut.DONE
    assert number not in owner.writes()


def test_an_erasure_beside_an_opt_out_leaves_no_number_behind(world: World) -> None:
    owner = Owner.of(world)
    number = owner.number()
    contact = owner.has(number)
    link = owner.link(owner.writes()[number])
    owner.changes(contact.id, owner.number())
    again = owner.has(number)

    out = beside(
        owner.world,
        partial(doing, owner, lambda acting: acting.erases(again.id)),
        partial(owner.press, link),
    )

    assert (link.phone, out) == (number, OptOut.BARRED)
    assert owner.phones_on_the_list() == [None]


def test_a_deletion_beside_an_opt_out_forgets_nobody_who_left(world: World) -> None:
    owner = Owner.of(world)
    number = owner.number()
    contact = owner.has(number)
    link = owner.link(owner.writes()[number])

    beside(
        owner.world,
        partial(doing, owner, lambda acting: acting.deletes(contact.id)),
        partial(owner.press, link),
    )

    owner.creates(number)
    assert owner.writes() == {}


def test_an_opt_out_beside_a_deletion_is_not_forgotten(world: World) -> None:
    owner = Owner.of(world)
    number = owner.number()
    contact = owner.has(number)
    link = owner.link(owner.writes()[number])

    beside(owner.world, partial(pressing, owner, link), partial(owner.deletes, contact.id))

    owner.creates(number)
    assert owner.writes() == {}


def test_a_change_of_the_number_beside_an_opt_out_leaves_the_old_one_barred(world: World) -> None:
    owner = Owner.of(world)
    number, new = owner.number(), owner.number()
    contact = owner.has(number)
    link = owner.link(owner.writes()[number])

    beside(
        owner.world,
        partial(doing, owner, lambda acting: acting.changes(contact.id, new)),
        partial(owner.press, link),
    )

    owner.creates(number)
    assert (owner.barred(number), owner.barred(new)) == (OUT, frozenset())
    assert list(owner.writes()) == [new]
