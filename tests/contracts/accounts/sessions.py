"""What the edge may rely on about sessions and their refresh tokens."""

from datetime import timedelta
from itertools import count

import attrs

from retail_core.accounts.model import Device, NewSession, RefreshToken, Session
from retail_core.kernel.ids import AccountId, SessionId
from retail_core.kernel.pages import Page, PageRequest
from retail_core.testing.kernel.clock import NOON
from tests.contracts.accounts.accounts import HOUR, an_account
from tests.contracts.worlds import World

HALF = timedelta(minutes=30)
NO_SESSION = SessionId(2_000_000_000)
_numbers = count(1)


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

    def test_a_session_ends_once(self, world: World) -> None:
        session = a_session(world, an_account(world).id)
        token = a_token(world, session)

        with world.transactions.begin(session.account) as uow:
            assert uow.sessions.revoke(session.account, session.id, NOON)
            assert not uow.sessions.revoke(session.account, session.id, NOON + HALF)

        with world.transactions.across_accounts() as uow:
            found = uow.sessions.lock_by_token_across_accounts(token.hash)
        assert found is not None
        assert found[0].revoked_at == NOON

    def test_an_unknown_session_cannot_be_ended(self, world: World) -> None:
        account = an_account(world)

        with world.transactions.begin(account.id) as uow:
            assert not uow.sessions.revoke(account.id, NO_SESSION, NOON)

    def test_an_expired_session_cannot_be_ended(self, world: World) -> None:
        session = a_session(world, an_account(world).id)

        with world.transactions.begin(session.account) as uow:
            assert not uow.sessions.revoke(session.account, session.id, NOON + HOUR)

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

    def test_live_sessions_are_listed_with_the_newest_first(self, world: World) -> None:
        account = an_account(world).id
        one, ended, two, three = (a_session(world, account) for _ in range(4))
        with world.transactions.begin(account) as uow:
            uow.sessions.revoke(account, ended.id, NOON)

        def page(number: int, after: timedelta = timedelta()) -> Page[Session]:
            return world.session_queries.page_live(account, NOON + after, PageRequest(number, 2))

        assert page(1) == Page((three, two), 3, 1, 2)
        assert page(2) == Page((one,), 3, 2, 2)
        assert page(3) == Page((), 3, 3, 2)
        assert page(1, HOUR) == Page((), 0, 1, 2)

    def test_it_does_not_see_another_accounts_rows(self, world: World) -> None:
        theirs = a_session(world, an_account(world).id)

        mine = an_account(world).id
        assert not world.session_queries.is_live(mine, theirs.id, NOON)
        assert world.session_queries.page_live(mine, NOON, PageRequest(1, 2)).total == 0
