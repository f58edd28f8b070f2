"""What the rooms above credits may rely on."""

import pytest

from retail_core.credits.errors import HoldExceeded, InsufficientCredits
from retail_core.credits.model import Wallet
from retail_core.credits.queries import CreditTransaction
from retail_core.kernel.ids import AccountId, CampaignId
from retail_core.kernel.pages import PageRequest
from tests.contracts.worlds import World

CAMPAIGN = CampaignId(17)


def shop_with(world: World, credits: int) -> AccountId:
    """A new account with this much in its wallet."""
    account = world.new_account()
    if credits:
        with world.transactions.begin(account) as uow:
            uow.credits.grant(account, "gift", credits, "test")
    return account


def wallet_of(world: World, account: AccountId) -> Wallet:
    with world.transactions.begin(account) as uow:
        return uow.credits.wallet(account)


def transactions_of(world: World, account: AccountId) -> tuple[CreditTransaction, ...]:
    """The newest first."""
    return world.credit_queries.transactions(account, PageRequest(1, 100)).items


def mark_low(world: World, account: AccountId, below: int) -> bool:
    with world.transactions.begin(account) as uow:
        return uow.credits.mark_low(account, below, world.clock.now())


class CreditLedgerContract:
    def test_an_account_without_a_wallet_has_nothing(self, world: World) -> None:
        assert wallet_of(world, world.new_account()) == Wallet()

    def test_opening_twice_changes_nothing(self, world: World) -> None:
        account = shop_with(world, 5)

        with world.transactions.begin(account) as uow:
            uow.credits.open(account)
            uow.credits.open(account)

        assert wallet_of(world, account) == Wallet(available=5)

    def test_an_account_without_a_wallet_can_be_locked(self, world: World) -> None:
        account = world.new_account()

        with world.transactions.begin(account) as uow:
            assert uow.credits.lock(account) == Wallet()

    def test_a_grant_is_available(self, world: World) -> None:
        assert wallet_of(world, shop_with(world, 100)) == Wallet(available=100)

    def test_a_key_grants_once(self, world: World) -> None:
        account = world.new_account()
        with world.transactions.begin(account) as uow:
            given = [uow.credits.grant(account, "invoice:1", 100, "test") for _ in range(2)]

        assert given == [True, False]
        assert wallet_of(world, account) == Wallet(available=100)

    def test_a_key_belongs_to_its_account(self, world: World) -> None:
        assert [wallet_of(world, shop_with(world, 5)).available for _ in range(2)] == [5, 5]

    def test_a_hold_sets_credits_aside(self, world: World) -> None:
        account = shop_with(world, 100)

        with world.transactions.begin(account) as uow:
            uow.credits.hold(account, "hold:c17", 30, CAMPAIGN)

        assert wallet_of(world, account) == Wallet(available=70, held=30)

    def test_nothing_to_hold_is_fine(self, world: World) -> None:
        account = world.new_account()

        with world.transactions.begin(account) as uow:
            uow.credits.hold(account, "hold:c17", 0, CAMPAIGN)

        assert wallet_of(world, account) == Wallet()

    @pytest.mark.parametrize("credits", [0, 99])
    def test_more_than_is_available_cannot_be_held(self, world: World, credits: int) -> None:
        account = shop_with(world, credits)

        with (
            pytest.raises(InsufficientCredits) as refusal,
            world.transactions.begin(account) as uow,
        ):
            uow.credits.hold(account, "hold:c17", 100, CAMPAIGN)

        assert refusal.value.extra == {"required": 100, "available": credits}
        assert wallet_of(world, account) == Wallet(available=credits)

    def test_a_key_holds_once(self, world: World) -> None:
        account = shop_with(world, 100)

        for _ in range(2):
            with world.transactions.begin(account) as uow:
                uow.credits.hold(account, "hold:c17", 60, CAMPAIGN)

        assert wallet_of(world, account) == Wallet(available=40, held=60)

    def test_low_credits_are_noted_once_until_more_come_in(self, world: World) -> None:
        account = shop_with(world, 100)
        assert not mark_low(world, account, 100)
        with world.transactions.begin(account) as uow:
            uow.credits.hold(account, "hold:c17", 60, CAMPAIGN)

        assert mark_low(world, account, 41)
        assert not mark_low(world, account, 41)
        with world.transactions.begin(account) as uow:
            uow.credits.release(account, "release:c17", 60, CAMPAIGN)
            uow.credits.hold(account, "hold:c18", 60, CAMPAIGN)
        assert not mark_low(world, account, 41)
        with world.transactions.begin(account) as uow:
            uow.credits.grant(account, "invoice:1", 100, "test")
            uow.credits.hold(account, "hold:c19", 100, CAMPAIGN)
        assert mark_low(world, account, 41)

    def test_what_only_pays_a_debt_leaves_credits_low(self, world: World) -> None:
        account = shop_with(world, 10)
        assert mark_low(world, account, 50)
        with world.transactions.begin(account) as uow:
            uow.credits.refund(account, "refund:1", 100, "stripe:refund")
            uow.credits.grant(account, "invoice:1", 90, "test")

        assert not mark_low(world, account, 50)
        with world.transactions.begin(account) as uow:
            uow.credits.adjust(account, "more", 1, "adjustment:kind")
        assert mark_low(world, account, 50)

    def test_credits_of_another_account_are_not_noted(self, world: World) -> None:
        account, other = shop_with(world, 1), shop_with(world, 1)
        with world.transactions.begin(other) as uow:
            assert not uow.credits.mark_low(account, 5, world.clock.now())

        assert not mark_low(world, world.new_account(), 5)
        assert mark_low(world, account, 5)

    def test_settling_spends_a_part_gives_a_part_back_and_keeps_the_rest(
        self, world: World
    ) -> None:
        account = holding(world, 30)

        settle(world, account, "ref", captured=20, released=4)

        assert wallet_of(world, account) == Wallet(available=74, held=6)

    def test_a_settlement_with_nothing_in_it_writes_nothing(self, world: World) -> None:
        account = holding(world, 30)

        settle(world, account, "ref", captured=0, released=0)

        assert wallet_of(world, account) == Wallet(available=70, held=30)
        assert len(transactions_of(world, account)) == 1

    @pytest.mark.parametrize(("captured", "released"), [(10, 0), (0, 10), (10, 5)])
    def test_a_reference_settles_once(self, world: World, captured: int, released: int) -> None:
        account = holding(world, 30)

        for _ in range(2):
            settle(world, account, "ref", captured=captured, released=released)

        wallet = Wallet(available=70 + released, held=30 - captured - released)
        assert wallet_of(world, account) == wallet

    @pytest.mark.parametrize(("captured", "released"), [(31, 0), (0, 31), (16, 15)])
    def test_more_than_is_held_cannot_be_settled(
        self, world: World, captured: int, released: int
    ) -> None:
        account = holding(world, 30)

        with pytest.raises(HoldExceeded):
            settle(world, account, "ref", captured=captured, released=released)

        assert wallet_of(world, account) == Wallet(available=70, held=30)

    def test_held_credits_can_be_given_back(self, world: World) -> None:
        account = holding(world, 30)

        with world.transactions.begin(account) as uow:
            uow.credits.release(account, "release:c17", 30, CAMPAIGN)

        assert wallet_of(world, account) == Wallet(available=100)

    def test_the_operator_gives_and_takes(self, world: World) -> None:
        account = shop_with(world, 100)

        with world.transactions.begin(account) as uow:
            uow.credits.adjust(account, "more", 10, "adjustment:kind")
            uow.credits.adjust(account, "less", -60, "adjustment:mistake")

        assert wallet_of(world, account) == Wallet(available=50)

    def test_the_operator_cannot_take_what_is_held(self, world: World) -> None:
        account = holding(world, 30)

        with pytest.raises(InsufficientCredits), world.transactions.begin(account) as uow:
            uow.credits.adjust(account, "less", -71, "adjustment:mistake")

    def test_a_refund_takes_what_is_there_and_the_rest_is_owed(self, world: World) -> None:
        account = holding(world, 30)

        with world.transactions.begin(account) as uow:
            uow.credits.refund(account, "refund:1", 100, "stripe:refund")

        assert wallet_of(world, account) == Wallet(available=0, held=30, debt=30)

    @pytest.mark.parametrize(
        ("granted", "wallet"),
        [
            (10, Wallet(held=30, debt=20)),
            (30, Wallet(held=30)),
            (50, Wallet(available=20, held=30)),
        ],
    )
    def test_a_debt_is_paid_first(self, world: World, granted: int, wallet: Wallet) -> None:
        account = holding(world, 30)
        with world.transactions.begin(account) as uow:
            uow.credits.refund(account, "refund:1", 100, "stripe:refund")

        for _ in range(2):
            with world.transactions.begin(account) as uow:
                uow.credits.grant(account, "invoice:2", granted, "test")

        assert wallet_of(world, account) == wallet

    def test_what_a_transfer_moved_can_be_asked_by_its_key(self, world: World) -> None:
        account, other = shop_with(world, 5), world.new_account()
        with world.transactions.begin(account) as uow:
            uow.credits.hold(account, "hold:c1", 3, None)

        with world.transactions.begin(account) as uow:
            assert (uow.credits.amount(account, "hold:c1"), uow.credits.amount(account, "x")) == (
                3,
                0,
            )
        with world.transactions.begin(other) as uow:
            assert uow.credits.amount(account, "hold:c1") == 0
            assert uow.credits.amount(other, "hold:c1") == 0

    def test_does_not_see_another_accounts_rows(self, world: World) -> None:
        mine, theirs = world.new_account(), shop_with(world, 100)

        with world.transactions.begin(mine) as uow:
            assert uow.credits.wallet(theirs) == Wallet()


def holding(world: World, credits: int) -> AccountId:
    """A shop with 100 credits, of which some are held."""
    account = shop_with(world, 100)
    with world.transactions.begin(account) as uow:
        uow.credits.hold(account, "hold:c17", credits, CAMPAIGN)
    return account


def settle(world: World, account: AccountId, ref: str, *, captured: int, released: int) -> None:
    with world.transactions.begin(account) as uow:
        uow.credits.settle(
            account, ref, captured, released, CAMPAIGN, "sms:send:campaign:17", messages=12
        )
