"""Writing down who fits a filtered list: in steps, and again where it was broken off."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import attrs
import pytest

from retail_core.audiences.model import ContactList, ListChanges, ListFilter
from retail_core.audiences.use_cases import EditList, SyncList
from retail_core.contacts.model import Gender
from retail_core.kernel.errors import Unavailable
from retail_core.kernel.idempotency import Once
from retail_core.kernel.ids import AccountId
from retail_core.testing.memory import MemoryTransactions, MemoryUnitOfWork
from tests.contracts.audiences.lists import WOMEN, made, on_it
from tests.contracts.staging import people
from tests.contracts.worlds import World, memory_world

PEOPLE = 7
STEP = 2


@attrs.frozen
class Interrupted:
    """Transactions before which something happens; it is told how many there were."""

    inner: MemoryTransactions
    happens: Callable[[int], None]
    begun: list[AccountId] = attrs.field(factory=list)

    @contextmanager
    def begin(self, account: AccountId, once: Once | None = None) -> Iterator[MemoryUnitOfWork]:
        self.happens(len(self.begun))
        self.begun.append(account)
        with self.inner.begin(account, once) as uow:
            yield uow

    @contextmanager
    def across_accounts(self) -> Iterator[MemoryUnitOfWork]:
        with self.inner.across_accounts() as uow:
            yield uow


@pytest.fixture
def world() -> World:
    return memory_world()


@pytest.fixture
def account(world: World) -> AccountId:
    account = world.new_account()
    people(world, account, PEOPLE, gender=Gender.FEMALE)
    return account


@pytest.fixture
def women(world: World, account: AccountId) -> ContactList:
    return made(world, account, wanted=WOMEN)


def sync(world: World, happens: Callable[[int], None] = lambda _: None) -> SyncList:
    assert isinstance(world.transactions, MemoryTransactions)
    return SyncList(Interrupted(world.transactions, happens), world.clock, STEP)


def test_it_goes_through_all_contacts_a_few_in_a_transaction(
    world: World, account: AccountId, women: ContactList
) -> None:
    syncing = sync(world)

    assert syncing(account, women.id) == (PEOPLE, 0)

    assert isinstance(syncing.transactions, Interrupted)
    assert len(syncing.transactions.begun) >= PEOPLE / STEP
    assert len(on_it(world, account, women)) == PEOPLE


def test_what_was_broken_off_is_completed_by_a_repeat(
    world: World, account: AccountId, women: ContactList
) -> None:
    def dies(begun: int) -> None:
        if begun == 2:
            raise Unavailable

    with pytest.raises(Unavailable):
        sync(world, dies)(account, women.id)
    written = len(on_it(world, account, women))

    assert written == 2 * STEP
    assert sync(world)(account, women.id) == (PEOPLE - written, 0)
    assert len(on_it(world, account, women)) == PEOPLE


def test_a_filter_that_is_changed_meanwhile_holds_for_everybody(
    world: World, account: AccountId, women: ContactList
) -> None:
    men = people(world, account, 3, gender=Gender.MALE)

    def edited(begun: int) -> None:
        if begun == 2:
            changes = ListChanges(gender=Gender.MALE)
            EditList(world.transactions, world.clock)(account, women.id, changes)

    sync(world, edited)(account, women.id)

    assert sorted(on_it(world, account, women)) == [each.id for each in men]
    assert ListFilter(Gender.MALE) != WOMEN
