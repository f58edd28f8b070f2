"""An audience is a value: it can be checked, stored and explained, and adapters can run it."""

import enum
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

import attrs

from retail_core.audiences.model.ages import AgeGroup
from retail_core.audiences.model.lists import SYSTEM_LISTS
from retail_core.audiences.model.tree import Segment
from retail_core.contacts.model import Gender
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import CampaignId, ContactId, ListId
from retail_core.kernel.money import PriceList


class MatchRule(enum.Enum):
    """What somebody must fit to be meant at all; all that are used must hold."""

    LIST = "list"
    GENDER = "gender"
    AGE_GROUP = "ageGroup"
    SEGMENT = "segment"


class Exclusion(enum.Enum):
    """Why somebody who matches is no recipient; the first that applies counts, in this order."""

    NOT_SUBSCRIBED = "notSubscribed"
    SUPPRESSED = "suppressed"
    EXCLUDED_LISTS = "excludedLists"
    UNDER_AGE = "underAge"
    AGE_UNKNOWN = "ageUnknown"
    FREQUENCY_CAP = "frequencyCap"
    LANDLINE = "landline"
    COUNTRY_NOT_PRICED = "countryNotPriced"


@attrs.frozen
class AudienceSpec:
    """Who is meant: all conditions must hold at once.

    `list_is_gone`: it was based on an own list that was deleted, and nobody knows who is meant.
    """

    system_list: str | None = attrs.field(
        default=None, validator=attrs.validators.optional(attrs.validators.in_(SYSTEM_LISTS))
    )
    gender: Gender | None = None
    age_group: AgeGroup | None = None
    own_list: ListId | None = None
    exclude_lists: tuple[ListId, ...] = ()
    segment: Segment | None = None
    list_is_gone: bool = False

    def __attrs_post_init__(self) -> None:
        bases = (self.system_list is not None, self.own_list is not None, self.list_is_gone)
        assert sum(bases) <= 1, "an audience is based on one list at most"

    @property
    def lists(self) -> frozenset[ListId]:
        """Every own list that it names."""
        named = {self.own_list} if self.own_list is not None else set()
        return frozenset(named).union(self.exclude_lists, self.segment_lists)

    @property
    def segment_lists(self) -> frozenset[ListId]:
        """The own lists that its segment names."""
        return frozenset() if self.segment is None else self.segment.lists

    @property
    def segment_campaigns(self) -> frozenset[CampaignId]:
        """The campaigns that its segment names."""
        return frozenset() if self.segment is None else self.segment.campaigns

    @property
    def genders(self) -> frozenset[Gender]:
        """Every gender that is demanded; two different ones match nobody."""
        listed = SYSTEM_LISTS[self.system_list][0] if self.system_list else None
        return frozenset(gender for gender in (self.gender, listed) if gender is not None)

    @property
    def age_groups(self) -> frozenset[AgeGroup]:
        """Every age group that is demanded; two different ones match nobody."""
        listed = SYSTEM_LISTS[self.system_list][1] if self.system_list else None
        return frozenset(group for group in (self.age_group, listed) if group is not None)


@attrs.frozen
class FrequencyCap:
    """At most so much marketing for one contact in so many days, what is on its way included."""

    messages_max: int
    span: timedelta

    def at(self, now: datetime) -> "CapWindow":
        """From when on messages count now."""
        return CapWindow(self.messages_max, now - self.span)


@attrs.frozen
class CapWindow:
    """A frequency cap at a moment: at most so many messages since then."""

    messages_max: int
    since: datetime


@attrs.frozen
class AudienceRules:
    """What bears on every audience of a store at a given moment."""

    today: date
    adults_only: bool
    prices: PriceList
    now: datetime
    cap: FrequencyCap | None = None


@attrs.frozen
class AudienceCount:
    """How many match, how many of them are left out and why, and how many remain."""

    matched: int
    excluded: Mapping[Exclusion, int]

    @property
    def recipients(self) -> int:
        return self.matched - sum(self.excluded.values())


@attrs.frozen
class AudienceMember:
    """A recipient as a preview shows it."""

    id: ContactId
    phone: PhoneNumber = attrs.field(repr=False)
    email: str | None = attrs.field(repr=False)
    first_name: str | None = attrs.field(repr=False)
    last_name: str | None = attrs.field(repr=False)
    gender: Gender | None
    birthday: date | None = attrs.field(repr=False)


@attrs.frozen
class LeafVerdict:
    """What one leaf of a segment says of somebody."""

    path: str
    holds: bool


@attrs.frozen
class AudienceStep:
    """One rule and whether it holds for somebody: to be meant, or (`excludes`) to be left out.

    `leaves` are the leaves of the segment that decided.
    """

    rule: MatchRule | Exclusion
    holds: bool
    leaves: tuple[LeafVerdict, ...] = ()

    @property
    def excludes(self) -> bool:
        return isinstance(self.rule, Exclusion)


@attrs.frozen
class AudienceExplanation:
    """Why somebody is in an audience or not: every rule, in the order in which they count."""

    contact: ContactId
    steps: Sequence[AudienceStep]

    @property
    def reason(self) -> MatchRule | Exclusion | None:
        """The first rule that keeps them out; None for a recipient."""
        return next((step.rule for step in self.steps if step.holds is step.excludes), None)
