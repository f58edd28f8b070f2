"""The stores of all rooms, for contracts that need several."""

from typing import Protocol

from retail_core.accounts.ports import (
    AccountStore,
    ApiKeyStore,
    ClosingStore,
    PasswordResetStore,
    SessionStore,
)
from retail_core.audiences.ports import EngagementFacts, ListMembers, ListStore, ListUses
from retail_core.billing.ports import SubscriptionStore
from retail_core.campaigns.ports import CampaignStore
from retail_core.contacts.ports import (
    ConsentLedger,
    ContactSets,
    ContactStore,
    MessageTraces,
    NumberTraces,
    PersonTraces,
    SuppressionStore,
)
from retail_core.credits.ports import CreditLedger
from retail_core.engagement.ports import ConfirmationStore, InboundStore, StandingStore
from retail_core.imports.ports import (
    ImportMerge,
    ImportReversal,
    ImportStore,
    UploadStore,
)
from retail_core.kernel.ports import Work
from retail_core.messages.ports import (
    BatchStore,
    CampaignProgress,
    DoubtStore,
    GatewayHealthStore,
    LookUpStore,
    MessageNumbers,
    MessageStore,
    ReportStore,
    SingleMessageStore,
)
from retail_core.notices.ports import NoticeStore


class EveryStore(Work, Protocol):
    """The slices of all rooms together."""

    @property
    def accounts(self) -> AccountStore: ...
    @property
    def sessions(self) -> SessionStore: ...
    @property
    def api_keys(self) -> ApiKeyStore: ...
    @property
    def password_resets(self) -> PasswordResetStore: ...
    @property
    def closings(self) -> ClosingStore: ...
    @property
    def notices(self) -> NoticeStore: ...
    @property
    def credits(self) -> CreditLedger: ...
    @property
    def subscriptions(self) -> SubscriptionStore: ...
    @property
    def contacts(self) -> ContactStore: ...
    @property
    def consents(self) -> ConsentLedger: ...
    @property
    def suppressions(self) -> SuppressionStore: ...
    @property
    def message_traces(self) -> MessageTraces: ...
    @property
    def person_traces(self) -> PersonTraces: ...
    @property
    def number_traces(self) -> NumberTraces: ...
    @property
    def contact_sets(self) -> ContactSets: ...
    @property
    def lists(self) -> ListStore: ...
    @property
    def list_members(self) -> ListMembers: ...
    @property
    def list_uses(self) -> ListUses: ...
    @property
    def engagement_facts(self) -> EngagementFacts: ...
    @property
    def imports(self) -> ImportStore: ...
    @property
    def uploads(self) -> UploadStore: ...
    @property
    def import_merge(self) -> ImportMerge: ...
    @property
    def import_reversal(self) -> ImportReversal: ...
    @property
    def campaigns(self) -> CampaignStore: ...
    @property
    def progress(self) -> CampaignProgress: ...
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
    def confirmations(self) -> ConfirmationStore: ...
    @property
    def singles(self) -> SingleMessageStore: ...
    @property
    def gateway_health(self) -> GatewayHealthStore: ...
    @property
    def reports(self) -> ReportStore: ...
    @property
    def inbound_texts(self) -> InboundStore: ...
    @property
    def standings(self) -> StandingStore: ...
