"""What is kept about one person beside their messages, in memory."""

import re
from collections.abc import Sequence
from typing import Final

import attrs

from retail_core.contacts.model import Suppression
from retail_core.contacts.model.erasure import Engagement, ImportTrace, OnList
from retail_core.engagement.model import InboundText
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import AccountId, ContactId, InboundId
from retail_core.messages.model import MessageKind
from retail_core.testing.contacts.contacts import MemoryContactStore
from retail_core.testing.contacts.suppressions import suppressions_of
from retail_core.testing.database import MemoryDatabase
from retail_core.testing.kernel.table import sees
from retail_core.testing.messages.rows import forgotten_single
from retail_core.testing.tables import MemoryTables

FAULT_DIGITS_MIN: Final = 7


@attrs.frozen
class MemoryPersonTraces:
    """`PersonTraces` in memory."""

    tables: MemoryTables
    bound_to: AccountId | None

    def forget(
        self, account: AccountId, contact_id: ContactId, phone: PhoneNumber
    ) -> tuple[int, int]:
        if not sees(self.bound_to, account):
            return 0, 0
        self._forget_imports(account, phone)
        self._forget_tests(account, phone)
        forget_texts(self.tables, account, phone)
        for kept, key in list(self.tables.keys.items()):
            if kept[0] == account:
                barrier = self.tables.reply_barriers.get(account) or key.created_at
                self.tables.reply_barriers.put(account, max(barrier, key.created_at))
                self.tables.keys.put(kept, attrs.evolve(key, reply=None))
        members = [
            name
            for name, _ in self.tables.list_members.items()
            if (name[0], name[2]) == (account, contact_id)
        ]
        for name in members:
            self.tables.list_members.remove(name)
        facts = [
            fact
            for fact, _ in self.tables.engagement_facts.items()
            if fact[:2] == (account, contact_id)
        ]
        for fact in facts:
            self.tables.engagement_facts.remove(fact)
        return len(members), len(facts)

    def _forget_imports(self, account: AccountId, phone: PhoneNumber) -> None:
        theirs = {
            (stored.import_id, stored.fault.row)
            for stored in self.tables.import_faults
            if stored.account == account and _is_number(stored.fault.value, phone)
        }
        for name, kept in list(self.tables.import_numbers.items()):
            if (name[0], name[2]) == (account, phone):
                theirs.add((name[1], kept.row))
                self.tables.import_numbers.remove(name)
        for number, stored in list(self.tables.import_faults.items()):
            if stored.account == account and (stored.import_id, stored.fault.row) in theirs:
                nameless = attrs.evolve(stored.fault, value="")
                self.tables.import_faults.put(number, attrs.evolve(stored, fault=nameless))

    def _forget_tests(self, account: AccountId, phone: PhoneNumber) -> None:
        for stored in self.tables.singles:
            is_theirs = (stored.account, stored.phone) == (account, phone)
            is_test = stored.single.kind is MessageKind.TEST
            if is_theirs and is_test:
                self.tables.singles.put(stored.single.number, forgotten_single(stored))


def _is_number(value: str, phone: PhoneNumber) -> bool:
    digits = re.sub("[^0-9]", "", value).lstrip("0")
    return len(digits) >= FAULT_DIGITS_MIN and phone.endswith(digits)


def forget_texts(tables: MemoryTables, account: AccountId, phone: PhoneNumber | None) -> int:
    """Forget the texts that concern a store, of one number or of all; returns how many it emptied.

    A text that concerns other stores too only stops to concern this one.
    """
    return sum(
        forget_text(tables, account, inbound)
        for inbound, row in list(tables.inbound_texts.items())
        if row.applied is not None and phone in (None, row.applied.phone)
    )


def forget_text(tables: MemoryTables, account: AccountId, inbound: InboundId) -> bool:
    """The same with one text; True if that emptied it."""
    row = tables.inbound_texts.get(inbound)
    applied = None if row is None else row.applied
    if row is None or applied is None or row.is_forgotten or account not in applied.scope:
        return False
    others = [each for each in applied.scope if each != account]
    if others:
        still = attrs.evolve(applied, scope=others)
        tables.inbound_texts.put(inbound, attrs.evolve(row, applied=still))
        return False
    nobody = InboundText(sender="", receiver="", text="")
    nameless = attrs.evolve(applied, text=nobody, phone=None)
    call = attrs.evolve(row.call, raw=b"")
    tables.inbound_texts.put(
        inbound, attrs.evolve(row, call=call, applied=nameless, is_forgotten=True)
    )
    return True


@attrs.frozen
class MemorySubjectQueries:
    """`SubjectQueries` in memory."""

    database: MemoryDatabase

    def lists(self, account: AccountId, contact_id: ContactId) -> Sequence[OnList]:
        with self.database.transaction() as tables:
            return [
                OnList(row.list.id, row.list.draft.name)
                for row in sorted(tables.lists, key=lambda row: row.list.id)
                if (account, row.list.id, contact_id) in tables.list_members
            ]

    def suppressions(self, account: AccountId, contact_id: ContactId) -> Sequence[Suppression]:
        with self.database.transaction() as tables:
            contact = MemoryContactStore(tables, account).lock(account, contact_id)
            found = [] if contact is None else suppressions_of(tables, [account], contact.phone)
        return sorted(found, key=lambda row: -row.id)

    def imports(self, account: AccountId, contact_id: ContactId) -> Sequence[ImportTrace]:
        with self.database.transaction() as tables:
            contact = MemoryContactStore(tables, account).lock(account, contact_id)
            if contact is None:
                return []
            found = [
                ImportTrace(import_id=import_id, row=row.row, created=row.before is None, at=row.at)
                for (owner, import_id, phone), row in tables.import_numbers.items()
                if (owner, phone, row.contact) == (account, contact.phone, contact_id)
            ]
        return sorted(found, key=lambda trace: -trace.import_id)

    def engagement(self, account: AccountId, contact_id: ContactId) -> Engagement:
        del account, contact_id
        return Engagement()
