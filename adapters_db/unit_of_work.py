"""The wiring list of all stores over one transaction."""

import attrs
from sqlalchemy import Connection

from adapters_db.accounts.accounts import SqlAccountStore
from adapters_db.accounts.api_keys import SqlApiKeyStore
from adapters_db.accounts.closing import SqlClosingStore
from adapters_db.accounts.sessions import SqlSessionStore
from adapters_db.audiences.lists import (
    SqlEngagementFacts,
    SqlListMembers,
    SqlListStore,
    SqlListUses,
)
from adapters_db.billing.subscriptions import SqlSubscriptionStore
from adapters_db.campaigns.campaigns import SqlCampaignStore
from adapters_db.campaigns.progress import SqlCampaignProgress
from adapters_db.contacts.contacts import SqlConsentLedger, SqlContactStore
from adapters_db.contacts.sets import SqlContactSets
from adapters_db.contacts.subjects import SqlPersonTraces
from adapters_db.contacts.suppressions import SqlSuppressionStore
from adapters_db.credits.credits import SqlCreditLedger
from adapters_db.engagement.confirmations import SqlConfirmationStore
from adapters_db.engagement.inbound import SqlInboundStore
from adapters_db.engagement.number_traces import SqlNumberTraces
from adapters_db.engagement.standings import SqlStandingStore
from adapters_db.imports.imports import SqlImportStore, SqlUploadStore
from adapters_db.imports.merging import SqlImportMerge
from adapters_db.imports.reverting import SqlImportReversal
from adapters_db.kernel.audit import SqlAuditLog
from adapters_db.kernel.outbox import SqlJobOutbox
from adapters_db.messages.batches.batches import SqlBatchStore
from adapters_db.messages.gateway_health import SqlGatewayHealthStore
from adapters_db.messages.messages import SqlMessageStore
from adapters_db.messages.numbers import SqlMessageNumbers
from adapters_db.messages.reports.reports import SqlReportStore
from adapters_db.messages.singles.singles import SqlSingleMessageStore
from adapters_db.messages.unknown.doubts import SqlDoubtStore
from adapters_db.messages.unknown.look_ups import SqlLookUpStore
from adapters_db.notices.notices import SqlNoticeStore
from adapters_db.notices.password_resets import SqlPasswordResetStore


@attrs.frozen
class SqlUnitOfWork:
    """Satisfies the slice of every room; each store lives as long as the transaction."""

    connection: Connection
    jobs: SqlJobOutbox = attrs.field(init=False)
    _effects: list[int] = attrs.field(init=False, factory=list)

    @jobs.default
    def _jobs(self) -> SqlJobOutbox:
        return SqlJobOutbox(self.connection)

    @property
    def audit(self) -> SqlAuditLog:
        return SqlAuditLog(self.connection)

    @property
    def accounts(self) -> SqlAccountStore:
        return SqlAccountStore(self.connection)

    @property
    def sessions(self) -> SqlSessionStore:
        return SqlSessionStore(self.connection)

    @property
    def api_keys(self) -> SqlApiKeyStore:
        return SqlApiKeyStore(self.connection)

    @property
    def password_resets(self) -> SqlPasswordResetStore:
        return SqlPasswordResetStore(self.connection)

    @property
    def closings(self) -> SqlClosingStore:
        return SqlClosingStore(self.connection)

    @property
    def notices(self) -> SqlNoticeStore:
        return SqlNoticeStore(self.connection)

    @property
    def credits(self) -> SqlCreditLedger:
        return SqlCreditLedger(self.connection)

    @property
    def subscriptions(self) -> SqlSubscriptionStore:
        return SqlSubscriptionStore(self.connection)

    @property
    def campaigns(self) -> SqlCampaignStore:
        return SqlCampaignStore(self.connection)

    @property
    def progress(self) -> SqlCampaignProgress:
        return SqlCampaignProgress(self.connection)

    @property
    def numbers(self) -> SqlMessageNumbers:
        return SqlMessageNumbers(self.connection)

    @property
    def batches(self) -> SqlBatchStore:
        return SqlBatchStore(self.connection)

    @property
    def messages(self) -> SqlMessageStore:
        return SqlMessageStore(self.connection)

    @property
    def doubts(self) -> SqlDoubtStore:
        return SqlDoubtStore(self.connection)

    @property
    def look_ups(self) -> SqlLookUpStore:
        return SqlLookUpStore(self.connection)

    @property
    def confirmations(self) -> SqlConfirmationStore:
        return SqlConfirmationStore(self.connection)

    @property
    def singles(self) -> SqlSingleMessageStore:
        return SqlSingleMessageStore(self.connection)

    @property
    def gateway_health(self) -> SqlGatewayHealthStore:
        return SqlGatewayHealthStore(self.connection)

    @property
    def reports(self) -> SqlReportStore:
        return SqlReportStore(self.connection)

    @property
    def inbound_texts(self) -> SqlInboundStore:
        return SqlInboundStore(self.connection)

    @property
    def standings(self) -> SqlStandingStore:
        return SqlStandingStore(self.connection)

    @property
    def contacts(self) -> SqlContactStore:
        return SqlContactStore(self.connection)

    @property
    def consents(self) -> SqlConsentLedger:
        return SqlConsentLedger(self.connection)

    @property
    def suppressions(self) -> SqlSuppressionStore:
        return SqlSuppressionStore(self.connection)

    @property
    def message_traces(self) -> SqlMessageStore:
        return SqlMessageStore(self.connection)

    @property
    def contact_sets(self) -> SqlContactSets:
        return SqlContactSets(self.connection)

    @property
    def person_traces(self) -> SqlPersonTraces:
        return SqlPersonTraces(self.connection)

    @property
    def number_traces(self) -> SqlNumberTraces:
        return SqlNumberTraces(self.connection)

    @property
    def lists(self) -> SqlListStore:
        return SqlListStore(self.connection)

    @property
    def list_members(self) -> SqlListMembers:
        return SqlListMembers(self.connection)

    @property
    def list_uses(self) -> SqlListUses:
        return SqlListUses(self.connection)

    @property
    def engagement_facts(self) -> SqlEngagementFacts:
        return SqlEngagementFacts(self.connection)

    @property
    def imports(self) -> SqlImportStore:
        return SqlImportStore(self.connection)

    @property
    def uploads(self) -> SqlUploadStore:
        return SqlUploadStore(self.connection)

    @property
    def import_merge(self) -> SqlImportMerge:
        return SqlImportMerge(self.connection)

    @property
    def import_reversal(self) -> SqlImportReversal:
        return SqlImportReversal(self.connection)

    def effect(self, effect_id: int) -> None:
        """Name what this transaction made, for the reply to a repeat of the same request."""
        self._effects.append(effect_id)

    @property
    def named_effect(self) -> int | None:
        """The effect named last, if any."""
        return self._effects[-1] if self._effects else None

    def flush(self) -> None:
        """Write what was kept back until the commit."""
        self.jobs.flush()
