"""Tell somebody by one text that their STOP worked, where the operator wants that."""

from collections.abc import Sequence
from datetime import datetime

import attrs

from retail_core.contacts.model import Contact, SuppressionReason
from retail_core.contacts.ports import LastHandOver
from retail_core.credits.errors import InsufficientCredits
from retail_core.credits.jobs import warn_of_low_credits
from retail_core.credits.ledger import must_afford
from retail_core.engagement.model import (
    CONFIRMATION_REASON,
    STOP_CONFIRMATION_EVERY,
    STOP_CONFIRMATION_EXPIRES_AFTER,
    StopConfirmationPolicy,
    stop_confirmation_text,
)
from retail_core.engagement.ports import EngagementUnitOfWork
from retail_core.kernel.addresses.phones import LineType
from retail_core.kernel.addresses.senders import first_valid_sender
from retail_core.kernel.ids import MessageNumber, SuppressionId
from retail_core.messages.errors import NumbersUsedUp
from retail_core.messages.jobs import send_singles
from retail_core.messages.model import MessageKind, NewSingle, single_credits_key
from retail_core.templates.encoding import measure

_STOP_ALONE = frozenset({SuppressionReason.STOP})


@attrs.frozen
class Leaver:
    """Somebody whom a STOP took out of a store, and the suppression that it wrote there."""

    contact: Contact
    store: LastHandOver
    phone_hash: bytes = attrs.field(repr=False)
    stop: SuppressionId


def told_by(leavers: Sequence[Leaver]) -> Leaver:
    """With the store that wrote last, which is the one to tell them."""
    return max(leavers, key=lambda each: (each.store.at, each.store.account))


@attrs.frozen
class ConfirmStop:
    """Plan the text for whom a STOP took out, with its credits held.

    A step of the transaction of the STOP, under a lock of the number, so that nobody else counts
    at the same time. What hinders the text hinders nothing else: then none is sent.
    """

    policy: StopConfirmationPolicy

    def __call__(
        self, uow: EngagementUnitOfWork, leavers: Sequence[Leaver], now: datetime
    ) -> MessageNumber | None:
        """The number of the message, from the store that wrote last; None if none is sent."""
        if not leavers or not self.policy.is_on:
            return None
        leaver = told_by(leavers)
        since = now - STOP_CONFIRMATION_EVERY
        # of any of them: a national number may have been read as several
        for phone_hash in sorted({each.phone_hash for each in leavers}):
            uow.confirmations.lock_told_of_stop_across_accounts(phone_hash)
        if any(
            uow.confirmations.is_told_of_stop_across_accounts(each.phone_hash, since)
            for each in leavers
        ):
            return None
        return self._plan(uow, leaver, now)

    def _plan(
        self, uow: EngagementUnitOfWork, leaver: Leaver, now: datetime
    ) -> MessageNumber | None:
        contact, account = leaver.contact, leaver.store.account
        if uow.suppressions.reasons(account, contact.phone) != _STOP_ALONE:
            return None
        price = self.policy.prices.credits_per_part(contact.country)
        store = uow.accounts.get(account)
        sender = first_valid_sender([store.sender_name, self.policy.fallback_sender])
        is_reached = contact.line_type is not LineType.LANDLINE
        if price is None or sender is None or not is_reached:
            return None
        if not uow.subscriptions.is_active(account):
            return None
        text = stop_confirmation_text(store)
        try:
            must_afford(uow.credits.lock(account), measure(text).parts * price)
            number = uow.numbers.reserve_block(1)
        except (InsufficientCredits, NumbersUsedUp):
            return None
        single = _single(number, leaver, sender, text, price, now)
        uow.credits.hold(account, f"hold:{single_credits_key(number)}", single.credits, None)
        uow.singles.add(account, single, now)
        uow.confirmations.add_of_stop(account, leaver.phone_hash, number, now)
        uow.jobs.add(send_singles(account, number, None))
        warn_of_low_credits(uow, account, self.policy.low_credits, now)
        return number


def _single(
    number: MessageNumber, leaver: Leaver, sender: str, text: str, price: int, now: datetime
) -> NewSingle:
    size = measure(text)
    return NewSingle(
        number=number,
        kind=MessageKind.CONFIRMATION,
        occasion=f"stop:{leaver.stop}",
        reason=CONFIRMATION_REASON,
        phone=leaver.contact.phone,
        sender=sender,
        text=text,
        size=size,
        credits=size.parts * price,
        contact=leaver.contact.id,
        expires_at=now + STOP_CONFIRMATION_EXPIRES_AFTER,
        confirms_stop=leaver.stop,
    )
