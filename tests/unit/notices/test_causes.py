"""What owners hear of: written in the transaction of its cause, once for each."""

from datetime import timedelta

import pytest

from retail_core.campaigns.errors import NoRecipients
from retail_core.campaigns.model import Campaign, CampaignState
from retail_core.campaigns.use_cases import PauseCampaign, ResumeCampaign, StartCampaign
from retail_core.kernel.ids import AccountId
from retail_core.messages.model import AccessRefused
from retail_core.notices.model import NoticeKind
from tests.contracts.staging import people, policy, shop, started, written
from tests.contracts.worlds import World, memory_world
from tests.pipeline import Pipeline

_SECOND = timedelta(seconds=1)


@pytest.fixture
def world() -> World:
    return memory_world()


def announced(world: World, account: AccountId) -> list[NoticeKind]:
    """What the owner hears of; each with its nudge."""
    with world.transactions.across_accounts() as uow:
        rows = [row for row in uow.notices.tables.notices if row.account == account]  # type: ignore[attr-defined]
        jobs = uow.jobs.take_due_across_accounts(world.clock.now(), 1_000)
    nudges = [due for due in jobs if due.job.kind == "send_notice"]
    assert len(nudges) == len(rows)
    return [row.notice.kind for row in rows]


def start(world: World, campaign: Campaign, low_credits: int = 0) -> None:
    use_case = StartCampaign(world.transactions, world.clock, policy(low_credits=low_credits))
    use_case(campaign.account_id, campaign.id)


def resume(world: World, campaign: Campaign) -> None:
    begin = StartCampaign(world.transactions, world.clock, policy(low_credits=0))
    ResumeCampaign(begin)(campaign.account_id, campaign.id)


def test_the_owner_hears_that_a_campaign_is_finished(world: World) -> None:
    account = shop(world)
    people(world, account, 5)
    campaign, line = started(world, account), Pipeline.over(world)
    assert announced(world, account) == []

    line.dispatch_all()

    assert line.campaign(campaign).state is CampaignState.COMPLETED
    assert announced(world, account) == [NoticeKind.CAMPAIGN_FINISHED]


def test_the_owner_hears_of_every_time_the_gateway_refuses_us(world: World) -> None:
    account = shop(world)
    people(world, account, 5)
    campaign, line = started(world, account), Pipeline.over(world)
    line.gateway.answer_next(AccessRefused("401"))
    line.dispatch()
    line.dispatch()
    assert announced(world, account) == [NoticeKind.CAMPAIGN_PAUSED]

    world.clock.advance(_SECOND)
    resume(world, campaign)
    line.gateway.answer_next(AccessRefused("401"))
    line.dispatch()

    assert announced(world, account) == [NoticeKind.CAMPAIGN_PAUSED] * 2


def test_the_owner_hears_nothing_of_a_pause_of_their_own(world: World) -> None:
    account = shop(world)
    people(world, account, 5)
    campaign = started(world, account)

    PauseCampaign(world.transactions, world.clock)(account, campaign.id)

    assert announced(world, account) == []


def test_the_owner_hears_that_a_campaign_failed(world: World) -> None:
    account = shop(world)
    campaign = written(world, account)
    with pytest.raises(NoRecipients):
        start(world, campaign)

    assert announced(world, account) == [NoticeKind.CAMPAIGN_FAILED]


@pytest.mark.parametrize(("below", "warned"), [(995, 0), (996, 1), (0, 0), (10_000, 1)])
def test_the_owner_hears_when_a_start_leaves_few_credits(
    world: World, below: int, warned: int
) -> None:
    account = shop(world, credits=1_000)
    people(world, account, 5)

    start(world, written(world, account, "Sale"), low_credits=below)

    held = Pipeline.over(world).wallet(account).held
    assert held == 5
    assert announced(world, account) == [NoticeKind.CREDITS_LOW] * warned


def test_low_credits_are_told_once_until_more_are_given(world: World) -> None:
    account = shop(world, credits=1_000)
    people(world, account, 5)
    for _ in range(2):
        start(world, written(world, account, "Sale"), low_credits=5_000)
    assert announced(world, account) == [NoticeKind.CREDITS_LOW]

    world.clock.advance(_SECOND)
    with world.transactions.begin(account) as uow:
        uow.credits.grant(account, "invoice:1", 10, "test")
    start(world, written(world, account, "Sale"), low_credits=5_000)

    assert announced(world, account) == [NoticeKind.CREDITS_LOW] * 2
