"""Sending one batch: what each answer of the gateway does to rows, wallet and campaign."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from retail_core.campaigns.model import Campaign, CampaignCounts, CampaignState
from retail_core.credits.model import Wallet
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import AccountId
from retail_core.messages.model import (
    AccessRefused,
    AllRejected,
    BatchRefused,
    Doubtful,
    MessageState,
    NotSent,
    OutgoingMessage,
    SubmissionOutcome,
)
from retail_core.messages.use_cases import DispatchOutcome
from tests.contracts.staging import (
    CODES,
    messages,
    people,
    shop,
    started,
)
from tests.contracts.worlds import World, memory_world
from tests.pipeline import LEASE_OVER, Pipeline

SETTLED, PUT_BACK = DispatchOutcome.SETTLED, DispatchOutcome.PUT_BACK
TWO_PARTS = "x" * 200


@pytest.fixture
def world() -> World:
    return memory_world()


@pytest.fixture
def line(world: World) -> Pipeline:
    return Pipeline.over(world)


@pytest.fixture
def account(world: World) -> AccountId:
    return shop(world, credits=1_000)


def campaign_to(
    world: World, account: AccountId, count: int, batch_messages_max: int = 5_000
) -> Campaign:
    """A campaign of two parts each."""
    people(world, account, count)
    return started(world, account, TWO_PARTS, batch_messages_max)


def retry_until_idle(line: Pipeline) -> int:
    """Dispatch, letting as much time pass as the batches ask for; returns the calls made."""
    while line.dispatch() is not DispatchOutcome.IDLE or still_waiting(line):
        line.world.clock.advance(timedelta(seconds=40))
    return len(line.gateway.calls)


def still_waiting(line: Pipeline) -> bool:
    later = line.world.clock.now() + timedelta(days=1)
    with line.world.transactions.across_accounts() as uow:
        return uow.batches.due_across_accounts(later)


def test_with_nothing_due_nothing_happens(line: Pipeline) -> None:
    assert line.dispatch() is DispatchOutcome.IDLE
    assert line.gateway.calls == []


def test_accepted_messages_are_sent_and_paid(
    world: World, line: Pipeline, account: AccountId
) -> None:
    campaign = campaign_to(world, account, 3)

    assert line.dispatch_all() == [SETTLED]

    after = line.campaign(campaign)
    assert (after.state, after.counts) == (CampaignState.COMPLETED, CampaignCounts(sent=3))
    assert (after.credits.captured, after.credits.held) == (6, 0)
    assert line.wallet(account) == Wallet(available=994, held=0)
    rows = messages(world, campaign)
    assert [row.provider_id for row in rows] == ["fake-1", "fake-2", "fake-3"]
    assert {(row.parts, row.credits) for row in rows} == {(2, 2)}


def test_each_gets_their_own_text_and_links(
    world: World, line: Pipeline, account: AccountId
) -> None:
    (ana,) = people(world, account, 1, first_name="Ana")
    (bob,) = people(world, account, 1, first_name="$& {{email}}")
    campaign = started(world, account, "Hello {{firstName}}! {{offerUrl}}")

    line.dispatch_all()

    first = campaign.first_number
    assert first is not None
    links = [
        f"https://shop.example/o/{CODES.tracking_id(number)}\n"
        f"Stop: https://shop.example/u/{CODES.opt_out_code(number)}"
        for number in (first, first + 1)
    ]
    assert [(each.destination, each.text) for each in line.gateway.accepted] == [
        (ana.phone, f"Hello Ana! {links[0]}"),
        (bob.phone, f"Hello $& {{{{email}}}}! {links[1]}"),
    ]
    assert {each.sender for each in line.gateway.accepted} == {"Shop"}


def test_a_message_the_gateway_refuses_fails_and_costs_nothing(
    world: World, line: Pipeline, account: AccountId
) -> None:
    campaign = campaign_to(world, account, 3)
    refused = messages(world, campaign)[1].phone
    line.gateway.reject_next(lambda message: message.destination == refused)

    line.dispatch_all()

    rows = messages(world, campaign)
    assert [row.state.word for row in rows] == ["sent", "failed", "sent"]
    assert (rows[1].error_code, rows[1].error) == ("8", "Invalid receiver")
    assert line.wallet(account) == Wallet(available=996, held=0)
    assert line.campaign(campaign).credits.released == 2


@pytest.mark.parametrize(
    ("outcome", "code"),
    [(AllRejected("404"), "gateway_rejected"), (BatchRefused("400"), "gateway_refused_message")],
)
def test_a_call_refused_for_good_fails_its_messages(
    world: World, line: Pipeline, account: AccountId, outcome: SubmissionOutcome, code: str
) -> None:
    campaign = campaign_to(world, account, 1)
    line.gateway.answer_next(outcome)

    assert line.dispatch_all() == [SETTLED]

    (row,) = messages(world, campaign)
    assert (row.state, row.error_code) == (MessageState.FAILED, code)
    assert line.campaign(campaign).state is CampaignState.COMPLETED
    assert line.wallet(account) == Wallet(available=1_000)


def test_what_was_not_sent_waits_and_is_tried_again(
    world: World, line: Pipeline, account: AccountId
) -> None:
    campaign = campaign_to(world, account, 2)
    line.gateway.answer_next(NotSent("refused"))

    first = line.dispatch()
    at_once = line.dispatch()
    world.clock.advance(timedelta(seconds=3.6))

    assert (first, at_once, line.dispatch()) == (PUT_BACK, DispatchOutcome.IDLE, SETTLED)
    assert line.campaign(campaign).counts == CampaignCounts(sent=2)


def test_the_gateway_is_left_alone_for_as_long_as_it_asks(
    world: World, line: Pipeline, account: AccountId
) -> None:
    campaign_to(world, account, 2)
    line.gateway.answer_next(NotSent("429", retry_after_seconds=60))
    line.dispatch()

    world.clock.advance(timedelta(seconds=59))
    early = line.dispatch()
    world.clock.advance(timedelta(seconds=14))

    assert (early, line.dispatch()) == (DispatchOutcome.IDLE, SETTLED)


def test_after_five_tries_the_messages_fail_and_their_credits_come_back(
    world: World, line: Pipeline, account: AccountId
) -> None:
    campaign = campaign_to(world, account, 2)
    line.gateway.answer_next(*[NotSent("refused")] * 9)

    assert retry_until_idle(line) == 5

    assert {row.error_code for row in messages(world, campaign)} == {"gateway_unavailable"}
    assert line.campaign(campaign).counts == CampaignCounts(failed=2)
    assert line.wallet(account) == Wallet(available=1_000)


def test_a_refused_batch_is_halved_down_to_the_one_that_is_wrong(
    world: World, line: Pipeline, account: AccountId
) -> None:
    campaign = campaign_to(world, account, 7)
    poison = messages(world, campaign)[4].phone
    refuse_calls_with(line, poison)

    line.dispatch_all()

    assert line.campaign(campaign).counts == CampaignCounts(sent=6, failed=1)
    assert poison not in [message.destination for message in line.gateway.accepted]
    assert len({message.number for message in line.gateway.accepted}) == 6
    assert line.wallet(account) == Wallet(available=988)


def refuse_calls_with(line: Pipeline, poison: PhoneNumber | None) -> None:
    def answer(outgoing: Sequence[OutgoingMessage]) -> SubmissionOutcome:
        if any(message.destination == poison for message in outgoing):
            return BatchRefused("400")
        return line.gateway.take(outgoing)

    line.gateway.answer_next(*[answer] * 30)


def test_a_gateway_that_refuses_us_pauses_the_campaign(
    world: World, line: Pipeline, account: AccountId
) -> None:
    campaign = campaign_to(world, account, 4, batch_messages_max=2)
    line.gateway.answer_next(AccessRefused("401"))

    assert line.dispatch_all() == [PUT_BACK]

    paused = line.campaign(campaign)
    assert (paused.state, paused.status_reason) == (CampaignState.PAUSED, "gateway_refused")
    assert paused.counts == CampaignCounts(queued=4)
    assert line.wallet(account) == Wallet(available=992, held=8)


def test_a_lost_answer_leaves_the_messages_unknown_and_their_credits_held(
    world: World, line: Pipeline, account: AccountId
) -> None:
    campaign = campaign_to(world, account, 2)
    line.gateway.lose_next_answer()

    line.dispatch_all()

    after = line.campaign(campaign)
    assert (after.state, after.counts) == (CampaignState.COMPLETED, CampaignCounts(unknown=2))
    assert line.wallet(account) == Wallet(available=996, held=4)
    assert {row.error_code for row in messages(world, campaign)} == {"outcome_unknown"}


def test_nothing_hands_unknown_messages_over_again(
    world: World, line: Pipeline, account: AccountId
) -> None:
    campaign_to(world, account, 2)
    line.gateway.answer_next(Doubtful("timeout"))
    line.dispatch_all()

    for _ in range(3):
        world.clock.advance(LEASE_OVER)
        line.sweep()
        line.dispatch_all()

    assert len(line.gateway.calls) == 1


def test_the_wallet_goes_down_by_exactly_the_parts_that_were_sent(
    world: World, line: Pipeline, account: AccountId
) -> None:
    for length in range(0, 120, 7):
        people(world, account, 1, first_name="Ά" * length)
    campaign = started(world, account, "{{firstName}}", batch_messages_max=4)
    line.gateway.reject_next(lambda message: message.number % 2 == 0)
    line.gateway.answer_next(NotSent("refused"))

    retry_until_idle(line)

    sent = messages(world, campaign, state=MessageState.SENT)
    assert len(line.gateway.accepted) == len(sent)
    assert line.wallet(account) == Wallet(available=1_000 - sum(row.parts or 0 for row in sent))
