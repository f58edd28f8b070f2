"""Planning test messages: all is checked first, and held in one go."""

from typing import Any

import attrs
import pytest

from retail_core.accounts.model import Locale, NewAccount
from retail_core.billing.model import Plan, Subscription
from retail_core.campaigns.errors import (
    InvalidTestNumbers,
    NoMessageText,
    NoValidSender,
    UnknownPlaceholder,
)
from retail_core.campaigns.model import Campaign
from retail_core.campaigns.use_cases import PlannedTests, PlanTestMessages
from retail_core.campaigns.use_cases.trying import HEAD_START
from retail_core.credits.errors import InsufficientCredits
from retail_core.credits.model import Wallet
from retail_core.kernel.idempotency import AlreadyDone, Once
from retail_core.kernel.ids import AccountId
from retail_core.kernel.money import PriceList
from retail_core.messages.queries import MessageRecord
from tests.contracts.staging import CODES, FOREVER, numbers_given, policy, shop, written
from tests.contracts.worlds import World, memory_world
from tests.unit.campaigns.test_starting import wallet

ONE, TWO, FRENCH = "+306984303401", "+306984303402", "+33612345678"


@pytest.fixture
def world() -> World:
    return memory_world()


@pytest.fixture
def account(world: World) -> AccountId:
    return shop(world, credits=100)


def plan(
    world: World, campaign: Campaign, *to: str, once: Once | None = None, **changes: Any
) -> list[MessageRecord]:
    use_case = PlanTestMessages(
        world.transactions, world.clock, attrs.evolve(policy(low_credits=0), **changes), CODES
    )
    tests = use_case(campaign.account_id, campaign.id, to, once=once)
    return list(world.message_queries.of_occasions(campaign.account_id, tests.occasions))


def greek_shop(world: World) -> AccountId:
    """A store that writes Greek, and may send."""
    now = world.clock.now()
    store = NewAccount(
        email="greek@example.com",
        password_hash="none",
        sender_name=None,
        company=None,
        default_country="GR",
        locale=Locale.EL,
        created_at=now,
    )
    with world.transactions.across_accounts() as uow:
        account = uow.accounts.add_across_accounts(store).id
    with world.transactions.begin(account) as uow:
        uow.subscriptions.save(account, Subscription().activated(Plan.STARTER, now))
        uow.credits.grant(account, "gift", 100, "test")
    return account


def test_each_number_gets_links_of_its_own_and_its_own_price(
    world: World, account: AccountId
) -> None:
    first, second = plan(world, written(world, account, "Hi {{firstName}}"), ONE, FRENCH)

    assert (
        first.text == f"Hi Maria\nStop: https://shop.example/u/{CODES.opt_out_code(first.number)}"
    )
    assert second.text != first.text
    assert [row.credits for row in (first, second)] == [1, 2]
    assert wallet(world, account) == Wallet(available=97, held=3)


def test_the_sample_speaks_the_language_of_the_store(world: World) -> None:
    account = greek_shop(world)

    (row,) = plan(world, written(world, account, "{{firstName}}"), ONE)

    assert row.text is not None
    assert row.text.startswith("Μαρία\n")


@pytest.mark.parametrize(
    ("text", "error"), [(" ", NoMessageText), ("{{nickname}}", UnknownPlaceholder)]
)
def test_a_text_that_cannot_be_sent_is_not_tried(
    world: World, account: AccountId, text: str, error: type[Exception]
) -> None:
    campaign = written(world, account, text)

    with pytest.raises(error):
        plan(world, campaign, ONE)


def test_a_store_without_a_sender_tries_nothing(world: World, account: AccountId) -> None:
    with pytest.raises(NoValidSender):
        plan(world, written(world, account), ONE, fallback_sender=None)


def test_a_country_without_a_price_is_not_sent_to(world: World, account: AccountId) -> None:
    with pytest.raises(InvalidTestNumbers) as caught:
        plan(world, written(world, account), ONE, FRENCH, prices=PriceList({"GR": 1}, None))

    assert [fault.path for fault in caught.value.fields] == ["to[1]"]


def test_without_credits_for_all_nothing_is_planned(world: World) -> None:
    poor = shop(world, credits=1)
    campaign, before = written(world, poor), numbers_given(world)

    with pytest.raises(InsufficientCredits):
        plan(world, campaign, ONE, TWO)

    assert wallet(world, poor) == Wallet(available=1)
    assert numbers_given(world) == before
    with world.transactions.across_accounts() as uow:
        assert not uow.singles.due_across_accounts(FOREVER)


def test_a_worker_sends_them_if_whoever_was_asked_does_not(
    world: World, account: AccountId
) -> None:
    plan(world, written(world, account), ONE)

    with world.transactions.across_accounts() as uow:
        early = uow.singles.due_account_across_accounts(world.clock.now())
        late = uow.singles.due_account_across_accounts(world.clock.now() + HEAD_START)
        (job,) = uow.jobs.take_due_across_accounts(world.clock.now() + HEAD_START, 10)

    assert (early, late, job.job.kind) == (None, account, "send_singles")


def test_a_repeat_of_the_same_request_names_the_first_of_them(
    world: World, account: AccountId
) -> None:
    campaign, once = written(world, account), Once(account, "key", b"same")
    first, _ = plan(world, campaign, ONE, TWO, once=once)

    with pytest.raises(AlreadyDone) as caught:
        plan(world, campaign, ONE, TWO, once=once)

    assert caught.value.effect == first.number
    occasions = PlannedTests(first.number).occasions
    assert len(world.message_queries.of_occasions(account, occasions)) == 2
