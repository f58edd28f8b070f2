"""What may be relied on about subscriptions."""

from retail_core.billing.model import Plan, Subscription, SubscriptionStatus
from retail_core.kernel.ids import AccountId
from tests.contracts.worlds import World


def subscribed(world: World, plan: Plan = Plan.STARTER) -> AccountId:
    """A new account with an active subscription."""
    account = world.new_account()
    with world.transactions.begin(account) as uow:
        uow.subscriptions.save(account, Subscription().activated(plan, world.clock.now()))
    return account


class SubscriptionStoreContract:
    def test_an_account_that_never_had_one_is_inactive(self, world: World) -> None:
        account = world.new_account()

        with world.transactions.begin(account) as uow:
            assert uow.subscriptions.get(account) == Subscription()
            assert not uow.subscriptions.is_active(account)

    def test_a_subscription_comes_back_as_it_was_saved(self, world: World) -> None:
        account = world.new_account()
        now = world.clock.now()
        saved = Subscription(
            plan=Plan.PRO,
            status=SubscriptionStatus.ACTIVE,
            stripe_customer_id=f"cus_{account}",
            stripe_subscription_id=f"sub_{account}",
            interval=Plan.PRO.interval,
            current_period_start=now,
            current_period_end=now,
            cancel_at_period_end=True,
            last_free_credits_allocated_at=now,
        )
        with world.transactions.begin(account) as uow:
            uow.subscriptions.save(account, saved)

        with world.transactions.begin(account) as uow:
            assert uow.subscriptions.get(account) == saved

    def test_the_last_save_wins(self, world: World) -> None:
        account = subscribed(world, Plan.STARTER)
        with world.transactions.begin(account) as uow:
            uow.subscriptions.save(account, Subscription(status=SubscriptionStatus.CANCELLED))

        with world.transactions.begin(account) as uow:
            assert not uow.subscriptions.is_active(account)

    def test_does_not_see_another_accounts_rows(self, world: World) -> None:
        mine, theirs = world.new_account(), subscribed(world)

        with world.transactions.begin(mine) as uow:
            assert not uow.subscriptions.is_active(theirs)


class SubscriptionQueriesContract:
    def test_the_current_subscription_is_shown(self, world: World) -> None:
        account = subscribed(world, Plan.PRO)

        current = world.subscription_queries.current(account)

        assert (current.plan, current.is_active) == (Plan.PRO, True)

    def test_an_account_that_never_had_one_is_shown_an_inactive_one(self, world: World) -> None:
        assert world.subscription_queries.current(world.new_account()) == Subscription()


class SubscriptionsContract:
    """The narrow port of campaigns, which the same store satisfies."""

    def test_an_active_subscription_lets_a_shop_send(self, world: World) -> None:
        account = subscribed(world)

        with world.transactions.begin(account) as uow:
            assert uow.subscriptions.is_active(account)
