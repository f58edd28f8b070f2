"""What the edge and the rooms above may rely on about accounts and their sessions."""

from datetime import timedelta
from itertools import count

import attrs
import pytest

from retail_core.accounts.errors import AccountNotFound, EmailTaken
from retail_core.accounts.model import (
    Account,
    Device,
    Locale,
    NewAccount,
    NewSession,
    RefreshToken,
    Session,
)
from retail_core.credits.model import Wallet
from retail_core.kernel.ids import SYSTEM_ACCOUNT, AccountId, SessionId
from retail_core.kernel.smart_encoding import SmartEncoding
from retail_core.testing.clock import NOON
from tests.contracts.worlds import World

HOUR = timedelta(hours=1)
NOBODY = AccountId(2_000_000_000)
NO_SESSION = SessionId(2_000_000_000)
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


def a_session(world: World, account: AccountId) -> Session:
    new = NewSession(
        account=account,
        device=Device("203.0.113.7", "Browser"),
        created_at=NOON,
        expires_at=NOON + HOUR,
        ends_at=NOON + 2 * HOUR,
    )
    with world.transactions.begin(account) as uow:
        return uow.sessions.add(new)


def a_token(world: World, session: Session) -> RefreshToken:
    token = RefreshToken(next(_numbers).to_bytes(32), session.account, session.id, 1, NOON + HOUR)
    with world.transactions.begin(session.account) as uow:
        uow.sessions.add_token(token)
    return token


def is_live(world: World, session: Session) -> bool:
    return world.session_queries.is_live(session.account, session.id, NOON)


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

    def test_it_does_not_see_another_accounts_rows(self, world: World) -> None:
        mine, theirs = an_account(world), an_account(world)

        with world.transactions.begin(mine.id) as uow:
            uow.accounts.set_password_hash(theirs.id, "stolen", NOON)
            with pytest.raises(AccountNotFound):
                uow.accounts.get(theirs.id)

        assert world.account_queries.find(theirs.id) == theirs


class SessionStoreContract:
    def test_a_session_begins_in_its_first_generation(self, world: World) -> None:
        account = an_account(world)

        session = a_session(world, account.id)

        assert (session.generation, session.rotated_at, session.revoked_at) == (1, NOON, None)
        assert session.device == Device("203.0.113.7", "Browser")

    def test_a_session_is_found_by_its_token(self, world: World) -> None:
        session = a_session(world, an_account(world).id)
        token = a_token(world, session)

        with world.transactions.across_accounts() as uow:
            assert uow.sessions.lock_by_token_across_accounts(token.hash) == (session, token)
            assert uow.sessions.lock_by_token_across_accounts(b"?" * 32) is None

    def test_a_saved_session_is_read_again(self, world: World) -> None:
        session = a_session(world, an_account(world).id)
        token = a_token(world, session)
        later = NOON + HOUR
        changed = attrs.evolve(
            session, generation=2, rotated_at=later, last_used_at=later, expires_at=NOON + 2 * HOUR
        )

        with world.transactions.begin(session.account) as uow:
            uow.sessions.save(changed)

        with world.transactions.across_accounts() as uow:
            assert uow.sessions.lock_by_token_across_accounts(token.hash) == (changed, token)

    def test_an_ended_session_keeps_the_time_of_its_first_end(self, world: World) -> None:
        session = a_session(world, an_account(world).id)
        token = a_token(world, session)

        with world.transactions.begin(session.account) as uow:
            assert uow.sessions.revoke(session.account, session.id, NOON)
            assert uow.sessions.revoke(session.account, session.id, NOON + HOUR)

        with world.transactions.across_accounts() as uow:
            found = uow.sessions.lock_by_token_across_accounts(token.hash)
        assert found is not None
        assert found[0].revoked_at == NOON

    def test_an_unknown_session_cannot_be_ended(self, world: World) -> None:
        account = an_account(world)

        with world.transactions.begin(account.id) as uow:
            assert not uow.sessions.revoke(account.id, NO_SESSION, NOON)

    def test_all_sessions_but_one_can_be_ended(self, world: World) -> None:
        account = an_account(world).id
        kept, one, two = (a_session(world, account) for _ in range(3))

        with world.transactions.begin(account) as uow:
            assert uow.sessions.revoke_others(account, kept.id, NOON) == 2
            assert uow.sessions.revoke_others(account, kept.id, NOON) == 0

        assert [is_live(world, each) for each in (kept, one, two)] == [True, False, False]

    def test_all_sessions_can_be_ended(self, world: World) -> None:
        session = a_session(world, an_account(world).id)

        with world.transactions.begin(session.account) as uow:
            assert uow.sessions.revoke_others(session.account, None, NOON) == 1

        assert not is_live(world, session)

    def test_it_does_not_see_another_accounts_rows(self, world: World) -> None:
        mine, theirs = an_account(world).id, a_session(world, an_account(world).id)

        with world.transactions.begin(mine) as uow:
            assert not uow.sessions.revoke(mine, theirs.id, NOON)
            assert not uow.sessions.revoke(theirs.account, theirs.id, NOON)
            uow.sessions.save(attrs.evolve(theirs, revoked_at=NOON))
            assert uow.sessions.revoke_others(theirs.account, None, NOON) == 0

        assert is_live(world, theirs)


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


class SessionQueriesContract:
    def test_a_session_is_live_until_it_expires(self, world: World) -> None:
        session = a_session(world, an_account(world).id)

        def live_at(after: timedelta) -> bool:
            return world.session_queries.is_live(session.account, session.id, NOON + after)

        assert live_at(HOUR - timedelta(seconds=1))
        assert not live_at(HOUR)

    def test_an_ended_session_is_not_live(self, world: World) -> None:
        session = a_session(world, an_account(world).id)

        with world.transactions.begin(session.account) as uow:
            uow.sessions.revoke(session.account, session.id, NOON)

        assert not is_live(world, session)

    def test_an_unknown_session_is_not_live(self, world: World) -> None:
        assert not world.session_queries.is_live(an_account(world).id, NO_SESSION, NOON)

    def test_it_does_not_see_another_accounts_rows(self, world: World) -> None:
        theirs = a_session(world, an_account(world).id)

        assert not world.session_queries.is_live(an_account(world).id, theirs.id, NOON)
