"""Nothing is handed over when its lease is over: whoever halted meanwhile comes too late."""

from datetime import timedelta
from uuid import uuid4

import pytest

from retail_core.campaigns.model import Campaign, CampaignCounts
from retail_core.credits.model import Wallet
from retail_core.kernel.ids import AccountId
from retail_core.kernel.pages import PageRequest
from retail_core.messages.model import (
    CALL_SECONDS,
    BatchRefused,
    MessageState,
    NewSingle,
    single_credits_key,
)
from retail_core.messages.queries import MessageFilter
from retail_core.messages.use_cases import (
    DispatchOutcome,
    ResolveUnknown,
    SendSingleMessages,
    SweepSingleMessages,
)
from retail_core.messages.use_cases.looking_up import AskGateway
from retail_core.testing.kernel.clock import ClockPause
from retail_core.testing.kernel.randomness import SeededRandomness
from retail_core.testing.messages.gateway import FakePace
from tests.answering import HASH
from tests.contracts.messages.singles import stage as single_stage
from tests.contracts.messages.singles.stage import planned
from tests.contracts.staging import (
    BEN,
    LEASE,
    clear_the_stage,
    messages,
    opt_out,
    people,
    shop,
    started,
)
from tests.contracts.worlds import World
from tests.pipeline import LEASE_OVER, Pipeline

SECOND = timedelta(seconds=1)
LAST_MOMENT = LEASE - timedelta(seconds=CALL_SECONDS)
QUEUED, SENT, CANCELLED = MessageState.QUEUED, MessageState.SENT, MessageState.CANCELLED
UNKNOWN = MessageState.UNKNOWN


@pytest.fixture
def line(world: World) -> Pipeline:
    clear_the_stage(world)
    single_stage.clear(world)
    return Pipeline.over(world, seed=uuid4().int)


@pytest.fixture
def account(world: World, line: Pipeline) -> AccountId:  # noqa: ARG001 - the stage is clear first
    return shop(world, credits=100)


def to_three(world: World, account: AccountId) -> Campaign:
    people(world, account, 3)
    return started(world, account)


class TestBatches:
    def test_a_call_begins_as_long_as_the_time_of_a_whole_one_is_left(
        self, world: World, line: Pipeline, account: AccountId
    ) -> None:
        to_three(world, account)
        line.gateway.halt_before_next(lambda: world.clock.advance(LAST_MOMENT - SECOND))

        assert line.dispatch() is DispatchOutcome.SETTLED
        assert len(line.gateway.accepted) == 3

    def test_who_halted_for_longer_hands_nothing_over_and_the_batch_waits_again(
        self, world: World, line: Pipeline, account: AccountId
    ) -> None:
        campaign = to_three(world, account)
        line.gateway.halt_before_next(lambda: world.clock.advance(LAST_MOMENT))

        assert line.dispatch() is DispatchOutcome.PUT_BACK
        assert line.gateway.accepted == []

        assert line.dispatch(BEN) is DispatchOutcome.SETTLED
        assert line.campaign(campaign).counts == CampaignCounts(sent=3)

    def test_a_clock_that_was_set_back_meanwhile_hides_no_time(
        self, world: World, line: Pipeline, account: AccountId
    ) -> None:
        to_three(world, account)

        def halt() -> None:
            world.clock.advance(LAST_MOMENT)
            world.clock.wrong_by = -LEASE

        line.gateway.halt_before_next(halt)
        line.dispatch()
        world.clock.wrong_by = timedelta(0)

        assert line.gateway.accepted == []

    def test_time_that_only_the_clock_on_the_wall_has_seen_counts(
        self, world: World, line: Pipeline, account: AccountId
    ) -> None:
        """The machine stood still, and its clock was set right when it went on."""
        to_three(world, account)

        def halt() -> None:
            world.clock.wrong_by = LEASE

        line.gateway.halt_before_next(halt)
        line.dispatch()
        world.clock.wrong_by = timedelta(0)

        assert line.gateway.accepted == []

    def test_what_others_called_unknown_meanwhile_was_surely_never_sent(
        self, world: World, line: Pipeline, account: AccountId
    ) -> None:
        campaign = to_three(world, account)

        def halt() -> None:
            world.clock.advance(LEASE_OVER)
            while line.sweep():
                pass

        line.gateway.halt_before_next(halt)

        assert line.dispatch() is DispatchOutcome.SETTLED
        assert line.dispatch(BEN) is DispatchOutcome.IDLE
        assert line.gateway.accepted == []
        assert line.campaign(campaign).counts == CampaignCounts(cancelled=3)
        assert {each.error_code for each in messages(world, campaign)} == {"too_late"}
        assert line.wallet(account) == Wallet(available=100)

    def test_what_the_operator_settled_meanwhile_stays_settled(
        self, world: World, line: Pipeline, account: AccountId
    ) -> None:
        people_there = people(world, account, 3)
        campaign = started(world, account)
        clock, gateway = world.clock, line.gateway
        ask = AskGateway(gateway, FakePace(clock), ClockPause(clock), clock)

        def halt() -> None:
            world.clock.advance(LEASE_OVER)
            line.sweep()
            opt_out(world, account, people_there[0].id)
            ResolveUnknown(world.transactions, ask, clock)(campaign.id, SENT)

        gateway.halt_before_next(halt)

        line.dispatch()
        assert gateway.accepted == []
        assert line.campaign(campaign).counts == CampaignCounts(sent=3)
        assert line.wallet(account) == Wallet(available=97)


