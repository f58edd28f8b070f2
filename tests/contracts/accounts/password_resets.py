"""What setting a forgotten password may rely on."""

from datetime import timedelta

from retail_core.accounts.model import reset_token_hash
from retail_core.kernel.ids import AccountId
from tests.contracts.worlds import World

HOUR = timedelta(hours=1)
NOBODY = AccountId(0)


def issue(world: World, account: AccountId, text: str) -> bytes:
    token = reset_token_hash(f"{text} of {account}")
    with world.transactions.begin(account) as uow:
        uow.password_resets.issue(account, token, world.clock.now() + HOUR)
    return token


def owner(world: World, token: bytes) -> AccountId | None:
    with world.transactions.across_accounts() as uow:
        return uow.password_resets.owner_across_accounts(token, world.clock.now())


def take(world: World, account: AccountId, token: bytes) -> bool:
    with world.transactions.begin(account) as uow:
        return uow.password_resets.take(account, token, world.clock.now())


class PasswordResetStoreContract:
    def test_a_token_is_taken_once(self, world: World) -> None:
        account = world.new_account()
        token = issue(world, account, "first")

        assert owner(world, token) == account
        assert take(world, account, token)
        assert not take(world, account, token)
        assert owner(world, token) is None

    def test_an_unknown_token_is_nobodys(self, world: World) -> None:
        assert not take(world, world.new_account(), reset_token_hash("made up"))
        assert owner(world, reset_token_hash("made up")) is None

    def test_a_token_ends_with_its_hour(self, world: World) -> None:
        account = world.new_account()
        token = issue(world, account, "first")

        world.clock.advance(HOUR)

        assert owner(world, token) is None
        assert not take(world, account, token)

    def test_a_fresh_token_voids_the_older_one(self, world: World) -> None:
        account = world.new_account()
        old, new = issue(world, account, "first"), issue(world, account, "second")

        assert not take(world, account, old)
        assert take(world, account, new)

    def test_a_token_can_be_voided(self, world: World) -> None:
        account = world.new_account()
        token = issue(world, account, "first")
        with world.transactions.begin(account) as uow:
            uow.password_resets.void(account)
            uow.password_resets.void(account)

        assert owner(world, token) is None

    def test_nobody_has_no_token(self, world: World) -> None:
        with world.transactions.across_accounts() as uow:
            uow.password_resets.void(NOBODY)

    def test_it_does_not_see_another_accounts_rows(self, world: World) -> None:
        account, other = world.new_account(), world.new_account()
        token = issue(world, account, "first")

        with world.transactions.begin(other) as uow:
            uow.password_resets.void(account)
            now = world.clock.now()
            assert uow.password_resets.owner_across_accounts(token, now) is None
            assert not uow.password_resets.take(account, token, now)
            assert not uow.password_resets.take(other, token, now)
        assert take(world, account, token)
