"""The two worlds in which every contract must hold: in memory, and on real PostgreSQL.

A contract's tests ask for the fixture `world` and get all ports of one of them. A room adds its
store to `EveryStore`, and its query ports to `World` and to both builders: mypy then proves that
both adapters satisfy every Protocol.
"""

import itertools
from collections.abc import Callable, Iterator

import attrs
import pytest

from adapters_db.accounts.accounts import SqlAccountQueries
from adapters_db.accounts.api_keys import SqlApiKeyQueries
from adapters_db.accounts.sessions import SqlSessionQueries
from adapters_db.audiences.lists_reading import SqlListQueries
from adapters_db.audiences.queries import SqlAudienceQueries
from adapters_db.billing.subscriptions import SqlSubscriptionQueries
from adapters_db.campaigns.campaigns import SqlCampaignQueries
from adapters_db.campaigns.frozen_recipients import SqlFrozenRecipients
from adapters_db.campaigns.recipient_groups import SqlRecipientGroups
from adapters_db.connection.connections import Connections
from adapters_db.connection.engine import make_engine
from adapters_db.connection.reads import Reads
from adapters_db.contacts.reading import (
    SqlContactOwners,
    SqlContactQueries,
    SqlOptOutQueries,
)
from adapters_db.contacts.subjects import SqlSubjectQueries
from adapters_db.contacts.suppressions import SqlSuppressionQueries
from adapters_db.credits.credits import SqlCreditQueries, SqlLedgerAudit
from adapters_db.imports.imports import SqlImportQueries, SqlUploadReads
from adapters_db.kernel.audit import SqlAuditTrail
from adapters_db.kernel.idempotency import SqlIdempotencyReplies
from adapters_db.messages.log.queries import SqlMessageQueries
from adapters_db.messages.origins import SqlMessageOrigins
from adapters_db.messages.reports.inbox import GroupedReportInbox
from adapters_db.notices.notices import SqlNoticeFacts
from adapters_db.settings import DatabaseSettings
from adapters_db.transactions import SqlTransactions
from retail_core.accounts.model import Locale, NewAccount
from retail_core.accounts.queries import AccountQueries, ApiKeyQueries, SessionQueries
from retail_core.audiences.queries import AudienceQueries, ListQueries
from retail_core.billing.queries import SubscriptionQueries
from retail_core.campaigns.queries import CampaignQueries, FrozenRecipients, RecipientGroups
from retail_core.contacts.ports import (
    ContactOwners,
    MessageOrigins,
)
from retail_core.contacts.queries import (
    ContactQueries,
    OptOutQueries,
    SubjectQueries,
    SuppressionQueries,
)
from retail_core.credits.queries import CreditQueries, LedgerAudit
from retail_core.imports.ports import (
    UploadReads,
)
from retail_core.imports.queries import ImportQueries
from retail_core.kernel.ids import AccountId
from retail_core.kernel.ports import AuditTrail, IdempotencyReplies, Transactions
from retail_core.messages.ports import (
    ReportInbox,
)
from retail_core.messages.queries import MessageQueries
from retail_core.notices.queries import NoticeFacts
from retail_core.testing.accounts.accounts import MemoryAccountQueries, MemorySessionQueries
from retail_core.testing.accounts.api_keys import MemoryApiKeyQueries
from retail_core.testing.audiences.audiences import MemoryAudienceQueries
from retail_core.testing.audiences.lists import MemoryListQueries
from retail_core.testing.billing import MemorySubscriptionQueries
from retail_core.testing.campaigns.campaigns import MemoryCampaignQueries
from retail_core.testing.campaigns.recipient_groups import (
    MemoryFrozenRecipients,
    MemoryRecipientGroups,
)
from retail_core.testing.contacts.contacts import (
    MemoryContactOwners,
    MemoryContactQueries,
    MemoryOptOutQueries,
)
from retail_core.testing.contacts.subject_traces import MemorySubjectQueries
from retail_core.testing.contacts.suppressions import MemorySuppressionQueries
from retail_core.testing.credits import MemoryCreditQueries, MemoryLedgerAudit
from retail_core.testing.imports.imports import MemoryImportQueries, MemoryUploadReads
from retail_core.testing.kernel.audit import MemoryAuditTrail
from retail_core.testing.kernel.clock import FixedClock
from retail_core.testing.memory import (
    MemoryDatabase,
    MemoryIdempotencyReplies,
    MemoryTransactions,
)
from retail_core.testing.messages.log import MemoryMessageQueries
from retail_core.testing.messages.messages import MemoryMessageOrigins
from retail_core.testing.messages.reports import MemoryReportInbox
from retail_core.testing.notices.notices import MemoryNoticeFacts
from tests.contracts.every_store import EveryStore
from tests.own_database import close

_numbers = itertools.count(1)


