"""The contracts of campaigns, in memory and on PostgreSQL."""

import pytest

from adapters_db.connections import Connections
from retail_core.campaigns.errors import AlreadySending
from tests.contracts.campaign_queries import CampaignQueriesContract
from tests.contracts.campaigns import (
    CampaignProgressContract,
    CampaignStoreContract,
)
from tests.contracts.staging import written
from tests.contracts.worlds import sql_world


class TestCampaignStore(CampaignStoreContract):
    pass


class TestCampaignProgress(CampaignProgressContract):
    pass


class TestCampaignQueries(CampaignQueriesContract):
    pass


def test_a_campaign_locked_by_another_transaction_is_refused_at_once(
    connections: Connections,
) -> None:
    """In memory transactions are serial, so that nobody ever meets a lock."""
    world = sql_world(connections)
    account = world.new_account()
    campaign = written(world, account)

    with world.transactions.begin(account) as first:
        first.campaigns.lock(account, campaign.id)
        with pytest.raises(AlreadySending), world.transactions.begin(account) as second:
            second.campaigns.lock(account, campaign.id)
