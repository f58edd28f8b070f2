"""What sending may rely on about campaigns that fail too often."""

import pytest

from retail_core.campaigns.model import Campaign, CampaignState
from retail_core.messages.model import CampaignTurn, ProgressChange
from tests.contracts.campaigns.campaigns import begun, record
from tests.contracts.worlds import World

SENDING, PAUSED = CampaignState.SENDING, CampaignState.PAUSED


def turned(world: World, campaign: Campaign, **change: int) -> CampaignTurn | None:
    """What a change of the counters made of a campaign."""
    with world.transactions.begin(campaign.account_id) as uow:
        return uow.progress.record(
            campaign.account_id, campaign.id, ProgressChange(**change), world.clock.now()
        )


def refuse(world: World, campaign: Campaign) -> bool:
    """Whether the refusal of the gateway paused it."""
    with world.transactions.begin(campaign.account_id) as uow:
        now = world.clock.now()
        return uow.progress.pause_by_gateway(campaign.account_id, campaign.id, "no", now)


class CampaignPausing:
    def test_the_change_that_pauses_a_campaign_says_so(self, world: World) -> None:
        campaign = begun(world, world.new_account(), recipients=300)

        assert turned(world, campaign, queued=-50, sent=50) is None
        assert turned(world, campaign, queued=-50, failed=50) is CampaignTurn.PAUSED
        assert turned(world, campaign, queued=-50, failed=50) is None
        self.resume(world, campaign)
        assert turned(world, campaign, queued=-50, failed=50) is CampaignTurn.PAUSED

    def test_the_change_that_completes_a_campaign_says_so(self, world: World) -> None:
        campaign = begun(world, world.new_account(), recipients=100)

        assert turned(world, campaign, queued=-99, sent=98, unknown=1) is None
        assert turned(world, campaign, queued=-1, sent=1) is CampaignTurn.COMPLETED
        assert turned(world, campaign, unknown=-1, delivered=1) is None

    def test_a_paused_campaign_completes_too(self, world: World) -> None:
        campaign = begun(world, world.new_account(), recipients=1)
        assert refuse(world, campaign)

        assert turned(world, campaign, queued=-1, sent=1) is CampaignTurn.COMPLETED

    def test_the_gateway_pauses_a_campaign_once(self, world: World) -> None:
        campaign = begun(world, world.new_account(), recipients=1)

        assert [refuse(world, campaign) for _ in range(2)] == [True, False]
        self.resume(world, campaign)
        assert refuse(world, campaign)

    @pytest.mark.parametrize(
        ("failed", "settled", "state"),
        [(49, 49, SENDING), (15, 50, SENDING), (16, 50, PAUSED), (50, 50, PAUSED)],
    )
    def test_a_campaign_pauses_where_enough_is_known_and_too_much_failed(
        self, world: World, failed: int, settled: int, state: CampaignState
    ) -> None:
        campaign = begun(world, world.new_account(), recipients=100)

        counted = record(world, campaign, queued=-settled, sent=settled - failed, failed=failed)

        assert counted.state is state
        assert counted.status_reason == ("failure_rate" if state is PAUSED else None)

    def test_what_is_unknown_or_cancelled_says_nothing(self, world: World) -> None:
        campaign = begun(world, world.new_account(), recipients=200)

        counted = record(world, campaign, queued=-149, failed=49, unknown=50, cancelled=50)

        assert counted.state is SENDING

    def test_the_delivered_count_as_much_as_the_sent(self, world: World) -> None:
        campaign = begun(world, world.new_account(), recipients=200)
        record(world, campaign, queued=-40, delivered=40)

        assert record(world, campaign, queued=-17, failed=17).state is SENDING
        assert record(world, campaign, queued=-1, failed=1).state is PAUSED

    def test_a_campaign_that_is_over_is_completed(self, world: World) -> None:
        campaign = begun(world, world.new_account(), recipients=60)

        counted = record(world, campaign, queued=-60, failed=60)

        assert (counted.state, counted.status_reason) == (CampaignState.COMPLETED, None)

    def test_only_a_sending_campaign_pauses(self, world: World) -> None:
        campaign = begun(world, world.new_account(), recipients=100)
        with world.transactions.begin(campaign.account_id) as uow:
            uow.campaigns.pause(campaign.account_id, campaign.id, "by_user", world.clock.now())

        counted = record(world, campaign, queued=-60, failed=60)

        assert (counted.state, counted.status_reason) == (PAUSED, "by_user")

    def test_an_owner_who_resumes_is_not_stopped_for_the_same_failures(self, world: World) -> None:
        campaign = begun(world, world.new_account(), recipients=1_000)
        record(world, campaign, queued=-60, failed=60)

        self.resume(world, campaign)

        assert record(world, campaign, queued=-49, failed=49).state is SENDING
        assert record(world, campaign, queued=-1, sent=1).state is PAUSED

    def resume(self, world: World, campaign: Campaign) -> None:
        account = campaign.account_id
        with world.transactions.begin(account) as uow:
            uow.campaigns.resume(account, campaign.id, world.clock.now())
