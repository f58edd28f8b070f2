"""What confirmations need from the world."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from retail_core.accounts.ports import AccountStore
from retail_core.contacts.ports import ConsentLedger, ContactStore, SuppressionStore
from retail_core.credits.ports import CreditLedger
from retail_core.kernel.ids import AccountId, MessageNumber
from retail_core.kernel.ports import Work
from retail_core.messages.ports import MessageNumbers, SingleMessageStore
from retail_core.notices.ports import NoticeStore


class ConfirmationStore(Protocol):
    """Who was asked when: numbers as keyed hashes, so the limits outlive contacts."""

    def lock(self, account: AccountId) -> None:
        """Let nobody else of the store ask anybody before this transaction ends."""
        ...

    def asked(self, account: AccountId, phone_hash: bytes, since: datetime) -> Sequence[datetime]:
        """When a number was asked after `since`, the oldest first."""
        ...

    def asked_by_store(
        self, account: AccountId, since: datetime, times_max: int
    ) -> Sequence[datetime]:
        """When the store asked anybody after `since`: the latest of these times, oldest first."""
        ...

    def add(
        self, account: AccountId, phone_hash: bytes, message: MessageNumber, at: datetime
    ) -> None:
        """A number is being asked by this message."""
        ...


class Subscriptions(Protocol):
    """Whether an account may send; billing knows."""

    def is_active(self, account: AccountId) -> bool: ...


class EngagementUnitOfWork(Work, Protocol):
    """The stores that confirmations work on."""

    @property
    def accounts(self) -> AccountStore: ...
    @property
    def contacts(self) -> ContactStore: ...
    @property
    def consents(self) -> ConsentLedger: ...
    @property
    def suppressions(self) -> SuppressionStore: ...
    @property
    def confirmations(self) -> ConfirmationStore: ...
    @property
    def numbers(self) -> MessageNumbers: ...
    @property
    def singles(self) -> SingleMessageStore: ...
    @property
    def credits(self) -> CreditLedger: ...
    @property
    def subscriptions(self) -> Subscriptions: ...
    @property
    def notices(self) -> NoticeStore: ...
