"""What the messages room needs from the world: batches, reports, the gateway and its pace."""

from typing import Protocol

from retail_core.accounts.ports import AccountStore
from retail_core.contacts.ports import SuppressionStore
from retail_core.credits.ports import CreditLedger
from retail_core.kernel.ports import Work
from retail_core.messages.ports.batches import BatchStore, CampaignProgress, MessageNumbers
from retail_core.messages.ports.doubts import DoubtStore, LookUpStore
from retail_core.messages.ports.gateway import (
    GatewayHealthStore,
    GatewayPace,
    Pause,
    ReportReader,
    SmsGateway,
)
from retail_core.messages.ports.reports import (
    REPORT_BYTES_TYPICAL,
    MessageStore,
    ReportInbox,
    ReportStore,
)
from retail_core.messages.ports.singles import SingleMessageStore
from retail_core.notices.ports import NoticeStore

__all__ = [
    "REPORT_BYTES_TYPICAL",
    "BatchStore",
    "CampaignProgress",
    "DoubtStore",
    "GatewayHealthStore",
    "GatewayPace",
    "LookUpStore",
    "MessageNumbers",
    "MessageStore",
    "MessagesUnitOfWork",
    "Pause",
    "ReportInbox",
    "ReportReader",
    "ReportStore",
    "SingleMessageStore",
    "SmsGateway",
]


class MessagesUnitOfWork(Work, Protocol):
    """The stores that sending works on."""

    @property
    def accounts(self) -> AccountStore: ...
    @property
    def numbers(self) -> MessageNumbers: ...
    @property
    def batches(self) -> BatchStore: ...
    @property
    def messages(self) -> MessageStore: ...
    @property
    def doubts(self) -> DoubtStore: ...
    @property
    def look_ups(self) -> LookUpStore: ...
    @property
    def singles(self) -> SingleMessageStore: ...
    @property
    def gateway_health(self) -> GatewayHealthStore: ...
    @property
    def reports(self) -> ReportStore: ...
    @property
    def progress(self) -> CampaignProgress: ...
    @property
    def suppressions(self) -> SuppressionStore: ...
    @property
    def credits(self) -> CreditLedger: ...
    @property
    def notices(self) -> NoticeStore: ...
