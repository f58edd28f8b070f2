"""Take a file in: it is stored together with the job that will read it."""

from collections.abc import Iterable, Sequence

import attrs

from retail_core.audiences.errors import ListIsFiltered, ListNotFound
from retail_core.contacts.model import SuppressionReason
from retail_core.contacts.model.values import read_consent_source, read_note, read_tags
from retail_core.imports.errors import EmptyUpload
from retail_core.imports.jobs import import_contacts
from retail_core.imports.model import (
    CONSENT_NOT_STATED,
    FILE_NAME_LENGTH_MAX,
    FileForm,
    ImportDraft,
    ImportKey,
    ImportMode,
    ImportPurpose,
    ImportTerms,
)
from retail_core.imports.ports import ImportsUnitOfWork
from retail_core.kernel.audit import AuditAction, AuditEntry, AuditKind
from retail_core.kernel.idempotency import Once
from retail_core.kernel.ids import AccountId, ImportId, ListId
from retail_core.kernel.ports import Transactions
from retail_core.kernel.time.clock import Clock


@attrs.frozen(kw_only=True)
class ImportRequest:
    """What somebody sent; the file itself comes beside it, in chunks."""

    file_name: str
    form: FileForm
    size_bytes: int
    region: str
    mode: ImportMode = ImportMode.SKIP
    dry_run: bool = False
    list_id: ListId | None = None
    tags: Sequence[str] = ()
    consent_source: str | None = None


@attrs.frozen
class StartImport:
    """Store a file, its terms and a job, all or nothing."""

    transactions: Transactions[ImportsUnitOfWork]
    clock: Clock

    def __call__(
        self,
        account: AccountId,
        request: ImportRequest,
        chunks: Iterable[bytes],
        once: Once | None = None,
    ) -> ImportId:
        """Raises `EmptyUpload`, `InvalidTags`, `InvalidField`, `ListNotFound`, `ListIsFiltered`.

        `chunks` must not wait for the network: they are read while the transaction is open.
        """
        draft = self._draft(request)
        with self.transactions.begin(account, once) as uow:
            if request.list_id is not None:
                _check_list(uow, account, request.list_id)
            return _store(uow, account, draft, chunks)

    def _draft(self, request: ImportRequest) -> ImportDraft:
        if request.size_bytes == 0:
            raise EmptyUpload
        terms = ImportTerms(
            region=request.region,
            mode=request.mode,
            dry_run=request.dry_run,
            list_id=request.list_id,
            tags=read_tags(request.tags),
            consent_source=read_consent_source(request.consent_source) or CONSENT_NOT_STATED,
        )
        return ImportDraft(
            file_name=request.file_name[:FILE_NAME_LENGTH_MAX],
            form=request.form,
            size_bytes=request.size_bytes,
            terms=terms,
            created_at=self.clock.now(),
        )


@attrs.frozen(kw_only=True)
class SuppressionsRequest:
    """A register of numbers that somebody sent; the file itself comes beside it, in chunks."""

    file_name: str
    form: FileForm
    size_bytes: int
    region: str
    note: str | None = attrs.field(default=None, repr=False)


@attrs.frozen
class StartSuppressionImport:
    """Store a register of numbers and a job that will bar them, all or nothing."""

    transactions: Transactions[ImportsUnitOfWork]
    clock: Clock

    def __call__(
        self,
        account: AccountId,
        request: SuppressionsRequest,
        chunks: Iterable[bytes],
        once: Once | None = None,
    ) -> ImportId:
        """Raises `EmptyUpload`, `InvalidField`. `chunks` must not wait for the network."""
        if request.size_bytes == 0:
            raise EmptyUpload
        draft = ImportDraft(
            file_name=request.file_name[:FILE_NAME_LENGTH_MAX],
            form=request.form,
            size_bytes=request.size_bytes,
            terms=ImportTerms(
                region=request.region,
                purpose=ImportPurpose.SUPPRESSIONS,
                note=read_note(request.note),
            ),
            created_at=self.clock.now(),
        )
        with self.transactions.begin(account, once) as uow:
            import_id = _store(uow, account, draft, chunks)
            uow.audit.record(
                AuditEntry(
                    action=AuditAction.SUPPRESSION_ADDED,
                    account=account,
                    kind=AuditKind.SUPPRESSION,
                    details={"reason": SuppressionReason.IMPORT, "import": import_id},
                )
            )
            return import_id


def _store(
    uow: ImportsUnitOfWork, account: AccountId, draft: ImportDraft, chunks: Iterable[bytes]
) -> ImportId:
    job = uow.imports.add(account, draft)
    for no, chunk in enumerate(chunks):
        uow.uploads.add_chunk(account, job.id, no, chunk)
    uow.jobs.add(import_contacts(ImportKey(account, job.id)))
    uow.effect(job.id)
    return job.id


def _check_list(uow: ImportsUnitOfWork, account: AccountId, list_id: ListId) -> None:
    wanted = uow.lists.hold(account, [list_id]).get(list_id)
    if wanted is None:
        raise ListNotFound
    if wanted.is_filtered:
        raise ListIsFiltered
