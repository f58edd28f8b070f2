"""Links as they are in people's phones."""

from typing import Any, Final
from uuid import uuid4

from adapters_db.connection.connections import Connections
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import AccountId, CampaignId, ContactId, MessageNumber
from retail_core.links.codes import LinkCodes, OptOutToken, issue_token
from retail_core.messages.model import MessageKind, NewSingle
from retail_core.templates.encoding import measure
from tests.contracts.messages.singles import stage as single_stage
from tests.contracts.worlds import World, sql_world
from tests.http.api import VARIABLES, Shop
from tests.http.people import create

SECRET: Final = VARIABLES["UNSUBSCRIBE_TOKEN_SECRET"].encode()
CODES: Final = LinkCodes(SECRET)
FORM: Final = "application/x-www-form-urlencoded"
TEXT: Final = "An offer for you"


def token_for(shop: Shop, contact: int, *, store: int | None = None, secret: bytes = SECRET) -> str:
    claim = OptOutToken(ContactId(contact), AccountId(store or shop.id), CampaignId(7))
    return issue_token(claim, secret, shop.api.clock.now())


def written_to(shop: Shop, **fields: object) -> tuple[MessageNumber, dict[str, Any]]:
    """A new contact to whom a message was handed over, and its number."""
    contact = create(shop, **fields)
    number = _planned(shop, contact["phone"], MessageKind.AUTOMATION, ContactId(contact["id"]))
    handed_over = single_stage.intend(_world(shop), shop.id, uuid4())
    assert [each.number for each in handed_over] == [number]
    return number, contact


def a_test(shop: Shop, phone: str) -> MessageNumber:
    """A test message to a number."""
    return _planned(shop, phone, MessageKind.TEST, None)


def _planned(shop: Shop, phone: str, kind: MessageKind, contact: ContactId | None) -> MessageNumber:
    world = _world(shop)
    with world.transactions.begin(shop.id) as uow:
        number = uow.numbers.reserve_block(1)
        single = NewSingle(
            number=number,
            kind=kind,
            occasion=f"{kind.value}:{number}",
            reason="sms:link",
            phone=PhoneNumber(phone),
            sender="Shop",
            text=TEXT,
            size=measure(TEXT),
            credits=0,
            contact=contact,
        )
        uow.singles.add(shop.id, single, world.clock.now())
    return number


def _world(shop: Shop) -> World:
    """The stores behind the API, at its time."""
    world = sql_world(shop.api.container.resolve(Connections))
    world.clock.moment = shop.api.clock.now()
    return world
