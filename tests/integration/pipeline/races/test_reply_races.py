"""A reply that is kept for repeats, and an erasure at the same time."""

import time
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from adapters_db.connection.connections import Connections
from retail_core.kernel.idempotency import AlreadyDone, Once, StoredReply
from tests.contracts.staging import shop
from tests.contracts.worlds import World

pytestmark = pytest.mark.servers
REPLY = StoredReply(201, b"Ana")
AT_ONCE_SECONDS = 3.0


@pytest.fixture
def once(world: World) -> Once:
    """A key whose effect is done, and whose reply was not written down yet."""
    once = Once(shop(world), "key", b"request")
    with world.transactions.begin(once.account, once) as uow:
        uow.effect(1)
    return once


@pytest.fixture
def erasing(world: World, once: Once) -> Iterator[None]:
    """Somebody of the account is being erased, and that is not committed yet."""
    with world.transactions.begin(once.account) as uow:
        uow.contacts.lock_for_removing(once.account)
        yield


def kept(world: World, once: Once) -> StoredReply | None:
    with pytest.raises(AlreadyDone) as repeat, world.transactions.begin(once.account, once):
        pass
    return repeat.value.reply


@pytest.mark.usefixtures("erasing")
def test_a_reply_is_not_kept_while_somebody_is_erased_and_nobody_waits(
    world: World, once: Once
) -> None:
    began = time.monotonic()

    world.replies.save(once, REPLY)

    assert time.monotonic() - began < AT_ONCE_SECONDS
    assert kept(world, once) is None


def test_replies_to_what_began_after_an_erasure_are_kept(
    world: World, once: Once, connections: Connections
) -> None:
    with connections.sweep() as connection:
        connection.execute(
            text("INSERT INTO reply_barrier VALUES (:account, now() - interval '1 hour')"),
            {"account": once.account},
        )

    world.replies.save(once, REPLY)

    assert kept(world, once) == REPLY
