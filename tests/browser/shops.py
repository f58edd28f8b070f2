"""A shop whose customers hold links in their phones."""

from datetime import UTC, datetime
from typing import Any, Final

import attrs

from retail_core.accounts.model import Locale
from retail_core.contacts.model import (
    ConsentSource,
    Contact,
    ContactChanges,
    SuppressionReason,
)
from retail_core.contacts.model.number_hash import NumberHash
from retail_core.contacts.use_cases import Actor, DeleteContact, UpdateContact
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import AccountId, MessageNumber
from retail_core.messages.model import MessageKind, NewSingle
from retail_core.templates.encoding import measure
from tests.contracts import staging
from tests.contracts.worlds import World
from tests.http.links import CODES, SECRET

HASH: Final = NumberHash.derived(SECRET)
TEXT: Final = "An offer for you"

State = tuple[bool, frozenset[SuppressionReason]]
OUT: Final[State] = (False, frozenset({SuppressionReason.UNSUBSCRIBE}))
IN: Final[State] = (True, frozenset())


@attrs.frozen
class Shop:
    """One account, and where its customers' links lead."""

    world: World
    account: AccountId
    site: str

    @classmethod
    def opened(cls, world: World, site: str) -> "Shop":
        """A new shop of today: the links in its messages are young."""
        world.clock.moment = datetime.now(UTC)
        return cls(world, staging.shop(world), site)

    def called(self, company: str, locale: Locale = Locale.EN) -> "Shop":
        """Give it a name and a language."""
        with self.world.transactions.begin(self.account) as uow:
            account = uow.accounts.lock(self.account)
            uow.accounts.save_profile(attrs.evolve(account, company=company, locale=locale))
        return self

    def customer(self, **fields: Any) -> Contact:
        [contact] = staging.people(self.world, self.account, 1, **fields)
        return contact

    def written_to(self, *contacts: Contact) -> list[str]:
        """Send everybody of the shop a campaign; the links in the messages of these contacts."""
        staging.clear_the_stage(self.world)
        campaign = staging.started(self.world, self.account, text=TEXT)
        staging.sent(self.world)
        assert campaign.first_number is not None
        numbers = [MessageNumber(campaign.first_number + at) for at in range(campaign.total)]
        found = {
            origin.contact: number
            for number in numbers
            if (origin := self.world.message_origins.find_across_accounts(number)) is not None
        }
        return [self.link(found[contact.id]) for contact in contacts]

    def single(self, kind: MessageKind, contact: Contact | None = None) -> str:
        """The link in a message of another kind."""
        with self.world.transactions.begin(self.account) as uow:
            number = uow.numbers.reserve_block(1)
            phone = staging.phone(self.account) if contact is None else contact.phone
            single = NewSingle(
                number=number,
                kind=kind,
                occasion=f"{kind.value}:{number}",
                reason="sms:browser",
                phone=phone,
                sender="Shop",
                text=TEXT,
                size=measure(TEXT),
                credits=1,
                contact=None if contact is None else contact.id,
            )
            uow.singles.add(self.account, single, self.world.clock.now())
        return self.link(number)

    def link(self, number: MessageNumber) -> str:
        return f"{self.site}/u/{CODES.opt_out_code(number)}"

    def delete(self, contact: Contact) -> None:
        DeleteContact(self.world.transactions, self.world.clock, HASH)(self.account, contact.id)

    def renumber(self, contact: Contact) -> None:
        """Give somebody another number, as the owner does."""
        update = UpdateContact(self.world.transactions, self.world.clock, HASH)
        changes = ContactChanges(phone="6984999999")
        update(Actor(self.account, ConsentSource.MANUAL), contact.id, changes, region="GR")

    def bars(self, number: PhoneNumber) -> bool:
        """Whether a contact who is given this number is not written to."""
        with self.world.transactions.begin(self.account) as uow:
            uow.suppressions.name_forgotten(self.account, {number: HASH.of(number)})
            found = uow.suppressions.reasons(self.account, number)
            return SuppressionReason.UNSUBSCRIBE in found

    def state_of(self, contact: Contact) -> State:
        """Whether somebody is subscribed, and what bars the number."""
        found = self.world.contact_queries.find(self.account, contact.id)
        assert found is not None
        with self.world.transactions.begin(self.account) as uow:
            return found.contact.is_subscribed, uow.suppressions.reasons(
                self.account, contact.phone
            )
