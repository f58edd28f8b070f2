"""People who hold links in their phones, and what owners do to their contacts meanwhile."""

import itertools
from typing import Final

import attrs

from retail_core.campaigns.errors import NoRecipients
from retail_core.contacts.model import (
    ConsentSource,
    Contact,
    ContactChanges,
    ContactForm,
    OptOutLink,
    SuppressionReason,
)
from retail_core.contacts.ports import MessageOrigins
from retail_core.contacts.queries import ContactFilter, SuppressionFilter
from retail_core.contacts.use_cases import (
    Actor,
    Client,
    CreateContact,
    DeleteContact,
    DeleteContacts,
    EraseContact,
    OptOut,
    ResolveOptOut,
    Resubscribe,
    SignedClaim,
    Unsubscribe,
    UpdateContact,
)
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import AccountId, ContactId, MessageNumber
from retail_core.kernel.ports import Transactions
from tests.answering import HASH
from tests.contracts import staging
from tests.contracts.every_store import EveryStore
from tests.contracts.people import added, draft
from tests.contracts.worlds import World

CLIENT: Final = Client("203.0.113.7", "Mozilla/5.0", "el")
OUT: Final = frozenset({SuppressionReason.UNSUBSCRIBE})

_numbers: Final = itertools.count(1)


@attrs.frozen
class Owner:
    """An account, and what its owner and its customers do, in these transactions."""

    world: World
    account: AccountId
    transactions: Transactions[EveryStore]

    @classmethod
    def of(cls, world: World) -> "Owner":
        staging.clear_the_stage(world)
        return cls(world, staging.shop(world), world.transactions)

    @property
    def actor(self) -> Actor:
        return Actor(self.account, ConsentSource.MANUAL)

    def number(self) -> PhoneNumber:
        """One that no other test uses, and that the store may enter by hand."""
        return PhoneNumber(f"+306984{next(_numbers):06d}")

    def has(self, number: PhoneNumber) -> Contact:
        [contact] = added(self.world, self.account, draft(number, first_name="Ana"))
        return contact

    def creates(self, number: PhoneNumber) -> ContactId:
        create = CreateContact(self.transactions, self.world.clock, HASH)
        return create(self.actor, ContactForm(phone=number, is_subscribed=True), region="GR")

    def changes(self, contact: ContactId, number: PhoneNumber) -> None:
        update = UpdateContact(self.transactions, self.world.clock, HASH)
        update(self.actor, contact, ContactChanges(phone=number), region="GR")

    def deletes(self, contact: ContactId) -> None:
        DeleteContact(self.transactions, self.world.clock, HASH)(self.account, contact)

    def deletes_everybody(self) -> None:
        delete = DeleteContacts(self.transactions, self.world.clock, HASH)
        delete(self.account, ContactFilter(), dry_run=False)

    def erases(self, contact: ContactId) -> None:
        EraseContact(self.transactions, self.world.clock, HASH)(self.actor, contact)

    def writes(self) -> dict[PhoneNumber, MessageNumber]:
        """A campaign to everybody: which message went to which number. Empty if nobody is left."""
        try:
            campaign = staging.started(self.world, self.account)
        except NoRecipients:
            return {}
        staging.sent(self.world)
        assert campaign.first_number is not None
        numbers = [MessageNumber(campaign.first_number + at) for at in range(campaign.total)]
        origins = dict.fromkeys(numbers, self.world.message_origins)
        return {
            origin.phone: number
            for number, known in origins.items()
            if (origin := known.find_across_accounts(number)) is not None and origin.phone
        }

    def link(self, claim: MessageNumber | SignedClaim) -> OptOutLink:
        origins: MessageOrigins = self.world.message_origins
        return ResolveOptOut(origins, self.world.contact_owners, self.world.clock)(claim)

    def stop(self, claim: MessageNumber | SignedClaim) -> OptOut:
        """Somebody presses Stop."""
        return self.press(self.link(claim))

    def press(self, link: OptOutLink) -> OptOut:
        """The same, with a link that was looked up already."""
        return Unsubscribe(self.transactions, self.world.clock, HASH)(link, CLIENT)

    def start(self, claim: MessageNumber | SignedClaim) -> None:
        """Somebody presses Receive again, or confirms."""
        resubscribe = Resubscribe(self.transactions, self.world.clock, HASH)
        resubscribe(self.link(claim), CLIENT)

    def barred(self, number: PhoneNumber) -> frozenset[SuppressionReason]:
        with self.world.transactions.begin(self.account) as uow:
            return uow.suppressions.reasons(self.account, number)

    def subscribed(self, contact: ContactId) -> bool:
        found = self.world.contact_queries.find(self.account, contact)
        assert found is not None
        return found.contact.is_subscribed

    def phones_on_the_list(self) -> list[PhoneNumber | None]:
        """The numbers of all suppressions, as the owner sees them."""
        page = self.world.suppression_queries.page(
            self.account, SuppressionFilter(), staging.EVERY_MESSAGE
        )
        return [row.phone for row in page.items]
