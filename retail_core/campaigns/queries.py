"""Reading campaigns."""

import enum
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

import attrs

from retail_core.audiences.model import AudienceRules, AudienceSpec
from retail_core.campaigns.model import Campaign, CampaignState, RecipientGroup
from retail_core.kernel.ids import AccountId, CampaignId, ContactId
from retail_core.kernel.pages import Page, PageRequest
from retail_core.templates.rendering import Field


class CampaignOrder(enum.Enum):
    """What a list of campaigns can be sorted by; equal ones by id."""

    CREATED_AT = "createdAt"
    SCHEDULED_AT = "scheduledAt"
    STARTED_AT = "startedAt"
    FINISHED_AT = "finishedAt"
    NAME = "name"
    STATUS = "status"


@attrs.frozen
class CampaignFilter:
    """Which campaigns a list shows; None and "" mean any. Times: from included, before not."""

    name: str = ""
    state: CampaignState | None = None
    created_from: datetime | None = None
    created_before: datetime | None = None
    order: CampaignOrder = CampaignOrder.CREATED_AT
    descending: bool = True


@attrs.frozen
class CampaignOutcome:
    """What a campaign led to, beyond the counts of its messages.

    `first_sent_at` is when the gateway first answered for one of its batches; `unsubscribes` are
    recipients who opted out because of it, by its link or, within days of it, by STOP.
    """

    first_sent_at: datetime | None
    unsubscribes: int


class CampaignQueries(Protocol):
    """Reads campaigns of one account."""

    def by_ids(self, account: AccountId, campaigns: Sequence[CampaignId]) -> Sequence[Campaign]:
        """Those of them that are the account's own, in no order."""
        ...

    def deferred_until(self, account: AccountId, campaign: CampaignId) -> datetime | None:
        """When the first of those who wait for the end of quiet hours go on; None: nobody does."""
        ...

    def get(self, account: AccountId, campaign: CampaignId) -> Campaign:
        """Raises `CampaignNotFound`."""
        ...

    def outcome(self, account: AccountId, campaign: CampaignId) -> CampaignOutcome:
        """Of a campaign that is the account's own; nothing happened to any other."""
        ...

    def page(
        self, account: AccountId, wanted: CampaignFilter, request: PageRequest
    ) -> Page[Campaign]: ...


class FrozenRecipients(Protocol):
    """Knows whom a campaign that has started is for."""

    def includes(self, account: AccountId, campaign: CampaignId, contact: ContactId) -> bool:
        """Whether the contact was frozen into it, whatever became of the message."""
        ...


class RecipientGroups(Protocol):
    """Groups the recipients of an audience by what their texts and prices depend on."""

    def of_audience(
        self,
        account: AccountId,
        spec: AudienceSpec,
        rules: AudienceRules,
        merge_fields: frozenset[Field],
        shaped: frozenset[Field] = frozenset(),
        *,
        by_area: bool = False,
    ) -> Iterator[RecipientGroup]:
        """By country and the merge values that the text uses, in no order.

        Instead of a value of the `shaped` fields the stand-in of its shape may be given. With
        `by_area` also by the place of North American numbers, whose clocks differ.

        There may be as many groups as recipients, so they are read while the caller goes on.
        """
        ...
