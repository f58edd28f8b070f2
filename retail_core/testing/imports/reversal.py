"""Taking imports back in memory: row by row."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import attrs

from retail_core.contacts.model import ConsentFact, ConsentSource, ConsentType, Contact
from retail_core.imports.model import ImportTerms, RemovedContact, UndoCounts, UndoStep
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import AccountId, ContactId, ImportId
from retail_core.kernel.time.clock import Clock
from retail_core.messages.model import BatchState
from retail_core.testing.audiences.lists import MemoryListMembers
from retail_core.testing.contacts.contacts import MemoryConsentLedger, MemoryContactStore
from retail_core.testing.contacts.suppressions import MemorySuppressionStore
from retail_core.testing.imports.stored_imports import StoredImportRow
from retail_core.testing.kernel.table import sees
from retail_core.testing.tables import MemoryTables

_PLAIN: Final = ("email", "first_name", "last_name", "gender", "birthday")


@attrs.frozen
class MemoryImportReversal:
    """`ImportReversal` in memory."""

    tables: MemoryTables
    bound_to: AccountId | None
    clock: Clock

    def revert(
        self,
        account: AccountId,
        import_id: ImportId,
        terms: ImportTerms,
        after: PhoneNumber | None,
        rows_max: int,
        at: datetime,
    ) -> UndoStep:
        begin = 0 if after is None else int(after[1:])
        rows = [
            (name[2], row)
            for name, row in self.tables.import_numbers.items()
            if name[:2] == (account, import_id) and int(name[2][1:]) > begin
        ]
        rows.sort(key=lambda each: int(each[0][1:]))
        if not rows or not sees(self.bound_to, account):
            return UndoStep(UndoCounts(), (), None)
        removed: list[RemovedContact] = []
        restored, kept = 0, 0
        for _, row in rows[:rows_max]:
            contact = self._contacts.lock(account, row.contact or ContactId(0))
            if contact is None:
                continue
            self._take_off_list(account, contact, row, terms)
            if row.before is None and self._is_untouched(account, contact, row):
                self._remove(account, import_id, contact, at)
                removed.append(RemovedContact(contact.id, contact.phone))
            elif self._put_back(account, import_id, contact, row, terms, at):
                restored += 1
            else:
                kept += 1
        last = rows[:rows_max][-1][0]
        return UndoStep(UndoCounts(len(removed), restored, kept), removed, last)

    def remember_removed(
        self, account: AccountId, hashes: Sequence[tuple[ContactId, bytes]], at: datetime
    ) -> None:
        for contact, digest in hashes:
            self._ledger.remember_deleted(account, {contact: digest}, at)

    @property
    def _contacts(self) -> MemoryContactStore:
        return MemoryContactStore(self.tables, self.bound_to)

    @property
    def _ledger(self) -> MemoryConsentLedger:
        return MemoryConsentLedger(self.tables, self.bound_to, self.clock)

    def _take_off_list(
        self, account: AccountId, contact: Contact, row: StoredImportRow, terms: ImportTerms
    ) -> None:
        if terms.list_id is None:
            return
        membership = self.tables.list_members.get((account, terms.list_id, contact.id))
        if membership is not None and membership.created_at == row.at:
            members = MemoryListMembers(self.tables, self.bound_to)
            members.remove(account, terms.list_id, contact.id)

    def _is_untouched(self, account: AccountId, contact: Contact, row: StoredImportRow) -> bool:
        whom = (account, contact.id)
        messaged = [(message.account, message.contact) for message in self.tables.messages]
        messaged += [(each.account, each.single.contact) for each in self.tables.singles]
        messaged += [
            (batch.key.account, contact)
            for batch in self.tables.batches
            if batch.state is BatchState.SUBMITTING and batch.recipients is not None
            for position, contact in enumerate(batch.recipients.contacts)
            if position not in batch.dropped
        ]
        return contact.updated_at == row.at and whom not in messaged

    def _remove(
        self, account: AccountId, import_id: ImportId, contact: Contact, at: datetime
    ) -> None:
        if contact.is_subscribed:
            self._tell(account, import_id, contact, ConsentType.WITHDRAWN, at)
        self._contacts.remove(account, [contact.id])

    def _put_back(
        self,
        account: AccountId,
        import_id: ImportId,
        contact: Contact,
        row: StoredImportRow,
        terms: ImportTerms,
        at: datetime,
    ) -> bool:
        """Whether everything could be put back."""
        old, new = row.before, row.after
        if old is None or new is None:
            left = tuple(tag for tag in contact.tags if tag not in terms.tags)
            if left != contact.tags:
                self._contacts.save(account, attrs.evolve(contact, tags=left, updated_at=at))
            return False
        is_opted_out = old.is_subscribed and not contact.is_subscribed
        is_back = is_opted_out and self._is_ours(account, contact, new)
        is_kept = (is_opted_out and not is_back) or _is_changed_since(contact, old, new)
        is_untouched = contact.updated_at == row.at and not is_kept
        changed = attrs.evolve(
            contact,
            **{
                name: getattr(
                    old if getattr(contact, name) == getattr(new, name) else contact, name
                )
                for name in _PLAIN
            },
            tags=_tags(contact, old, new),
            is_subscribed=contact.is_subscribed or is_back,
            unsubscribed_at=None if is_back else contact.unsubscribed_at,
            updated_at=old.updated_at if is_untouched else at,
        )
        self._contacts.save(account, changed)
        if is_back:
            self._tell(account, import_id, contact, ConsentType.GRANTED, at)
        return not is_kept

    def _is_ours(self, account: AccountId, contact: Contact, new: Contact) -> bool:
        """Whether it was the import that opted them out, and nobody else since."""
        barred = MemorySuppressionStore(self.tables, self.bound_to).reasons(account, contact.phone)
        same = contact.unsubscribed_at == new.unsubscribed_at
        return not new.is_subscribed and same and not barred

    def _tell(
        self,
        account: AccountId,
        import_id: ImportId,
        contact: Contact,
        kind: ConsentType,
        at: datetime,
    ) -> None:
        fact = ConsentFact(
            contact=contact.id,
            type=kind,
            source=ConsentSource.IMPORT_UNDO,
            at=at,
            source_ref=f"import:{import_id}",
        )
        self._ledger.append(account, fact)


def _tags(contact: Contact, old: Contact, new: Contact) -> tuple[str, ...]:
    if contact.tags == new.tags:
        return old.tags
    return tuple(tag for tag in contact.tags if tag in old.tags or tag not in new.tags)


def _is_changed_since(contact: Contact, old: Contact, new: Contact) -> bool:
    """Whether a field that the import changed was changed again."""
    values = (
        (getattr(old, name), getattr(new, name), getattr(contact, name))
        for name in (*_PLAIN, "tags")
    )
    return any(before != after and now not in (before, after) for before, after, now in values)
