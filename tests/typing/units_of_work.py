"""mypy proves here that each unit of work satisfies the slice of every room; nothing runs."""

from adapters_db.transactions import SqlTransactions
from adapters_db.unit_of_work import SqlUnitOfWork
from retail_core.accounts.ports import AccountsUnitOfWork
from retail_core.audiences.ports import AudiencesUnitOfWork
from retail_core.billing.ports import BillingUnitOfWork
from retail_core.campaigns.ports import CampaignsUnitOfWork
from retail_core.contacts.ports import ContactsUnitOfWork
from retail_core.credits.ports import CreditsUnitOfWork
from retail_core.engagement.ports import EngagementUnitOfWork
from retail_core.imports.ports import ImportsUnitOfWork
from retail_core.kernel.ports import Transactions
from retail_core.messages.ports import MessagesUnitOfWork
from retail_core.notices.ports import NoticesUnitOfWork
from retail_core.testing.memory import MemoryTransactions, MemoryUnitOfWork


def both_serve_every_room(uow: SqlUnitOfWork | MemoryUnitOfWork) -> None:
    _accounts: AccountsUnitOfWork = uow
    _audiences: AudiencesUnitOfWork = uow
    _billing: BillingUnitOfWork = uow
    _campaigns: CampaignsUnitOfWork = uow
    _contacts: ContactsUnitOfWork = uow
    _credits: CreditsUnitOfWork = uow
    _engagement: EngagementUnitOfWork = uow
    _imports: ImportsUnitOfWork = uow
    _messages: MessagesUnitOfWork = uow
    _notices: NoticesUnitOfWork = uow


def both_are_transactions(sql: SqlTransactions, memory: MemoryTransactions) -> None:
    _sql: Transactions[SqlUnitOfWork] = sql
    _narrow: Transactions[CreditsUnitOfWork] = sql
    _memory: Transactions[MemoryUnitOfWork] = memory
