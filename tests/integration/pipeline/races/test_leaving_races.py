"""Whoever leaves a store stays away and leaves nothing behind, whatever else happens at once.

One of the two stands still just before its commit, until the other waits for it or is done.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from threading import Event
from typing import Any, TypeVar
from uuid import uuid4

import attrs
import pytest
from sqlalchemy import text

from adapters_db.connection.connections import Connections
from adapters_db.transactions import SqlTransactions
from retail_core.campaigns import planning
from retail_core.campaigns.model import Campaign
from retail_core.campaigns.use_cases import PlanTestMessages, StartCampaign
from retail_core.campaigns.use_cases.trying import HEAD_START
from retail_core.contacts.model import ConsentSource, Contact, ContactChanges, ContactForm
from retail_core.contacts.queries import ContactFilter
from retail_core.contacts.use_cases import (
    Actor,
    CreateContact,
    DeleteContact,
    DeleteContacts,
    EraseContact,
    SuppressNumber,
    UpdateContact,
)
from retail_core.imports.model import ImportKey
from retail_core.imports.use_cases import RevertImport, UndoImport
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.idempotency import Once
from retail_core.kernel.ids import AccountId
from retail_core.kernel.ports import Transactions
from retail_core.messages.model import Dropped, MessageState
from retail_core.messages.use_cases import SendSingleMessages
from retail_core.testing.kernel.clock import ClockPause
from retail_core.testing.kernel.randomness import SeededRandomness
from retail_core.testing.messages.gateway import FakeGateway, FakePace
from tests.answering import HASH, answer, reasons
from tests.contracts.every_store import EveryStore
from tests.contracts.imports.lists import contacts_of
from tests.contracts.people import added, draft
from tests.contracts.staging import (
    CODES,
    book,
    claimed,
    intend,
    policy,
    results,
    shop,
    started,
    submitting,
    written,
)
from tests.contracts.worlds import World
from tests.integration.pipeline.races.test_import_races import (
    ask_back,
    at_once,
    file_of,
    job_of,
    refusal,
    run,
    sent,
)
from tests.pipeline import Pipeline

ROUNDS = 6
NUMBERS = [PhoneNumber(f"+30698000000{no}") for no in range(10)]
PATIENCE_SECONDS = 20

Result = TypeVar("Result")
Everything = Transactions[EveryStore]
Leave = Callable[[World, Contact, AccountId, Everything], object]


@attrs.frozen
class Halting:
    """Transactions that stand still before they commit."""

    transactions: Everything
    stand_still: Callable[[], object]

    @contextmanager
    def begin(self, account: AccountId, once: Once | None = None) -> Iterator[EveryStore]:
        with self.transactions.begin(account, once) as uow:
            yield uow
            self.stand_still()

    @contextmanager
    def across_accounts(self) -> Iterator[EveryStore]:
        with self.transactions.across_accounts() as uow:
            yield uow
            self.stand_still()


def connections_of(world: World) -> Connections:
    assert isinstance(world.transactions, SqlTransactions), "locks are PostgreSQL's"
    return world.transactions.connections


def beside(
    world: World,
    first: Callable[[Everything], object],
    second: Callable[[], Result],
) -> Result:
    """Do the second while the first has done all its work and not committed it."""
    reached, released = Event(), Event()

    def stand_still() -> None:
        reached.set()
        assert released.wait(PATIENCE_SECONDS)

    with ThreadPoolExecutor(2) as threads:
        doing = threads.submit(first, Halting(world.transactions, stand_still))
        try:
            assert reached.wait(PATIENCE_SECONDS), doing.result()
            other = threads.submit(second)
            wait_until(world, other.done)
        finally:
            released.set()
        doing.result()
        return other.result()


def wait_until(world: World, is_done: Callable[[], bool]) -> None:
    """Until somebody waits for somebody else, or it is done without."""
    waits = text("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
    with connections_of(world).sweep() as connection:
        while not is_done() and not connection.execute(waits).scalar_one():
            pass


def erase(world: World, contact: Contact, account: AccountId, transactions: Everything) -> object:
    by = Actor(account, ConsentSource.MANUAL)
    return EraseContact(transactions, world.clock, HASH)(by, contact.id)


def delete(world: World, contact: Contact, account: AccountId, transactions: Everything) -> object:
    DeleteContact(transactions, world.clock, HASH)(account, contact.id)
    return None


def delete_some(
    world: World, contact: Contact, account: AccountId, transactions: Everything
) -> object:
    which = ContactFilter(ids=(contact.id,))
    return DeleteContacts(transactions, world.clock, HASH)(account, which)


def take_back(
    world: World, contact: Contact, account: AccountId, transactions: Everything
) -> object:
    """Undo the import that brought the contact."""
    imports = [trace.import_id for trace in world.subject_queries.imports(account, contact.id)]
    for each in imports:
        UndoImport(world.transactions, world.clock)(account, each, 30)
        RevertImport(transactions, world.clock, HASH)(ImportKey(account, each))
    return imports


def send(world: World, campaign: Campaign, transactions: Everything) -> object:
    return StartCampaign(transactions, world.clock, policy())(campaign.account_id, campaign.id)


def try_on(
    world: World, number: PhoneNumber, account: AccountId, transactions: Everything
) -> object:
    """Plan a test message."""
    campaign = written(world, account)
    plan = PlanTestMessages(transactions, world.clock, policy(), CODES)
    return plan(account, campaign.id, [number])


def bar_by_hand(
    world: World, number: PhoneNumber, account: AccountId, transactions: Everything
) -> object:
    return SuppressNumber(transactions, world.clock)(account, number, region="GR")


@contextmanager
def before_the_forecast(meanwhile: Callable[[], object]) -> Iterator[None]:
    """Let something happen when the audience is frozen and not priced."""
    priced = planning.forecast

    def price(*args: Any) -> planning.Forecast:
        meanwhile()
        return priced(*args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planning, "forecast", price)
        yield


def frozen(world: World, campaign: Campaign) -> list[tuple[object, object]]:
    """Who stands in the batches of a campaign: ids and numbers, those without first."""
    rows = text(
        "SELECT r.contact, r.phone, r.name FROM send_batch b, "
        "unnest(b.contact_ids, b.phones, b.first_names) AS r (contact, phone, name) "
        "WHERE b.campaign_id = :campaign ORDER BY r.contact NULLS FIRST"
    )
    with connections_of(world).sweep() as connection:
        found = connection.execute(rows, {"campaign": campaign.id}).all()
    assert not [row for row in found if row.contact is None and row.name is not None]
    return [(row.contact, row.phone and f"+{row.phone}") for row in found]


def numbers_in(world: World, table: str, account: AccountId) -> list[str]:
    rows = text(f"SELECT phone FROM {table} WHERE account_id = :account AND phone IS NOT NULL")
    with connections_of(world).sweep() as connection:
        return [f"+{phone}" for phone in connection.execute(rows, {"account": account}).scalars()]


def add(world: World, account: AccountId, number: PhoneNumber) -> object:
    by, form = Actor(account, ConsentSource.MANUAL), ContactForm(phone=number)
    return CreateContact(world.transactions, world.clock, HASH)(by, form, region="GR")


def renumber(world: World, account: AccountId, contact: Contact, number: PhoneNumber) -> object:
    by, changes = Actor(account, ConsentSource.MANUAL), ContactChanges(phone=number)
    update = UpdateContact(world.transactions, world.clock, HASH)
    update(by, contact.id, changes, region="GR")
    return None


def brought(world: World, account: AccountId, number: PhoneNumber) -> Any:
    """Import a file with this number alone."""
    return run(world, sent(world, account, file_of([int(number[3:])])))


def people(world: World, account: AccountId, count: int) -> list[Contact]:
    """The first of `NUMBERS`."""
    return added(world, account, *(draft(number) for number in NUMBERS[:count]))


def is_written_to(world: World, account: AccountId, number: PhoneNumber) -> bool:
    """Whether the next campaign of the store reaches a number."""
    line = Pipeline.over(world, name=f"{uuid4()}", seed=uuid4().int)
    added(world, account, draft(NUMBERS[-1]))
    started(world, account)
    line.dispatch_all()
    assert line.gateway.accepted, "somebody is written to"
    return number in {each.destination for each in line.gateway.accepted}


def is_subscribed(world: World, account: AccountId, number: PhoneNumber) -> bool:
    with world.transactions.begin(account) as uow:
        contact = uow.contacts.lock_by_phone(account, number)
    return contact is not None and contact.is_subscribed


def test_whoever_is_erased_while_a_file_with_the_number_is_imported_stays_away(
    world: World,
) -> None:
    account = shop(world)
    [gone] = people(world, account, 1)

    beside(
        world,
        partial(erase, world, gone, account),
        partial(brought, world, account, gone.phone),
    )

    assert not is_subscribed(world, account, gone.phone)
    assert not is_written_to(world, account, gone.phone)


def test_whoever_is_erased_while_another_contact_gets_the_number_stays_away(
    world: World,
) -> None:
    account = shop(world)
    gone, other = people(world, account, 2)

    beside(
        world,
        partial(erase, world, gone, account),
        partial(renumber, world, account, other, gone.phone),
    )

    assert not is_written_to(world, account, gone.phone)


def test_whoever_is_erased_while_the_number_is_entered_again_stays_away(
    world: World,
) -> None:
    account = shop(world)
    [gone] = people(world, account, 1)

    beside(
        world,
        partial(erase, world, gone, account),
        partial(add, world, account, gone.phone),
    )

    assert not is_written_to(world, account, gone.phone)


def test_whoever_opted_out_and_is_deleted_while_a_file_is_imported_is_not_subscribed_by_it(
    world: World,
) -> None:
    account = shop(world)
    [gone] = people(world, account, 1)
    opt_out = UpdateContact(world.transactions, world.clock, HASH)
    by = Actor(account, ConsentSource.MANUAL)
    opt_out(by, gone.id, ContactChanges(is_subscribed=False), region="GR")

    beside(
        world,
        partial(delete, world, gone, account),
        partial(brought, world, account, gone.phone),
    )

    assert not is_subscribed(world, account, gone.phone)
    assert not is_written_to(world, account, gone.phone)


LEAVING = pytest.mark.parametrize("leave", [erase, delete, delete_some, take_back])


@LEAVING
@pytest.mark.parametrize("moment", ["after the freeze", "while it ends", "at its commit"])
def test_whoever_leaves_while_a_campaign_freezes_the_audience_stands_in_no_batch(
    world: World, leave: Leave, moment: str
) -> None:
    account = shop(world)
    [stays] = people(world, account, 1)
    brought(world, account, NUMBERS[1])
    [gone] = [each for each in contacts_of(world, account) if each.id != stays.id]
    campaign = written(world, account, "Hello {{firstName}}")
    leaving = partial(leave, world, gone, account)

    if moment == "after the freeze":
        with before_the_forecast(partial(leaving, world.transactions)):
            send(world, campaign, world.transactions)
    elif moment == "while it ends":
        beside(world, leaving, partial(send, world, campaign, world.transactions))
    else:
        begin = partial(send, world, campaign)
        beside(world, begin, partial(leaving, world.transactions))

    assert frozen(world, campaign) in (
        [(stays.id, stays.phone)],
        [(None, None), (stays.id, stays.phone)],
    )
    assert not is_written_to(world, account, gone.phone)
    with world.transactions.begin(account) as uow:
        assert uow.credits.wallet(account).held == 0


@pytest.mark.parametrize("write", [try_on, bar_by_hand])
def test_whoever_is_erased_while_the_number_is_written_down_leaves_no_number(
    world: World, write: Callable[..., object]
) -> None:
    account = shop(world)
    [gone] = people(world, account, 1)

    beside(
        world,
        partial(write, world, gone.phone, account),
        partial(erase, world, gone, account, world.transactions),
    )

    for table in ("single_message", "suppression"):
        assert numbers_in(world, table, account) == []


def test_an_erased_number_is_refused_whatever_the_row_of_its_contact_says(world: World) -> None:
    account = shop(world)
    back, _ = people(world, account, 2)
    with world.transactions.begin(account) as uow:
        uow.suppressions.add_erased(account, HASH.of(back.phone), world.clock.now())

    assert not is_written_to(world, account, back.phone)


def test_a_message_to_an_erased_number_is_refused_and_leaves_no_number(world: World) -> None:
    account = shop(world)
    back, other = people(world, account, 2)
    for each in (back, other):
        try_on(world, each.phone, account, world.transactions)
    with world.transactions.begin(account) as uow:
        uow.suppressions.add_erased(account, HASH.of(back.phone), world.clock.now())
    world.clock.advance(HEAD_START)
    gateway = FakeGateway(world.clock, name=f"{uuid4()}")
    send_all = SendSingleMessages(
        world.transactions,
        gateway,
        FakePace(world.clock),
        ClockPause(world.clock),
        world.clock,
        SeededRandomness(),
        HASH,
    )

    assert send_all.send(account) == 1

    assert [each.destination for each in gateway.accepted] == [other.phone]
    assert numbers_in(world, "single_message", account) == [other.phone]


def imported(world: World, account: AccountId) -> tuple[Contact, ImportKey]:
    """Somebody who came with a file, in a campaign that waits; and the file."""
    key = sent(world, account, file_of([int(NUMBERS[0][3:])]))
    run(world, key)
    [contact] = contacts_of(world, account)
    started(world, account)
    return contact, key


def undo(world: World, key: ImportKey, transactions: Everything) -> int:
    """How many were kept."""
    assert ask_back(world, key)
    RevertImport(transactions, world.clock, HASH)(key)
    return job_of(world, key).undone.kept


def test_whoever_is_taken_back_during_the_call_is_found_by_a_stop_and_stays_away(
    world: World,
) -> None:
    account = shop(world)
    contact, key = imported(world, account)
    batch, ref = submitting(world)

    assert undo(world, key, world.transactions) == 1
    assert book(world, batch, ref, results(batch, ref, MessageState.UNKNOWN))
    answer(world, contact.phone, "STOP")
    brought(world, account, contact.phone)

    assert reasons(world, account, contact.phone) == ["stop"]
    assert not is_written_to(world, account, contact.phone)


def test_an_undo_beside_a_hand_over_keeps_whoever_is_handed_over(world: World) -> None:
    account = shop(world)
    contact, key = imported(world, account)
    batch = claimed(world)

    kept = beside(
        world,
        lambda transactions: intend(world, batch, uuid4(), transactions),
        partial(undo, world, key, world.transactions),
    )

    assert kept == 1
    assert contacts_of(world, account) == [contact]


def test_whoever_is_just_being_taken_back_is_not_handed_over(world: World) -> None:
    account = shop(world)
    _, key = imported(world, account)
    batch = claimed(world)

    dropped = beside(world, partial(undo, world, key), partial(intend, world, batch, uuid4()))

    assert dropped == {0: Dropped.ERASED}


def test_erasures_imports_and_changes_of_numbers_at_once_never_lock_each_other_out(
    world: World,
) -> None:
    for _ in range(ROUNDS):
        account = shop(world)
        gone, other = people(world, account, 2)

        refused = at_once(
            partial(refusal, partial(erase, world, gone, account, world.transactions)),
            partial(refusal, partial(brought, world, account, gone.phone)),
            partial(refusal, partial(renumber, world, account, gone, NUMBERS[5])),
            partial(refusal, partial(renumber, world, account, other, NUMBERS[6])),
        )

        assert refused[0] is None
        assert refused[1] is None
        assert refused[3] is None
        if refused[2] is not None:  # else another number was erased, and this one is free
            assert not is_written_to(world, account, gone.phone)


def test_messages_to_an_earlier_holder_of_the_number_go_with_that_contact(world: World) -> None:
    account = shop(world)
    [earlier] = people(world, account, 1)
    campaign = started(world, account, text="Hello {{firstName}}")
    number = earlier.phone
    renumber(world, account, earlier, NUMBERS[5])
    [later] = added(world, account, draft(number))

    erase(world, later, account, world.transactions)
    between = frozen(world, campaign)
    erase(world, earlier, account, world.transactions)

    assert between == [(earlier.id, number)]
    assert frozen(world, campaign) == [(None, None)]
