"""Sending single messages: what each answer of the gateway does to messages and wallet."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from retail_core.credits.model import Wallet
from retail_core.kernel.ids import AccountId
from retail_core.kernel.pages import PageRequest
from retail_core.messages.model import (
    AccessRefused,
    AllRejected,
    BatchRefused,
    MessageKind,
    MessageState,
    NotSent,
    OutgoingMessage,
    SubmissionOutcome,
)
from retail_core.messages.use_cases import (
    SendSingleMessages,
)
from retail_core.testing.kernel.clock import ClockPause
from retail_core.testing.kernel.randomness import SeededRandomness
from retail_core.testing.messages.gateway import FakePace
from tests.answering import HASH
from tests.contracts.staging import shop
from tests.contracts.worlds import World, memory_world
from tests.pipeline import Pipeline
from tests.unit.messages.singles.single_line import plan, row_of, state_of

SENT, FAILED, UNKNOWN = MessageState.SENT, MessageState.FAILED, MessageState.UNKNOWN
AUTOMATION = MessageKind.AUTOMATION
PAGE = PageRequest(1, 50)
QUEUED, CANCELLED = MessageState.QUEUED, MessageState.CANCELLED


@pytest.fixture
def world() -> World:
    return memory_world()


@pytest.fixture
def line(world: World) -> Pipeline:
    return Pipeline.over(world)


@pytest.fixture
def account(world: World) -> AccountId:
    return shop(world, credits=100)


@pytest.fixture
def send(world: World, line: Pipeline) -> SendSingleMessages:
    return SendSingleMessages(
        world.transactions,
        line.gateway,
        FakePace(world.clock),
        ClockPause(world.clock),
        world.clock,
        SeededRandomness(),
        HASH,
    )


def test_each_gets_their_own_text_in_one_call_and_pays_for_it(
    world: World, line: Pipeline, account: AccountId, send: SendSingleMessages
) -> None:
    first, second = plan(world, account, text="one"), plan(world, account, text="two")

    assert (send(), send()) == (2, 0)

    (call,) = line.gateway.calls
    assert [(each.number, each.destination, each.sender, each.text) for each in call] == [
        (first.number, first.phone, "Shop", "one"),
        (second.number, second.phone, "Shop", "two"),
    ]
    assert row_of(world, first).provider_id == "fake-1"
    assert line.wallet(account) == Wallet(available=96)
    transactions = world.credit_queries.transactions(account, PAGE)
    shown = {(each.message, each.amount, each.reason) for each in transactions.items}
    assert {(first.number, 2, "sms:test"), (second.number, 2, "sms:test")} <= shown


def test_an_erased_number_is_refused_costs_nothing_and_leaves_the_row(
    world: World, line: Pipeline, account: AccountId, send: SendSingleMessages
) -> None:
    erased, stays = plan(world, account), plan(world, account)
    with world.transactions.begin(account) as uow:
        uow.suppressions.add_erased(account, HASH.of(erased.phone), world.clock.now())

    assert send() == 1

    assert [each.destination for each in line.gateway.accepted] == [stays.phone]
    row = row_of(world, erased)
    assert (row.state, row.error_code) == (MessageState.CANCELLED, "erased")
    assert (row.phone, row.text) == (None, None)
    assert line.wallet(account) == Wallet(available=98)


def test_a_call_is_for_one_store(
    world: World, line: Pipeline, account: AccountId, send: SendSingleMessages
) -> None:
    plan(world, account)
    plan(world, shop(world))

    assert (send(), send(), send()) == (1, 1, 0)
    assert len(line.gateway.calls) == 2


@pytest.mark.parametrize(
    ("outcome", "code"),
    [(AllRejected("404"), "gateway_rejected"), (BatchRefused("400"), "gateway_refused_message")],
)
def test_what_is_refused_for_good_fails_and_costs_nothing(
    world: World,
    line: Pipeline,
    account: AccountId,
    send: SendSingleMessages,
    outcome: SubmissionOutcome,
    code: str,
) -> None:
    message = plan(world, account)
    line.gateway.answer_next(outcome)

    send()

    assert state_of(world, message) == (FAILED, code)
    assert line.wallet(account) == Wallet(available=100)


def test_one_that_is_refused_does_not_harm_the_others(
    world: World, line: Pipeline, account: AccountId, send: SendSingleMessages
) -> None:
    messages = [plan(world, account) for _ in range(5)]

    def refuse(outgoing: Sequence[OutgoingMessage]) -> SubmissionOutcome:
        if any(each.number == messages[3].number for each in outgoing):
            return BatchRefused("400")
        return line.gateway.take(outgoing)

    line.gateway.answer_next(*[refuse] * 20)

    assert send() == 5

    assert [state_of(world, each)[0] for each in messages] == [SENT, SENT, SENT, FAILED, SENT]
    assert len(line.gateway.accepted) == len({each.number for each in line.gateway.accepted}) == 4
    assert line.wallet(account) == Wallet(available=92)


@pytest.mark.parametrize(
    ("outcome", "code"),
    [(NotSent("503"), "gateway_unavailable"), (AccessRefused("401"), "gateway_refused")],
)
def test_what_was_not_sent_is_tried_five_times(
    world: World,
    line: Pipeline,
    account: AccountId,
    send: SendSingleMessages,
    outcome: SubmissionOutcome,
    code: str,
) -> None:
    message = plan(world, account)
    line.gateway.answer_next(*[outcome] * 9)

    for _ in range(10):
        send()
        world.clock.advance(timedelta(seconds=40))

    assert len(line.gateway.calls) == 5
    assert state_of(world, message) == (FAILED, code)
    assert line.wallet(account) == Wallet(available=100)
