"""Texts that people send back: as they came, as they are read, and whom they concern."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import attrs

from retail_core.contacts.ports import LastHandOver
from retail_core.engagement.model.keywords import Keyword
from retail_core.engagement.model.sender_numbers import NationalForm, international_number
from retail_core.kernel.addresses.phones import PhoneNumber, country_of, parse_phone
from retail_core.kernel.ids import AccountId, InboundId

REPEAT_WINDOW: Final = timedelta(minutes=10)
"""So long the same text without an id of its own may be the same message, delivered again."""


@attrs.frozen
class InboundCall:
    """The bytes of one text as the gateway told it.

    What is urgent is applied first. The texts of one number keep their order: `sender_end` is what
    its sender ends in, which all forms of the number have in common.
    """

    raw: bytes = attrs.field(repr=False)
    arrived_at: datetime
    sender_end: int = attrs.field(default=0, repr=False)
    is_urgent: bool = True


@attrs.frozen
class RawInbound:
    """A stored text that is to be applied; `tries`: how often it was put off before."""

    raw: bytes = attrs.field(repr=False)
    arrived_at: datetime
    id: InboundId
    tries: int = 0


@attrs.frozen(kw_only=True)
class InboundText:
    """A text, read but not understood: every field as it was written, empty where it is missing.

    `message_id` is the gateway's id of it, `told_at` the time that the gateway wrote on it.
    """

    sender: str = attrs.field(repr=False)
    receiver: str = attrs.field(repr=False)
    text: str = attrs.field(repr=False)
    message_id: str | None = None
    told_at: str = ""

    @property
    def fingerprint(self) -> bytes:
        """The same for the same text from the same number to the same one."""
        fields = (self.sender, self.receiver, self.text, self.told_at)
        return hashlib.sha256("\x00".join(fields).encode("utf-8", "replace")).digest()


@attrs.frozen
class EarlierText:
    """A text that was applied, as far as it tells whether another is the same message."""

    message_id: str | None
    fingerprint: bytes
    arrived_at: datetime


@attrs.frozen(kw_only=True)
class AppliedText:
    """What became of a text: who sent it, what it asked for, and the stores that it concerns.

    `erased_by`: those of them that erased its sender, perhaps while it waited.
    """

    id: InboundId
    text: InboundText = attrs.field(repr=False)
    phone: PhoneNumber | None = attrs.field(default=None, repr=False)
    keyword: Keyword | None = None
    is_repeat: bool = False
    scope: Sequence[AccountId] = ()
    erased_by: Sequence[AccountId] = ()

    @property
    def is_nobodys(self) -> bool:
        """Whether no store wrote to whoever sent it."""
        return not self.scope


@attrs.frozen
class MeantNumber:
    """A number that a sender means, and the stores that wrote to it."""

    phone: PhoneNumber = attrs.field(repr=False)
    stores: Sequence[LastHandOver]


def meant_by_form(
    forms: Sequence[PhoneNumber], handed: Mapping[PhoneNumber, Sequence[LastHandOver]]
) -> Sequence[MeantNumber]:
    """The most literal form to which a store handed a message, and no other; empty if none."""
    found = next((form for form in forms if form in handed), None)
    return [] if found is None else [MeantNumber(found, handed[found])]


def meant_at_home(
    forms: Sequence[NationalForm],
    home: str | None,
    handed: Mapping[PhoneNumber, Sequence[LastHandOver]],
) -> Sequence[MeantNumber]:
    """The numbers that a sender without a country means; several only where none is likelier.

    `home` is the country of the number that was answered. Elsewhere a store reads it as its own
    people write; where stores of two countries know such a number, each is meant by its own alone.
    """
    at_home = meant_by_form([form.phone for form in forms if form.country == home], handed)
    if at_home:
        return at_home
    of_country: dict[str, MeantNumber] = {}
    for form in forms:
        own = [each for each in handed.get(form.phone, ()) if each.country == form.country]
        if own:
            of_country.setdefault(form.country, MeantNumber(form.phone, own))
    meant = list(of_country.values())
    if len({each.phone for each in meant}) == 1:
        return meant_by_form([meant[0].phone], handed)
    return meant


def is_repeat(
    text: InboundText,
    keyword: Keyword | None,
    arrived_at: datetime,
    earlier: Sequence[EarlierText],
) -> bool:
    """Whether a text was applied before. `earlier`: of the same number, the newest first.

    The same text under the same id was. Without an id, the same text of late may be the same
    message or a new one. Whoever leaves, comes back and leaves again must be out: so the same STOP
    counts again once something else came between, and the same START does not.
    """
    if text.message_id is not None:
        same = (text.message_id, text.fingerprint)
        return any((each.message_id, each.fingerprint) == same for each in earlier)
    since = arrived_at - REPEAT_WINDOW
    fingerprints = [each.fingerprint for each in earlier if each.arrived_at >= since]
    return text.fingerprint in (fingerprints if keyword is Keyword.START else fingerprints[:1])


def scope_of(hand_overs: Sequence[LastHandOver], receiver: str) -> Sequence[LastHandOver]:
    """The stores that are meant: those that last wrote from the number answered, else all."""
    meant = [each for each in hand_overs if _is_sender(each.sender, receiver)]
    return meant or hand_overs


def _is_sender(sender: str, receiver: str) -> bool:
    if not sender.startswith("+"):
        return sender.strip().casefold() == receiver.strip().casefold()
    number = international_number(receiver)
    if number is None:
        national = parse_phone(receiver.strip(), country_of(PhoneNumber(sender)))
        number = None if national is None else national.number
    return number == sender
