"""Take contacts out of the system; whoever does so is written down first."""

from collections.abc import Iterator

import attrs

from retail_core.contacts.model import Contact
from retail_core.contacts.ports import ContactsUnitOfWork
from retail_core.contacts.queries import ContactFilter, ContactQueries
from retail_core.kernel.audit import AuditAction, AuditEntry, AuditKind, Detail
from retail_core.kernel.ids import AccountId
from retail_core.kernel.pages import PageRequest
from retail_core.kernel.ports import Transactions

COUNT_ONLY = PageRequest(1, 1)


@attrs.frozen
class ExportContacts:
    """Hand out all contacts that a filter means, the newest first."""

    transactions: Transactions[ContactsUnitOfWork]
    contacts: ContactQueries

    def __call__(self, account: AccountId, which: ContactFilter) -> Iterator[Contact]:
        """As of the moment when the first is read; memory does not grow with them."""
        rows = self.contacts.page(account, which, COUNT_ONLY).total
        with self.transactions.begin(account) as uow:
            uow.audit.record(
                AuditEntry(
                    action=AuditAction.EXPORTED,
                    account=account,
                    kind=AuditKind.CONTACTS,
                    details={"rows": rows, **_narrowed_by(which)},
                )
            )
        return self.contacts.every(account, which)


def _narrowed_by(which: ContactFilter) -> dict[str, Detail]:
    """What was asked for, without a word that somebody typed."""
    details: dict[str, Detail] = {}
    if which.term:
        details["search"] = True
    if which.is_subscribed is not None:
        details["subscribed"] = which.is_subscribed
    if which.tags:
        details["tags"] = len(which.tags)
    if which.member_of is not None:
        details["list"] = which.member_of
    if which.reachable is not None:
        details["rule"] = True
    return details
