"""What campaigns need from the world."""

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from retail_core.accounts.ports import AccountStore
from retail_core.audiences.ports import ListStore
from retail_core.campaigns.model import Campaign, CampaignContent, CampaignStart
from retail_core.contacts.ports import ContactStore, MessageTraces, SuppressionStore
from retail_core.credits.ports import CreditLedger
from retail_core.kernel.ids import AccountId, CampaignId
from retail_core.kernel.ports import Work
from retail_core.messages.ports import BatchStore, DoubtStore, MessageNumbers, SingleMessageStore
from retail_core.notices.ports import NoticeStore


class CampaignStore(Protocol):
    """The campaigns of an account."""

    def add(
        self, account: AccountId, content: CampaignContent, total: int, now: datetime
    ) -> Campaign:
        """A new draft."""
        ...

    def get(self, account: AccountId, campaign: CampaignId) -> Campaign:
        """Raises `CampaignNotFound`."""
        ...

    def are_known(self, account: AccountId, campaigns: Collection[CampaignId]) -> bool:
        """Whether the account has all these campaigns."""
        ...

    def lock(self, account: AccountId, campaign: CampaignId, *, wait: bool = False) -> Campaign:
        """Lock the row until the end; raises `CampaignNotFound`.

        While somebody else holds it, raises `AlreadySending` at once; with `wait`, only after the
        database's patience with locks.
        """
        ...

    def rewrite(
        self,
        account: AccountId,
        campaign: CampaignId,
        content: CampaignContent,
        total: int,
        now: datetime,
    ) -> Campaign:
        """Replace the content of a locked, editable campaign."""
        ...

    def planned_since(self, account: AccountId, since: datetime) -> int:
        """How many recipients the campaigns have that were started after a moment."""
        ...

    def start(self, account: AccountId, campaign: CampaignId, start: CampaignStart) -> None:
        """A locked campaign becomes sending, with everybody queued and the credits held."""
        ...

    def resume(self, account: AccountId, campaign: CampaignId, now: datetime) -> None:
        """A locked, paused campaign becomes sending again."""
        ...

    def pause(
        self, account: AccountId, campaign: CampaignId, reason: str, now: datetime
    ) -> Campaign:
        """A locked, sending campaign becomes paused."""
        ...

    def cancel(
        self, account: AccountId, campaign: CampaignId, recipients: int, credits: int, now: datetime
    ) -> Campaign:
        """A locked campaign becomes cancelled, with so many who waited and credits given back."""
        ...

    def fail(self, account: AccountId, campaign: CampaignId, reason: str, now: datetime) -> None:
        """A locked campaign that never started becomes failed; it has no recipients."""
        ...


class Subscriptions(Protocol):
    """Whether an account may send; billing knows."""

    def is_active(self, account: AccountId) -> bool: ...


class CampaignsUnitOfWork(Work, Protocol):
    """The stores that campaigns work on."""

    @property
    def accounts(self) -> AccountStore: ...
    @property
    def campaigns(self) -> CampaignStore: ...
    @property
    def lists(self) -> ListStore: ...
    @property
    def batches(self) -> BatchStore: ...
    @property
    def doubts(self) -> DoubtStore: ...
    @property
    def numbers(self) -> MessageNumbers: ...
    @property
    def singles(self) -> SingleMessageStore: ...
    @property
    def contacts(self) -> ContactStore: ...
    @property
    def suppressions(self) -> SuppressionStore: ...
    @property
    def message_traces(self) -> MessageTraces: ...
    @property
    def credits(self) -> CreditLedger: ...
    @property
    def subscriptions(self) -> Subscriptions: ...
    @property
    def notices(self) -> NoticeStore: ...
