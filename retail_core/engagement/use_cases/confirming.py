"""Double opt-in: ask a person by SMS to confirm that they want messages (docs/rules.md, 3)."""

from datetime import datetime

import attrs

from retail_core.accounts.model import Account
from retail_core.contacts.errors import ContactNotFound, ContactSuppressed
from retail_core.contacts.model import LIFTED_BY_LINK, Contact
from retail_core.contacts.model.number_hash import NumberHash
from retail_core.credits.errors import InsufficientCredits
from retail_core.credits.jobs import warn_of_low_credits
from retail_core.credits.ledger import must_afford
from retail_core.engagement.errors import (
    AlreadySubscribed,
    AskedTooOften,
    CannotBeAsked,
    CountryNotNamed,
    NoSenderName,
    NotSubscribedToPlan,
    StoreAskedTooMany,
)
from retail_core.engagement.model import (
    CONFIRMATION_REASON,
    LAPSES_AFTER,
    LONG_WHILE,
    SHORT_WHILE,
    ConfirmationPolicy,
    ShownConsent,
    confirmation_text,
    number_free_at,
)
from retail_core.engagement.ports import EngagementUnitOfWork
from retail_core.kernel.addresses.phones import LineType
from retail_core.kernel.addresses.senders import first_valid_sender
from retail_core.kernel.audit import AuditAction, AuditEntry, AuditKind
from retail_core.kernel.errors import DomainError
from retail_core.kernel.idempotency import Once
from retail_core.kernel.ids import AccountId, ContactId, MessageNumber
from retail_core.kernel.ports import Clock, Transactions
from retail_core.kernel.time.zones import local_date
from retail_core.links.codes import LinkCodes
from retail_core.messages.jobs import send_singles
from retail_core.messages.model import MessageKind, NewSingle, single_credits_key
from retail_core.notices.jobs import announce
from retail_core.notices.model import NewNotice, NoticeKind
from retail_core.templates.encoding import measure


@attrs.frozen
class AskToConfirm:
    """Plan the confirmation SMS of one person, with its credits held.

    A step inside somebody's transaction. The caller has locked the contact; the store's
    confirmations are locked here, so of two at once one waits and then counts the other. After an
    error nothing is changed.
    """

    policy: ConfirmationPolicy
    codes: LinkCodes
    number_hash: NumberHash

    def __call__(
        self,
        uow: EngagementUnitOfWork,
        store: Account,
        contact: Contact,
        shown: ShownConsent,
        now: datetime,
    ) -> MessageNumber:
        """The number of the message.

        Raises `AlreadySubscribed`, `ContactSuppressed`, `CannotBeAsked`, `NoSenderName`,
        `NotSubscribedToPlan`, `AskedTooOften`, `StoreAskedTooMany`, `InsufficientCredits`,
        `NumbersUsedUp`.
        """
        price = self._must_be_askable(uow, store, contact)
        sender = first_valid_sender([store.sender_name, self.policy.fallback_sender])
        if sender is None:
            raise NoSenderName
        if not uow.subscriptions.is_active(store.id):
            raise NotSubscribedToPlan
        phone_hash = self.number_hash.of(contact.phone)
        uow.confirmations.lock(store.id)
        self._must_be_within_limits(uow, store.id, phone_hash, now)
        # a code is as long as any other: the cost is known before there is a number
        cost = measure(self._text(store, shown, MessageNumber(1))).parts * price
        must_afford(uow.credits.lock(store.id), cost)
        number = uow.numbers.reserve_block(1)
        text = self._text(store, shown, number)
        single = _single(number, contact, sender, text, price, now)
        uow.credits.hold(store.id, f"hold:{single_credits_key(number)}", single.credits, None)
        uow.singles.add(store.id, single, now)
        uow.confirmations.add(store.id, phone_hash, number, now)
        uow.jobs.add(send_singles(store.id, number, None))
        warn_of_low_credits(uow, store.id, self.policy.low_credits, now)
        return number

    def _text(self, store: Account, shown: ShownConsent, number: MessageNumber) -> str:
        link = self.policy.link(self.codes.opt_out_code(number))
        return confirmation_text(store, shown.locale or store.locale, link)

    def _must_be_askable(self, uow: EngagementUnitOfWork, store: Account, contact: Contact) -> int:
        """What a part to this number costs."""
        barred = uow.suppressions.reasons(store.id, contact.phone)
        if barred - LIFTED_BY_LINK:
            raise ContactSuppressed
        if contact.is_subscribed and not barred:
            raise AlreadySubscribed
        if contact.line_type is LineType.LANDLINE:
            raise CannotBeAsked("it is a landline")
        price = self.policy.prices.by_country.get(contact.country)
        if price is None:
            raise CountryNotNamed("its country is not named in the price list")
        return price

    def _must_be_within_limits(
        self, uow: EngagementUnitOfWork, account: AccountId, phone_hash: bytes, now: datetime
    ) -> None:
        asked = uow.confirmations.asked(account, phone_hash, now - LONG_WHILE)
        free_at = number_free_at(asked, now)
        if free_at is not None:
            raise AskedTooOften("This number was asked already; try later.", free_at, now)
        most = self.policy.daily_max
        lately = uow.confirmations.asked_by_store(account, now - SHORT_WHILE, max(most, 1))
        if len(lately) >= most:
            oldest = lately[0] if lately else now
            raise StoreAskedTooMany(
                f"At most {most} confirmations are sent within 24 hours.",
                oldest + SHORT_WHILE,
                now,
            )


