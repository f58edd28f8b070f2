"""Where somebody stands with a store, and what their texts make of it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import attrs

from retail_core.contacts.model import (
    ConsentFact,
    ConsentSource,
    ConsentType,
    Contact,
    SuppressionEntry,
    SuppressionReason,
)
from retail_core.contacts.ports import LastHandOver
from retail_core.engagement.model.keywords import Keyword
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import AccountId, CampaignId, InboundId

CAUSE_WINDOW: Final = timedelta(days=7)
"""A campaign that was handed over to somebody so short before is why they leave."""

_STOP: Final = frozenset({SuppressionReason.STOP})
_LEFT_BY_STOP: Final = (ConsentType.WITHDRAWN, ConsentSource.STOP)


@attrs.frozen
class StoreNumber:
    """Somebody as a store knows them."""

    account: AccountId
    phone: PhoneNumber = attrs.field(repr=False)


@attrs.frozen
class Standing:
    """What a store knows of a number: its contact, what bars it, and what was decided last."""

    contact: Contact | None = None
    is_erased: bool = False
    reasons: frozenset[SuppressionReason] = frozenset()
    latest: tuple[ConsentType, ConsentSource] | None = None

    @property
    def is_forgotten(self) -> bool:
        """Barred for good by the hash alone: their number is not to be kept again."""
        return self.contact is None and self.is_erased


@attrs.frozen
class Asked:
    """Who asks one store for something, by which text."""

    inbound: InboundId
    phone: PhoneNumber = attrs.field(repr=False)
    at: datetime
    store: LastHandOver

    @property
    def person(self) -> StoreNumber:
        """Whom it is about."""
        return StoreNumber(self.store.account, self.phone)

    def fact(self, contact: Contact, kind: ConsentType) -> ConsentFact:
        """What the ledger keeps of it."""
        return ConsentFact(
            contact=contact.id,
            type=kind,
            source=ConsentSource.STOP,
            at=self.at,
            source_ref=f"inbound:{self.inbound}",
            campaign=self._cause() if kind is ConsentType.WITHDRAWN else None,
        )

    def _cause(self) -> CampaignId | None:
        at = self.store.campaign_at
        is_recent = at is not None and at >= self.at - CAUSE_WINDOW
        return self.store.campaign if is_recent else None


@attrs.frozen
class Answered:
    """Where somebody stands after their texts, and what is to be written of them.

    `lifts_stop`: the suppression of an earlier STOP goes, also where `entry` is a new one.
    """

    standing: Standing
    facts: tuple[ConsentFact, ...] = ()
    lifts_stop: bool = False
    entry: SuppressionEntry | None = None

    @property
    def is_changed(self) -> bool:
        """Whether there is anything to be written."""
        return bool(self.facts) or self.lifts_stop

    @property
    def is_out(self) -> bool:
        """Whether they are a contact who gets nothing."""
        contact = self.standing.contact
        return contact is not None and not contact.is_subscribed

    def after(self, keyword: Keyword | None, asked: Asked) -> "Answered":
        """After one more text."""
        if keyword is Keyword.STOP:
            return self._out(asked)
        return self._back(asked) if keyword is Keyword.START else self

    def _out(self, asked: Asked) -> "Answered":
        """What waits for them is left out at its hand-over, which looks at this again."""
        contact, facts = self.standing.contact, self.facts
        if self.standing.is_forgotten:
            return self
        latest = self.standing.latest
        if contact is not None and contact.is_subscribed:
            facts, latest = (*facts, asked.fact(contact, ConsentType.WITHDRAWN)), _LEFT_BY_STOP
            contact = contact.unsubscribed(asked.at)
        entry = SuppressionEntry(
            phone=asked.phone,
            reason=SuppressionReason.STOP,
            at=asked.at,
            source="sms",
            contact=None if contact is None else contact.id,
        )
        standing = Standing(contact, self.standing.is_erased, self.standing.reasons | _STOP, latest)
        # counted from now, so that no confirmation that was asked for before reaches them
        return Answered(standing, facts, lifts_stop=True, entry=entry)

    def _back(self, asked: Asked) -> "Answered":
        """Only where their last word was STOP, and nothing else bars them."""
        contact, facts, latest = self.standing.contact, self.facts, self.standing.latest
        if self.standing.reasons != _STOP:
            return self
        if contact is not None:
            if not contact.is_subscribed and latest != _LEFT_BY_STOP:
                return self
            facts = (*facts, asked.fact(contact, ConsentType.GRANTED))
            latest = (ConsentType.GRANTED, ConsentSource.STOP)
            contact = contact if contact.is_subscribed else contact.subscribed(asked.at)
        standing = Standing(contact, self.standing.is_erased, frozenset(), latest)
        return Answered(standing, facts, lifts_stop=True)


def begun(standings: Mapping[StoreNumber, Standing]) -> dict[StoreNumber, Answered]:
    """Before any text."""
    return {person: Answered(standing) for person, standing in standings.items()}
