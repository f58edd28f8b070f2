"""The link in a message by which a person leaves and comes back: which number it means."""

import attrs

from retail_core.contacts.model.contact import Contact
from retail_core.contacts.model.number_hash import NumberHash
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import AccountId, CampaignId, ContactId, MessageNumber


@attrs.frozen
class OptOutLink:
    """What a link means: the number that its text went to, as STOP from that number would.

    `phone` is that number, `phone_hash` what is left of it where it was forgotten. A token of the
    legacy back end names no message: it means the number that its `contact` has now. With none of
    the three nothing is known any more. A link of a test is for the owner to try, and changes
    nothing.
    """

    account: AccountId
    contact: ContactId | None
    campaign: CampaignId | None
    message: MessageNumber | None = None
    is_confirmation: bool = False
    is_test: bool = False
    phone: PhoneNumber | None = attrs.field(default=None, repr=False)
    phone_hash: bytes | None = attrs.field(default=None, repr=False)

    @property
    def source_ref(self) -> str | None:
        """What the ledger names as the place where the link stood."""
        if self.message is not None:
            return f"message:{self.message}"
        return None if self.campaign is None else f"campaign:{self.campaign}"

    @property
    def names_a_number(self) -> bool:
        """Whether there is a number to bar, whoever has it."""
        return self.phone is not None or self.phone_hash is not None

    def means(self, contact: Contact, number_hash: NumberHash) -> bool:
        """Whether a contact has the number of this link now."""
        if self.phone is not None:
            return contact.phone == self.phone
        if self.phone_hash is not None:
            return number_hash.of(contact.phone) == self.phone_hash
        return contact.id == self.contact
