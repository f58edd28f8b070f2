"""Shops and a customer of theirs who texts back."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from retail_core.contacts.model import ConsentEvent, ConsentSource, Contact
from retail_core.contacts.use_cases import Actor
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import AccountId
from tests.contracts.people import added, draft, history
from tests.contracts.staging import sent, started
from tests.contracts.worlds import World

NUMBER: Final = PhoneNumber("+306984303406")
BARE: Final = NUMBER[1:]
DAY: Final = timedelta(days=1)


def customer(world: World, account: AccountId, number: PhoneNumber = NUMBER) -> Contact:
    """Somebody who got a campaign."""
    [contact] = added(world, account, draft(number))
    started(world, account)
    sent(world)
    return contact


def now_of(world: World, account: AccountId, contact: Contact) -> Contact:
    view = world.contact_queries.find(account, contact.id)
    assert view is not None
    return view.contact


def facts(world: World, account: AccountId, contact: Contact) -> Sequence[ConsentEvent]:
    """What happened after the consent with which they were staged, the newest first."""
    *since, _ = history(world, account, contact.id)
    return since


def owner(account: AccountId) -> Actor:
    return Actor(account, ConsentSource.MANUAL)
