"""Planning: from a campaign and its store to all that is fixed at the start."""

from collections.abc import Iterable
from datetime import datetime

import attrs

from retail_core.accounts.model import Account, Locale
from retail_core.audiences.model import AudienceRules, FrequencyCap
from retail_core.campaigns.errors import (
    MessageTooLong,
    NoMessageText,
    NoValidSender,
    UnknownPlaceholder,
)
from retail_core.campaigns.model import CampaignContent
from retail_core.credits.model import LOW_CREDITS
from retail_core.kernel.addresses.senders import first_valid_sender
from retail_core.kernel.money import DEFAULT_PRICES, PriceList
from retail_core.kernel.time.zones import local_date
from retail_core.links.urls import LinkTemplates
from retail_core.messages.composing import compiled
from retail_core.messages.model import BATCH_MESSAGES_MAX, MergeGroup, SendingPlan
from retail_core.messages.quiet_hours import OFF, QuietPolicy
from retail_core.templates.rendering import appended, parse

PARTS_MAX = 20
RECIPIENTS_DAILY_MAX = 10_000_000
"""So many recipients may a store plan within 24 hours; 0: any number."""
HAS_OFFER_PAGE = False
"""Whether offers have a page that links could lead to. Without one no text has an offer link."""
NEUTRAL_STORE_NAMES = {Locale.EN: "Our shop", Locale.EL: "Το κατάστημά μας"}


@attrs.frozen
class SendingPolicy:
    """What the operator's settings say about every campaign."""

    links: LinkTemplates
    fallback_sender: str | None = None
    prices: PriceList = DEFAULT_PRICES
    parts_max: int = PARTS_MAX
    batch_messages_max: int = BATCH_MESSAGES_MAX
    low_credits: int = LOW_CREDITS
    quiet: QuietPolicy = OFF
    cap: FrequencyCap | None = None
    recipients_daily_max: int = RECIPIENTS_DAILY_MAX
    has_offer_page: bool = HAS_OFFER_PAGE


@attrs.frozen
class Forecast:
    """What sending to an audience takes, exactly: every distinct text was rendered and counted."""

    recipients: int
    parts: int
    credits: int
    longest_parts: int


def plan_of(content: CampaignContent, store: Account, policy: SendingPolicy) -> SendingPlan:
    """Fix text, sender and links. Raises NoMessageText, UnknownPlaceholder, NoValidSender."""
    must_be_sendable(content.message_text)
    sender = first_valid_sender([store.sender_name, policy.fallback_sender])
    if sender is None:
        raise NoValidSender("The store has no valid sender name, and no fallback is set.")
    return _fixed(content, store, policy, sender)


def must_be_sendable(message_text: str) -> None:
    """Raises NoMessageText, UnknownPlaceholder."""
    if not message_text.strip():
        raise NoMessageText
    unknown = parse(message_text).unknown
    if unknown:
        raise UnknownPlaceholder(unknown)


def sample_plan(content: CampaignContent, store: Account, policy: SendingPolicy) -> SendingPlan:
    """The plan of a preview: as sent, but a missing sender does not matter yet."""
    if not content.message_text.strip():
        raise NoMessageText
    return _fixed(content, store, policy, store.sender_name or policy.fallback_sender or "")


def _fixed(
    content: CampaignContent, store: Account, policy: SendingPolicy, sender: str
) -> SendingPlan:
    """Without an offer page `{{offerUrl}}` has no value: its fallback stands there, or nothing."""
    return SendingPlan(
        text=appended(
            content.message_text,
            store.locale.value,
            include_offer=content.include_offer and policy.has_offer_page,
        ),
        sender=sender,
        store_name=store_name(store),
        offer_url=policy.links.offer_url if policy.has_offer_page else "",
        unsubscribe_url=policy.links.unsubscribe_url,
        smart_encoding=store.smart_encoding.value,
    )


def store_name(store: Account) -> str:
    """Company, else sender name, else a neutral word in the store's language."""
    return store.company or store.sender_name or NEUTRAL_STORE_NAMES[store.locale]


def rules_of(store: Account, policy: SendingPolicy, now: datetime) -> AudienceRules:
    """The audience rules of a store at a moment; its day is the day in its own zone."""
    today = local_date(now, store.timezone or "UTC")
    return AudienceRules(today, store.adults_only, policy.prices, now, policy.cap)


def forecast(plan: SendingPlan, groups: Iterable[MergeGroup], parts_max: int) -> Forecast:
    """Price the frozen audience. Raises `MessageTooLong`, also where nobody would get the text."""
    message = compiled(plan)
    recipients = parts = credits = longest = 0
    for group in groups:
        each = message.size(group.first_name, group.last_name, group.email).parts
        recipients += group.recipients
        parts += each * group.recipients
        credits += each * group.credits_per_part * group.recipients
        longest = max(longest, each)
    if not recipients:
        longest = message.size(None, None, None).parts
    if longest > parts_max:
        raise MessageTooLong(longest, parts_max)
    return Forecast(recipients, parts, credits, longest)


def worth(plan: SendingPlan, groups: Iterable[MergeGroup]) -> tuple[int, int]:
    """How many recipients these are, and what was held for them at the start, by the same sizes."""
    size = compiled(plan).size
    recipients = credits = 0
    for group in groups:
        parts = group.parts or size(group.first_name, group.last_name, group.email).parts
        recipients += group.recipients
        credits += parts * group.credits_per_part * group.recipients
    return recipients, credits
