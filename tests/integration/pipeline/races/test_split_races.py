"""Whoever leaves while a batch is cut in two is found in the new one."""

from collections.abc import Callable
from functools import partial

import pytest

from retail_core.contacts.model import Contact
from retail_core.kernel.ids import AccountId
from retail_core.messages.model import ClaimedBatch
from tests.contracts.staging import all_claims, claimed, people, shop, started
from tests.contracts.worlds import World
from tests.integration.pipeline.races.test_leaving_races import (
    Everything,
    beside,
    delete,
    erase,
    frozen,
)


def halve(world: World, batch: ClaimedBatch, transactions: Everything) -> None:
    with transactions.begin(batch.key.account) as uow:
        assert uow.batches.split(batch, world.clock.now())


def take_out(world: World, contact: Contact, account: AccountId, transactions: Everything) -> None:
    """Without what the use cases lock before, so that it waits by itself."""
    del world
    with transactions.begin(account) as uow:
        assert uow.message_traces.forget(account, [contact.id]) == 1


@pytest.mark.parametrize("leave", [take_out, erase, delete])
def test_whoever_leaves_while_a_batch_is_cut_stands_in_neither_part(
    world: World, leave: Callable[..., object]
) -> None:
    account = shop(world)
    *_, gone = everybody = people(world, account, 4, first_name="Ana")
    campaign = started(world, account, text="{{firstName}}", batch_messages_max=4)
    batch = claimed(world)

    beside(
        world,
        partial(halve, world, batch),
        partial(leave, world, gone, account, world.transactions),
    )

    stay = [(each.id, each.phone) for each in everybody[:-1]]
    assert frozen(world, campaign) == [(None, None), *stay]


def test_whoever_was_moved_to_another_batch_is_held_there(world: World) -> None:
    account = shop(world)
    *_, gone = people(world, account, 4)
    started(world, account, batch_messages_max=4)
    batch = claimed(world)

    def claims_beside_the_hold() -> list[ClaimedBatch]:
        """What somebody else could hand over meanwhile."""
        with world.transactions.begin(account) as uow:
            assert not uow.message_traces.hold(account, gone.id)
            return all_claims(world)

    free = beside(world, partial(halve, world, batch), claims_beside_the_hold)

    assert gone.id not in {each for claim in free for each in claim.recipients.contacts}
