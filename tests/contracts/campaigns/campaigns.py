"""What the use cases of campaigns and the edge may rely on."""

from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from retail_core.audiences.model import AgeGroup, AudienceSpec
from retail_core.campaigns.errors import CampaignNotFound
from retail_core.campaigns.model import (
    Campaign,
    CampaignContent,
    CampaignCounts,
    CampaignCredits,
    CampaignStart,
    CampaignState,
)
from retail_core.contacts.model import Gender
from retail_core.kernel.ids import AccountId, CampaignId
from retail_core.kernel.pages import PageRequest
from retail_core.messages.model import ProgressChange, SendingPlan
from tests.contracts.staging import LINKS, written
from tests.contracts.worlds import World

NOWHERE = CampaignId(2_000_000_000)
WOMEN = AudienceSpec("all", Gender.FEMALE, AgeGroup.FROM_18_TO_24)
PLAN = SendingPlan("Γεια", "Shop", "Shop", LINKS.offer_url, LINKS.unsubscribe_url, "greek")
ALL = PageRequest(1, 100)


def begun(world: World, account: AccountId, recipients: int = 5, credits: int = 7) -> Campaign:
    """A campaign that is sending to so many; it has no batches."""
    campaign = written(world, account)
    with world.transactions.begin(account) as uow:
        number = uow.numbers.reserve_block(recipients)
        start = CampaignStart(PLAN, number, recipients, credits, world.clock.now())
        uow.campaigns.start(account, campaign.id, start)
    return world.campaign_queries.get(account, campaign.id)


def record(world: World, campaign: Campaign, **change: int) -> Campaign:
    """The campaign after a change of its counters."""
    with world.transactions.begin(campaign.account_id) as uow:
        uow.progress.record(
            campaign.account_id, campaign.id, ProgressChange(**change), world.clock.now()
        )
    return world.campaign_queries.get(campaign.account_id, campaign.id)


