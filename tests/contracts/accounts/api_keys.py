"""What the edge may rely on about API keys."""

from datetime import timedelta
from itertools import count

import attrs

from retail_core.accounts.model import ApiKey, KeyText, NewApiKey, Scope
from retail_core.kernel.ids import AccountId, ApiKeyId
from retail_core.kernel.pages import Page, PageRequest
from retail_core.testing.kernel.clock import NOON
from tests.contracts.accounts.accounts import HOUR, an_account
from tests.contracts.worlds import World

MINUTE = timedelta(minutes=1)
NO_KEY = ApiKeyId(2_000_000_000)
_numbers = count(1)


def a_text() -> KeyText:
    number = next(_numbers)
    return KeyText.of(number.to_bytes(5), number.to_bytes(32))


def an_api_key(world: World, account: AccountId, text: KeyText | None = None) -> ApiKey:
    text = text or a_text()
    new = NewApiKey(
        account=account,
        name="till",
        prefix=text.prefix,
        hash=text.hash,
        scopes=(Scope.LISTS_READ, Scope.CONTACTS_READ),
        created_at=NOON,
        expires_at=NOON + HOUR,
    )
    with world.transactions.begin(account) as uow:
        return uow.api_keys.add(new)


def found(world: World, key: ApiKey) -> ApiKey | None:
    return world.api_key_queries.find(key.account, key.id)


class ApiKeyStoreContract:
    def test_a_new_key_is_kept_as_it_was_ordered(self, world: World) -> None:
        account = an_account(world).id
        text = a_text()

        key = an_api_key(world, account, text)

        assert key == ApiKey(
            id=key.id,
            account=account,
            name="till",
            prefix=text.prefix,
            scopes=(Scope.LISTS_READ, Scope.CONTACTS_READ),
            created_at=NOON,
            last_used_at=None,
            expires_at=NOON + HOUR,
            revoked_at=None,
        )

    def test_an_ended_key_keeps_the_time_of_its_first_end(self, world: World) -> None:
        key = an_api_key(world, an_account(world).id)

        with world.transactions.begin(key.account) as uow:
            assert uow.api_keys.revoke(key.account, key.id, NOON)
            assert uow.api_keys.revoke(key.account, key.id, NOON + HOUR)

        assert found(world, key) == attrs.evolve(key, revoked_at=NOON)

    def test_an_unknown_key_cannot_be_ended(self, world: World) -> None:
        account = an_account(world).id

        with world.transactions.begin(account) as uow:
            assert not uow.api_keys.revoke(account, NO_KEY, NOON)

    def test_a_use_is_noted_unless_one_is_known(self, world: World) -> None:
        key = an_api_key(world, an_account(world).id)

        def use(after: timedelta) -> timedelta | None:
            now = NOON + after
            with world.transactions.begin(key.account) as uow:
                uow.api_keys.note_use(key.account, key.id, now, now - MINUTE)
            used = found(world, key)
            assert used is not None
            assert used.last_used_at is not None
            return used.last_used_at - NOON

        assert use(timedelta()) == timedelta()
        assert use(MINUTE - timedelta(seconds=1)) == timedelta()
        assert use(MINUTE) == MINUTE
        assert use(HOUR) == HOUR

    def test_it_does_not_see_another_accounts_rows(self, world: World) -> None:
        mine, theirs = an_account(world).id, an_api_key(world, an_account(world).id)

        with world.transactions.begin(mine) as uow:
            for account in (mine, theirs.account):
                assert not uow.api_keys.revoke(account, theirs.id, NOON)
                uow.api_keys.note_use(account, theirs.id, NOON, NOON - MINUTE)

        assert found(world, theirs) == theirs


class ApiKeyQueriesContract:
    def test_a_key_is_found_by_the_hash_of_its_text(self, world: World) -> None:
        text = a_text()
        key = an_api_key(world, an_account(world).id, text)

        assert world.api_key_queries.find_by_hash_across_accounts(text.hash) == key
        assert world.api_key_queries.find_by_hash_across_accounts(a_text().hash) is None

    def test_an_ended_key_is_still_found(self, world: World) -> None:
        text = a_text()
        key = an_api_key(world, an_account(world).id, text)

        with world.transactions.begin(key.account) as uow:
            uow.api_keys.revoke(key.account, key.id, NOON)

        ended = attrs.evolve(key, revoked_at=NOON)
        assert world.api_key_queries.find_by_hash_across_accounts(text.hash) == ended

    def test_keys_are_listed_with_the_newest_first(self, world: World) -> None:
        account = an_account(world).id
        one, two, three = (an_api_key(world, account) for _ in range(3))
        with world.transactions.begin(account) as uow:
            uow.api_keys.revoke(account, two.id, NOON)

        def page(number: int) -> Page[ApiKey]:
            return world.api_key_queries.page(account, PageRequest(number, 2))

        assert page(1) == Page((three, attrs.evolve(two, revoked_at=NOON)), 3, 1, 2)
        assert page(2) == Page((one,), 3, 2, 2)
        assert page(3) == Page((), 3, 3, 2)

    def test_it_does_not_see_another_accounts_rows(self, world: World) -> None:
        mine, theirs = an_account(world).id, an_api_key(world, an_account(world).id)

        assert world.api_key_queries.find(mine, theirs.id) is None
        assert world.api_key_queries.find(mine, NO_KEY) is None
        assert world.api_key_queries.page(mine, PageRequest(1, 2)) == Page((), 0, 1, 2)
