"""Pausing and resuming: within one gateway call, and nobody is served twice."""

from collections.abc import Sequence
from datetime import timedelta

import attrs
import pytest

from retail_core.campaigns.errors import SubscriptionRequired, WrongCampaignState
from retail_core.campaigns.model import Campaign, CampaignCounts, CampaignCredits, CampaignState
from retail_core.campaigns.use_cases import (
    PauseCampaign,
    ResumeCampaign,
    StartCampaign,
    StartedCampaign,
)
from retail_core.credits.model import Wallet
from retail_core.kernel.idempotency import AlreadyDone, Once
from retail_core.kernel.ids import AccountId
from retail_core.messages.model import (
    OutgoingMessage,
    SubmissionOutcome,
)
from retail_core.messages.use_cases import DispatchOutcome
from tests.contracts.staging import (
    ANN,
    pause,
    people,
    policy,
    shop,
    started,
    written,
)
from tests.contracts.worlds import World, memory_world
from tests.pipeline import Pipeline
from tests.unit.campaigns.test_starting import end_subscription, now_of, wallet

SENDING, PAUSED, CANCELLED = (
    CampaignState.SENDING,
    CampaignState.PAUSED,
    CampaignState.CANCELLED,
)
TWO_PARTS = "x" * 200
LATER = timedelta(minutes=1)


@pytest.fixture
def world() -> World:
    return memory_world()


@pytest.fixture
def account(world: World) -> AccountId:
    return shop(world, credits=1_000)


@pytest.fixture
def line(world: World) -> Pipeline:
    return Pipeline.over(world)


def campaign_to(world: World, account: AccountId, count: int) -> Campaign:
    """A campaign of two parts each, in batches of three."""
    people(world, account, count)
    return started(world, account, TWO_PARTS)


def stop(world: World, campaign: Campaign) -> Campaign:
    return PauseCampaign(world.transactions, world.clock)(campaign.account_id, campaign.id)


def go_on(world: World, campaign: Campaign, once: Once | None = None) -> StartedCampaign:
    resume = ResumeCampaign(StartCampaign(world.transactions, world.clock, policy()))
    return resume(campaign.account_id, campaign.id, once)


class TestPause:
    def test_nothing_more_goes_out_and_the_hold_stays(
        self, world: World, line: Pipeline, account: AccountId
    ) -> None:
        campaign = campaign_to(world, account, 5)
        line.dispatch()

        paused = stop(world, campaign)

        assert (paused.state, paused.status_reason) == (PAUSED, "by_user")
        assert line.dispatch() is DispatchOutcome.IDLE
        assert len(line.gateway.accepted) == 3
        assert wallet(world, account) == Wallet(available=990, held=4)

    def test_a_paused_campaign_stays_as_it_is(self, world: World, account: AccountId) -> None:
        campaign = campaign_to(world, account, 2)
        pause(world, campaign)

        assert stop(world, campaign).status_reason == "gateway_refused"

    def test_a_draft_cannot_be_paused(self, world: World, account: AccountId) -> None:
        with pytest.raises(WrongCampaignState):
            stop(world, written(world, account))

    def test_the_last_batch_completes_a_paused_campaign(
        self, world: World, line: Pipeline, account: AccountId
    ) -> None:
        campaign = campaign_to(world, account, 2)

        def pause_meanwhile(outgoing: Sequence[OutgoingMessage]) -> SubmissionOutcome:
            stop(world, campaign)
            return line.gateway.take(outgoing)

        line.gateway.answer_next(pause_meanwhile)
        line.dispatch()

        assert now_of(world, campaign).state is CampaignState.COMPLETED

    def test_a_batch_caught_before_its_hand_over_waits_for_the_resume(
        self, world: World, line: Pipeline, account: AccountId
    ) -> None:
        campaign = campaign_to(world, account, 2)

        class Interrupting:
            def seconds(self, duration_seconds: float) -> None:
                stop(world, campaign)

        dispatch = attrs.evolve(line.dispatch_batch, pause=Interrupting())
        caught = dispatch(ANN)
        go_on(world, campaign)

        assert (caught, line.dispatch()) == (DispatchOutcome.PUT_BACK, DispatchOutcome.SETTLED)


class TestResume:
    def test_those_who_wait_are_served(
        self, world: World, line: Pipeline, account: AccountId
    ) -> None:
        campaign = campaign_to(world, account, 5)
        line.dispatch()
        stop(world, campaign)

        resumed = go_on(world, campaign)

        assert resumed == StartedCampaign(campaign.id, 2, 4, 4)
        line.dispatch_all()
        assert now_of(world, campaign).counts == CampaignCounts(sent=5)
        assert wallet(world, account) == Wallet(available=990)

    def test_only_a_paused_campaign_is_resumed(self, world: World, account: AccountId) -> None:
        for campaign in (written(world, account), campaign_to(world, account, 1)):
            with pytest.raises(WrongCampaignState):
                go_on(world, campaign)

    def test_a_subscription_is_needed(self, world: World, account: AccountId) -> None:
        campaign = campaign_to(world, account, 1)
        stop(world, campaign)
        end_subscription(world, account)

        with pytest.raises(SubscriptionRequired):
            go_on(world, campaign)

        assert now_of(world, campaign).state is PAUSED

    def test_a_campaign_paused_before_it_was_planned_is_started(
        self, world: World, account: AccountId
    ) -> None:
        people(world, account, 3)
        campaign = written(world, account)
        with world.transactions.begin(account) as uow:
            uow.campaigns.pause(account, campaign.id, "schedule_missed", world.clock.now())

        assert go_on(world, campaign).queued == 3
        assert now_of(world, campaign).credits == CampaignCredits(held=3)

    def test_a_repeat_of_the_same_request_is_told_apart(
        self, world: World, account: AccountId
    ) -> None:
        campaign = campaign_to(world, account, 1)
        stop(world, campaign)
        once = Once(account, "key", b"same")
        go_on(world, campaign, once)

        with pytest.raises(AlreadyDone):
            go_on(world, campaign, once)