@attrs.frozen
class World:
    """Everything a contract may need, from one kind of adapter.

    `clock` is the core's clock; what the database stamps by itself follows its own in SQL.
    `new_account` makes an account that no other test knows, so tests cannot meet.
    """

    name: str
    clock: FixedClock
    new_account: Callable[[], AccountId]
    transactions: Transactions[EveryStore]
    replies: IdempotencyReplies
    audit_trail: AuditTrail
    account_queries: AccountQueries
    session_queries: SessionQueries
    api_key_queries: ApiKeyQueries
    credit_queries: CreditQueries
    ledger_audit: LedgerAudit
    subscription_queries: SubscriptionQueries
    contact_queries: ContactQueries
    suppression_queries: SuppressionQueries
    contact_owners: ContactOwners
    opt_out_queries: OptOutQueries
    subject_queries: SubjectQueries
    import_queries: ImportQueries
    upload_reads: UploadReads
    list_queries: ListQueries
    audience_queries: AudienceQueries
    campaign_queries: CampaignQueries
    recipient_groups: RecipientGroups
    frozen_recipients: FrozenRecipients
    message_queries: MessageQueries
    message_origins: MessageOrigins
    report_inbox: ReportInbox
    notice_facts: NoticeFacts


def memory_world() -> World:
    """A fresh database in memory."""
    clock = FixedClock()
    database = MemoryDatabase(clock)
    transactions = MemoryTransactions(database)
    return World(
        name="memory",
        clock=clock,
        new_account=_new_accounts(transactions, clock),
        transactions=transactions,
        replies=MemoryIdempotencyReplies(database),
        audit_trail=MemoryAuditTrail(database),
        account_queries=MemoryAccountQueries(database),
        session_queries=MemorySessionQueries(database),
        api_key_queries=MemoryApiKeyQueries(database),
        credit_queries=MemoryCreditQueries(database),
        ledger_audit=MemoryLedgerAudit(database),
        subscription_queries=MemorySubscriptionQueries(database),
        contact_queries=MemoryContactQueries(database),
        suppression_queries=MemorySuppressionQueries(database),
        contact_owners=MemoryContactOwners(database),
        opt_out_queries=MemoryOptOutQueries(database),
        subject_queries=MemorySubjectQueries(database),
        import_queries=MemoryImportQueries(database),
        upload_reads=MemoryUploadReads(database),
        list_queries=MemoryListQueries(database),
        audience_queries=MemoryAudienceQueries(database),
        campaign_queries=MemoryCampaignQueries(database),
        recipient_groups=MemoryRecipientGroups(database),
        frozen_recipients=MemoryFrozenRecipients(database),
        message_queries=MemoryMessageQueries(database),
        message_origins=MemoryMessageOrigins(database),
        report_inbox=MemoryReportInbox(database),
        notice_facts=MemoryNoticeFacts(database),
    )


def sql_world(connections: Connections) -> World:
    """The shared database of the run; what keeps tests apart are their accounts."""
    reads = Reads(connections)
    clock = FixedClock()
    transactions = SqlTransactions(connections)
    return World(
        name="sql",
        clock=clock,
        new_account=_new_accounts(transactions, clock),
        transactions=transactions,
        replies=SqlIdempotencyReplies(connections),
        audit_trail=SqlAuditTrail(reads),
        account_queries=SqlAccountQueries(reads),
        session_queries=SqlSessionQueries(reads),
        api_key_queries=SqlApiKeyQueries(reads),
        credit_queries=SqlCreditQueries(reads),
        ledger_audit=SqlLedgerAudit(reads),
        subscription_queries=SqlSubscriptionQueries(reads),
        contact_queries=SqlContactQueries(reads),
        suppression_queries=SqlSuppressionQueries(reads),
        contact_owners=SqlContactOwners(reads),
        opt_out_queries=SqlOptOutQueries(reads),
        subject_queries=SqlSubjectQueries(reads),
        import_queries=SqlImportQueries(reads),
        upload_reads=SqlUploadReads(reads),
        list_queries=SqlListQueries(reads),
        audience_queries=SqlAudienceQueries(reads),
        campaign_queries=SqlCampaignQueries(reads),
        recipient_groups=SqlRecipientGroups(reads),
        frozen_recipients=SqlFrozenRecipients(reads),
        message_queries=SqlMessageQueries(reads),
        message_origins=SqlMessageOrigins(reads),
        report_inbox=GroupedReportInbox(transactions),
        notice_facts=SqlNoticeFacts(reads),
    )


def _new_accounts(
    transactions: Transactions[EveryStore], clock: FixedClock
) -> Callable[[], AccountId]:
    def new_account() -> AccountId:
        account = NewAccount(
            email=f"shop{next(_numbers)}@example.com",
            password_hash="none",
            sender_name=None,
            company=None,
            default_country="GR",
            locale=Locale.EN,
            created_at=clock.now(),
        )
        with transactions.across_accounts() as uow:
            return uow.accounts.add_across_accounts(account).id

    return new_account


@pytest.fixture(scope="session")
def connections(migrated_database_url: str) -> Iterator[Connections]:
    """The pool on the run's migrated database."""
    url = migrated_database_url
    settings = DatabaseSettings(url, url, application_name="retail-tests", lock_timeout_seconds=5)
    connections = Connections(make_engine(settings), settings)
    yield connections
    close(connections)


@pytest.fixture(params=["memory", pytest.param("sql", marks=pytest.mark.servers)])
def world(request: pytest.FixtureRequest) -> World:
    """Each contract runs once in memory and once on PostgreSQL."""
    if request.param == "memory":
        return memory_world()
    connections: Connections = request.getfixturevalue("connections")
    return sql_world(connections)
