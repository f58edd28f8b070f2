"""What stores may rely on: they take turns, and nobody waits for another's whole campaign."""

from collections.abc import Sequence

from retail_core.campaigns.model import Campaign
from retail_core.campaigns.use_cases import ResumeCampaign, StartCampaign
from retail_core.kernel.ids import AccountId, CampaignId, WorkerId
from tests.contracts.staging import (
    ANN,
    BEN,
    all_claims,
    claimed,
    pause,
    people,
    policy,
    shop,
    started,
)
from tests.contracts.worlds import World


class BatchTurns:
    def test_a_small_store_waits_for_one_batch_of_a_large_one(self, world: World) -> None:
        large, small = self.store(world, 12), self.store(world, 1)
        started(world, large, batch_messages_max=1)
        for _ in range(5):
            claimed(world)
        started(world, small)

        order = self.served(world)

        assert order.index(small) <= 1
        assert order.count(large) == 7

    def test_with_two_workers_it_waits_for_one_batch_of_each(self, world: World) -> None:
        large, small = self.store(world, 12), self.store(world, 1)
        started(world, large, batch_messages_max=1)
        in_hand = [claimed(world, worker).key.account for worker in (ANN, BEN)]
        started(world, small)

        following = [claimed(world, worker).key.account for worker in (ANN, BEN)]

        assert in_hand == [large, large]
        assert small in following

    def test_of_several_stores_each_has_one_batch_a_round(self, world: World) -> None:
        stores = [self.store(world, 4) for _ in range(3)]
        for account in stores:
            started(world, account, batch_messages_max=1)

        order = self.served(world)

        rounds = [order[first : first + 3] for first in range(0, 12, 3)]
        assert all(sorted(each) == sorted(stores) for each in rounds)

    def test_stores_that_keep_coming_do_not_keep_a_large_one_waiting(self, world: World) -> None:
        large = self.store(world, 3)
        started(world, large, batch_messages_max=1)
        order = []
        for _ in range(6):
            started(world, self.store(world, 1))
            order.append(claimed(world).key.account)

        assert order.count(large) >= 2

    def test_a_stores_own_campaigns_follow_each_other(self, world: World) -> None:
        account = self.store(world, 2)
        first = started(world, account, batch_messages_max=1)
        second = started(world, account, batch_messages_max=1)

        assert self.campaigns_served(world) == [first.id, first.id, second.id, second.id]

    def test_what_is_paused_does_not_hold_its_stores_other_campaigns_back(
        self, world: World
    ) -> None:
        account, other = self.store(world, 6), self.store(world, 6)
        pause(world, started(world, account, batch_messages_max=1))
        started(world, other, batch_messages_max=1)
        started(world, account, batch_messages_max=6)

        assert self.served(world).index(account) <= 1

    def test_a_campaign_paused_long_ago_does_not_let_others_overtake(self, world: World) -> None:
        idle, large, small = self.store(world, 2), self.store(world, 8), self.store(world, 1)
        pause(world, started(world, idle, batch_messages_max=1))
        started(world, large, batch_messages_max=1)
        for _ in range(4):
            claimed(world)
        order = []
        for _ in range(6):
            started(world, small)
            order.append(claimed(world).key.account)

        assert order.count(large) >= 3

    def test_a_resumed_campaign_joins_the_round_that_is_being_served(self, world: World) -> None:
        large, other = self.store(world, 8), self.store(world, 8)
        campaign = started(world, large, batch_messages_max=1)
        pause(world, campaign)
        started(world, other, batch_messages_max=1)
        for _ in range(6):
            claimed(world)

        self.resume(world, campaign)

        order = self.served(world)
        assert sorted(order[:4]) == sorted([large, other] * 2)

    def test_a_resumed_campaign_keeps_its_order(self, world: World) -> None:
        account = self.store(world, 4)
        campaign = started(world, account, batch_messages_max=1)
        pause(world, campaign)

        self.resume(world, campaign)

        assert [batch.key.no for batch in all_claims(world)] == [0, 1, 2, 3]

    def test_rejoining_does_not_see_another_accounts_rows(self, world: World) -> None:
        account, other = self.store(world, 2), self.store(world, 2)
        campaign = started(world, account, batch_messages_max=1)
        second = started(world, other, batch_messages_max=1)

        with world.transactions.begin(other) as uow:
            uow.batches.rejoin(other, campaign.id)
            uow.batches.rejoin(account, campaign.id)

        assert self.campaigns_served(world) == [campaign.id, second.id] * 2

    def store(self, world: World, count: int) -> AccountId:
        account = shop(world)
        people(world, account, count)
        return account

    def served(self, world: World, worker: WorkerId = ANN) -> Sequence[AccountId]:
        return [batch.key.account for batch in all_claims(world, worker)]

    def campaigns_served(self, world: World) -> Sequence[CampaignId]:
        return [batch.key.campaign for batch in all_claims(world)]

    def resume(self, world: World, campaign: Campaign) -> None:
        start = StartCampaign(world.transactions, world.clock, policy())
        ResumeCampaign(start)(campaign.account_id, campaign.id)
