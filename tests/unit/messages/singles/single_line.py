"""Single messages planned and looked at, for the tests of sending them."""

from typing import Any

from retail_core.kernel.ids import AccountId
from retail_core.messages.model import (
    MessageState,
    NewSingle,
    single_credits_key,
)
from retail_core.testing.messages.singles.rows import StoredSingle
from tests.contracts.messages.singles.stage import single
from tests.contracts.worlds import World


def plan(world: World, account: AccountId, **changes: Any) -> NewSingle:
    """A message of two credits, which are held."""
    message = single(world, account, **changes)
    with world.transactions.begin(account) as uow:
        assert uow.singles.add(account, message, world.clock.now())
        key = f"hold:{single_credits_key(message.number)}"
        uow.credits.hold(account, key, message.credits, None)
    return message


def row_of(world: World, message: NewSingle) -> StoredSingle:
    with world.transactions.across_accounts() as uow:
        found: StoredSingle | None = uow.singles.tables.singles.get(message.number)  # type: ignore[attr-defined]
    assert found is not None
    return found


def state_of(world: World, message: NewSingle) -> tuple[MessageState, str | None]:
    row = row_of(world, message)
    return row.state, row.error_code
