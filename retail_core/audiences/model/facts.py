"""What a segment asks about beside the contact itself: consent, messages and what they led to."""

import enum
from datetime import datetime
from typing import Final

import attrs

from retail_core.contacts.model import ConsentType
from retail_core.kernel.ids import CampaignId, ContactId

GRANTING: Final = frozenset({ConsentType.GRANTED, ConsentType.CONFIRMED})
"""Events of consent that allow writing; the last of them is `subscribedAt`."""


class EngagementKind(enum.IntEnum):
    """What somebody did about a message."""

    CLICKED = 1
    REDEEMED = 2


@attrs.frozen
class EngagementFact:
    """Somebody clicked a link or viewed the offer, or redeemed it; `campaign` None: automation."""

    contact: ContactId
    kind: EngagementKind
    campaign: CampaignId | None
    at: datetime