class TestSingles:
    @pytest.fixture
    def send(self, world: World, line: Pipeline) -> SendSingleMessages:
        clock = world.clock
        pace = FakePace(clock, store_calls_max=1, window=timedelta(seconds=25))
        return SendSingleMessages(
            world.transactions,
            line.gateway,
            pace,
            ClockPause(clock),
            clock,
            SeededRandomness(uuid4().int),
            HASH,
        )

    def test_who_halted_hands_nothing_over_and_it_waits_again(
        self, world: World, line: Pipeline, account: AccountId, send: SendSingleMessages
    ) -> None:
        held_for(world, account)
        line.gateway.halt_before_next(lambda: world.clock.advance(LAST_MOMENT))

        assert send() == 1
        assert line.gateway.accepted == []
        assert states(world, account) == [QUEUED]

        send()
        assert len(line.gateway.accepted) == 1

    def test_waiting_for_the_pace_between_halves_ends_with_the_lease(
        self, world: World, line: Pipeline, account: AccountId, send: SendSingleMessages
    ) -> None:
        numbers = [held_for(world, account).number for _ in range(8)]
        began = world.clock.now()

        line.gateway.answer_next(*[BatchRefused("http_400")] * 3)
        send.send(account, numbers)

        assert world.clock.now() < began + LEASE
        assert len(line.gateway.calls) == 4
        assert states(world, account) == [SENT, *[QUEUED] * 7]

    def test_what_others_called_unknown_meanwhile_was_surely_never_sent(
        self, world: World, line: Pipeline, account: AccountId, send: SendSingleMessages
    ) -> None:
        held_for(world, account)

        def halt() -> None:
            world.clock.advance(LEASE_OVER)
            assert SweepSingleMessages(world.transactions, world.clock)()
            assert states(world, account) == [UNKNOWN]

        line.gateway.halt_before_next(halt)

        send()
        assert send() == 0
        assert line.gateway.accepted == []
        assert states(world, account) == [CANCELLED]


def states(world: World, account: AccountId) -> list[MessageState]:
    """Of the account's single messages, in the order of their numbers."""
    shown = world.message_queries.page(account, MessageFilter(), PageRequest(1, 100)).items
    return [each.state for each in reversed(shown)]


def held_for(world: World, account: AccountId) -> NewSingle:
    """A message that waits, and for which credits are held."""
    message = planned(world, account)
    with world.transactions.begin(account) as uow:
        key = f"hold:{single_credits_key(message.number)}"
        uow.credits.hold(account, key, message.credits, None)
    return message
