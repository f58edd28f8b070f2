"""A database in memory with the promises of the real one: serial, atomic, once."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import attrs

from retail_core.kernel.errors import IdempotencyKeyReused
from retail_core.kernel.idempotency import AlreadyDone, Once, StoredReply
from retail_core.kernel.ids import AccountId
from retail_core.kernel.time.clock import Clock
from retail_core.testing.accounts.accounts import MemoryAccountStore, MemorySessionStore
from retail_core.testing.accounts.api_keys import MemoryApiKeyStore
from retail_core.testing.accounts.closing import MemoryClosingStore
from retail_core.testing.audiences.lists import (
    MemoryEngagementFacts,
    MemoryListMembers,
    MemoryListStore,
    MemoryListUses,
)
from retail_core.testing.billing import MemorySubscriptionStore
from retail_core.testing.campaigns.campaigns import MemoryCampaignProgress, MemoryCampaignStore
from retail_core.testing.contacts.contacts import (
    MemoryConsentLedger,
    MemoryContactSets,
    MemoryContactStore,
)
from retail_core.testing.contacts.subject_traces import MemoryPersonTraces
from retail_core.testing.contacts.suppressions import MemorySuppressionStore
from retail_core.testing.credits import MemoryCreditLedger
from retail_core.testing.database import MemoryDatabase
from retail_core.testing.engagement.confirmations import MemoryConfirmationStore
from retail_core.testing.engagement.inbound import MemoryInboundStore
from retail_core.testing.engagement.number_traces import MemoryNumberTraces
from retail_core.testing.engagement.standings import MemoryStandingStore
from retail_core.testing.imports.imports import (
    MemoryImportMerge,
    MemoryImportStore,
    MemoryUploadStore,
)
from retail_core.testing.imports.reversal import MemoryImportReversal
from retail_core.testing.kernel.audit import MemoryAuditLog
from retail_core.testing.kernel.outbox import MemoryJobOutbox
from retail_core.testing.messages.batches import MemoryBatchStore
from retail_core.testing.messages.doubts import MemoryDoubtStore
from retail_core.testing.messages.gateway_health import MemoryGatewayHealthStore
from retail_core.testing.messages.look_ups import MemoryLookUpStore
from retail_core.testing.messages.messages import MemoryMessageStore
from retail_core.testing.messages.numbers import MemoryMessageNumbers
from retail_core.testing.messages.reports import MemoryReportStore
from retail_core.testing.messages.singles.singles import MemorySingleMessageStore
from retail_core.testing.notices.notices import MemoryNoticeStore
from retail_core.testing.notices.password_resets import MemoryPasswordResetStore
from retail_core.testing.tables import MemoryTables, StoredKey

__all__ = [
    "MemoryDatabase",
    "MemoryIdempotencyReplies",
    "MemoryTransactions",
    "MemoryUnitOfWork",
]


@attrs.frozen
class MemoryUnitOfWork:
    """The wiring list of all stores; satisfies the slice of every room."""

    tables: MemoryTables
    account: AccountId | None
    clock: Clock
    _effects: list[int] = attrs.field(init=False, factory=list)

    @property
    def jobs(self) -> MemoryJobOutbox:
        return MemoryJobOutbox(self.tables, self.account)

    @property
    def audit(self) -> MemoryAuditLog:
        return MemoryAuditLog(self.tables, self.account, self.clock)

    @property
    def accounts(self) -> MemoryAccountStore:
        return MemoryAccountStore(self.tables, self.account)

    @property
    def sessions(self) -> MemorySessionStore:
        return MemorySessionStore(self.tables, self.account)

    @property
    def api_keys(self) -> MemoryApiKeyStore:
        return MemoryApiKeyStore(self.tables, self.account)

    @property
    def password_resets(self) -> MemoryPasswordResetStore:
        return MemoryPasswordResetStore(self.tables, self.account)

    @property
    def closings(self) -> MemoryClosingStore:
        return MemoryClosingStore(self.tables, self.account)

    @property
    def notices(self) -> MemoryNoticeStore:
        return MemoryNoticeStore(self.tables, self.account)

    @property
    def credits(self) -> MemoryCreditLedger:
        return MemoryCreditLedger(self.tables, self.account, self.clock)

    @property
    def subscriptions(self) -> MemorySubscriptionStore:
        return MemorySubscriptionStore(self.tables, self.account)

    @property
    def contacts(self) -> MemoryContactStore:
        return MemoryContactStore(self.tables, self.account)

    @property
    def consents(self) -> MemoryConsentLedger:
        return MemoryConsentLedger(self.tables, self.account, self.clock)

    @property
    def suppressions(self) -> MemorySuppressionStore:
        return MemorySuppressionStore(self.tables, self.account)

    @property
    def message_traces(self) -> MemoryMessageStore:
        return MemoryMessageStore(self.tables, self.account)

    @property
    def contact_sets(self) -> MemoryContactSets:
        return MemoryContactSets(self.tables, self.account)

    @property
    def person_traces(self) -> MemoryPersonTraces:
        return MemoryPersonTraces(self.tables, self.account)

    @property
    def number_traces(self) -> MemoryNumberTraces:
        return MemoryNumberTraces(self.tables, self.account)

    @property
    def lists(self) -> MemoryListStore:
        return MemoryListStore(self.tables, self.account)

    @property
    def list_members(self) -> MemoryListMembers:
        return MemoryListMembers(self.tables, self.account)

    @property
    def list_uses(self) -> MemoryListUses:
        return MemoryListUses(self.tables, self.account)

    @property
    def engagement_facts(self) -> MemoryEngagementFacts:
        return MemoryEngagementFacts(self.tables)

    @property
    def imports(self) -> MemoryImportStore:
        return MemoryImportStore(self.tables, self.account)

    @property
    def uploads(self) -> MemoryUploadStore:
        return MemoryUploadStore(self.tables)

    @property
    def import_merge(self) -> MemoryImportMerge:
        return MemoryImportMerge(self.tables, self.account, self.clock)

    @property
    def import_reversal(self) -> MemoryImportReversal:
        return MemoryImportReversal(self.tables, self.account, self.clock)

    @property
    def campaigns(self) -> MemoryCampaignStore:
        return MemoryCampaignStore(self.tables, self.account)

    @property
    def progress(self) -> MemoryCampaignProgress:
        return MemoryCampaignProgress(self.tables, self.account)

    @property
    def numbers(self) -> MemoryMessageNumbers:
        return MemoryMessageNumbers(self.tables)

    @property
    def batches(self) -> MemoryBatchStore:
        return MemoryBatchStore(self.tables, self.account)

    @property
    def messages(self) -> MemoryMessageStore:
        return MemoryMessageStore(self.tables, self.account)

    @property
    def doubts(self) -> MemoryDoubtStore:
        return MemoryDoubtStore(self.tables, self.account)

    @property
    def look_ups(self) -> MemoryLookUpStore:
        return MemoryLookUpStore(self.tables, self.account)

    @property
    def confirmations(self) -> MemoryConfirmationStore:
        return MemoryConfirmationStore(self.tables, self.account)

    @property
    def singles(self) -> MemorySingleMessageStore:
        return MemorySingleMessageStore(self.tables, self.account)

    @property
    def gateway_health(self) -> MemoryGatewayHealthStore:
        return MemoryGatewayHealthStore(self.tables)

    @property
    def reports(self) -> MemoryReportStore:
        return MemoryReportStore(self.tables)

    @property
    def inbound_texts(self) -> MemoryInboundStore:
        return MemoryInboundStore(self.tables)

    @property
    def standings(self) -> MemoryStandingStore:
        return MemoryStandingStore(self.contacts, self.consents, self.suppressions)

    def effect(self, effect_id: int) -> None:
        """Name what this transaction made, for the reply to a repeat of the same request."""
        self._effects.append(effect_id)

    @property
    def named_effect(self) -> int | None:
        """The effect named last, if any."""
        return self._effects[-1] if self._effects else None


@attrs.frozen
class MemoryTransactions:
    """`Transactions` in memory, for our tests and for services that embed the core."""

    database: MemoryDatabase = attrs.field(factory=MemoryDatabase)

    @contextmanager
    def begin(self, account: AccountId, once: Once | None = None) -> Iterator[MemoryUnitOfWork]:
        """Work for one account; see the port for what `once` does."""
        if once is None:
            with self.database.transaction() as tables:
                yield MemoryUnitOfWork(tables, account, self.database.clock)
            return
        with self.database.claimed(once), self.database.transaction() as tables:
            _refuse_repeat(tables, once)
            uow = MemoryUnitOfWork(tables, account, self.database.clock)
            yield uow
            if uow.named_effect is not None:
                name = (once.account, once.key)
                now = self.database.clock.now()
                tables.keys.insert(name, StoredKey(once, uow.named_effect, None, now))

    @contextmanager
    def across_accounts(self) -> Iterator[MemoryUnitOfWork]:
        """Work that sweeps over accounts."""
        with self.database.transaction() as tables:
            yield MemoryUnitOfWork(tables, None, self.database.clock)


def _refuse_repeat(tables: MemoryTables, once: Once) -> None:
    stored = tables.keys.get((once.account, once.key))
    if stored is None:
        return
    if stored.once.fingerprint != once.fingerprint:
        raise IdempotencyKeyReused
    raise AlreadyDone(stored.effect, stored.reply)


@attrs.frozen
class MemoryIdempotencyReplies:
    """`IdempotencyReplies` in memory."""

    database: MemoryDatabase

    def save(self, once: Once, reply: StoredReply) -> None:
        """Store the reply beside the key's effect; the first one stays."""
        name = (once.account, once.key)
        with self.database.transaction() as tables:
            stored = tables.keys.get(name)
            barrier = tables.reply_barriers.get(once.account)
            if stored is None or (barrier is not None and barrier >= stored.created_at):
                return
            if stored.once == once and stored.reply is None:
                tables.keys.put(name, attrs.evolve(stored, reply=reply))

    def remove_older_across_accounts(self, before: datetime) -> int:
        """Forget keys older than their life; returns how many."""
        with self.database.transaction() as tables:
            old = [name for name, key in tables.keys.items() if key.created_at < before]
            for name in old:
                tables.keys.remove(name)
        return len(old)
