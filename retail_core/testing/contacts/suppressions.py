"""The suppression list in memory."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import TypeVar

import attrs

from retail_core.contacts.model import (
    Suppression,
    SuppressionEntry,
    SuppressionReason,
    SuppressionTerms,
)
from retail_core.contacts.queries import SuppressionFilter
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import SYSTEM_ACCOUNT, AccountId, SuppressionId
from retail_core.kernel.pages import Page, PageRequest
from retail_core.testing.database import MemoryDatabase
from retail_core.testing.kernel.table import DuplicateRow, sees
from retail_core.testing.tables import MemoryTables

Item = TypeVar("Item")


@attrs.frozen
class MemorySuppressionStore:
    """`SuppressionStore` in memory."""

    tables: MemoryTables
    bound_to: AccountId | None

    def add(self, account: AccountId, entry: SuppressionEntry) -> SuppressionId | None:
        suppression_id = SuppressionId(self.tables.suppression_ids.take())
        row = Suppression(
            id=suppression_id,
            account=account,
            phone=entry.phone,
            reason=entry.reason,
            note=entry.note,
            source=entry.source,
            contact=entry.contact,
            created_at=entry.at,
        )
        try:
            self.tables.suppressions.insert(suppression_id, row)
        except DuplicateRow:
            return None
        return suppression_id

    def add_all(
        self, account: AccountId, phones: Collection[PhoneNumber], terms: SuppressionTerms
    ) -> int:
        common = attrs.asdict(terms, recurse=False)
        known = {
            stored.contact.phone: stored.contact.id
            for stored in self.tables.contacts
            if stored.account == account
        }
        entries = [
            SuppressionEntry(phone=phone, contact=known.get(phone), **common)
            for phone in sorted(set(phones))
        ]
        return sum(self.add(account, entry) is not None for entry in entries)

    def lock(self, account: AccountId, suppression_id: SuppressionId) -> Suppression | None:
        row = self.tables.suppressions.get(suppression_id)
        if row is None or row.account != account or not sees(self.bound_to, account):
            return None
        return row

    def remove(self, account: AccountId, suppression_id: SuppressionId) -> None:
        if self.lock(account, suppression_id) is not None:
            self.tables.suppressions.remove(suppression_id)

    def lift(
        self, account: AccountId, phone: PhoneNumber, reasons: frozenset[SuppressionReason]
    ) -> frozenset[SuppressionReason]:
        lifted = [
            row
            for row in suppressions_of(self.tables, (account,), phone)
            if row.reason in reasons and sees(self.bound_to, account)
        ]
        for row in lifted:
            self.tables.suppressions.remove(row.id)
        return frozenset(row.reason for row in lifted)

    def reasons(self, account: AccountId, phone: PhoneNumber) -> frozenset[SuppressionReason]:
        asked = (account, SYSTEM_ACCOUNT) if sees(self.bound_to, account) else (SYSTEM_ACCOUNT,)
        return frozenset(row.reason for row in suppressions_of(self.tables, asked, phone))

    def add_erased(self, account: AccountId, phone_hash: bytes, at: datetime) -> None:
        if self.is_erased(account, phone_hash):
            return
        self._free(account, phone_hash)
        terms = SuppressionTerms(reason=SuppressionReason.ERASURE, at=at)
        self.add_forgotten(account, phone_hash, terms)

    def add_forgotten(self, account: AccountId, phone_hash: bytes, terms: SuppressionTerms) -> bool:
        if (account, phone_hash) in self.tables.hashed_numbers:
            return False
        suppression_id = SuppressionId(self.tables.suppression_ids.take())
        row = Suppression(
            id=suppression_id,
            account=account,
            phone=None,
            reason=terms.reason,
            note=terms.note,
            source=terms.source,
            contact=None,
            created_at=terms.at,
        )
        self.tables.suppressions.insert(suppression_id, row)
        self.tables.hashed_numbers.insert((account, phone_hash), suppression_id)
        return True

    def name_forgotten(self, account: AccountId, hashes: Mapping[PhoneNumber, bytes]) -> None:
        for phone, phone_hash in hashes.items():
            row = self._hashed(account, phone_hash)
            if row is not None and row.reason is not SuppressionReason.ERASURE:
                self._free(account, phone_hash)
                entry = SuppressionEntry(
                    phone=phone,
                    reason=row.reason,
                    at=row.created_at,
                    note=row.note,
                    source=row.source,
                )
                self.add(account, entry)

    def hash_reasons(self, account: AccountId, phone_hash: bytes) -> frozenset[SuppressionReason]:
        """Why a forgotten number is barred."""
        row = self._hashed(account, phone_hash)
        return frozenset() if row is None else frozenset({row.reason})

    def _hashed(self, account: AccountId, phone_hash: bytes) -> Suppression | None:
        found = self.tables.hashed_numbers.get((account, phone_hash))
        if found is None or not sees(self.bound_to, account):
            return None
        return self.tables.suppressions.get(found)

    def _free(self, account: AccountId, phone_hash: bytes) -> None:
        row = self._hashed(account, phone_hash)
        if row is not None:
            self.tables.hashed_numbers.remove((account, phone_hash))
            self.tables.suppressions.remove(row.id)

    def is_erased(self, account: AccountId, phone_hash: bytes) -> bool:
        row = self._hashed(account, phone_hash)
        return row is not None and row.reason is SuppressionReason.ERASURE

    def has_erased(self, account: AccountId) -> bool:
        return sees(self.bound_to, account) and any(
            owner == account for (owner, _), _ in self.tables.hashed_numbers.items()
        )

    def find_erased(
        self, account: AccountId, hashes: Mapping[PhoneNumber, bytes]
    ) -> frozenset[PhoneNumber]:
        return frozenset(
            phone for phone, digest in hashes.items() if self.is_erased(account, digest)
        )

    def bar_erased(
        self, account: AccountId, hashes: Mapping[PhoneNumber, bytes], at: datetime
    ) -> frozenset[PhoneNumber]:
        known = self.find_erased(account, hashes)
        for phone in known:
            reason = SuppressionReason.ERASURE
            entry = SuppressionEntry(phone=phone, reason=reason, at=at, source="erased before")
            self.add(account, entry)
        return known


@attrs.frozen
class MemorySuppressionQueries:
    """`SuppressionQueries` in memory."""

    database: MemoryDatabase

    def find(self, account: AccountId, suppression_id: SuppressionId) -> Suppression | None:
        with self.database.transaction() as tables:
            return MemorySuppressionStore(tables, account).lock(account, suppression_id)

    def page(
        self, account: AccountId, which: SuppressionFilter, page: PageRequest
    ) -> Page[Suppression]:
        with self.database.transaction() as tables:
            rows = [row for row in tables.suppressions if row.account == account]
        found = [row for row in rows if _fits(row, which)]
        found.sort(key=lambda row: -row.id)
        return cut(found, page)


def _fits(row: Suppression, which: SuppressionFilter) -> bool:
    if which.reason not in (None, row.reason):
        return False
    if which.digits is None:
        return True
    return bool(which.digits) and row.phone is not None and which.digits in row.phone


def suppressions_of(
    tables: MemoryTables, accounts: Iterable[AccountId], phone: PhoneNumber
) -> list[Suppression]:
    """The entries of some accounts for a number."""
    wanted = frozenset(accounts)
    return [row for row in tables.suppressions if row.account in wanted and row.phone == phone]


def cut(found: list[Item], page: PageRequest) -> Page[Item]:
    """One page of what was found."""
    items = tuple(found[page.offset : page.offset + page.page_size])
    return Page(items, len(found), page.page, page.page_size)
