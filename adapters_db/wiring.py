"""Which port of the core is satisfied by which adapter here."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import punq

from adapters_db.accounts.accounts import SqlAccountQueries
from adapters_db.accounts.api_keys import SqlApiKeyQueries
from adapters_db.accounts.passwords import BcryptPasswords
from adapters_db.accounts.sessions import SqlSessionQueries
from adapters_db.audiences.lists_reading import SqlListQueries
from adapters_db.audiences.queries import SqlAudienceQueries
from adapters_db.billing.subscriptions import SqlSubscriptionQueries
from adapters_db.campaigns.campaigns import SqlCampaignQueries
from adapters_db.campaigns.frozen_recipients import SqlFrozenRecipients
from adapters_db.campaigns.recipient_groups import SqlRecipientGroups
from adapters_db.connection.connections import Connections
from adapters_db.connection.engine import make_engine
from adapters_db.connection.patience import Remaining, limit_statements, without_end
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
from retail_core.accounts.ports import AccountsUnitOfWork, PasswordHasher
from retail_core.accounts.queries import AccountQueries, ApiKeyQueries, SessionQueries
from retail_core.audiences.ports import AudiencesUnitOfWork
from retail_core.audiences.queries import AudienceQueries, ListQueries
from retail_core.billing.ports import BillingUnitOfWork
from retail_core.billing.queries import SubscriptionQueries
from retail_core.campaigns.ports import CampaignsUnitOfWork
from retail_core.campaigns.queries import CampaignQueries, FrozenRecipients, RecipientGroups
from retail_core.contacts.ports import ContactOwners, ContactsUnitOfWork, MessageOrigins
from retail_core.contacts.queries import (
    ContactQueries,
    OptOutQueries,
    SubjectQueries,
    SuppressionQueries,
)
from retail_core.credits.ports import CreditsUnitOfWork
from retail_core.credits.queries import CreditQueries, LedgerAudit
from retail_core.engagement.ports import EngagementUnitOfWork
from retail_core.imports.ports import ImportsUnitOfWork, UploadReads
from retail_core.imports.queries import ImportQueries
from retail_core.kernel.ports import AuditTrail, IdempotencyReplies, Transactions, Work
from retail_core.messages.ports import MessagesUnitOfWork, ReportInbox
from retail_core.messages.queries import MessageQueries
from retail_core.notices.ports import NoticesUnitOfWork
from retail_core.notices.queries import NoticeFacts

# A use case asks for transactions over the slice of its room; they are all the same.
SLICES: Final = (
    Work,
    AccountsUnitOfWork,
    ContactsUnitOfWork,
    CreditsUnitOfWork,
    BillingUnitOfWork,
    ImportsUnitOfWork,
    MessagesUnitOfWork,
    AudiencesUnitOfWork,
    NoticesUnitOfWork,
    CampaignsUnitOfWork,
    EngagementUnitOfWork,
)


QUERIES: Final[Mapping[Any, Callable[[Reads], object]]] = {
    AuditTrail: SqlAuditTrail,
    AccountQueries: SqlAccountQueries,
    SessionQueries: SqlSessionQueries,
    ApiKeyQueries: SqlApiKeyQueries,
    CreditQueries: SqlCreditQueries,
    LedgerAudit: SqlLedgerAudit,
    SubscriptionQueries: SqlSubscriptionQueries,
    ContactQueries: SqlContactQueries,
    SuppressionQueries: SqlSuppressionQueries,
    SubjectQueries: SqlSubjectQueries,
    ContactOwners: SqlContactOwners,
    OptOutQueries: SqlOptOutQueries,
    MessageOrigins: SqlMessageOrigins,
    ImportQueries: SqlImportQueries,
    UploadReads: SqlUploadReads,
    ListQueries: SqlListQueries,
    AudienceQueries: SqlAudienceQueries,
    CampaignQueries: SqlCampaignQueries,
    FrozenRecipients: SqlFrozenRecipients,
    RecipientGroups: SqlRecipientGroups,
    MessageQueries: SqlMessageQueries,
    NoticeFacts: SqlNoticeFacts,
}
"""Ports that read, and what reads for them."""


def register(
    container: punq.Container, settings: DatabaseSettings, remaining: Remaining = without_end
) -> None:
    """Register every port that the database satisfies; opens no connection yet.

    `remaining` tells how much time is left for the work of a thread.
    """
    connections = Connections(make_engine(settings), settings, remaining)
    if remaining is not without_end:
        limit_statements(connections.engine, remaining)
    transactions = SqlTransactions(connections)
    reads = Reads(connections)
    container.register(Connections, instance=connections)
    container.register(SqlTransactions, instance=transactions)
    register_transactions(container, transactions)
    container.register(Reads, instance=reads)
    container.register(IdempotencyReplies, instance=SqlIdempotencyReplies(connections))
    container.register(PasswordHasher, instance=BcryptPasswords(settings.bcrypt_cost))
    for port, adapter in QUERIES.items():
        container.register(port, instance=adapter(reads))
    container.register(ReportInbox, instance=GroupedReportInbox(transactions))


def register_transactions(container: punq.Container, transactions: object) -> None:
    """Register what every use case begins its work with, under the slice of each room."""
    of: Any = Transactions
    container.register(of, instance=transactions)
    for room in SLICES:
        container.register(of[room], instance=transactions)
