"""The ledger of consent, and the list of numbers that are not sent to.

A fact of the ledger is never changed or removed: the present state of a contact is the fold of
their facts. A suppression is keyed by number, so it holds whether or not a contact exists.
"""

import enum
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

import attrs

from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import (
    AccountId,
    CampaignId,
    ConsentEventId,
    ContactId,
    SuppressionId,
)


class ConsentType(enum.Enum):
    """What happened; `requested` alone is not yet consent."""

    REQUESTED = "requested"
    GRANTED = "granted"
    CONFIRMED = "confirmed"
    WITHDRAWN = "withdrawn"


class ConsentSource(enum.Enum):
    """Where it happened."""

    MANUAL = "manual"
    API = "api"
    IMPORT = "import"
    IMPORT_UNDO = "import_undo"
    NFC = "nfc"
    LINK = "link"
    STOP = "stop"
    ERASE = "erase"
    MIGRATION = "migration"


@attrs.frozen(kw_only=True)
class ConsentFact:
    """One change of consent, with all that proves it.

    `text` is what the person was shown, `statement` what the store says about the origin.
    `campaign` is the one whose message carried the link, if any.
    """

    contact: ContactId
    type: ConsentType
    source: ConsentSource
    at: datetime
    source_ref: str | None = None
    text: str | None = attrs.field(default=None, repr=False)
    text_version: int | None = None
    statement: str | None = attrs.field(default=None, repr=False)
    ip: str | None = None
    user_agent: str | None = None
    locale: str | None = None
    actor: AccountId | None = None
    campaign: CampaignId | None = None


@attrs.frozen(kw_only=True)
class ConsentEvent(ConsentFact):
    """A fact as it stands in the ledger."""

    id: ConsentEventId
    created_at: datetime


class ConsentState(enum.Enum):
    """What the facts of somebody come to."""

    NONE = "none"
    GIVEN = "given"
    WITHDRAWN = "withdrawn"


_DECIDES = {
    ConsentType.GRANTED: ConsentState.GIVEN,
    ConsentType.CONFIRMED: ConsentState.GIVEN,
    ConsentType.WITHDRAWN: ConsentState.WITHDRAWN,
}

DECIDING_TYPES = frozenset(_DECIDES)
"""The facts that change whether somebody may be written to; a request alone does not."""


@attrs.frozen
class Consent:
    """The present state, and the fact that it rests on; None where nothing was ever decided."""

    state: ConsentState = ConsentState.NONE
    rests_on: ConsentEvent | None = None

    @property
    def is_given(self) -> bool:
        """Whether they may be written to, as far as it is about consent."""
        return self.state is ConsentState.GIVEN


def fold_consent(events: Iterable[ConsentEvent]) -> Consent:
    """What facts come to, the oldest first: the last that decides anything counts."""
    present = Consent()
    for event in events:
        if event.type in DECIDING_TYPES:
            present = Consent(_DECIDES[event.type], event)
    return present


class SuppressionReason(enum.Enum):
    """Why a number is not sent to."""

    STOP = "stop"
    UNSUBSCRIBE = "unsubscribe"
    MANUAL = "manual"
    IMPORT = "import"
    INVALID_NUMBER = "invalid_number"
    ERASURE = "erasure"


class ResubscribePolicy(enum.StrEnum):
    """Whether a store may set somebody to subscribed who opted out themselves."""

    ALLOW = "allow"
    CONFIRM = "confirm"


HAND_OVER_REMEMBERED: Final = timedelta(days=400)
"""So long a store that wrote to a number is meant by its STOP, also if it forgot the person."""

OPTED_OUT_IN_PERSON = frozenset({SuppressionReason.STOP, SuppressionReason.UNSUBSCRIBE})
"""The person themselves said no."""

LIFTED_BY_LINK = OPTED_OUT_IN_PERSON
"""What the person can take back by their own link."""

LIFTED_BY_STORE = OPTED_OUT_IN_PERSON | {SuppressionReason.MANUAL}
"""What falls when the store sets a contact to subscribed."""

DELETED_BY_STORE = frozenset(
    {SuppressionReason.MANUAL, SuppressionReason.IMPORT, SuppressionReason.INVALID_NUMBER}
)
"""What the store may take off its list; the others are the person's own word."""


@attrs.frozen(kw_only=True)
class SuppressionTerms:
    """Why numbers are barred, and where that came from."""

    reason: SuppressionReason
    at: datetime
    note: str | None = attrs.field(default=None, repr=False)
    source: str | None = None


@attrs.frozen(kw_only=True)
class SuppressionEntry(SuppressionTerms):
    """A number to be barred, and why."""

    phone: PhoneNumber = attrs.field(repr=False)
    contact: ContactId | None = None


@attrs.frozen(kw_only=True)
class Suppression:
    """A barred number. `phone` is None after an erasure, which keeps only a keyed hash."""

    id: SuppressionId
    account: AccountId
    phone: PhoneNumber | None = attrs.field(repr=False)
    reason: SuppressionReason
    note: str | None = attrs.field(repr=False)
    source: str | None
    contact: ContactId | None
    created_at: datetime
