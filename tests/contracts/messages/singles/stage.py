"""Single messages on their way: the stage for the contracts about them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from retail_core.contacts.model import Contact
from retail_core.kernel.ids import AccountId, MessageNumber, ProviderId
from retail_core.messages.model import (
    ClaimedSingle,
    DeliveryReport,
    MessageKind,
    MessageState,
    NewSingle,
    SingleResult,
    SingleShare,
)
from retail_core.templates.encoding import Encoding, TextSize
from tests.contracts.staging import (
    LEASE,
    phone,
)
from tests.contracts.worlds import World

SENT, FAILED, UNKNOWN = MessageState.SENT, MessageState.FAILED, MessageState.UNKNOWN
DELIVERED, CANCELLED = MessageState.DELIVERED, MessageState.CANCELLED


def single(world: World, account: AccountId, **changes: Any) -> NewSingle:
    """A test message that costs two credits, unless told otherwise."""
    with world.transactions.begin(account) as uow:
        number = uow.numbers.reserve_block(1)
    plain: dict[str, Any] = {
        "number": number,
        "kind": MessageKind.TEST,
        "occasion": f"test:{number}",
        "reason": "sms:test",
        "phone": phone(account),
        "sender": "Shop",
        "text": "Γεια\n{} $&",
        "size": TextSize(Encoding.UCS2, 2, 90),
        "credits": 2,
    }
    return NewSingle(**plain | changes)


def planned(world: World, account: AccountId, **changes: Any) -> NewSingle:
    """A message that waits; its credits are not held here."""
    message = single(world, account, **changes)
    with world.transactions.begin(account) as uow:
        assert uow.singles.add(account, message, world.clock.now())
    return message


def to_contact(world: World, contact: Contact, account: AccountId, **changes: Any) -> NewSingle:
    """A message of an automation to somebody."""
    kind = {"kind": MessageKind.AUTOMATION, "contact": contact.id, "phone": contact.phone}
    return planned(world, account, **kind | changes)


def intend(
    world: World,
    account: AccountId,
    ref: UUID,
    singles_max: int = 100,
    numbers: Sequence[MessageNumber] | None = None,
) -> Sequence[ClaimedSingle]:
    now = world.clock.now()
    with world.transactions.begin(account) as uow:
        return uow.singles.commit_intent(
            account, ref, now, now + LEASE, now.date(), singles_max, numbers
        )


def settle(
    world: World, account: AccountId, ref: UUID, *results: SingleResult
) -> Sequence[SingleShare]:
    with world.transactions.begin(account) as uow:
        return uow.singles.settle(account, ref, results, world.clock.now())


def result_of(message: NewSingle, state: MessageState) -> SingleResult:
    provider_id = ProviderId(f"id-{message.number}") if state is SENT else None
    return SingleResult(message.number, state, provider_id)


def share_of(account: AccountId, message: NewSingle, state: MessageState) -> SingleShare:
    return SingleShare(account, message.number, message.credits, message.reason, state)


def apply(
    world: World, *reports: DeliveryReport
) -> tuple[Sequence[DeliveryReport], Sequence[SingleShare]]:
    with world.transactions.across_accounts() as uow:
        unmatched, shares = uow.singles.apply_reports_across_accounts(reports, world.clock.now())
    return list(unmatched), list(shares)


def clear(world: World) -> None:
    """Nothing of other tests is due."""
    with world.transactions.across_accounts() as uow:
        while account := uow.singles.due_account_across_accounts(world.clock.now()):
            now = world.clock.now()
            uow.singles.commit_intent(account, uuid4(), now, now + LEASE, now.date(), 1_000)
