"""An audience of which something is gone is undefined: not empty, and not everybody."""

import attrs
import pytest

from retail_core.audiences.errors import AudienceGone, ListInUse
from retail_core.audiences.model import AudienceSpec
from retail_core.audiences.use_cases import DeleteList
from retail_core.campaigns.errors import MessageTooLong
from retail_core.campaigns.model import CampaignState
from retail_core.campaigns.use_cases import (
    CampaignChanges,
    EditCampaign,
    StartCampaign,
)
from retail_core.kernel.ids import AccountId
from tests.contracts.audiences.lists import ended, made
from tests.contracts.staging import people, policy, shop, written
from tests.contracts.worlds import World, memory_world

GONE = AudienceSpec(list_is_gone=True)


@pytest.fixture
def world() -> World:
    return memory_world()


@pytest.fixture
def account(world: World) -> AccountId:
    """A shop with somebody who could be written to."""
    account = shop(world)
    people(world, account, 2)
    return account


def test_it_cannot_be_sent_to_and_nothing_changes(world: World, account: AccountId) -> None:
    campaign = written(world, account, audience=GONE)
    start = StartCampaign(world.transactions, world.clock, policy())

    with pytest.raises(AudienceGone):
        start(account, campaign.id)

    assert world.campaign_queries.get(account, campaign.id) == campaign


def test_a_text_that_is_too_long_is_told_first(world: World, account: AccountId) -> None:
    campaign = written(world, account, "x" * 1_000, GONE)
    start = StartCampaign(world.transactions, world.clock, policy(parts_max=3))

    with pytest.raises(MessageTooLong):
        start(account, campaign.id)


def test_its_name_can_be_changed_and_another_list_mends_it(
    world: World, account: AccountId
) -> None:
    campaign = written(world, account, audience=GONE)
    edit = EditCampaign(world.transactions, world.audience_queries, world.clock, policy())

    renamed = edit(account, campaign.id, CampaignChanges(name="New"))
    mended = edit(account, campaign.id, CampaignChanges(system_list="all"))

    assert renamed.content.audience == GONE
    assert (mended.content.audience, mended.total) == (AudienceSpec("all"), 2)


def test_a_copy_of_a_campaign_whose_list_was_deleted_goes_to_nobody(
    world: World, account: AccountId
) -> None:
    known = made(world, account)
    campaign = written(world, account, audience=AudienceSpec(own_list=known.id))
    delete = DeleteList(world.transactions)
    with pytest.raises(ListInUse):
        delete(account, known.id)
    ended(world, campaign)
    delete(account, known.id)
    over = world.campaign_queries.get(account, campaign.id)
    assert over.state is CampaignState.FAILED

    with world.transactions.begin(account) as uow:
        copy = uow.campaigns.add(account, attrs.evolve(over.content), 0, world.clock.now())
    with pytest.raises(AudienceGone):
        StartCampaign(world.transactions, world.clock, policy())(account, copy.id)
