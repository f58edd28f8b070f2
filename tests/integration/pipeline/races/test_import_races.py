"""Imports beside imports, undos, edits and deletions, on real PostgreSQL."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest

from retail_core.audiences.errors import AudienceGone, ListInUse
from retail_core.audiences.model import AudienceSpec
from retail_core.audiences.use_cases import DeleteList
from retail_core.campaigns.model import Campaign
from retail_core.campaigns.use_cases import StartCampaign
from retail_core.contacts.model import ConsentSource, ContactChanges
from retail_core.contacts.queries import ContactFilter
from retail_core.contacts.use_cases import Actor, UpdateContact
from retail_core.imports.errors import ImportNotUndoable
from retail_core.imports.model import FileForm, FileKind, ImportJob, ImportKey, ImportMode
from retail_core.imports.model.job import ImportStatus
from retail_core.imports.use_cases import (
    ImportContacts,
    ImportRequest,
    RevertImport,
    StartImport,
    UndoImport,
)
from retail_core.kernel.errors import DomainError
from retail_core.kernel.ids import AccountId, ContactId, ListId, WorkerId
from retail_core.kernel.pages import PageRequest
from retail_core.testing.kernel.clock import FixedClock
from tests.answering import HASH
from tests.contracts.audiences.lists import made, on_it, put
from tests.contracts.imports.lists import contacts_of
from tests.contracts.staging import messages, people, policy, shop, written
from tests.contracts.worlds import World
from tests.pipeline import Pipeline
from workers.readers import TableReaders

ROUNDS = 3
ROWS = 7_000
FEW = 40
FIRST_NUMBER = 6_980_000_000


def file_of(numbers: Sequence[int], name: str = "Ana") -> bytes:
    return "\n".join(["phone;firstName", *(f"{number};{name}" for number in numbers)]).encode()


def sent(world: World, account: AccountId, content: bytes, **terms: Any) -> ImportKey:
    request = ImportRequest(
        file_name="people.csv",
        form=FileForm(FileKind.CSV),
        size_bytes=len(content),
        region="GR",
        **terms,
    )
    return ImportKey(
        account, StartImport(world.transactions, world.clock)(account, request, [content])
    )


def run(world: World, key: ImportKey) -> ImportJob:
    """Import a file to its end, as a worker does."""
    ImportContacts(world.transactions, world.upload_reads, TableReaders(), world.clock, HASH)(key)
    return job_of(world, key)


def revert(world: World, key: ImportKey) -> ImportJob:
    """Take an import back to its end, as a worker does."""
    RevertImport(world.transactions, world.clock, HASH)(key)
    return job_of(world, key)


def ask_back(world: World, key: ImportKey) -> bool:
    """Ask for an import to be taken back; False if that is refused."""
    try:
        UndoImport(world.transactions, world.clock)(key.account, key.id, 30)
    except ImportNotUndoable:
        return False
    return True


def job_of(world: World, key: ImportKey) -> ImportJob:
    with world.transactions.begin(key.account) as uow:
        job = uow.imports.lock(key.account, key.id)
    assert job is not None
    return job


def at_once(*doings: Callable[[], Any]) -> list[Any]:
    """Begin them all at one moment, each in a thread; what they gave, in their order."""
    barrier = Barrier(len(doings))

    def begun(doing: Callable[[], Any]) -> Any:
        barrier.wait()
        return doing()

    with ThreadPoolExecutor(len(doings)) as threads:
        return [done.result() for done in [threads.submit(begun, each) for each in doings]]


def numbers(count: int) -> list[int]:
    return [FIRST_NUMBER + no for no in range(count)]


def everybody(world: World, account: AccountId) -> int:
    return world.contact_queries.page(account, ContactFilter(), PageRequest(1, 1)).total


def refusal(doing: Callable[[], object]) -> type[DomainError] | None:
    """What it was refused with; None if it was done."""
    try:
        doing()
    except DomainError as error:
        return type(error)
    return None


def edit(world: World, account: AccountId, contacts: Sequence[ContactId]) -> dict[ContactId, bool]:
    """Give them another name one by one; which of them were still there."""
    later = FixedClock(world.clock.now() + timedelta(seconds=1))
    update = UpdateContact(world.transactions, later, HASH)
    who = Actor(account, ConsentSource.MANUAL)
    changes = ContactChanges(first_name="Edited")
    return {
        contact: refusal(partial(update, who, contact, changes, region="GR")) is None
        for contact in contacts
    }


def send(world: World, campaign: Campaign) -> None:
    StartCampaign(world.transactions, world.clock, policy(3))(campaign.account_id, campaign.id)


def delete(world: World, account: AccountId, list_id: ListId) -> None:
    DeleteList(world.transactions)(account, list_id)


@pytest.mark.parametrize("mode", list(ImportMode))
@pytest.mark.parametrize("turned", [False, True])
def test_two_files_with_the_same_people_bring_each_of_them_once(
    world: World, mode: ImportMode, *, turned: bool
) -> None:
    account = world.new_account()
    there = numbers(ROWS)
    orders = (there, there[::-1] if turned else there)
    keys = [sent(world, account, file_of(order), mode=mode) for order in orders]

    jobs = at_once(*(partial(run, world, key) for key in keys))

    assert [job.status for job in jobs] == [ImportStatus.COMPLETED] * 2
    assert sum(job.counts.created for job in jobs) == everybody(world, account) == ROWS
    for job in jobs:
        assert job.counts.created + job.counts.updated + job.counts.skipped == ROWS


def test_one_import_that_two_workers_take_up_counts_every_row_once(world: World) -> None:
    account = world.new_account()
    key = sent(world, account, file_of(numbers(ROWS)))

    at_once(partial(run, world, key), partial(run, world, key))
    job = run(world, key)

    assert (job.status, job.counts.created) == (ImportStatus.COMPLETED, ROWS)
    assert everybody(world, account) == ROWS


def test_of_two_who_ask_back_at_once_one_is_heard_and_the_undo_is_done_once(world: World) -> None:
    for _ in range(ROUNDS):
        account = world.new_account()
        key = sent(world, account, file_of(numbers(FEW)))
        run(world, key)

        asked = at_once(*(partial(ask_back, world, key) for _ in range(4)))
        at_once(partial(revert, world, key), partial(revert, world, key))

        job = job_of(world, key)
        assert sorted(asked) == [False, False, False, True]
        assert (job.status, job.undone.removed) == (ImportStatus.UNDONE, FEW)
        assert everybody(world, account) == 0


def test_who_is_edited_while_their_import_is_taken_back_stays_or_is_gone(world: World) -> None:
    for _ in range(ROUNDS):
        account = world.new_account()
        key = sent(world, account, file_of(numbers(FEW)))
        run(world, key)
        ids = [contact.id for contact in contacts_of(world, account)]
        assert ask_back(world, key)

        job, edited = at_once(partial(revert, world, key), partial(edit, world, account, ids))

        left = {contact.id: contact.first_name for contact in contacts_of(world, account)}
        assert (job.status, job.undone.removed) == (ImportStatus.UNDONE, FEW - len(left))
        assert job.undone.kept == len(left)
        assert left == {contact: "Edited" for contact, was_there in edited.items() if was_there}


@pytest.mark.parametrize("is_started_before", [False, True])
def test_whoever_is_taken_back_beside_a_campaign_is_not_sent_to_and_leaves_no_number(
    world: World, *, is_started_before: bool
) -> None:
    for _ in range(ROUNDS):
        account = shop(world)
        [other] = people(world, account, 1)
        key = sent(world, account, file_of(numbers(FEW)))
        run(world, key)
        campaign = written(world, account, "Hello {{firstName}}")
        if is_started_before:
            send(world, campaign)
        assert ask_back(world, key)

        begun = partial(send, world, campaign)
        job, _ = at_once(partial(revert, world, key), partial(refusal, begun))
        line = Pipeline.over(world, name=f"{uuid4()}", seed=uuid4().int)
        line.dispatch_all(WorkerId("ann"))

        assert (job.status, job.undone.removed) == (ImportStatus.UNDONE, FEW)
        assert [each.destination for each in line.gateway.accepted] == [other.phone]
        for row in messages(world, campaign):
            assert row.contact == (other.id if row.phone == other.phone else None)
            assert row.phone in (None, other.phone)
        with world.transactions.begin(account) as uow:
            assert uow.credits.wallet(account).held == 0


def test_an_undo_beside_another_import_of_the_same_people_loses_nobody(world: World) -> None:
    for _ in range(ROUNDS):
        account = world.new_account()
        key = sent(world, account, file_of(numbers(FEW), "first"))
        run(world, key)
        world.clock.advance(timedelta(seconds=1))  # who was edited since is told by the time
        again = sent(world, account, file_of(numbers(FEW)[::-1], "again"), mode=ImportMode.UPDATE)
        assert ask_back(world, key)

        undone, other = at_once(partial(revert, world, key), partial(run, world, again))

        assert (undone.status, other.status) == (ImportStatus.UNDONE, ImportStatus.COMPLETED)
        assert undone.undone.removed + undone.undone.kept == FEW
        assert other.counts.created + other.counts.updated == FEW
        left = contacts_of(world, account)
        assert len(left) == FEW
        assert {contact.first_name for contact in left} == {"again"}


def test_a_list_may_go_while_an_import_fills_it(world: World) -> None:
    account = world.new_account()
    on = made(world, account)
    key = sent(world, account, file_of(numbers(ROWS)), list_id=on.id)

    job, refused = at_once(
        partial(run, world, key), partial(refusal, partial(delete, world, account, on.id))
    )

    assert (job.status, job.counts.created, refused) == (ImportStatus.COMPLETED, ROWS, None)
    assert on_it(world, account, on) == []


def test_a_list_goes_before_a_campaign_to_it_starts_or_not_at_all(world: World) -> None:
    for _ in range(ROUNDS * 2):
        account = shop(world)
        on = made(world, account)
        put(world, account, on, *people(world, account, 5))
        campaign = written(world, account, audience=AudienceSpec(own_list=on.id))

        started, deleted = at_once(
            partial(refusal, partial(send, world, campaign)),
            partial(refusal, partial(delete, world, account, on.id)),
        )

        assert (started, deleted) in [(None, ListInUse), (AudienceGone, None)]
        assert len(messages(world, campaign)) == (5 if started is None else 0)
