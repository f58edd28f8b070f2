"""What the core may rely on from the store of replies to idempotent requests."""

from datetime import timedelta

import pytest

from retail_core.kernel.idempotency import AlreadyDone, Once, StoredReply
from tests.contracts.worlds import World


class IdempotencyRepliesContract:
    def test_a_repeat_gets_the_bytes_that_were_sent(self, world: World) -> None:
        once = self.done(world)
        reply = StoredReply(201, b'{"id": 1, "name": "\xce\xa9"}')

        world.replies.save(once, reply)

        assert self.repeated(world, once) == reply

    def test_the_first_reply_stays(self, world: World) -> None:
        once = self.done(world)
        world.replies.save(once, StoredReply(201, b"first"))

        world.replies.save(once, StoredReply(200, b"second"))

        assert self.repeated(world, once) == StoredReply(201, b"first")

    def test_a_reply_without_an_effect_is_not_kept(self, world: World) -> None:
        once = Once(world.new_account(), "key", b"request")

        world.replies.save(once, StoredReply(201, b"{}"))

        with world.transactions.begin(once.account, once) as uow:
            uow.effect(1)

    def test_a_reply_to_another_request_is_not_kept(self, world: World) -> None:
        once = self.done(world)

        world.replies.save(with_fingerprint(once, b"other"), StoredReply(201, b"{}"))

        assert self.repeated(world, once) is None

    def test_old_keys_are_forgotten(self, world: World) -> None:
        once = self.done(world)

        # the database stamps keys by its own clock, so ask beyond any clock
        removed = world.replies.remove_older_across_accounts(
            world.clock.now() + timedelta(days=36_500)
        )

        assert removed >= 1
        with world.transactions.begin(once.account, once):
            pass

    def test_young_keys_are_kept(self, world: World) -> None:
        once = self.done(world)

        world.replies.remove_older_across_accounts(world.clock.now() - timedelta(days=36_500))

        assert self.repeated(world, once) is None

    def done(self, world: World) -> Once:
        """A key whose effect exists."""
        once = Once(world.new_account(), "key", b"request")
        with world.transactions.begin(once.account, once) as uow:
            uow.effect(1)
        return once

    def repeated(self, world: World, once: Once) -> StoredReply | None:
        """The reply that a repeat is given."""
        with pytest.raises(AlreadyDone) as repeat, world.transactions.begin(once.account, once):
            pass
        return repeat.value.reply


def with_fingerprint(once: Once, fingerprint: bytes) -> Once:
    return Once(once.account, once.key, fingerprint)