class CampaignStoreContract:
    def test_a_new_campaign_is_a_draft_as_it_was_written(self, world: World) -> None:
        account, now = world.new_account(), world.clock.now()
        content = CampaignContent("Sale\n%_", "Γεια {{firstName}}", WOMEN, include_offer=True)

        with world.transactions.begin(account) as uow:
            campaign = uow.campaigns.add(account, content, 3, now)
            read = uow.campaigns.get(account, campaign.id)

        assert read == campaign
        assert campaign == Campaign(
            campaign.id, account, content, CampaignState.DRAFT, 3, created_at=now, updated_at=now
        )

    @pytest.mark.parametrize("verb", ["get", "lock"])
    def test_a_campaign_that_does_not_exist_is_not_found(self, world: World, verb: str) -> None:
        account = world.new_account()

        with world.transactions.begin(account) as uow, pytest.raises(CampaignNotFound):
            getattr(uow.campaigns, verb)(account, NOWHERE)

    @pytest.mark.parametrize("verb", ["get", "lock"])
    def test_a_store_does_not_see_another_accounts_rows(self, world: World, verb: str) -> None:
        mine, theirs = world.new_account(), world.new_account()
        campaign = written(world, theirs)

        with world.transactions.begin(mine) as uow, pytest.raises(CampaignNotFound):
            getattr(uow.campaigns, verb)(mine, campaign.id)
        with world.transactions.across_accounts() as uow, pytest.raises(CampaignNotFound):
            getattr(uow.campaigns, verb)(mine, campaign.id)

    def test_rewriting_replaces_what_was_written(self, world: World) -> None:
        account = world.new_account()
        campaign = written(world, account)
        later = world.clock.now() + timedelta(hours=1)
        content = CampaignContent("New", "New text", WOMEN, include_offer=True)

        with world.transactions.begin(account) as uow:
            rewritten = uow.campaigns.rewrite(account, campaign.id, content, 9, later)

        assert (rewritten.content, rewritten.total, rewritten.updated_at) == (content, 9, later)
        assert rewritten == world.campaign_queries.get(account, campaign.id)

    def test_rewriting_reaches_no_other_accounts_campaign(self, world: World) -> None:
        campaign = written(world, world.new_account())
        mine, now = world.new_account(), world.clock.now()

        with world.transactions.begin(mine) as uow, pytest.raises(CampaignNotFound):
            uow.campaigns.rewrite(mine, campaign.id, campaign.content, 9, now)

    def test_a_started_campaign_is_sending_with_everybody_queued(self, world: World) -> None:
        account = world.new_account()

        campaign = begun(world, account, recipients=5, credits=7)

        assert campaign.state is CampaignState.SENDING
        assert (campaign.total, campaign.counts) == (5, CampaignCounts(queued=5))
        assert campaign.credits == CampaignCredits(held=7)
        assert campaign.plan == PLAN
        assert (campaign.started_at, campaign.finished_at) == (world.clock.now(), None)

    def test_a_paused_campaign_goes_on_without_its_reason(self, world: World) -> None:
        account = world.new_account()
        campaign = begun(world, account)
        with world.transactions.begin(account) as uow:
            uow.progress.pause_by_gateway(account, campaign.id, "why", world.clock.now())

        with world.transactions.begin(account) as uow:
            uow.campaigns.resume(account, campaign.id, world.clock.now())

        resumed = world.campaign_queries.get(account, campaign.id)
        assert (resumed.state, resumed.status_reason) == (CampaignState.SENDING, None)

    def test_pausing_says_why(self, world: World) -> None:
        account = world.new_account()
        campaign = begun(world, account)

        with world.transactions.begin(account) as uow:
            paused = uow.campaigns.pause(account, campaign.id, "by_user", world.clock.now())

        assert (paused.state, paused.status_reason) == (CampaignState.PAUSED, "by_user")
        assert (paused.counts, paused.credits) == (campaign.counts, campaign.credits)
        assert paused == world.campaign_queries.get(account, campaign.id)

    def test_cancelling_moves_those_who_waited_and_their_credits(self, world: World) -> None:
        account = world.new_account()
        campaign = begun(world, account, recipients=5, credits=7)
        record(world, campaign, queued=-1, sent=1, captured=2)
        world.clock.advance(timedelta(minutes=1))

        with world.transactions.begin(account) as uow:
            cancelled = uow.campaigns.cancel(account, campaign.id, 3, 4, world.clock.now())

        assert cancelled.state is CampaignState.CANCELLED
        assert cancelled.counts == CampaignCounts(queued=1, sent=1, cancelled=3)
        assert cancelled.credits == CampaignCredits(held=1, captured=2, released=4)
        assert cancelled.finished_at == world.clock.now()
        assert cancelled == world.campaign_queries.get(account, campaign.id)

    def test_what_was_planned_since_a_moment_counts_also_if_it_was_cancelled(
        self, world: World
    ) -> None:
        account = world.new_account()
        written(world, account)
        begun(world, account, 5)
        since = world.clock.now()
        world.clock.advance(timedelta(seconds=1))
        cancelled = begun(world, account, 3)
        begun(world, account, 4)
        begun(world, world.new_account(), 100)
        with world.transactions.begin(account) as uow:
            uow.campaigns.cancel(account, cancelled.id, 3, 7, world.clock.now())

        with world.transactions.begin(account) as uow:
            assert uow.campaigns.planned_since(account, since) == 7

    def test_a_campaign_that_was_never_planned_can_be_cancelled(self, world: World) -> None:
        account = world.new_account()
        campaign = written(world, account)

        with world.transactions.begin(account) as uow:
            cancelled = uow.campaigns.cancel(account, campaign.id, 0, 0, world.clock.now())

        assert (cancelled.state, cancelled.started_at) == (CampaignState.CANCELLED, None)
        assert cancelled.counts == CampaignCounts()

    @pytest.mark.parametrize("verb", ["pause", "cancel"])
    def test_steering_reaches_no_other_accounts_campaign(self, world: World, verb: str) -> None:
        campaign = begun(world, world.new_account())
        mine, now = world.new_account(), world.clock.now()
        arguments = {"pause": ("by_user", now), "cancel": (0, 0, now)}[verb]

        with world.transactions.begin(mine) as uow, pytest.raises(CampaignNotFound):
            getattr(uow.campaigns, verb)(mine, campaign.id, *arguments)

    def test_a_failed_campaign_says_why_and_when(self, world: World) -> None:
        account, now = world.new_account(), world.clock.now()
        campaign = written(world, account)

        with world.transactions.begin(account) as uow:
            uow.campaigns.fail(account, campaign.id, "no_recipients", now)

        failed = world.campaign_queries.get(account, campaign.id)
        assert (failed.state, failed.status_reason) == (CampaignState.FAILED, "no_recipients")
        assert (failed.started_at, failed.finished_at) == (None, now)


