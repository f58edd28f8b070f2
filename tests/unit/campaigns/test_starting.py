"""Starting a campaign: refusals in their order, one hold, and nothing planned twice."""

from datetime import timedelta
from typing import Any

import attrs
import pytest

from retail_core.billing.model import Subscription
from retail_core.campaigns.errors import (
    CampaignNotFound,
    MessageTooLong,
    NoMessageText,
    NoRecipients,
    NoValidSender,
    PlannedTooMany,
    SubscriptionRequired,
    UnknownPlaceholder,
    WrongCampaignState,
)
from retail_core.campaigns.model import Campaign, CampaignCounts, CampaignCredits, CampaignState
from retail_core.campaigns.use_cases import CancelCampaign, StartCampaign, StartedCampaign
from retail_core.credits.errors import InsufficientCredits
from retail_core.credits.model import Wallet
from retail_core.kernel.idempotency import AlreadyDone, Once
from retail_core.kernel.ids import AccountId, CampaignId
from retail_core.kernel.money import PriceList
from retail_core.messages.errors import NumbersUsedUp
from retail_core.messages.jobs import DISPATCH_NUDGES_MAX
from tests.contracts.staging import numbers_given, pause, people, policy, shop, written
from tests.contracts.worlds import World, memory_world
from tests.pipeline import Pipeline

LONG = "x" * 2_000
UNKNOWN = "{{nickname}}"


@pytest.fixture
def world() -> World:
    return memory_world()


def start(
    world: World, campaign: Campaign, once: Once | None = None, **changes: Any
) -> StartedCampaign:
    use_case = StartCampaign(world.transactions, world.clock, policy(**changes))
    return use_case(campaign.account_id, campaign.id, once)


def end_subscription(world: World, account: AccountId) -> None:
    with world.transactions.begin(account) as uow:
        uow.subscriptions.save(account, Subscription())


def now_of(world: World, campaign: Campaign) -> Campaign:
    return world.campaign_queries.get(campaign.account_id, campaign.id)


def wallet(world: World, account: AccountId) -> Wallet:
    return Pipeline.over(world).wallet(account)


def test_everybody_is_queued_and_exactly_their_parts_are_held(world: World) -> None:
    account = shop(world, credits=1_000)
    for name in ("Ana", "A" * 120, "A" * 120, "Άννα"):
        people(world, account, 1, first_name=name)
    people(world, account, 1, first_name="Jean", country="FR")
    campaign = written(world, account, "{{firstName}}" + "x" * 100)

    outcome = start(world, campaign)

    # GSM-7: 3 + 100 + a link of about 45 signs is one part, 120 + 100 + 45 are two; the Greek
    # name makes UCS-2 of some 150 units, three parts; a French part costs two credits.
    assert outcome == StartedCampaign(campaign.id, 5, 1 + 2 + 2 + 3 + 2, 10)
    assert wallet(world, account) == Wallet(available=990, held=10)
    started = now_of(world, campaign)
    assert (started.state, started.total) == (CampaignState.SENDING, 5)
    assert started.counts == CampaignCounts(queued=5)
    assert started.credits == CampaignCredits(held=10)


def test_workers_are_nudged_for_the_batches(world: World) -> None:
    account = shop(world)
    people(world, account, 7)

    start(world, written(world, account), batch_messages_max=3)

    with world.transactions.begin(account) as uow:
        assert uow.jobs.waiting_count(account) == 3


def test_no_more_workers_are_nudged_than_may_share_a_campaign(world: World) -> None:
    account = shop(world)
    people(world, account, 30)

    start(world, written(world, account), batch_messages_max=1)

    with world.transactions.begin(account) as uow:
        assert uow.jobs.waiting_count(account) == DISPATCH_NUDGES_MAX


def test_a_campaign_that_does_not_exist_cannot_start(world: World) -> None:
    account = shop(world)

    with pytest.raises(CampaignNotFound):
        StartCampaign(world.transactions, world.clock, policy())(account, CampaignId(404))


def test_another_stores_campaign_cannot_be_started(world: World) -> None:
    owner = shop(world)
    people(world, owner, 1)
    campaign = written(world, owner)

    with pytest.raises(CampaignNotFound):
        StartCampaign(world.transactions, world.clock, policy())(shop(world), campaign.id)

    assert now_of(world, campaign) == campaign


def test_a_campaign_starts_once(world: World) -> None:
    account = shop(world)
    people(world, account, 1)
    campaign = written(world, account)
    start(world, campaign)

    with pytest.raises(WrongCampaignState):
        start(world, campaign)

    assert wallet(world, account).held == 1


def test_a_repeat_with_the_same_key_is_told_the_first_start(world: World) -> None:
    account = shop(world)
    people(world, account, 1)
    campaign, once = written(world, account), Once(account, "key", b"request")
    start(world, campaign, once)

    with pytest.raises(AlreadyDone) as repeat:
        start(world, campaign, once)

    assert repeat.value.effect == campaign.id


def test_nobody_in_the_audience_fails_the_campaign_and_frees_the_key(world: World) -> None:
    account = shop(world)
    campaign, once = written(world, account), Once(account, "key", b"request")

    with pytest.raises(NoRecipients):
        start(world, campaign, once)

    failed = now_of(world, campaign)
    assert (failed.state, failed.status_reason) == (CampaignState.FAILED, "no_recipients")
    assert failed.started_at is None
    with pytest.raises(WrongCampaignState):  # and not AlreadyDone: nothing was done
        start(world, campaign, once)


@pytest.mark.parametrize("text", [" \n ", ""])
def test_a_campaign_without_a_text_cannot_start(world: World, text: str) -> None:
    account = shop(world)
    people(world, account, 1)

    with pytest.raises(NoMessageText):
        start(world, written(world, account, text))


