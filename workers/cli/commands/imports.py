"""The command that imports a file."""

import time
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from retail_core.accounts.model import Account
from retail_core.imports.errors import EmptyUpload
from retail_core.imports.model import (
    UPLOAD_BYTES_MAX,
    UPLOAD_CHUNK_BYTES,
    FileForm,
    ImportKey,
    ImportStatus,
)
from retail_core.imports.parsing import TextScan, choose_form
from retail_core.imports.ports import TableReader
from retail_core.imports.queries import ImportQueries, ImportView
from retail_core.imports.use_cases import ImportContacts, ImportRequest, StartImport
from retail_core.kernel.errors import InvalidField
from retail_core.kernel.ids import ImportId
from workers.cli.command import Given, Refused, Result
from workers.cli.commands.accounts import email_argument
from workers.readers import TableReaders
from workers.readers.reading_ahead import read_ahead

WORKBOOK_START: Final = b"PK\x03\x04"
"""A workbook is a ZIP archive."""

FAULTS_SHOWN_MAX: Final = 20
LOOK_SECONDS: Final = 0.5
WAIT_SECONDS_MAX: Final = 600.0


def import_contacts_arguments(parser: ArgumentParser) -> None:
    """Whose contacts, and the file."""
    email_argument(parser)
    parser.add_argument("file", type=Path, help="CSV or XLSX, with a header row")


def import_contacts(given: Given) -> Result:
    """Import a file here and now; a worker that is faster may do part of it.

    Refused if the file is no table.
    """
    account = given.account()
    path: Path = given.arguments.file
    given.container.register(StartImport)
    given.container.register(ImportContacts, read_ahead=read_ahead)
    given.container.register(TableReader, instance=TableReaders())
    key = ImportKey(account.id, _store(given, account, path))
    given.container.resolve(ImportContacts)(key)
    view = _ended(given.container.resolve(ImportQueries), key)
    job = view.job
    result = {
        "importId": job.id,
        "status": job.status.value,
        "rows": job.total,
        "created": job.counts.created,
        "updated": job.counts.updated,
        "skipped": job.counts.skipped,
        "faults": [f"row {fault.row}: {fault.message}" for fault in view.faults[:FAULTS_SHOWN_MAX]],
    }
    if job.status is not ImportStatus.COMPLETED:
        raise Refused(result | {"message": job.error})
    return result


def _store(given: Given, account: Account, path: Path) -> ImportId:
    try:
        with path.open("rb") as file:
            request = ImportRequest(
                file_name=path.name,
                form=_form(path.name, file),
                size_bytes=path.stat().st_size,
                region=account.default_country,
                consent_source="imported by the operator",
            )
            return given.container.resolve(StartImport)(account.id, request, _chunks(file))
    except OSError as error:
        raise InvalidField("file", f"cannot be read: {error.strerror}") from error


def _form(name: str, file: BinaryIO) -> FileForm:
    """Raises `EmptyUpload`, and `InvalidField` for what is no table or too large."""
    scan, size, start = TextScan(), 0, b""
    for chunk in _chunks(file):
        start = start or chunk[: len(WORKBOOK_START)]
        size += len(chunk)
        if size > UPLOAD_BYTES_MAX:
            raise InvalidField("file", f"is larger than {UPLOAD_BYTES_MAX} bytes")
        scan.feed(chunk)
    if size == 0:
        raise EmptyUpload
    scan.feed(b"", last=True)
    form = choose_form(name, is_workbook=start == WORKBOOK_START, encoding=scan.encoding)
    if form is None:
        raise InvalidField("file", "is neither CSV nor XLSX")
    return form


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    file.seek(0)
    while chunk := file.read(UPLOAD_CHUNK_BYTES):
        yield chunk


def _ended(imports: ImportQueries, key: ImportKey) -> ImportView:
    """The import once it is done: a worker may have overtaken us."""
    ends = time.monotonic() + WAIT_SECONDS_MAX
    while True:
        view = imports.find(key.account, key.id)
        assert view is not None, "an import that was just stored is there"
        if not view.job.is_open or time.monotonic() > ends:
            return view
        time.sleep(LOOK_SECONDS)
