"""What a dead worker left behind, and answers that come late."""

from datetime import timedelta
from uuid import uuid4

import pytest

from retail_core.campaigns.model import CampaignCounts, CampaignState
from retail_core.credits.model import Wallet
from retail_core.kernel.ids import AccountId
from retail_core.messages.jobs import DISPATCH_NUDGES_MAX
from retail_core.messages.model import MessageState
from tests.contracts.staging import (
    BEN,
    bar,
    book,
    claimed,
    delete,
    intend,
    messages,
    people,
    results,
    shop,
    started,
    submitting,
)
from tests.contracts.worlds import World, memory_world
from tests.pipeline import LEASE_OVER, Pipeline


@pytest.fixture
def world() -> World:
    return memory_world()


@pytest.fixture
def line(world: World) -> Pipeline:
    return Pipeline.over(world)


@pytest.fixture
def account(world: World) -> AccountId:
    return shop(world, credits=1_000)


def nudges(world: World) -> list[str]:
    """The jobs that wait, taken out."""
    with world.transactions.across_accounts() as uow:
        due = uow.jobs.take_due_across_accounts(world.clock.now(), 1_000)
        uow.jobs.remove_across_accounts(due)
    return [each.job.key for each in due]


def test_a_worker_that_died_before_the_intent_loses_nothing(
    world: World, line: Pipeline, account: AccountId
) -> None:
    people(world, account, 2)
    campaign = started(world, account)
    claimed(world)
    world.clock.advance(LEASE_OVER)

    assert line.sweep() == 0
    line.dispatch_all(BEN)

    assert line.campaign(campaign).counts == CampaignCounts(sent=2)
    assert len(line.gateway.accepted) == 2


def test_a_worker_that_died_in_the_call_leaves_its_messages_unknown(
    world: World, line: Pipeline, account: AccountId
) -> None:
    contacts = people(world, account, 3)
    campaign = started(world, account)
    batch = claimed(world)
    bar(world, account, contacts[0].phone)
    intend(world, batch, uuid4())
    world.clock.advance(LEASE_OVER)

    assert line.sweep() == 1
    line.dispatch_all(BEN)

    after = line.campaign(campaign)
    assert (after.state, after.counts) == (
        CampaignState.COMPLETED,
        CampaignCounts(unknown=2, cancelled=1),
    )
    assert line.wallet(account) == Wallet(available=998, held=2)
    assert line.gateway.calls == []
    assert line.sweep() == 0


def test_a_lease_that_is_not_over_is_respected(
    world: World, line: Pipeline, account: AccountId
) -> None:
    people(world, account, 2)
    started(world, account)
    batch, ref = submitting(world)
    world.clock.advance(LEASE_OVER - timedelta(seconds=2))

    assert line.sweep() == 0
    assert book(world, batch, ref, results(batch, ref, MessageState.SENT))


def test_a_late_answer_settles_what_was_unknown(
    world: World, line: Pipeline, account: AccountId
) -> None:
    people(world, account, 3)
    campaign = started(world, account)
    batch, ref = submitting(world)
    world.clock.advance(LEASE_OVER)
    line.sweep()
    states = MessageState.SENT, MessageState.FAILED, MessageState.SENT

    assert book(world, batch, ref, results(batch, ref, *states))

    assert line.campaign(campaign).counts == CampaignCounts(sent=2, failed=1)
    assert line.campaign(campaign).credits.held == 0
    assert line.wallet(account) == Wallet(available=998)
    assert not book(world, batch, ref, results(batch, ref, *states))


def test_unknown_rows_can_be_resolved_a_few_at_a_time(
    world: World, line: Pipeline, account: AccountId
) -> None:
    """Each late settlement moves its own credits: their keys differ."""
    people(world, account, 3)
    campaign = started(world, account)
    batch, ref = submitting(world)
    unknown, sent = MessageState.UNKNOWN, MessageState.SENT
    for states in ((unknown,) * 3, (unknown, sent, unknown), (sent, sent, unknown), (sent,) * 3):
        book(world, batch, ref, results(batch, ref, *states))

    assert line.campaign(campaign).counts == CampaignCounts(sent=3)
    assert line.wallet(account) == Wallet(available=997)


def test_the_hold_of_somebody_deleted_while_waiting_comes_back_exactly(
    world: World, line: Pipeline, account: AccountId
) -> None:
    """Their name made the text longer or shorter than it would be without them."""
    long, blank = (people(world, account, 1, first_name=name)[0] for name in ("A" * 120, "A"))
    campaign = started(world, account, "{{firstName|" + "B" * 110 + "}}" + "x" * 80)
    assert line.wallet(account).held == 3
    for contact in (long, blank):
        delete(world, account, contact.id)

    line.dispatch_all()

    assert line.campaign(campaign).counts == CampaignCounts(cancelled=2)
    assert line.wallet(account) == Wallet(available=1_000)
    assert {row.error_code for row in messages(world, campaign)} == {"erased"}


def test_a_worker_that_died_with_a_deleted_recipient_books_them_exactly(
    world: World, line: Pipeline, account: AccountId
) -> None:
    (contact,) = people(world, account, 1, first_name="A" * 200)
    started(world, account, "{{firstName}}")
    submitting(world)
    delete(world, account, contact.id)
    world.clock.advance(LEASE_OVER)

    line.sweep()

    assert line.wallet(account) == Wallet(available=998, held=2)


def test_work_whose_nudge_got_lost_is_nudged_again(
    world: World, line: Pipeline, account: AccountId
) -> None:
    people(world, account, 2)
    started(world, account)
    line.record_reports(b"[]")
    nudges(world)  # a wiped queue

    line.sweep()

    assert sorted(nudges(world)) == [
        "apply_reports",
        *(f"dispatch:sweep:{no}" for no in range(DISPATCH_NUDGES_MAX)),
    ]


def test_with_nothing_to_do_nobody_is_nudged(world: World, line: Pipeline) -> None:
    line.sweep()

    assert nudges(world) == []