def test_unknown_placeholders_are_named(world: World) -> None:
    account = shop(world)
    people(world, account, 1)

    with pytest.raises(UnknownPlaceholder, match="nickname"):
        start(world, written(world, account, UNKNOWN))


def test_a_text_of_too_many_parts_is_refused_with_their_number(world: World) -> None:
    account = shop(world)
    people(world, account, 1, first_name="Άννα")

    with pytest.raises(MessageTooLong) as refusal:
        start(world, written(world, account, LONG + "{{firstName}}"))

    assert refusal.value.extra == {"segments": 31}


def test_a_store_without_a_sender_is_refused(world: World) -> None:
    account = shop(world)
    people(world, account, 1)
    without = attrs.evolve(policy(), fallback_sender=None)

    with pytest.raises(NoValidSender):
        StartCampaign(world.transactions, world.clock, without)(account, written(world, account).id)


REFUSED: list[tuple[type[Exception], dict[str, Any]]] = [
    (NoMessageText, {"text": " "}),
    (UnknownPlaceholder, {"text": UNKNOWN}),
    (NoValidSender, {"sender": None}),
    (MessageTooLong, {"text": LONG}),
    (NoRecipients, {"contacts": 0}),
    (SubscriptionRequired, {"subscribed": False}),
    (InsufficientCredits, {"credits": 1}),
]


@pytest.mark.parametrize("first", range(len(REFUSED)))
def test_refusals_come_in_the_order_of_the_contract(world: World, first: int) -> None:
    """Everything from some reason on is wrong; the first of them is told."""
    expected, _ = REFUSED[first]
    wrong: dict[str, Any] = {}
    for _, how in reversed(REFUSED[first:]):
        wrong |= how
    account = shop(world, credits=wrong.get("credits", 1_000))
    people(world, account, wrong.get("contacts", 2))
    campaign = written(world, account, wrong.get("text", "Hello"))
    if not wrong.get("subscribed", True):
        end_subscription(world, account)
    limits = policy(parts_max=10)
    terms = attrs.evolve(limits, fallback_sender=wrong.get("sender", "Shop"))

    with pytest.raises(expected):
        StartCampaign(world.transactions, world.clock, terms)(account, campaign.id)

    if expected is not NoRecipients:
        assert now_of(world, campaign) == campaign
    assert wallet(world, account).held == 0


def test_too_few_credits_tell_what_is_needed(world: World) -> None:
    account = shop(world, credits=4)
    people(world, account, 5)

    with pytest.raises(InsufficientCredits) as refusal:
        start(world, written(world, account))

    assert (refusal.value.required, refusal.value.available) == (5, 4)


def test_who_is_refused_takes_no_message_numbers(world: World) -> None:
    poor = shop(world, credits=4)
    people(world, poor, 5)
    campaign, before = written(world, poor), numbers_given(world)

    with pytest.raises(InsufficientCredits):
        start(world, campaign)

    assert numbers_given(world) == before


def test_who_starts_and_cancels_again_and_again_is_stopped_for_a_day(world: World) -> None:
    account = shop(world)
    people(world, account, 4)
    for _ in range(2):
        campaign = written(world, account)
        start(world, campaign, recipients_daily_max=8)
        CancelCampaign(world.transactions, world.clock)(account, campaign.id)
    before, refused = numbers_given(world), written(world, account)

    with pytest.raises(PlannedTooMany):
        start(world, refused, recipients_daily_max=8)

    assert numbers_given(world) == before
    assert now_of(world, refused) == refused
    assert wallet(world, account) == Wallet(available=1_000)
    world.clock.advance(timedelta(hours=24))
    start(world, refused, recipients_daily_max=8)


def test_a_store_may_be_allowed_any_number_of_recipients(world: World) -> None:
    account = shop(world)
    people(world, account, 4)

    start(world, written(world, account), recipients_daily_max=0)


def test_without_message_numbers_a_campaign_stays_as_it_is_until_there_are_some(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = shop(world)
    people(world, account, 4)
    campaign = written(world, account)
    monkeypatch.setattr("retail_core.testing.messages.numbers.CODE_NUMBER_MAX", 3)

    with pytest.raises(NumbersUsedUp):
        start(world, campaign)

    assert now_of(world, campaign) == campaign
    assert wallet(world, account) == Wallet(available=1_000)


def test_the_last_credit_can_be_spent(world: World) -> None:
    account = shop(world, credits=5)
    people(world, account, 5)

    start(world, written(world, account))

    assert wallet(world, account) == Wallet(available=0, held=5)


def test_countries_without_a_price_are_left_out(world: World) -> None:
    account = shop(world)
    people(world, account, 1)
    people(world, account, 1, country="FR")

    outcome = start(world, written(world, account), prices=PriceList({"GR": 3}, None))

    assert (outcome.queued, outcome.credits_held) == (1, 3)


def test_resuming_plans_and_holds_nothing_again(world: World) -> None:
    account = shop(world)
    people(world, account, 4)
    campaign = written(world, account)
    start(world, campaign)
    Pipeline.over(world).dispatch()
    pause(world, campaign)

    outcome = start(world, campaign)

    assert outcome == StartedCampaign(campaign.id, 1, 1, 1)
    assert now_of(world, campaign).state is CampaignState.SENDING
    assert wallet(world, account) == Wallet(available=996, held=1)


def test_resuming_needs_a_subscription(world: World) -> None:
    account = shop(world)
    people(world, account, 1)
    campaign = written(world, account)
    start(world, campaign)
    pause(world, campaign)
    end_subscription(world, account)

    with pytest.raises(SubscriptionRequired):
        start(world, campaign)

    assert now_of(world, campaign).state is CampaignState.PAUSED
