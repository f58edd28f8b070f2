"""Imports in memory."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime

import attrs

from retail_core.audiences.errors import AlreadyMember
from retail_core.contacts.model import (
    ConsentFact,
    ConsentSource,
    ConsentType,
    Contact,
    ContactDraft,
)
from retail_core.contacts.model.values import TAGS_MAX
from retail_core.imports.model import (
    SHOWN_FAULTS_MAX,
    ImportDraft,
    ImportedRow,
    ImportJob,
    ImportKey,
    ImportMode,
    ImportStatus,
    ImportTerms,
    MergeOutcome,
    RowFault,
)
from retail_core.imports.ports import StalledImport
from retail_core.imports.queries import ImportView
from retail_core.kernel.ids import AccountId, ImportId
from retail_core.kernel.time.clock import Clock
from retail_core.testing.audiences.lists import MemoryListMembers, MemoryListStore
from retail_core.testing.contacts.contacts import MemoryConsentLedger, MemoryContactStore
from retail_core.testing.contacts.suppressions import MemorySuppressionStore
from retail_core.testing.database import MemoryDatabase
from retail_core.testing.imports.stored_imports import StoredFault, StoredImport, StoredImportRow
from retail_core.testing.kernel.table import sees
from retail_core.testing.tables import MemoryTables


@attrs.frozen
class MemoryImportStore:
    """`ImportStore` in memory."""

    tables: MemoryTables
    bound_to: AccountId | None

    def add(self, account: AccountId, draft: ImportDraft) -> ImportJob:
        job = ImportJob.planned(ImportId(self.tables.import_ids.take()), draft)
        self.tables.imports.insert(job.id, StoredImport(account, job))
        return job

    def lock(self, account: AccountId, import_id: ImportId) -> ImportJob | None:
        """Transactions are serial here: nothing needs a lock."""
        stored = self.tables.imports.get(import_id)
        if stored is None or stored.account != account or not sees(self.bound_to, account):
            return None
        return stored.job

    def save(self, account: AccountId, job: ImportJob) -> None:
        if self.lock(account, job.id) is not None:
            self.tables.imports.put(job.id, StoredImport(account, job))

    def add_faults(
        self, account: AccountId, import_id: ImportId, faults: Sequence[RowFault]
    ) -> None:
        for fault in faults:
            stored = StoredFault(account, import_id, fault)
            self.tables.import_faults.insert(self.tables.import_fault_ids.take(), stored)

    def find_stalled_across_accounts(
        self, untouched_since: datetime, imports_max: int
    ) -> Sequence[StalledImport]:
        stalled = [
            stored
            for stored in self.tables.imports
            if (stored.job.is_open or stored.job.status is ImportStatus.UNDOING)
            and stored.job.touched_at < untouched_since
        ]
        stalled.sort(key=lambda stored: stored.job.touched_at)
        return [
            StalledImport(
                ImportKey(stored.account, stored.job.id),
                stored.job.status is ImportStatus.UNDOING,
            )
            for stored in stalled[:imports_max]
        ]


@attrs.frozen
class MemoryUploadStore:
    """`UploadStore` in memory."""

    tables: MemoryTables

    def add_chunk(self, account: AccountId, import_id: ImportId, no: int, data: bytes) -> None:
        self.tables.import_chunks.insert((account, import_id, no), bytes(data))


@attrs.frozen
class MemoryUploadReads:
    """`UploadReads` in memory."""

    database: MemoryDatabase

    def chunk(self, account: AccountId, import_id: ImportId, no: int) -> bytes | None:
        with self.database.transaction() as tables:
            return tables.import_chunks.get((account, import_id, no))


@attrs.frozen
class MemoryImportMerge:
    """`ImportMerge` in memory: row by row."""

    tables: MemoryTables
    bound_to: AccountId | None
    clock: Clock

    def merge(
        self,
        account: AccountId,
        import_id: ImportId,
        rows: Sequence[ImportedRow],
        terms: ImportTerms,
        at: datetime,
    ) -> MergeOutcome:
        created, updated = 0, 0
        known: list[int] = []
        for row in rows:
            old = self._find(account, row)
            seen = (account, import_id, row.phone.number) in self.tables.import_numbers
            if seen or (old is not None and terms.mode is ImportMode.SKIP):
                known.append(row.row)
                continue
            if old is None:
                created += 1
            else:
                updated += 1
            new = None if terms.dry_run else self._store(account, import_id, row, old, terms, at)
            if new is not None:
                self._join(account, new, terms, at)
            kept = StoredImportRow(
                row=row.row,
                contact=None if new is None else new.id,
                before=old,
                after=new,
                at=at,
            )
            self.tables.import_numbers.insert((account, import_id, row.phone.number), kept)
        return MergeOutcome(created, updated, known)

    def _join(self, account: AccountId, contact: Contact, terms: ImportTerms, at: datetime) -> None:
        if terms.list_id is None:
            return
        lists = MemoryListStore(self.tables, self.bound_to).hold(account, [terms.list_id])
        wanted = lists.get(terms.list_id)
        if wanted is None or wanted.is_filtered:
            return
        with suppress(AlreadyMember):
            members = MemoryListMembers(self.tables, self.bound_to)
            members.add(account, wanted.id, contact.id, at)

    def forget_dry_run(self, account: AccountId, import_id: ImportId) -> None:
        names = [name for name, _ in self.tables.import_numbers.items()]
        for name in names:
            if name[:2] == (account, import_id):
                self.tables.import_numbers.remove(name)

    def _find(self, account: AccountId, row: ImportedRow) -> Contact | None:
        for stored in self.tables.contacts:
            if stored.account == account and stored.contact.phone == row.phone.number:
                return stored.contact
        return None

    def _store(
        self,
        account: AccountId,
        import_id: ImportId,
        row: ImportedRow,
        old: Contact | None,
        terms: ImportTerms,
        at: datetime,
    ) -> Contact:
        contacts = MemoryContactStore(self.tables, self.bound_to)
        if old is None:
            contact = contacts.add(account, self._created(account, row, terms, at))
        else:
            contact = _overwritten(old, row, terms, at)
            contacts.save(account, contact)
        if old is not None and old.is_subscribed == contact.is_subscribed:
            return contact
        kind = ConsentType.GRANTED if contact.is_subscribed else ConsentType.WITHDRAWN
        fact = ConsentFact(
            contact=contact.id,
            type=kind,
            source=ConsentSource.IMPORT,
            at=at,
            source_ref=f"import:{import_id}",
            statement=terms.consent_source,
        )
        MemoryConsentLedger(self.tables, self.bound_to, self.clock).append(account, fact)
        return contact

    def _created(
        self, account: AccountId, row: ImportedRow, terms: ImportTerms, at: datetime
    ) -> ContactDraft:
        suppressions = MemorySuppressionStore(self.tables, self.bound_to)
        allowed = row.subscribed and not suppressions.reasons(account, row.phone.number)
        return ContactDraft(
            phone=row.phone.number,
            country=row.phone.country,
            line_type=row.phone.line_type,
            email=row.email,
            first_name=row.first_name,
            last_name=row.last_name,
            gender=row.gender,
            birthday=row.birthday,
            tags=_merged(row.tags or (), terms.tags),
            is_subscribed=allowed,
            unsubscribed_at=None if allowed else at,
            created_at=at,
            updated_at=at,
        )


@attrs.frozen
class MemoryImportQueries:
    """`ImportQueries` in memory."""

    database: MemoryDatabase

    def find(self, account: AccountId, import_id: ImportId) -> ImportView | None:
        with self.database.transaction() as tables:
            job = MemoryImportStore(tables, account).lock(account, import_id)
        if job is None:
            return None
        if job.finished_at is None or job.status is ImportStatus.FAILED:
            return ImportView(job, ())
        return ImportView(job, list(self.faults(account, import_id))[:SHOWN_FAULTS_MAX])

    def owner_across_accounts(self, import_id: ImportId) -> AccountId | None:
        with self.database.transaction() as tables:
            stored = tables.imports.get(import_id)
            return None if stored is None else stored.account

    def faults(self, account: AccountId, import_id: ImportId) -> Iterator[RowFault]:
        with self.database.transaction() as tables:
            stored = list(tables.import_faults)
        return (row.fault for row in stored if (row.account, row.import_id) == (account, import_id))


def _overwritten(old: Contact, row: ImportedRow, terms: ImportTerms, at: datetime) -> Contact:
    stays = old.is_subscribed and row.subscribed
    return attrs.evolve(
        old,
        email=row.email or old.email,
        first_name=row.first_name or old.first_name,
        last_name=row.last_name or old.last_name,
        gender=row.gender or old.gender,
        birthday=row.birthday or old.birthday,
        tags=_merged(old.tags if row.tags is None else row.tags, terms.tags),
        is_subscribed=stays,
        unsubscribed_at=at if old.is_subscribed and not stays else old.unsubscribed_at,
        updated_at=at,
    )


def _merged(tags: Sequence[str], extra: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*tags, *extra)))[:TAGS_MAX]
