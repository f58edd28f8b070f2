"""Cancelling: what waits is never sent, and its credits come back to the last one."""

from collections.abc import Sequence
from datetime import timedelta

import attrs
import pytest

from retail_core.campaigns.errors import CampaignNotFound, WrongCampaignState
from retail_core.campaigns.model import Campaign, CampaignCounts, CampaignCredits, CampaignState
from retail_core.campaigns.use_cases import (
    CancelCampaign,
    CancelledCampaign,
    PauseCampaign,
    ResumeCampaign,
    StartCampaign,
    StartedCampaign,
)
from retail_core.credits.model import Wallet
from retail_core.kernel.idempotency import AlreadyDone, Once
from retail_core.kernel.ids import AccountId
from retail_core.messages.model import (
    AccessRefused,
    BatchRefused,
    MessageState,
    NotSent,
    OutgoingMessage,
    SubmissionOutcome,
)
from retail_core.messages.use_cases import DispatchOutcome
from tests.contracts.staging import (
    claimed,
    delete,
    messages,
    people,
    policy,
    shop,
    started,
    written,
)
from tests.contracts.worlds import World, memory_world
from tests.pipeline import Pipeline
from tests.unit.campaigns.test_starting import now_of, wallet

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


def cancel(world: World, campaign: Campaign, once: Once | None = None) -> CancelledCampaign:
    use_case = CancelCampaign(world.transactions, world.clock)
    return use_case(campaign.account_id, campaign.id, once)


class TestCancel:
    def test_what_waits_is_never_sent_and_its_credits_come_back(
        self, world: World, line: Pipeline, account: AccountId
    ) -> None:
        campaign = campaign_to(world, account, 8)
        line.gateway.reject_next(lambda message: message.number % 3 == 0)
        line.dispatch()
        claimed(world)

        cancelled = cancel(world, campaign)

        assert cancelled.credits_released == 10
        now = cancelled.campaign
        assert (now.state, now.finished_at) == (CANCELLED, world.clock.now())
        assert now.counts == CampaignCounts(sent=2, failed=1, cancelled=5)
        assert now.credits == CampaignCredits(held=0, captured=4, released=12)
        assert line.dispatch() is DispatchOutcome.IDLE
        assert wallet(world, account) == Wallet(available=996)
        assert len(messages(world, campaign, state=MessageState.CANCELLED)) == 5

    def test_what_is_being_handed_over_settles_as_ever(
        self, world: World, line: Pipeline, account: AccountId
    ) -> None:
        campaign = campaign_to(world, account, 5)

        def cancel_meanwhile(outgoing: Sequence[OutgoingMessage]) -> SubmissionOutcome:
            assert cancel(world, campaign).credits_released == 4
            return line.gateway.take(outgoing)

        line.gateway.answer_next(cancel_meanwhile)

        assert line.dispatch_all() == [DispatchOutcome.SETTLED]
        now = now_of(world, campaign)
        assert (now.state, now.counts) == (CANCELLED, CampaignCounts(sent=3, cancelled=2))
        assert wallet(world, account) == Wallet(available=994)

    @pytest.mark.parametrize("outcome", [NotSent("503"), BatchRefused("413"), AccessRefused("401")])
    def test_a_batch_that_comes_back_is_cancelled_too(
        self, world: World, line: Pipeline, account: AccountId, outcome: SubmissionOutcome
    ) -> None:
        campaign = campaign_to(world, account, 5)

        def cancel_meanwhile(_: Sequence[OutgoingMessage]) -> SubmissionOutcome:
            cancel(world, campaign)
            return outcome

        line.gateway.answer_next(cancel_meanwhile)

        assert line.dispatch_all() == [DispatchOutcome.SETTLED]
        now = now_of(world, campaign)
        assert (now.state, now.counts) == (CANCELLED, CampaignCounts(cancelled=5))
        assert wallet(world, account) == Wallet(available=1_000)
        codes = {row.error_code for row in messages(world, campaign)}
        assert codes == {"campaign_cancelled"}

    def test_a_lost_answer_keeps_its_hold(
        self, world: World, line: Pipeline, account: AccountId
    ) -> None:
        campaign = campaign_to(world, account, 5)
        line.gateway.lose_next_answer()
        line.dispatch()

        cancelled = cancel(world, campaign)

        assert cancelled.credits_released == 4
        assert cancelled.campaign.counts == CampaignCounts(unknown=3, cancelled=2)
        assert wallet(world, account) == Wallet(available=994, held=6)

    def test_the_deleted_are_paid_back_as_well(self, world: World, account: AccountId) -> None:
        contacts = people(world, account, 3, first_name="A" * 120)
        campaign = started(world, account, "{{firstName}}")
        delete(world, account, contacts[1].id)

        assert cancel(world, campaign).credits_released == 6
        assert wallet(world, account) == Wallet(available=1_000)

    def test_a_paused_campaign_can_be_cancelled(self, world: World, account: AccountId) -> None:
        campaign = campaign_to(world, account, 2)
        stop(world, campaign)

        assert cancel(world, campaign).campaign.counts == CampaignCounts(cancelled=2)

    def test_cancelling_again_changes_nothing(self, world: World, account: AccountId) -> None:
        campaign = campaign_to(world, account, 2)
        first = cancel(world, campaign)
        world.clock.advance(LATER)

        assert cancel(world, campaign) == first
        assert wallet(world, account) == Wallet(available=1_000)

    @pytest.mark.parametrize("ended", [True, False])
    def test_what_is_over_or_was_never_begun_cannot_be_cancelled(
        self, world: World, line: Pipeline, account: AccountId, *, ended: bool
    ) -> None:
        campaign = campaign_to(world, account, 1) if ended else written(world, account)
        line.dispatch_all()

        with pytest.raises(WrongCampaignState):
            cancel(world, campaign)

    def test_a_campaign_paused_before_it_was_planned_has_nothing_to_give_back(
        self, world: World, account: AccountId
    ) -> None:
        campaign = written(world, account)
        with world.transactions.begin(account) as uow:
            uow.campaigns.pause(account, campaign.id, "schedule_missed", world.clock.now())

        cancelled = cancel(world, campaign)

        assert (cancelled.campaign.state, cancelled.credits_released) == (CANCELLED, 0)

    def test_another_stores_campaign_is_not_found(self, world: World, account: AccountId) -> None:
        campaign = campaign_to(world, account, 1)

        with pytest.raises(CampaignNotFound):
            cancel(world, attrs.evolve(campaign, account_id=shop(world)))

    def test_a_repeat_of_the_same_request_is_told_apart(
        self, world: World, account: AccountId
    ) -> None:
        campaign, once = campaign_to(world, account, 1), Once(account, "key", b"same")
        cancel(world, campaign, once)

        with pytest.raises(AlreadyDone):
            cancel(world, campaign, once)
