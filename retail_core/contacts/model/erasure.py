"""What an erasure did, and what is known of a person from other rooms."""

from datetime import datetime

import attrs

from retail_core.kernel.ids import CampaignId, ImportId, ListId, MessageNumber


@attrs.frozen(kw_only=True)
class Erased:
    """How much was emptied or removed: counts alone, so nothing tells about whom."""

    messages: int
    consents: int
    memberships: int
    events: int


@attrs.frozen
class Erasure:
    """An erasure that was done."""

    at: datetime
    erased: Erased


@attrs.frozen
class OnList:
    """A list that somebody is on by hand."""

    id: ListId
    name: str


@attrs.frozen(kw_only=True)
class ImportTrace:
    """A row of an import that brought or changed somebody."""

    import_id: ImportId
    row: int
    created: bool
    at: datetime


@attrs.frozen(kw_only=True)
class Click:
    """Somebody followed a link."""

    at: datetime
    url: str = attrs.field(repr=False)
    message: MessageNumber


@attrs.frozen(kw_only=True)
class OfferView:
    """Somebody looked at the offer of a message."""

    at: datetime
    message: MessageNumber


@attrs.frozen(kw_only=True)
class Redemption:
    """Somebody took an offer up."""

    at: datetime
    message: MessageNumber
    campaign: CampaignId | None


@attrs.frozen(kw_only=True)
class Conversion:
    """Somebody came to the store."""

    at: datetime
    tag: int | None
    campaign: CampaignId | None


@attrs.frozen(kw_only=True)
class TagScan:
    """Somebody held a phone to a tag of the store."""

    at: datetime
    tag: int | None
    action: str


@attrs.frozen(kw_only=True)
class Engagement:
    """What somebody did about messages and tags, the newest first."""

    clicks: tuple[Click, ...] = ()
    offer_views: tuple[OfferView, ...] = ()
    redemptions: tuple[Redemption, ...] = ()
    conversions: tuple[Conversion, ...] = ()
    scans: tuple[TagScan, ...] = ()
