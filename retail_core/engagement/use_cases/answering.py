"""Inbound texts: recorded before the answer, applied in sets by a job."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import attrs

from retail_core.contacts.model import HAND_OVER_REMEMBERED, Contact
from retail_core.contacts.model.number_hash import NumberHash
from retail_core.contacts.ports import LastHandOver
from retail_core.engagement.jobs import apply_inbound_texts, apply_put_off_texts
from retail_core.engagement.model import (
    REPEAT_WINDOW,
    Answered,
    AppliedText,
    Asked,
    EarlierText,
    InboundCall,
    InboundText,
    Keyword,
    Keywords,
    MeantNumber,
    RawInbound,
    StoreNumber,
    begun,
    home_of,
    international_forms,
    is_repeat,
    meant_at_home,
    meant_by_form,
    national_forms,
    scope_of,
    sender_end,
)
from retail_core.engagement.ports import EngagementUnitOfWork, InboundReader
from retail_core.engagement.use_cases.stop_confirming import ConfirmStop, Leaver, told_by
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import SuppressionId
from retail_core.kernel.ports import Clock, Transactions

TEXTS_MAX: Final = 100
"""In one transaction: enough to be cheap, few enough that a STOP behind them waits for a moment."""
PUT_OFF: Final = timedelta(seconds=1)
"""So long a text waits whose store or contact somebody else is just changing."""
PUT_OFF_MAX: Final = timedelta(minutes=5)
DOUBLINGS_MAX: Final = 10


@attrs.frozen
class RecordInboundTexts:
    """Store what a webhook call tells, durably; a job applies it. Raises `Unavailable`."""

    transactions: Transactions[EngagementUnitOfWork]
    reader: InboundReader
    keywords: Keywords
    clock: Clock

    def __call__(self, raws: Sequence[bytes]) -> None:
        """`raws`: the JSON of each text."""
        now = self.clock.now()
        calls = [self._call(raw, now) for raw in raws]
        with self.transactions.across_accounts() as uow:
            uow.inbound_texts.add_across_accounts(calls)
            uow.jobs.add(apply_inbound_texts())

    def _call(self, raw: bytes, now: datetime) -> InboundCall:
        text = self.reader.read(raw)
        is_urgent = self.keywords.recognise(text.text) is Keyword.STOP
        return InboundCall(raw, now, sender_end(text.sender), is_urgent)


@attrs.frozen
class InboundWork:
    """What was done in one go. `nobodys_stops`: those that match no number written to."""

    taken: int = 0
    put_off: int = 0
    nobodys: int = 0
    nobodys_stops: int = 0

    @property
    def is_full(self) -> bool:
        """Whether there may be more than one worker can do."""
        return self.taken >= TEXTS_MAX


@attrs.frozen
class _Told:
    """A text that was read, and the numbers that its sender means."""

    raw: RawInbound = attrs.field(repr=False)
    text: InboundText = attrs.field(repr=False)
    keyword: Keyword | None
    numbers: Sequence[MeantNumber]

    @property
    def end(self) -> int:
        return sender_end(self.text.sender)

    def asked(self, now: datetime) -> Iterator[Asked]:
        """What it asks of each store that it concerns."""
        for number in self.numbers:
            for store in scope_of(number.stores, self.text.receiver):
                yield Asked(self.raw.id, number.phone, now, store)

    def wants(self, now: datetime) -> Sequence[Asked]:
        """What it asks that is to be done; who comes back must be known for certain."""
        is_sure = len(self.numbers) == 1 or self.keyword is Keyword.STOP
        return list(self.asked(now)) if self.keyword is not None and is_sure else []

    def as_earlier(self) -> EarlierText:
        return EarlierText(self.text.message_id, self.text.fingerprint, self.raw.arrived_at)

    def applied(
        self, people: Mapping[StoreNumber, Answered], now: datetime, *, is_repeat: bool
    ) -> AppliedText:
        asked = list(self.asked(now))
        return AppliedText(
            id=self.raw.id,
            text=self.text,
            phone=self.numbers[0].phone if self.numbers else None,
            keyword=self.keyword,
            is_repeat=is_repeat,
            scope=[each.store.account for each in asked],
            erased_by=[
                each.store.account
                for each in asked
                if each.person in people and people[each.person].standing.is_forgotten
            ],
        )


@attrs.frozen
class _Left:
    """Somebody whom a text took out of a store."""

    contact: Contact
    asked: Asked


@attrs.frozen
class ApplyInboundTexts:
    """Apply some stored texts: all they do and that they are done are one transaction.

    What asks for somebody whom others are just changing is put off for a moment, and waits for
    nobody. Raises `Unavailable`: then the texts are still there.
    """

    transactions: Transactions[EngagementUnitOfWork]
    reader: InboundReader
    clock: Clock
    keywords: Keywords
    number_hash: NumberHash
    confirm_stop: ConfirmStop

    def __call__(self, texts_max: int = TEXTS_MAX) -> InboundWork:
        with self.transactions.across_accounts() as uow:
            now = self.clock.now()
            raws = uow.inbound_texts.take_some_across_accounts(texts_max, now)
            return self._apply(uow, raws, now) if raws else InboundWork()

    def alone(self) -> InboundWork:
        """Apply the next text by itself, for when a set fails: then only one of it is at fault.

        It is put off first, for longer each time, so that one that fails always holds nobody up.
        """
        with self.transactions.across_accounts() as uow:
            now = self.clock.now()
            raws = uow.inbound_texts.take_some_across_accounts(1, now)
            if not raws:
                return InboundWork()
            pause = PUT_OFF * 2 ** min(raws[0].tries, DOUBLINGS_MAX)
            uow.inbound_texts.put_off_across_accounts([raws[0].id], now + min(pause, PUT_OFF_MAX))
        with self.transactions.across_accounts() as uow:
            raw = uow.inbound_texts.take_across_accounts(raws[0].id)
            return InboundWork(1) if raw is None else self._apply(uow, [raw], self.clock.now())

    def _apply(
        self, uow: EngagementUnitOfWork, raws: Sequence[RawInbound], now: datetime
    ) -> InboundWork:
        told = self._told(uow, raws, now)
        wanted = {each.raw.id: each.wants(now) for each in told}
        people = {asked.person for asks in wanted.values() for asked in asks}
        standings = uow.standings.lock_across_accounts(
            {person: self.number_hash.of(person.phone) for person in people}
        )
        # whose earlier text waits waits too
        busy = {
            each.end
            for each in told
            if any(asked.person not in standings for asked in wanted[each.raw.id])
        }
        put_off = [each.raw.id for each in told if each.end in busy]
        if put_off:
            uow.inbound_texts.put_off_across_accounts(put_off, now + PUT_OFF)
            uow.jobs.add(apply_put_off_texts(now + PUT_OFF))
        free = [each for each in told if each.end not in busy]
        applied = self._obey(uow, free, begun(standings), now)
        uow.inbound_texts.mark_applied_across_accounts(applied, now)
        nobodys = [each for each in applied if each.is_nobodys]
        stops = sum(each.keyword is Keyword.STOP for each in nobodys)
        return InboundWork(len(told), len(put_off), len(nobodys), stops)

    def _obey(
        self,
        uow: EngagementUnitOfWork,
        told: Sequence[_Told],
        people: dict[StoreNumber, Answered],
        now: datetime,
    ) -> Sequence[AppliedText]:
        """One text after the other in mind, and then all of it written at once."""
        earlier = self._earlier(uow, told)
        applied, left = [], []
        for each in told:
            before = earlier.setdefault(each.numbers[0].phone, []) if each.numbers else []
            repeats = is_repeat(each.text, each.keyword, each.raw.arrived_at, before)
            before.insert(0, each.as_earlier())
            applied.append(each.applied(people, now, is_repeat=repeats))
            if not repeats:
                left.append(_change(people, each, now))
        changed = {person: each for person, each in people.items() if each.is_changed}
        stops = uow.standings.save_across_accounts(changed)
        self._confirm(uow, left, changed, stops, now)
        return applied

    def _confirm(
        self,
        uow: EngagementUnitOfWork,
        left: Sequence[Sequence[_Left]],
        people: Mapping[StoreNumber, Answered],
        stops: Mapping[StoreNumber, SuppressionId],
        now: datetime,
    ) -> None:
        """Tell who is out at the end, each text by itself."""
        leaving = [
            [
                Leaver(
                    each.contact,
                    each.asked.store,
                    self.number_hash.of(each.asked.phone),
                    stops[each.asked.person],
                )
                for each in leavers
                if each.asked.person in stops and people[each.asked.person].is_out
            ]
            for leavers in left
        ]
        # by the ids of the stores that pay, as everybody does who locks several
        for leavers in sorted(filter(None, leaving), key=lambda each: told_by(each).store.account):
            self.confirm_stop(uow, leavers, now)

    def _earlier(
        self, uow: EngagementUnitOfWork, told: Sequence[_Told]
    ) -> dict[PhoneNumber, list[EarlierText]]:
        ids: dict[PhoneNumber, set[str]] = {}
        for each in told:
            if each.numbers:
                known = ids.setdefault(each.numbers[0].phone, set())
                known |= {each.text.message_id} if each.text.message_id is not None else set()
        if not ids:
            return {}
        since = min(each.raw.arrived_at for each in told) - REPEAT_WINDOW
        found = uow.inbound_texts.earlier_across_accounts(ids, since)
        return {phone: list(texts) for phone, texts in found.items()}

    def _told(
        self, uow: EngagementUnitOfWork, raws: Sequence[RawInbound], now: datetime
    ) -> Sequence[_Told]:
        """Who sent what: first as it names a country, and only what matches nobody as at home."""
        texts = [self.reader.read(raw.raw) for raw in raws]
        forms = [international_forms(text.sender) for text in texts]
        handed = self._hand_overs(uow, {form for some in forms for form in some}, now)
        meant = [meant_by_form(some, handed) for some in forms]
        unknown = [place for place, numbers in enumerate(meant) if not numbers]
        if unknown:
            at_home = self._at_home(uow, [texts[place] for place in unknown], now)
            for place, numbers in zip(unknown, at_home, strict=True):
                meant[place] = numbers
        return [
            _Told(raw, text, self.keywords.recognise(text.text), numbers)
            for raw, text, numbers in zip(raws, texts, meant, strict=True)
        ]

    def _at_home(
        self, uow: EngagementUnitOfWork, texts: Sequence[InboundText], now: datetime
    ) -> Sequence[Sequence[MeantNumber]]:
        countries = uow.inbound_texts.countries_across_accounts()
        homes = [home_of(text.receiver) for text in texts]
        forms = [
            national_forms(text.sender, countries if home is None else [home, *countries])
            for text, home in zip(texts, homes, strict=True)
        ]
        handed = self._hand_overs(uow, {form.phone for some in forms for form in some}, now)
        return [meant_at_home(some, home, handed) for some, home in zip(forms, homes, strict=True)]

    def _hand_overs(
        self, uow: EngagementUnitOfWork, forms: set[PhoneNumber], now: datetime
    ) -> Mapping[PhoneNumber, Sequence[LastHandOver]]:
        if not forms:
            return {}
        return uow.number_traces.last_hand_overs_across_accounts(
            {form: self.number_hash.of(form) for form in sorted(forms)}, now - HAND_OVER_REMEMBERED
        )


def _change(people: dict[StoreNumber, Answered], told: _Told, now: datetime) -> Sequence[_Left]:
    """Let a text take effect on where people stand; returns who was in and is out now."""
    left = []
    for asked in told.wants(now):
        before = people[asked.person]
        after = before.after(told.keyword, asked)
        people[asked.person] = after
        if before.standing.contact is not None and after.is_out and not before.is_out:
            left.append(_Left(before.standing.contact, asked))
    return left
