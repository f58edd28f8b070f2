"""API keys: their text, their rules, and when their use is written down."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retail_core.accounts.errors import ApiKeyNotFound
from retail_core.accounts.model import ApiKey, KeyText, Scope, api_key_hash
from retail_core.accounts.use_cases import (
    ApiKeyOrder,
    CreateApiKey,
    MadeApiKey,
    NoteApiKeyUse,
    RevokeApiKey,
)
from retail_core.kernel.errors import InvalidField
from retail_core.kernel.idempotency import Once
from retail_core.kernel.ids import AccountId, ApiKeyId
from retail_core.testing.accounts.api_keys import MemoryApiKeyQueries
from retail_core.testing.kernel.clock import NOON, FixedClock
from retail_core.testing.kernel.randomness import SeededRandomness
from retail_core.testing.memory import MemoryDatabase, MemoryTransactions, MemoryUnitOfWork

SHOP = AccountId(2)
ORDER = ApiKeyOrder("till", (Scope.CONTACTS_READ,), None)


@attrs.frozen
class KeyRing:
    """The use cases over one database in memory."""

    clock: FixedClock = attrs.field(factory=FixedClock)
    database: MemoryDatabase = attrs.field(factory=MemoryDatabase)
    randomness: SeededRandomness = attrs.field(factory=SeededRandomness)

    @property
    def transactions(self) -> MemoryTransactions:
        return MemoryTransactions(self.database)

    def make(self, order: ApiKeyOrder = ORDER) -> MadeApiKey:
        return CreateApiKey(self.transactions, self.randomness, self.clock)(SHOP, order)

    def revoke(self, account: AccountId, key: ApiKeyId) -> None:
        RevokeApiKey(self.transactions, self.clock)(account, key)

    def present(self, text: str) -> ApiKey | None:
        queries = MemoryApiKeyQueries(self.database)
        return queries.find_by_hash_across_accounts(api_key_hash(text))

    def use(self, text: str) -> ApiKey:
        key = self.present(text)
        assert key is not None
        NoteApiKeyUse(self.transactions, self.clock)(key)
        used = self.present(text)
        assert used is not None
        return used


@given(prefix=st.binary(min_size=5, max_size=5), secret=st.binary(min_size=32, max_size=32))
def test_every_text_has_the_form_of_the_contract(prefix: bytes, secret: bytes) -> None:
    text = KeyText.of(prefix, secret)

    assert re.fullmatch(r"rsk_[a-z2-7]{8}_[A-Za-z0-9_-]{43}", text.text)
    assert text.text.startswith(f"{text.prefix}_")
    assert len(text.hash) == 32


def test_only_a_hash_of_the_text_is_kept() -> None:
    ring = KeyRing()

    made = ring.make()

    kept = repr(ring.database.tables.api_keys.items())
    assert made.text not in kept
    assert made.text not in repr(made)
    assert ring.present(made.text) == made.key


@pytest.mark.parametrize(
    ("order", "path"),
    [
        (attrs.evolve(ORDER, name=""), "name"),
        (attrs.evolve(ORDER, name="a" * 81), "name"),
        (attrs.evolve(ORDER, scopes=()), "scopes"),
        (attrs.evolve(ORDER, scopes=(Scope.LISTS_READ, Scope.LISTS_READ)), "scopes"),
        (attrs.evolve(ORDER, expires_at=NOON), "expiresAt"),
    ],
)
def test_bad_orders_are_refused(order: ApiKeyOrder, path: str) -> None:
    ring = KeyRing()

    with pytest.raises(InvalidField) as caught:
        ring.make(order)

    assert [fault.path for fault in caught.value.fields] == [path]
    assert len(ring.database.tables.api_keys) == 0


def test_a_key_lets_in_until_it_expires() -> None:
    key = KeyRing().make(attrs.evolve(ORDER, expires_at=NOON + timedelta(hours=1))).key

    assert key.is_live(NOON + timedelta(minutes=59))
    assert not key.is_live(NOON + timedelta(hours=1))


def test_an_ended_key_lets_nobody_in_and_may_be_ended_again() -> None:
    ring = KeyRing()
    made = ring.make()

    ring.revoke(SHOP, made.key.id)
    ring.revoke(SHOP, made.key.id)

    key = ring.present(made.text)
    assert key is not None
    assert not key.is_live(NOON)


def test_another_shops_key_cannot_be_ended() -> None:
    ring = KeyRing()
    made = ring.make()

    with pytest.raises(ApiKeyNotFound):
        ring.revoke(AccountId(3), made.key.id)

    assert ring.present(made.text) == made.key


def test_a_use_is_written_down_once_a_minute() -> None:
    ring = KeyRing()
    text = ring.make().text

    assert ring.use(text).last_used_at == NOON
    ring.clock.advance(timedelta(seconds=59))
    assert ring.use(text).last_used_at == NOON
    ring.clock.advance(timedelta(seconds=1))
    assert ring.use(text).last_used_at == NOON + timedelta(minutes=1)


def test_most_uses_begin_no_transaction() -> None:
    ring = KeyRing()
    text = ring.make().text
    begun = []

    class Counted(MemoryTransactions):
        @contextmanager
        def begin(self, account: AccountId, once: Once | None = None) -> Iterator[MemoryUnitOfWork]:
            begun.append(account)
            with super().begin(account, once) as uow:
                yield uow

    for _ in range(10):
        key = ring.present(text)
        assert key is not None
        NoteApiKeyUse(Counted(ring.database), ring.clock)(key)

    assert begun == [SHOP]
