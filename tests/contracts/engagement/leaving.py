"""Leaving by STOP, and being told so: what the tests about it share."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

import attrs

from retail_core.contacts.model import Contact
from retail_core.engagement.model import StopConfirmationPolicy
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import AccountId
from retail_core.kernel.pages import PageRequest
from retail_core.messages.model import MessageKind
from retail_core.messages.queries import MessageFilter, MessageRecord
from retail_core.messages.use_cases import SendSingleMessages
from retail_core.testing.kernel.clock import ClockPause
from retail_core.testing.kernel.randomness import SeededRandomness
from retail_core.testing.messages.gateway import FakeGateway, FakePace
from tests.answering import HASH, SHOP, apply_all, record
from tests.contracts.messages.singles.stage import SENT, intend, planned, result_of, settle
from tests.contracts.people import added, draft, phones
from tests.contracts.worlds import World

ON: Final = StopConfirmationPolicy(is_on=True, fallback_sender=SHOP)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def phone(account: AccountId) -> PhoneNumber:
    """A valid number that no other test uses."""
    return phones(account)[0]


def write(world: World, account: AccountId, number: PhoneNumber) -> None:
    """Hand a message over to a number."""
    message = planned(world, account, phone=number)
    ref = uuid4()
    intend(world, account, ref, numbers=[message.number])
    settle(world, account, ref, result_of(message, SENT))


def customer(
    world: World, account: AccountId, number: PhoneNumber | None = None, **changes: Any
) -> Contact:
    """Somebody who was written to."""
    [contact] = added(world, account, draft(number or phone(account), **changes))
    write(world, account, contact.phone)
    return contact


def answer(
    world: World, number: PhoneNumber, text: str = "STOP", to: str = "", **policy: Any
) -> None:
    """Let a text of its own arrive and be applied."""
    record(world, number, text, to, id=f"{uuid4()}")
    apply_all(world, attrs.evolve(ON, **policy))


def told(world: World, account: AccountId) -> Sequence[MessageRecord]:
    """The texts that confirm a STOP."""
    which = MessageFilter(kind=MessageKind.CONFIRMATION)
    return world.message_queries.page(account, which, PageRequest(1, 100)).items


def send(world: World, account: AccountId, gateway: FakeGateway | None = None) -> int:
    """Send what is due of a store."""
    use = SendSingleMessages(
        world.transactions,
        gateway or FakeGateway(world.clock),
        FakePace(world.clock),
        ClockPause(world.clock),
        world.clock,
        SeededRandomness(uuid4().int),
        HASH,
    )
    return use.send(account)