class CampaignProgressContract:
    def test_changes_add_up(self, world: World) -> None:
        campaign = begun(world, world.new_account(), recipients=5, credits=7)

        record(world, campaign, queued=-2, sent=1, failed=1, captured=2, released=1)
        counted = record(world, campaign, queued=-2, unknown=1, cancelled=1, released=1)

        assert counted.counts == CampaignCounts(queued=1, sent=1, failed=1, unknown=1, cancelled=1)
        assert counted.credits == CampaignCredits(held=3, captured=2, released=2)
        assert counted.state is CampaignState.SENDING

    def test_a_campaign_with_nobody_left_waiting_is_completed(self, world: World) -> None:
        campaign = begun(world, world.new_account(), recipients=2)
        world.clock.advance(timedelta(minutes=1))

        completed = record(world, campaign, queued=-2, failed=1, unknown=1)

        assert completed.state is CampaignState.COMPLETED
        assert completed.finished_at == world.clock.now()

    def test_a_paused_campaign_completes_with_what_was_on_its_way(self, world: World) -> None:
        campaign = begun(world, world.new_account(), recipients=2)
        self.pause(world, campaign)

        assert record(world, campaign, queued=-2, sent=2).state is CampaignState.COMPLETED

    def test_a_late_answer_does_not_end_a_campaign_again(self, world: World) -> None:
        campaign = begun(world, world.new_account(), recipients=2)
        ended = record(world, campaign, queued=-2, unknown=2)
        world.clock.advance(timedelta(minutes=1))

        late = record(world, campaign, unknown=-2, sent=2, captured=2)

        assert (late.state, late.finished_at) == (CampaignState.COMPLETED, ended.finished_at)
        assert late.counts == CampaignCounts(sent=2)

    def test_a_counter_never_falls_below_zero(self, world: World) -> None:
        campaign = begun(world, world.new_account(), recipients=2)

        with pytest.raises((AssertionError, IntegrityError)):  # an invariant here, a CHECK there
            record(world, campaign, queued=-3, sent=3)

        assert world.campaign_queries.get(campaign.account_id, campaign.id) == campaign

    def test_what_was_on_its_way_is_counted_in_a_cancelled_campaign(self, world: World) -> None:
        campaign = begun(world, world.new_account(), recipients=5)
        with world.transactions.begin(campaign.account_id) as uow:
            uow.campaigns.cancel(campaign.account_id, campaign.id, 3, 3, world.clock.now())
        cancelled = world.campaign_queries.get(campaign.account_id, campaign.id)
        world.clock.advance(timedelta(minutes=1))

        counted = record(world, campaign, queued=-2, sent=2, captured=4)

        assert counted.state is CampaignState.CANCELLED
        assert counted.finished_at == cancelled.finished_at
        assert counted.counts == CampaignCounts(sent=2, cancelled=3)

    def test_only_a_cancelled_campaign_takes_no_batch_back(self, world: World) -> None:
        campaign, other = begun(world, world.new_account()), world.new_account()
        account = campaign.account_id

        with world.transactions.begin(account) as uow:
            sending = uow.progress.lock_unless_cancelled(account, campaign.id)
        self.pause(world, campaign)
        with world.transactions.begin(account) as uow:
            paused = uow.progress.lock_unless_cancelled(account, campaign.id)
            uow.campaigns.cancel(account, campaign.id, 0, 0, world.clock.now())
            cancelled = uow.progress.lock_unless_cancelled(account, campaign.id)
        with world.transactions.begin(other) as uow:
            foreign = uow.progress.lock_unless_cancelled(other, campaign.id)

        assert (sending, paused, cancelled, foreign) == (True, True, False, False)

    def test_the_gateway_pauses_a_sending_campaign(self, world: World) -> None:
        campaign = begun(world, world.new_account())

        paused = self.pause(world, campaign)

        assert (paused.state, paused.status_reason) == (CampaignState.PAUSED, "gateway_refused")

    def test_the_gateway_pauses_no_other_campaign(self, world: World) -> None:
        campaign = written(world, world.new_account())

        assert self.pause(world, campaign) == campaign

    def test_progress_does_not_see_another_accounts_rows(self, world: World) -> None:
        campaign, other = begun(world, world.new_account()), world.new_account()

        with world.transactions.begin(other) as uow:
            uow.progress.pause_by_gateway(other, campaign.id, "why", world.clock.now())
            uow.progress.record(other, campaign.id, ProgressChange(), world.clock.now())

        assert world.campaign_queries.get(campaign.account_id, campaign.id) == campaign

    def pause(self, world: World, campaign: Campaign) -> Campaign:
        account = campaign.account_id
        with world.transactions.begin(account) as uow:
            uow.progress.pause_by_gateway(
                account, campaign.id, "gateway_refused", world.clock.now()
            )
        return world.campaign_queries.get(account, campaign.id)
