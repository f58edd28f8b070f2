"""What the edge and the rooms above may rely on about accounts."""

from datetime import time, timedelta
from itertools import count

import attrs
import pytest

from retail_core.accounts.errors import AccountNotFound, EmailTaken
from retail_core.accounts.model import Account, Locale, NewAccount, QuietHours, Weekday
from retail_core.credits.model import Wallet
from retail_core.kernel.ids import SYSTEM_ACCOUNT, AccountId
from retail_core.kernel.smart_encoding import SmartEncoding
from retail_core.testing.kernel.clock import NOON
from tests.contracts.worlds import World

HOUR = timedelta(hours=1)
NOBODY = AccountId(2_000_000_000)
_numbers = count(1)


def a_new_account(email: str | None = None) -> NewAccount:
    return NewAccount(
        email=email or f"owner{next(_numbers)}@shop.example",
        password_hash="hash",
        sender_name="Shop",
        company=None,
        default_country="CY",
        locale=Locale.EL,
        created_at=NOON,
    )


def an_account(world: World, email: str | None = None) -> Account:
    with world.transactions.across_accounts() as uow:
        return uow.accounts.add_across_accounts(a_new_account(email))


class AccountStoreContract:
    def test_a_new_account_has_the_defaults(self, world: World) -> None:
        account = an_account(world)

        assert account.id > SYSTEM_ACCOUNT
        assert account.smart_encoding is SmartEncoding.OFF
        assert (account.quiet_hours, account.timezone, account.adults_only) == (None, None, False)
        assert (account.default_country, account.locale) == ("CY", Locale.EL)
        assert account.created_at == account.updated_at == NOON

    def test_an_address_belongs_to_one_account(self, world: World) -> None:
        taken = an_account(world).email

        with world.transactions.across_accounts() as uow:
            with pytest.raises(EmailTaken):
                uow.accounts.add_across_accounts(a_new_account(taken))
            other = uow.accounts.add_across_accounts(a_new_account())

        assert world.account_queries.find(other.id) == other

    def test_an_account_is_found_by_its_address(self, world: World) -> None:
        account = an_account(world)

        with world.transactions.across_accounts() as uow:
            assert uow.accounts.find_by_email_across_accounts(account.email) == account
            assert uow.accounts.find_by_email_across_accounts("nobody@shop.example") is None

    def test_an_account_reads_itself(self, world: World) -> None:
        account = an_account(world)

        with world.transactions.begin(account.id) as uow:
            assert uow.accounts.get(account.id) == account

    def test_an_unknown_account_is_not_found(self, world: World) -> None:
        with world.transactions.begin(NOBODY) as uow, pytest.raises(AccountNotFound):
            uow.accounts.get(NOBODY)

    def test_a_password_hash_is_replaced(self, world: World) -> None:
        account = an_account(world)

        with world.transactions.begin(account.id) as uow:
            uow.accounts.set_password_hash(account.id, "other", NOON + HOUR)

        changed = attrs.evolve(account, password_hash="other", updated_at=NOON + HOUR)
        assert world.account_queries.find(account.id) == changed

    def test_a_locked_account_reads_the_same(self, world: World) -> None:
        account = an_account(world)

        with world.transactions.begin(account.id) as uow:
            assert uow.accounts.lock(account.id) == account
        with world.transactions.begin(NOBODY) as uow, pytest.raises(AccountNotFound):
            uow.accounts.lock(NOBODY)

    def test_a_profile_is_saved_without_address_and_password(self, world: World) -> None:
        account = an_account(world)
        changed = attrs.evolve(
            account,
            sender_name=None,
            company="Shop Ltd",
            timezone="America/Argentina/Buenos_Aires",
            adults_only=True,
            quiet_hours=QuietHours(time(21), time(9, 30), (Weekday.SUN,)),
            default_country="GR",
            locale=Locale.EN,
            smart_encoding=SmartEncoding.GREEK,
            updated_at=NOON + HOUR,
        )
        taken_over = attrs.evolve(changed, email="other@shop.example", password_hash="other")

        with world.transactions.begin(account.id) as uow:
            uow.accounts.save_profile(taken_over)

        assert world.account_queries.find(account.id) == changed

    def test_it_does_not_see_another_accounts_rows(self, world: World) -> None:
        mine, theirs = an_account(world), an_account(world)

        with world.transactions.begin(mine.id) as uow:
            uow.accounts.set_password_hash(theirs.id, "stolen", NOON)
            uow.accounts.save_profile(attrs.evolve(theirs, company="stolen"))
            with pytest.raises(AccountNotFound):
                uow.accounts.lock(theirs.id)
            with pytest.raises(AccountNotFound):
                uow.accounts.get(theirs.id)

        assert world.account_queries.find(theirs.id) == theirs


class WalletOpeningContract:
    def test_an_opened_wallet_is_empty_and_stays_as_it_is(self, world: World) -> None:
        account = an_account(world).id

        with world.transactions.across_accounts() as uow:
            uow.credits.open(account)
        with world.transactions.begin(account) as uow:
            uow.credits.grant(account, "gift", 5, "test")
            uow.credits.open(account)
            assert uow.credits.wallet(account) == Wallet(available=5)


class AccountQueriesContract:
    def test_an_account_is_found(self, world: World) -> None:
        account = an_account(world)

        assert world.account_queries.find(account.id) == account

    def test_an_unknown_account_is_none(self, world: World) -> None:
        assert world.account_queries.find(NOBODY) is None