@attrs.frozen
class RequestConsent:
    """The store asks one of its contacts to confirm; what hinders it, the store is told at once."""

    transactions: Transactions[EngagementUnitOfWork]
    clock: Clock
    ask: AskToConfirm

    def __call__(
        self,
        account: AccountId,
        contact_id: ContactId,
        shown: ShownConsent,
        once: Once | None = None,
    ) -> MessageNumber:
        """The confirmation. Raises `ContactNotFound`, and what `AskToConfirm` raises."""
        now = self.clock.now()
        with self.transactions.begin(account, once) as uow:
            contact = uow.contacts.lock(account, contact_id)
            if contact is None:
                raise ContactNotFound
            number = self.ask(uow, uow.accounts.get(account), contact, shown, now)
            uow.consents.append(account, shown.requested(contact_id, now))
            uow.audit.record(
                AuditEntry(
                    action=AuditAction.CONSENT_REQUESTED,
                    account=account,
                    kind=AuditKind.CONTACT,
                    id=contact_id,
                )
            )
            uow.effect(number)
            return number


@attrs.frozen
class TakeRequest:
    """Somebody filled in a form that asks for a confirmation. A step of the form's transaction.

    That they asked is written down in any case. They are not told what hinders the SMS; where it is
    a limit of the store or the price of a country, the store is, once a day.
    """

    ask: AskToConfirm

    def __call__(
        self,
        uow: EngagementUnitOfWork,
        store: Account,
        contact: Contact,
        shown: ShownConsent,
        now: datetime,
    ) -> MessageNumber | None:
        """The confirmation; None if none is sent. `contact` is locked."""
        uow.consents.append(store.id, shown.requested(contact.id, now))
        try:
            return self.ask(uow, store, contact, shown, now)
        except (StoreAskedTooMany, CountryNotNamed) as hindrance:
            _tell_owner(uow, store, hindrance, now)
        except (
            AlreadySubscribed,
            AskedTooOften,
            CannotBeAsked,
            ContactSuppressed,
            InsufficientCredits,
            NoSenderName,
            NotSubscribedToPlan,
        ):
            pass
        return None


def _single(
    number: MessageNumber, contact: Contact, sender: str, text: str, price: int, now: datetime
) -> NewSingle:
    size = measure(text)
    return NewSingle(
        number=number,
        kind=MessageKind.CONFIRMATION,
        occasion=occasion_of(number),
        reason=CONFIRMATION_REASON,
        phone=contact.phone,
        sender=sender,
        text=text,
        size=size,
        credits=size.parts * price,
        contact=contact.id,
        expires_at=now + LAPSES_AFTER,
    )


def occasion_of(number: MessageNumber) -> str:
    """What a confirmation was planned for."""
    return f"confirmation:{number}"


def _tell_owner(
    uow: EngagementUnitOfWork, store: Account, hindrance: DomainError, now: datetime
) -> None:
    kind = (
        NoticeKind.CONFIRMATION_COUNTRY
        if isinstance(hindrance, CountryNotNamed)
        else NoticeKind.CONFIRMATION_LIMIT
    )
    day = local_date(now, store.timezone or "UTC")
    announce(uow, store.id, NewNotice(kind, f"{kind}:{day.isoformat()}", now))
