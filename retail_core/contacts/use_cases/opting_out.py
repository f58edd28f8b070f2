"""The person's own way out, and back in, by the link in a message."""

import enum
from datetime import datetime, timedelta
from typing import Final

import attrs

from retail_core.contacts.errors import ContactGone, ContactSuppressed, InvalidToken
from retail_core.contacts.model import (
    LIFTED_BY_LINK,
    ConsentFact,
    ConsentSource,
    ConsentType,
    Contact,
    SuppressionEntry,
    SuppressionReason,
)
from retail_core.contacts.ports import ContactOwners, ContactsUnitOfWork, MessageOrigins
from retail_core.kernel.clock import Clock
from retail_core.kernel.ids import AccountId, CampaignId, ContactId, MessageNumber
from retail_core.kernel.ports import Transactions

CODE_LIFE_DAYS: Final = 396
"""13 months; a signed token carries its own end instead."""

USER_AGENT_LENGTH_MAX: Final = 300


@attrs.frozen
class SignedClaim:
    """What a signed token says; its signature and its end have been checked."""

    account: AccountId
    contact: ContactId
    campaign: CampaignId | None


@attrs.frozen
class OptOutLink:
    """Whom a link is for. `contact` may no longer exist; None says that it surely does not."""

    account: AccountId
    contact: ContactId | None
    campaign: CampaignId | None
    message: MessageNumber | None = None
    is_confirmation: bool = False

    @property
    def source_ref(self) -> str | None:
        """What the ledger names as the place where the link stood."""
        if self.message is not None:
            return f"message:{self.message}"
        return None if self.campaign is None else f"campaign:{self.campaign}"


@attrs.frozen
class Client:
    """The browser that pressed the button, as far as the ledger keeps it."""

    ip: str | None = None
    user_agent: str | None = None
    locale: str | None = None


@attrs.frozen
class ResolveOptOut:
    """Find out whom a link is for; a code is known by the number of its message."""

    origins: MessageOrigins
    owners: ContactOwners
    clock: Clock

    def __call__(self, claim: SignedClaim | MessageNumber) -> OptOutLink:
        """Raises `InvalidToken`: no such message, 13 months over, or contact of another store."""
        if isinstance(claim, SignedClaim):
            owner = self.owners.find_across_accounts(claim.contact)
            if owner not in (None, claim.account):
                raise InvalidToken
            contact = None if owner is None else claim.contact
            return OptOutLink(claim.account, contact, claim.campaign)
        origin = self.origins.find_across_accounts(claim)
        if origin is None or origin.at + timedelta(days=CODE_LIFE_DAYS) <= self.clock.now():
            raise InvalidToken
        return OptOutLink(
            origin.account, origin.contact, origin.campaign, claim, origin.is_confirmation
        )


class OptOut(enum.Enum):
    """What pressing Stop came to."""

    DONE = "done"
    ALREADY = "already"
    """They were out, and still are; nothing was changed."""
    GONE = "gone"
    """There is no such contact any more."""


@attrs.frozen
class Unsubscribe:
    """Take a person out: consent withdrawn and number barred, in one transaction."""

    transactions: Transactions[ContactsUnitOfWork]
    clock: Clock

    def __call__(self, link: OptOutLink, client: Client) -> OptOut:
        """However often it is pressed, only what changes something is written down."""
        now = self.clock.now()
        if link.contact is None:
            return OptOut.GONE
        with self.transactions.begin(link.account) as uow:
            contact = uow.contacts.lock(link.account, link.contact)
            if contact is None:
                return OptOut.GONE
            if _is_out(uow, link.account, contact):
                return OptOut.ALREADY
            if contact.is_subscribed:
                fact = _fact(link, contact.id, ConsentType.WITHDRAWN, client, now)
                uow.consents.append(link.account, fact)
                uow.contacts.save(link.account, contact.unsubscribed(now))
            entry = SuppressionEntry(
                phone=contact.phone,
                reason=SuppressionReason.UNSUBSCRIBE,
                at=now,
                source="link",
                contact=contact.id,
            )
            # counted from now, so that no confirmation that was asked for before is sent
            uow.suppressions.lift(link.account, contact.phone, frozenset({entry.reason}))
            uow.suppressions.add(link.account, entry)
            return OptOut.DONE


@attrs.frozen
class Resubscribe:
    """Take a person in again, if he only ever left by himself."""

    transactions: Transactions[ContactsUnitOfWork]
    clock: Clock

    def __call__(self, link: OptOutLink, client: Client) -> None:
        """Also when he is in already. Raises `ContactGone`, `ContactSuppressed`."""
        now = self.clock.now()
        if link.contact is None:
            raise ContactGone
        kind = ConsentType.CONFIRMED if link.is_confirmation else ConsentType.GRANTED
        with self.transactions.begin(link.account) as uow:
            contact = uow.contacts.lock(link.account, link.contact)
            if contact is None:
                raise ContactGone
            if uow.suppressions.reasons(link.account, contact.phone) - LIFTED_BY_LINK:
                raise ContactSuppressed
            lifted = uow.suppressions.lift(link.account, contact.phone, LIFTED_BY_LINK)
            if contact.is_subscribed and not lifted:
                return
            uow.consents.append(link.account, _fact(link, contact.id, kind, client, now))
            uow.contacts.save(link.account, contact.subscribed(now))


def _is_out(uow: ContactsUnitOfWork, account: AccountId, contact: Contact) -> bool:
    """Whether an opt-out would change nothing. Whoever was asked since, says no once more."""
    if contact.is_subscribed or uow.consents.is_asked(account, contact.id):
        return False
    return SuppressionReason.UNSUBSCRIBE in uow.suppressions.reasons(account, contact.phone)


def _fact(
    link: OptOutLink, contact: ContactId, kind: ConsentType, client: Client, now: datetime
) -> ConsentFact:
    agent = client.user_agent[:USER_AGENT_LENGTH_MAX] if client.user_agent else None
    return ConsentFact(
        contact=contact,
        type=kind,
        source=ConsentSource.LINK,
        at=now,
        source_ref=link.source_ref,
        ip=client.ip,
        user_agent=agent,
        locale=client.locale,
        campaign=link.campaign,
    )
