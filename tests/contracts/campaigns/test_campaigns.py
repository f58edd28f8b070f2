"""The contracts of campaigns, in memory and on PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import pytest

from adapters_db.connection.connections import Connections
from retail_core.campaigns.errors import AlreadySending
from retail_core.campaigns.model import CampaignState
from tests.contracts.campaigns.campaigns import (
    CampaignProgressContract,
    CampaignStoreContract,
)
from tests.contracts.campaigns.pausing import CampaignPausing
from tests.contracts.campaigns.queries import CampaignQueriesContract
from tests.contracts.staging import written
from tests.contracts.worlds import sql_world


class TestCampaignStore(CampaignStoreContract):
    pass


class TestCampaignProgress(CampaignProgressContract, CampaignPausing):
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
        asked_at = monotonic()
        with pytest.raises(AlreadySending), world.transactions.begin(account) as second:
            second.campaigns.lock(account, campaign.id)
        assert monotonic() - asked_at < 2  # the lock time-out of these tests is 5 s


def test_an_edit_waits_for_the_lock_and_sees_what_was_committed(connections: Connections) -> None:
    world = sql_world(connections)
    account = world.new_account()
    campaign = written(world, account)

    def lock() -> CampaignState:
        with world.transactions.begin(account) as second:
            return second.campaigns.lock(account, campaign.id, wait=True).state

    with ThreadPoolExecutor(1) as threads:
        with world.transactions.begin(account) as first:
            first.campaigns.lock(account, campaign.id)
            waiting = threads.submit(lock)
            first.campaigns.fail(account, campaign.id, "no_recipients", world.clock.now())
        assert waiting.result() is CampaignState.FAILED
