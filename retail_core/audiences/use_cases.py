"""What an owner does with lists."""

from datetime import datetime

import attrs

from retail_core.audiences.errors import ListInUse, ListIsFiltered, ListNotFound
from retail_core.audiences.model import (
    ContactList,
    ContactRange,
    ListChanges,
    ListDraft,
    Membership,
)
from retail_core.audiences.ports import AudiencesUnitOfWork
from retail_core.contacts.errors import ContactNotFound
from retail_core.kernel.idempotency import Once
from retail_core.kernel.ids import AccountId, ContactId, ListId
from retail_core.kernel.ports import Transactions
from retail_core.kernel.time.clock import Clock
from retail_core.kernel.time.zones import local_date

SYNCED_PER_STEP_MAX = 5_000


@attrs.frozen
class CreateList:
    """Make a list, empty or with a filter. Raises `ListNameTaken`."""

    transactions: Transactions[AudiencesUnitOfWork]
    clock: Clock

    def __call__(
        self, account: AccountId, draft: ListDraft, once: Once | None = None
    ) -> ContactList:
        with self.transactions.begin(account, once) as uow:
            made = uow.lists.add(account, draft, self.clock.now())
            uow.effect(made.id)
        return made


@attrs.frozen
class EditList:
    """Change what a list says. Raises `ListNotFound`, `InvalidField`, `ListNameTaken`."""

    transactions: Transactions[AudiencesUnitOfWork]
    clock: Clock

    def __call__(self, account: AccountId, list_id: ListId, changes: ListChanges) -> ContactList:
        with self.transactions.begin(account) as uow:
            known = _locked(uow, account, list_id)
            draft = changes.applied_to(known.draft)
            if draft == known.draft:
                return known
            changed = attrs.evolve(known, draft=draft, updated_at=self.clock.now())
            uow.lists.save(account, changed)
        return changed


@attrs.frozen
class DeleteList:
    """Delete a list that no campaign needs any more; who was on it stays a contact.

    Raises `ListNotFound`, `ListInUse`.
    """

    transactions: Transactions[AudiencesUnitOfWork]

    def __call__(self, account: AccountId, list_id: ListId) -> None:
        with self.transactions.begin(account) as uow:
            _locked(uow, account, list_id)
            if uow.list_uses.is_needed(account, list_id):
                raise ListInUse
            uow.list_uses.let_go(account, list_id)
            uow.lists.remove(account, list_id)


@attrs.frozen
class SyncList:
    """Write down who fits a filtered list now; without its filter they would stay on it.

    It goes through the contacts in steps, each a short transaction, so that nobody who needs the
    list waits for all of them. Who breaks off in between does it again: what was written stays.
    Raises `ListNotFound`.
    """

    transactions: Transactions[AudiencesUnitOfWork]
    clock: Clock
    step_contacts_max: int = SYNCED_PER_STEP_MAX

    def __call__(self, account: AccountId, list_id: ListId) -> tuple[int, int]:
        """How many came and how many went; a list without a filter is left as it is."""
        now = self.clock.now()
        known: ContactList | None = None
        added = removed = 0
        last: ContactId | None = ContactId(0)
        while last is not None:
            with self.transactions.begin(account) as uow:
                before, known = known, _locked(uow, account, list_id)
                if not known.is_filtered:
                    break
                if before is not None and before.draft.filter != known.draft.filter:
                    last = ContactId(0)  # the filter was changed meanwhile: everybody anew
                today = local_date(now, uow.accounts.get(account).timezone or "UTC")
                contacts = ContactRange(last, self.step_contacts_max)
                step = uow.list_members.sync(account, known, today, now, contacts)
            added, removed, last = added + step.added, removed + step.removed, step.last
        return added, removed


@attrs.frozen
class AddToList:
    """Put a contact on a list by hand.

    Raises `ListNotFound`, `ContactNotFound`, `ListIsFiltered`, `AlreadyMember`.
    """

    transactions: Transactions[AudiencesUnitOfWork]
    clock: Clock

    def __call__(
        self, account: AccountId, list_id: ListId, contact: ContactId, once: Once | None = None
    ) -> Membership:
        with self.transactions.begin(account, once) as uow:
            _check(uow, account, list_id, contact)
            now: datetime = self.clock.now()
            made = uow.list_members.add(account, list_id, contact, now)
            uow.effect(made.id)
        return made


@attrs.frozen
class RemoveFromList:
    """Take a contact off a list, also one who is not on it.

    Raises `ListNotFound`, `ContactNotFound`, `ListIsFiltered`.
    """

    transactions: Transactions[AudiencesUnitOfWork]

    def __call__(self, account: AccountId, list_id: ListId, contact: ContactId) -> None:
        with self.transactions.begin(account) as uow:
            _check(uow, account, list_id, contact)
            uow.list_members.remove(account, list_id, contact)


def _locked(uow: AudiencesUnitOfWork, account: AccountId, list_id: ListId) -> ContactList:
    known = uow.lists.lock(account, list_id)
    if known is None:
        raise ListNotFound
    return known


def _check(
    uow: AudiencesUnitOfWork, account: AccountId, list_id: ListId, contact: ContactId
) -> None:
    known = uow.lists.hold(account, [list_id]).get(list_id)
    if known is None:
        raise ListNotFound
    if uow.contacts.lock(account, contact) is None:
        raise ContactNotFound
    if known.is_filtered:
        raise ListIsFiltered
