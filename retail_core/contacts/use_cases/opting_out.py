"""Opting out, and in again, by the link in a message."""

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
    OptOutLink,
    SuppressionEntry,
    SuppressionReason,
    SuppressionTerms,
)
from retail_core.contacts.model.number_hash import NumberHash
from retail_core.contacts.ports import ContactOwners, ContactsUnitOfWork, MessageOrigins
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import AccountId, CampaignId, ContactId, MessageNumber
from retail_core.kernel.ports import Transactions
from retail_core.kernel.time.clock import Clock

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
            return self._of_contact(claim)
        origin = self.origins.find_across_accounts(claim)
        if origin is None or origin.at + timedelta(days=CODE_LIFE_DAYS) <= self.clock.now():
            raise InvalidToken
        return OptOutLink(
            account=origin.account,
            contact=origin.contact,
            campaign=origin.campaign,
            message=claim,
            is_confirmation=origin.is_confirmation,
            is_test=origin.is_test,
            phone=origin.phone,
            phone_hash=origin.phone_hash,
        )

    def _of_contact(self, claim: SignedClaim) -> OptOutLink:
        """A token names no message: it means the contact, and the hash of one that was deleted."""
        owner = self.owners.find_across_accounts(claim.contact)
        if owner is None:
            former = self.owners.former_hash(claim.account, claim.contact)
            return OptOutLink(claim.account, None, claim.campaign, phone_hash=former)
        if owner != claim.account:
            raise InvalidToken
        return OptOutLink(claim.account, claim.contact, claim.campaign)


class OptOut(enum.Enum):
    """What pressing Stop came to."""

    DONE = "done"
    ALREADY = "already"
    """They were out, and still are; nothing was changed."""
    BARRED = "barred"
    """Nobody has the number; whoever is given it is not written to there."""
    GONE = "gone"
    """Neither contact nor number is known any more."""
    TEST = "test"
    """The link of a test: nothing was changed."""


@attrs.frozen
class Unsubscribe:
    """Bar the number that the text of a link went to, and withdraw the consent of whoever has it.

    It does what STOP from that number would. A contact that has another number by now is left
    alone: whoever holds the link need not be the one who is reached under the new number.
    """

    transactions: Transactions[ContactsUnitOfWork]
    clock: Clock
    number_hash: NumberHash

    def __call__(self, link: OptOutLink, client: Client) -> OptOut:
        """However often it is pressed, only what changes something is written down."""
        if link.is_test:
            return OptOut.TEST
        with self.transactions.begin(link.account) as uow:
            _wait_for_others(uow, link)
            contact = _holder(uow, link, self.number_hash)
            phone = link.phone if contact is None else contact.phone
            if phone is None:
                return self._bar_forgotten(uow, link)
            if contact is None and uow.suppressions.is_erased(
                link.account, self.number_hash.of(phone)
            ):
                return OptOut.BARRED  # for good, and the number is not to be kept again
            if _is_out(uow, link.account, contact, phone):
                return OptOut.BARRED if contact is None else OptOut.ALREADY
            self._take_out(uow, link, client, contact, phone)
            return OptOut.BARRED if contact is None else OptOut.DONE

    def _take_out(
        self,
        uow: ContactsUnitOfWork,
        link: OptOutLink,
        client: Client,
        contact: Contact | None,
        phone: PhoneNumber,
    ) -> None:
        now = self.clock.now()
        if contact is not None and contact.is_subscribed:
            fact = _fact(link, contact.id, ConsentType.WITHDRAWN, client, now)
            uow.consents.append(link.account, fact)
            uow.contacts.save(link.account, contact.unsubscribed(now))
        entry = SuppressionEntry(
            phone=phone,
            reason=SuppressionReason.UNSUBSCRIBE,
            at=now,
            source="link",
            contact=None if contact is None else contact.id,
        )
        # counted from now, so that no confirmation that was asked for before is sent
        uow.suppressions.lift(link.account, phone, frozenset({entry.reason}))
        uow.suppressions.add(link.account, entry)

    def _bar_forgotten(self, uow: ContactsUnitOfWork, link: OptOutLink) -> OptOut:
        if link.phone_hash is None:
            return OptOut.GONE
        terms = SuppressionTerms(
            reason=SuppressionReason.UNSUBSCRIBE, at=self.clock.now(), source="link"
        )
        uow.suppressions.add_forgotten(link.account, link.phone_hash, terms)
        return OptOut.BARRED


@attrs.frozen
class Resubscribe:
    """Take whoever has the number of a link in again, if they only ever left by themselves."""

    transactions: Transactions[ContactsUnitOfWork]
    clock: Clock
    number_hash: NumberHash

    def __call__(self, link: OptOutLink, client: Client) -> None:
        """Also when they are in already. Raises `ContactGone`, `ContactSuppressed`."""
        if link.is_test:
            return
        now = self.clock.now()
        kind = ConsentType.CONFIRMED if link.is_confirmation else ConsentType.GRANTED
        with self.transactions.begin(link.account) as uow:
            contact = _holder(uow, link, self.number_hash)
            if contact is None:
                raise ContactGone
            if uow.suppressions.reasons(link.account, contact.phone) - LIFTED_BY_LINK:
                raise ContactSuppressed
            lifted = uow.suppressions.lift(link.account, contact.phone, LIFTED_BY_LINK)
            if contact.is_subscribed and not lifted:
                return
            uow.consents.append(link.account, _fact(link, contact.id, kind, client, now))
            uow.contacts.save(link.account, contact.subscribed(now))


def _wait_for_others(uow: ContactsUnitOfWork, link: OptOutLink) -> None:
    """Whoever erases the number meanwhile is waited for, and of a forgotten one whoever adds it.

    So what is found afterwards stays true: that it was erased, and that nobody has it.
    """
    if link.phone is not None:
        uow.contacts.lock_for_adding(link.account)
    elif link.phone_hash is not None:
        uow.contacts.lock_for_removing(link.account)


def _holder(uow: ContactsUnitOfWork, link: OptOutLink, number_hash: NumberHash) -> Contact | None:
    """The contact that has the number of a link now, locked; None if nobody has."""
    if link.phone is not None:
        return uow.contacts.lock_by_phone(link.account, link.phone)
    last = link.contact
    if link.phone_hash is not None:
        last = uow.number_traces.holder(link.account, link.phone_hash)
    contact = None if last is None else uow.contacts.lock(link.account, last)
    return contact if contact is not None and link.means(contact, number_hash) else None


def _is_out(
    uow: ContactsUnitOfWork, account: AccountId, contact: Contact | None, phone: PhoneNumber
) -> bool:
    """Whether an opt-out would change nothing. Whoever was asked since, says no once more."""
    if contact is not None and (
        contact.is_subscribed or uow.consents.is_asked(account, contact.id)
    ):
        return False
    return SuppressionReason.UNSUBSCRIBE in uow.suppressions.reasons(account, phone)


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
