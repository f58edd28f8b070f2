"""Imports, their files and their faults on PostgreSQL."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

import attrs
from sqlalchemy import Connection, RowMapping, insert, select, update

from adapters_db.connection.connections import psycopg_connection
from adapters_db.connection.reads import Reads
from adapters_db.tables.imports import UNFINISHED, import_fault, import_job
from retail_core.imports.model import (
    SHOWN_FAULTS_MAX,
    FileForm,
    ImportDraft,
    ImportJob,
    ImportKey,
    ImportStatus,
    ImportTerms,
    MergeCounts,
    RowFault,
    UndoCounts,
)
from retail_core.imports.ports import StalledImport
from retail_core.imports.queries import ImportView
from retail_core.kernel.ids import AccountId, ImportId

FAULTS_PAGE: Final = 5_000

_STAGE_FAULTS: Final = """
CREATE TEMP TABLE staged_fault
    (no integer, row_no integer, field text, code text, message text, value text) ON COMMIT DROP
"""
_ADD_FAULTS: Final = """
INSERT INTO import_fault (account_id, import_id, row_no, field, code, message, value)
SELECT %s, %s, row_no, field, code, message, value FROM staged_fault ORDER BY no
"""
_FAULT_COLUMNS: Final = (
    import_fault.c.row_no,
    import_fault.c.field,
    import_fault.c.code,
    import_fault.c.message,
    import_fault.c.value,
)


@attrs.frozen
class SqlImportStore:
    """`ImportStore` on PostgreSQL."""

    connection: Connection

    def add(self, account: AccountId, draft: ImportDraft) -> ImportJob:
        """Insert an import."""
        waiting = ImportJob.planned(ImportId(0), draft)
        import_id = self.connection.execute(
            insert(import_job)
            .values(account_id=account, **_terms(draft), **_state(waiting))
            .returning(import_job.c.id)
        ).scalar_one()
        return attrs.evolve(waiting, id=ImportId(import_id))

    def lock(self, account: AccountId, import_id: ImportId) -> ImportJob | None:
        """Lock the row of an import until the end."""
        row = (
            self.connection.execute(
                select(import_job)
                .where(import_job.c.account_id == account, import_job.c.id == import_id)
                .with_for_update()
            )
            .mappings()
            .one_or_none()
        )
        return None if row is None else _job(row)

    def save(self, account: AccountId, job: ImportJob) -> None:
        """Write how far it has come; what was asked for never changes."""
        self.connection.execute(
            update(import_job)
            .where(import_job.c.account_id == account, import_job.c.id == job.id)
            .values(**_state(job))
        )

    def add_faults(
        self, account: AccountId, import_id: ImportId, faults: Sequence[RowFault]
    ) -> None:
        """Write faults in their order, by COPY over a table of this transaction's own.

        Straight into a table with row security COPY is not allowed.
        """
        if not faults:
            return
        cursor = psycopg_connection(self.connection).cursor()
        cursor.execute(_STAGE_FAULTS)
        with cursor.copy("COPY staged_fault FROM STDIN") as copy:
            for no, fault in enumerate(faults):
                copy.write_row((no, fault.row, fault.field, fault.code, fault.message, fault.value))
        cursor.execute(_ADD_FAULTS, (account, import_id))
        cursor.execute("DROP TABLE staged_fault")

    def find_stalled_across_accounts(
        self, untouched_since: datetime, imports_max: int
    ) -> Sequence[StalledImport]:
        """Imports with something left to do that nobody seems to work on."""
        rows = self.connection.execute(
            select(import_job.c.account_id, import_job.c.id, import_job.c.status)
            .where(
                import_job.c.status.in_(UNFINISHED),
                import_job.c.touched_at < untouched_since,
            )
            .order_by(import_job.c.touched_at)
            .limit(imports_max)
        )
        return [
            StalledImport(
                ImportKey(AccountId(account), ImportId(job)), status is ImportStatus.UNDOING
            )
            for account, job, status in rows
        ]


@attrs.frozen
class SqlUploadStore:
    """`UploadStore` on PostgreSQL."""

    connection: Connection

    def add_chunk(self, account: AccountId, import_id: ImportId, no: int, data: bytes) -> None:
        """Write one piece, as binary: as text it would be twice as long."""
        psycopg_connection(self.connection).execute(
            "INSERT INTO import_chunk (account_id, import_id, no, data) VALUES (%s, %s, %s, %b)",
            (account, import_id, no, data),
        )


@attrs.frozen
class SqlUploadReads:
    """`UploadReads` on PostgreSQL."""

    reads: Reads

    def chunk(self, account: AccountId, import_id: ImportId, no: int) -> bytes | None:
        """One piece, as binary."""
        with self.reads.account(account) as connection:
            row = (
                psycopg_connection(connection)
                .cursor(binary=True)
                .execute(
                    "SELECT data FROM import_chunk "
                    "WHERE account_id = %s AND import_id = %s AND no = %s",
                    (account, import_id, no),
                )
                .fetchone()
            )
        return None if row is None else bytes(row[0])


@attrs.frozen
class SqlImportQueries:
    """`ImportQueries` on PostgreSQL."""

    reads: Reads

    def find(self, account: AccountId, import_id: ImportId) -> ImportView | None:
        """One import, with its first faults once it is completed."""
        with self.reads.account(account) as connection:
            row = (
                connection.execute(
                    select(import_job).where(
                        import_job.c.account_id == account, import_job.c.id == import_id
                    )
                )
                .mappings()
                .one_or_none()
            )
            if row is None:
                return None
            job = _job(row)
            if job.finished_at is None or job.status is ImportStatus.FAILED:
                return ImportView(job, ())
            faults, _ = _faults_after(connection, account, import_id, 0, SHOWN_FAULTS_MAX)
        return ImportView(job, faults)

    def owner_across_accounts(self, import_id: ImportId) -> AccountId | None:
        """Whose import it is."""
        with self.reads.across_accounts() as connection:
            owner = connection.execute(
                select(import_job.c.account_id).where(import_job.c.id == import_id)
            ).scalar()
        return None if owner is None else AccountId(owner)

    def faults(self, account: AccountId, import_id: ImportId) -> Iterator[RowFault]:
        """All faults, each page in a short transaction of its own."""
        last = 0
        while True:
            with self.reads.account(account) as connection:
                faults, last = _faults_after(connection, account, import_id, last, FAULTS_PAGE)
            yield from faults
            if len(faults) < FAULTS_PAGE:
                return


def _faults_after(
    connection: Connection, account: AccountId, import_id: ImportId, last: int, faults_max: int
) -> tuple[Sequence[RowFault], int]:
    rows = connection.execute(
        select(import_fault.c.id, *_FAULT_COLUMNS)
        .where(
            import_fault.c.account_id == account,
            import_fault.c.import_id == import_id,
            import_fault.c.id > last,
        )
        .order_by(import_fault.c.id)
        .limit(faults_max)
    ).all()
    return [RowFault(*row[1:]) for row in rows], rows[-1][0] if rows else last


def _terms(draft: ImportDraft) -> dict[str, Any]:
    return {
        "file_name": draft.file_name,
        "kind": draft.form.kind,
        "encoding": draft.form.encoding,
        "size_bytes": draft.size_bytes,
        "created_at": draft.created_at,
        **attrs.asdict(draft.terms, recurse=False),
    }


def _state(job: ImportJob) -> dict[str, Any]:
    return {
        "status": job.status,
        "position": job.position,
        "total": job.total,
        **attrs.asdict(job.counts),
        "faults": job.faults,
        "error": job.error,
        "starts": job.starts,
        "touched_at": job.touched_at,
        "finished_at": job.finished_at,
        **attrs.asdict(job.undone),
        "undone_to": job.undone_to,
    }


def _job(row: RowMapping) -> ImportJob:
    return ImportJob(
        id=ImportId(row["id"]),
        status=row["status"],
        file_name=row["file_name"],
        form=FileForm(row["kind"], row["encoding"]),
        size_bytes=row["size_bytes"],
        terms=ImportTerms(
            region=row["region"],
            mode=row["mode"],
            dry_run=row["dry_run"],
            list_id=row["list_id"],
            tags=row["tags"],
            consent_source=row["consent_source"],
            purpose=row["purpose"],
            note=row["note"],
        ),
        position=row["position"],
        total=row["total"],
        counts=MergeCounts(row["created"], row["updated"], row["skipped"]),
        faults=row["faults"],
        error=row["error"],
        starts=row["starts"],
        created_at=row["created_at"],
        touched_at=row["touched_at"],
        finished_at=row["finished_at"],
        undone=UndoCounts(row["removed"], row["restored"], row["kept"]),
        undone_to=row["undone_to"],
    )
