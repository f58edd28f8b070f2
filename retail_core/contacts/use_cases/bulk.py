"""Work on many contacts at once: a bounded number in each call, and what is left is told."""

import attrs

from retail_core.contacts.model import TagChange
from retail_core.contacts.model.number_hash import NumberHash
from retail_core.contacts.ports import ContactsUnitOfWork
from retail_core.contacts.queries import ContactFilter
from retail_core.contacts.use_cases.keeping import forget_contacts
from retail_core.kernel.audit import AuditAction, AuditEntry, AuditKind
from retail_core.kernel.idempotency import Once
from retail_core.kernel.ids import AccountId
from retail_core.kernel.ports import Transactions
from retail_core.kernel.time.clock import Clock

TAGGED_CONTACTS_MAX = 10_000
DELETED_CONTACTS_MAX = 1_000


@attrs.frozen(kw_only=True)
class Tagged:
    """How many were meant, changed, have no room for the tags, and are still to be changed."""

    matched: int
    changed: int
    full: int
    remaining: int


@attrs.frozen(kw_only=True)
class Deleted:
    """How many were meant, are gone, and are still there."""

    matched: int
    deleted: int
    remaining: int


@attrs.frozen
class TagContacts:
    """Put tags on contacts and take tags off, as far as they do not have them so already."""

    transactions: Transactions[ContactsUnitOfWork]
    clock: Clock
    contacts_max: int = TAGGED_CONTACTS_MAX

    def __call__(
        self,
        account: AccountId,
        which: ContactFilter,
        change: TagChange,
        *,
        dry_run: bool = False,
        once: Once | None = None,
    ) -> Tagged:
        """Calling it again goes on where it stopped; a dry run only counts."""
        with self.transactions.begin(account, once) as uow:
            counts = uow.contact_sets.count(account, which, change)
            changed = 0
            if not dry_run:
                now = self.clock.now()
                changed = uow.contact_sets.retag(account, which, change, self.contacts_max, now)
                uow.effect(changed)
        return Tagged(
            matched=counts.matched,
            changed=changed,
            full=counts.lacking - counts.fitting,
            remaining=max(0, counts.fitting - changed),
        )


@attrs.frozen
class DeleteContacts:
    """Delete contacts and their traces, each as if they were deleted by themselves."""

    transactions: Transactions[ContactsUnitOfWork]
    clock: Clock
    number_hash: NumberHash
    contacts_max: int = DELETED_CONTACTS_MAX

    def __call__(
        self,
        account: AccountId,
        which: ContactFilter,
        *,
        dry_run: bool = False,
        once: Once | None = None,
    ) -> Deleted:
        """Calling it again goes on where it stopped; a dry run only counts."""
        deleted = 0
        with self.transactions.begin(account, once) as uow:
            matched = uow.contact_sets.count(account, which, TagChange()).matched
            if not dry_run:
                uow.contacts.lock_for_removing(account)
                contacts = uow.contact_sets.choose(account, which, self.contacts_max)
                forget_contacts(uow, account, contacts, self.number_hash, self.clock.now())
                deleted = len(contacts)
                uow.audit.record(
                    AuditEntry(
                        action=AuditAction.CONTACT_DELETED,
                        account=account,
                        kind=AuditKind.CONTACTS,
                        details={"contacts": deleted},
                    )
                )
                uow.effect(deleted)
        return Deleted(matched=matched, deleted=deleted, remaining=max(0, matched - deleted))
