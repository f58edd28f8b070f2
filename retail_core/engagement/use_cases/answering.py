"""Inbound texts: recorded before the answer, applied one after the other by a job."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import attrs

from retail_core.contacts.model import (
    HAND_OVER_REMEMBERED,
    ConsentFact,
    ConsentSource,
    ConsentType,
    Contact,
    SuppressionEntry,
    SuppressionReason,
)
from retail_core.contacts.model.number_hash import NumberHash
from retail_core.contacts.ports import LastHandOver
from retail_core.engagement.jobs import apply_inbound_texts
from retail_core.engagement.model import (
    REPEAT_WINDOW,
    AppliedText,
    InboundCall,
    InboundText,
    Keyword,
    Keywords,
    MeantNumber,
    RawInbound,
    home_of,
    international_forms,
    is_repeat,
    meant_at_home,
    meant_by_form,
    national_forms,
    scope_of,
)
from retail_core.engagement.ports import EngagementUnitOfWork, InboundReader
from retail_core.engagement.use_cases.stop_confirming import ConfirmStop, Leaver
from retail_core.kernel.ids import CampaignId, InboundId, SuppressionId
from retail_core.kernel.phones import PhoneNumber
from retail_core.kernel.ports import Clock, Transactions

CAUSE_WINDOW: Final = timedelta(days=7)
"""A campaign that was handed over to somebody so short before is why he leaves."""

_STOP: Final = frozenset({SuppressionReason.STOP})


@attrs.frozen
class RecordInboundTexts:
    """Store what a webhook call tells, durably; a job applies it. Raises `Unavailable`."""

    transactions: Transactions[EngagementUnitOfWork]
    clock: Clock

    def __call__(self, raws: Sequence[bytes]) -> None:
        """`raws`: the JSON of each text."""
        now = self.clock.now()
        with self.transactions.across_accounts() as uow:
            uow.inbound_texts.add_across_accounts([InboundCall(raw, now) for raw in raws])
            uow.jobs.add(apply_inbound_texts())


@attrs.frozen
class _Asked:
    """Who asks for what, of one store."""

    inbound: InboundId
    phone: PhoneNumber = attrs.field(repr=False)
    phone_hash: bytes = attrs.field(repr=False)
    at: datetime
    store: LastHandOver

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
class ApplyInboundTexts:
    """Apply the oldest stored text: all it does and that it is done are one transaction.

    Returns how many were applied, 0 or 1. Raises `Unavailable`: then the text is still there.
    """

    transactions: Transactions[EngagementUnitOfWork]
    reader: InboundReader
    clock: Clock
    keywords: Keywords
    number_hash: NumberHash
    confirm_stop: ConfirmStop

    def __call__(self) -> int:
        with self.transactions.across_accounts() as uow:
            raw = uow.inbound_texts.take_next_across_accounts()
            if raw is None:
                return 0
            now = self.clock.now()
            applied = self._apply(uow, raw, now)
            uow.inbound_texts.mark_applied_across_accounts(raw.id, applied, now)
        return 1

    def _apply(self, uow: EngagementUnitOfWork, raw: RawInbound, now: datetime) -> AppliedText:
        text = self.reader.read(raw.raw)
        keyword = self.keywords.recognise(text.text)
        numbers = self._numbers_of(uow, text, now)
        if not numbers:
            return AppliedText(text=text, keyword=keyword)
        phone = numbers[0].phone
        earlier = uow.inbound_texts.earlier_across_accounts(
            phone, text.message_id, raw.arrived_at - REPEAT_WINDOW
        )
        repeats = is_repeat(text, keyword, earlier)
        scope = [
            _Asked(raw.id, number.phone, self.number_hash.of(number.phone), now, store)
            for number in numbers
            for store in scope_of(number.stores, text.receiver)
        ]
        # who comes back must be known for certain; who leaves is let go in doubt
        is_certain = len(numbers) == 1 or keyword is not Keyword.START
        if is_certain and not repeats:
            # by the ids of the stores, as everybody does who locks several
            in_order = sorted(scope, key=lambda each: each.store.account)
            obeyed = [_obey(uow, keyword, asked) for asked in in_order]
            self.confirm_stop(uow, [each for each in obeyed if each is not None], now)
        return AppliedText(
            text=text,
            phone=phone,
            keyword=keyword,
            is_repeat=repeats,
            scope=[asked.store.account for asked in scope],
        )

    def _numbers_of(
        self, uow: EngagementUnitOfWork, text: InboundText, now: datetime
    ) -> Sequence[MeantNumber]:
        forms = international_forms(text.sender)
        meant = meant_by_form(forms, self._hand_overs(uow, forms, now))
        if meant:
            return meant
        home = home_of(text.receiver)
        countries = uow.inbound_texts.countries_across_accounts()
        at_home = national_forms(text.sender, countries if home is None else [home, *countries])
        handed = self._hand_overs(uow, [form.phone for form in at_home], now)
        return meant_at_home(at_home, home, handed)

    def _hand_overs(
        self, uow: EngagementUnitOfWork, forms: Sequence[PhoneNumber], now: datetime
    ) -> Mapping[PhoneNumber, Sequence[LastHandOver]]:
        return uow.number_traces.last_hand_overs_across_accounts(
            {form: self.number_hash.of(form) for form in forms}, now - HAND_OVER_REMEMBERED
        )


def _obey(uow: EngagementUnitOfWork, keyword: Keyword | None, asked: _Asked) -> Leaver | None:
    """Who was in and is out now; None for anybody else."""
    contact = uow.contacts.lock_by_phone(asked.store.account, asked.phone)
    if keyword is Keyword.STOP:
        stop = _take_out(uow, contact, asked)
        if stop is not None and contact is not None and contact.is_subscribed:
            return Leaver(contact, asked.store, asked.phone_hash, stop)
    elif keyword is Keyword.START:
        _take_back(uow, contact, asked)
    return None


def _take_out(
    uow: EngagementUnitOfWork, contact: Contact | None, asked: _Asked
) -> SuppressionId | None:
    """What waits for him is left out at its hand-over, which looks at this again."""
    account = asked.store.account
    if contact is None and uow.suppressions.is_erased(account, asked.phone_hash):
        return None  # barred for good by the hash, and his number is not to be kept again
    if contact is not None and contact.is_subscribed:
        uow.consents.append(account, asked.fact(contact, ConsentType.WITHDRAWN))
        uow.contacts.save(account, contact.unsubscribed(asked.at))
    entry = SuppressionEntry(
        phone=asked.phone,
        reason=SuppressionReason.STOP,
        at=asked.at,
        source="sms",
        contact=None if contact is None else contact.id,
    )
    # counted from now, so that no confirmation that he asked for before reaches him
    uow.suppressions.lift(account, asked.phone, _STOP)
    return uow.suppressions.add(account, entry)


def _take_back(uow: EngagementUnitOfWork, contact: Contact | None, asked: _Asked) -> None:
    """Only where his last word was STOP, and nothing else bars him."""
    account = asked.store.account
    if uow.suppressions.reasons(account, asked.phone) != _STOP:
        return
    left_by_stop = (ConsentType.WITHDRAWN, ConsentSource.STOP)
    if contact is not None and not contact.is_subscribed:
        if uow.consents.latest_fact(account, contact.id) != left_by_stop:
            return
        uow.contacts.save(account, contact.subscribed(asked.at))
    uow.suppressions.lift(account, asked.phone, _STOP)
    if contact is not None:
        uow.consents.append(account, asked.fact(contact, ConsentType.GRANTED))
