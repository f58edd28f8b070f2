"""Take the message log out of the system; whoever does so is written down first."""

from collections.abc import Iterator

import attrs

from retail_core.kernel.audit import AuditAction, AuditEntry, AuditKind, Detail
from retail_core.kernel.ids import AccountId
from retail_core.kernel.pages import PageRequest
from retail_core.kernel.ports import Transactions
from retail_core.messages.ports import MessagesUnitOfWork
from retail_core.messages.queries import MessageFilter, MessageQueries, MessageRecord

COUNT_ONLY = PageRequest(1, 1)


@attrs.frozen
class ExportMessages:
    """Hand out all messages that a filter means, the highest number first."""

    transactions: Transactions[MessagesUnitOfWork]
    messages: MessageQueries

    def __call__(self, account: AccountId, wanted: MessageFilter) -> Iterator[MessageRecord]:
        """Read piece by piece; memory does not grow with them."""
        rows = self.messages.page(account, wanted, COUNT_ONLY).total
        with self.transactions.begin(account) as uow:
            uow.audit.record(
                AuditEntry(
                    action=AuditAction.EXPORTED,
                    account=account,
                    kind=AuditKind.MESSAGES,
                    details={"rows": rows, **_narrowed_by(wanted)},
                )
            )
        return self.messages.every(account, wanted)


def _narrowed_by(wanted: MessageFilter) -> dict[str, Detail]:
    """What was asked for, without a digit that somebody typed."""
    ids = {"campaign": wanted.campaign, "automation": wanted.automation, "contact": wanted.contact}
    details: dict[str, Detail] = {name: each for name, each in ids.items() if each is not None}
    if wanted.kind is not None:
        details["kind"] = wanted.kind
    if wanted.is_test is not None:
        details["test"] = wanted.is_test
    if wanted.state is not None:
        details["state"] = int(wanted.state)
    if wanted.digits:
        details["search"] = True
    if wanted.since is not None or wanted.before is not None:
        details["period"] = True
    return details
