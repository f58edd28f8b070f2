"""What sending a campaign would take if it started now; nothing is estimated."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import attrs

from retail_core.audiences.model import Exclusion
from retail_core.audiences.queries import AudienceQueries
from retail_core.campaigns import planning
from retail_core.campaigns.errors import WrongCampaignState
from retail_core.campaigns.model import RecipientGroup
from retail_core.campaigns.ports import CampaignsUnitOfWork
from retail_core.campaigns.queries import RecipientGroups
from retail_core.kernel.ids import AccountId, CampaignId, ContactId
from retail_core.kernel.money import PriceList
from retail_core.kernel.ports import Clock, Transactions
from retail_core.kernel.smart_encoding import SmartEncoding
from retail_core.kernel.time.zones import place_in
from retail_core.messages.composing import compiled
from retail_core.messages.model import SendingPlan
from retail_core.messages.quiet_hours import StoreQuiet
from retail_core.templates.encoding import Encoding, TextSize
from retail_core.templates.rendering import (
    MERGE_FIELDS,
    Field,
    ParsedText,
    Sizer,
    is_blank,
    parse,
)

SMART_MODES = (SmartEncoding.TYPOGRAPHY, SmartEncoding.GREEK)


@attrs.frozen
class Cost:
    """Parts and the credits that they cost."""

    parts: int
    credits: int


@attrs.frozen
class CountryCost:
    """What goes to one country, at its price."""

    country: str
    recipients: int
    parts: int
    credits_per_part: int

    @property
    def credits(self) -> int:
        return self.parts * self.credits_per_part


@attrs.frozen
class MissingValues:
    """Recipients without a value for a placeholder, and how many of them its fallback covers."""

    name: str
    missing: int
    fallback: int


@attrs.frozen(kw_only=True)
class CampaignForecast:
    """Who would get a campaign, what they would read it as, and what that would cost.

    `sizes` counts recipients by encoding and parts, `smart` is what each smart encoding would
    cost. `longest` is the longest text and a recipient of it; None without recipients. `deferred`
    would have to wait for the end of quiet hours if it started now, or when it is due;
    `first_send_at` is when the first of all would get it.
    """

    campaign: CampaignId
    at: datetime
    excluded: Mapping[Exclusion, int]
    sizes: Mapping[tuple[Encoding, int], int]
    countries: Sequence[CountryCost]
    longest: tuple[ContactId, TextSize] | None
    placeholders: Sequence[MissingValues]
    smart: Mapping[SmartEncoding, Cost]
    credits_available: int
    deferred: int
    first_send_at: datetime

    @property
    def recipients(self) -> int:
        return sum(self.sizes.values())

    @property
    def matched(self) -> int:
        return self.recipients + sum(self.excluded.values())

    @property
    def parts(self) -> int:
        return sum(country.parts for country in self.countries)

    @property
    def credits(self) -> int:
        return sum(country.credits for country in self.countries)


@attrs.frozen
class ForecastCampaign:
    """Count every distinct text of the audience as it is now, with links of true length.

    Raises `CampaignNotFound`, `WrongCampaignState` once it started, `NoMessageText`,
    `UnknownPlaceholder`, `AudienceGone`. A text that is too long to be sent is counted all
    the same.
    """

    transactions: Transactions[CampaignsUnitOfWork]
    audiences: AudienceQueries
    groups: RecipientGroups
    clock: Clock
    policy: planning.SendingPolicy

    def __call__(self, account: AccountId, campaign_id: CampaignId) -> CampaignForecast:
        with self.transactions.begin(account) as uow:
            campaign = uow.campaigns.get(account, campaign_id)
            store = uow.accounts.get(account)
            available = uow.credits.wallet(account).available
        if not campaign.state.editable:
            raise WrongCampaignState(f"The campaign is {campaign.state.value}.")
        content, now = campaign.content, self.clock.now()
        planning.must_be_sendable(content.message_text)
        plan = planning.sample_plan(content, store, self.policy)
        rules = planning.rules_of(store, self.policy, now)
        tally = _Tally(plan, parse(content.message_text), rules.prices)
        fields = parse(plan.text).fields
        quiet = StoreQuiet(self.policy.quiet, store.quiet_hours, store.timezone)
        tally.add(
            self.groups.of_audience(
                account, content.audience, rules, fields, tally.shaped, by_area=quiet.binds
            )
        )
        deferred, first_send_at = tally.waiting(quiet, max(now, campaign.scheduled_at or now))
        return CampaignForecast(
            campaign=campaign_id,
            at=now,
            excluded=self.audiences.count(account, content.audience, rules).excluded,
            sizes=tally.sizes,
            countries=tally.costs(),
            longest=tally.longest,
            placeholders=tally.placeholders(),
            smart=tally.smart(),
            credits_available=available,
            deferred=deferred,
            first_send_at=first_send_at,
        )


class _Tally:
    """Sums over groups of recipients."""

    def __init__(self, plan: SendingPlan, written: ParsedText, prices: PriceList) -> None:
        self.sizes: Counter[tuple[Encoding, int]] = Counter()
        self.longest: tuple[ContactId, TextSize] | None = None
        self._written = written
        self._prices = prices
        self._size = compiled(plan).size
        smart = {
            mode: compiled(attrs.evolve(plan, smart_encoding=mode.value)) for mode in SMART_MODES
        }
        self._smart_sizes: dict[SmartEncoding, Sizer] = {
            mode: message.size for mode, message in smart.items()
        }
        self.shaped = frozenset(MERGE_FIELDS).intersection(
            compiled(plan).shaped, *(message.shaped for message in smart.values())
        )
        self._recipients: Counter[str] = Counter()
        self._parts: Counter[str] = Counter()
        self._smart_parts: Counter[tuple[SmartEncoding, str]] = Counter()
        self._missing: Counter[int] = Counter()
        self._missing_links = () if plan.offer_url else (Field.OFFER_URL,)
        self._places: Counter[tuple[str, str]] = Counter()

    def add(self, groups: Iterable[RecipientGroup]) -> None:
        """Count groups."""
        for group in groups:
            values = group.first_name, group.last_name, group.email
            people, country = group.recipients, group.country
            size = self._size(*values)
            self.sizes[size.encoding, size.parts] += people
            self._recipients[country] += people
            self._places[country, group.area] += people
            self._parts[country] += size.parts * people
            for mode, size_of in self._smart_sizes.items():
                self._smart_parts[mode, country] += size_of(*values).parts * people
            for field, value in enumerate(values):
                if is_blank(value):
                    self._missing[field] += people
            for field in self._missing_links:
                self._missing[field] += people
            self._compare(group.first_contact, size)

    def costs(self) -> Sequence[CountryCost]:
        """The countries, those with the most recipients first."""
        ordered = sorted(
            self._recipients, key=lambda country: (-self._recipients[country], country)
        )
        return [
            CountryCost(
                country, self._recipients[country], self._parts[country], self._price(country)
            )
            for country in ordered
        ]

    def smart(self) -> Mapping[SmartEncoding, Cost]:
        """What each smart encoding would cost."""
        return {
            mode: Cost(
                sum(self._smart_parts[mode, country] for country in self._recipients),
                sum(
                    self._smart_parts[mode, country] * self._price(country)
                    for country in self._recipients
                ),
            )
            for mode in SMART_MODES
        }

    def placeholders(self) -> Sequence[MissingValues]:
        """The placeholders the owner wrote, as they spelled them, in order of first use."""
        uses = self._written.placeholders
        fields = {use.spelling: use.field for use in reversed(uses)}
        bare = {use.spelling for use in uses if not use.fallback}
        missing = {name: self._missing[fields[name]] for name in self._written.spellings}
        return [
            MissingValues(name, count, 0 if name in bare else count)
            for name, count in missing.items()
        ]

    def waiting(self, quiet: StoreQuiet, at: datetime) -> tuple[int, datetime]:
        """How many would have to wait at a moment, and when the first would get it."""
        if not quiet.binds or not self._places:
            return 0, at
        until = {place: quiet.waits_until(place_in(*place), at) for place in self._places}
        deferred = sum(self._places[place] for place, moment in until.items() if moment)
        return deferred, min(moment or at for moment in until.values())

    def _compare(self, contact: ContactId, size: TextSize) -> None:
        if self.longest is not None:
            other, longest = self.longest
            if (longest.parts, longest.length, -other) >= (size.parts, size.length, -contact):
                return
        self.longest = contact, size

    def _price(self, country: str) -> int:
        return self._prices.credits_per_part(country) or 0
