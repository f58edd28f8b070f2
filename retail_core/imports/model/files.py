"""The file of an import, and what is to be done with its rows."""

import enum
from datetime import date
from typing import Final

import attrs

from retail_core.kernel.ids import ListId

UPLOAD_BYTES_MAX: Final = 50 * 1024 * 1024
SUPPRESSIONS_BYTES_MAX: Final = 10 * 1024 * 1024
UPLOAD_CHUNK_BYTES: Final = 1024 * 1024
UNPACKED_BYTES_MAX: Final = 500 * 1024 * 1024
TABLE_ROWS_MAX: Final = 1_048_576
BATCH_ROWS_MAX: Final = 5_000
SHOWN_FAULTS_MAX: Final = 1_000
FAULT_VALUE_LENGTH_MAX: Final = 200
FILE_NAME_LENGTH_MAX: Final = 255
CONSENT_NOT_STATED: Final = "not stated (imported through the web client)"

Cell = str | date
"""A cell as the readers give it: text, or a real date of a spreadsheet."""


class ImportMode(enum.Enum):
    """What happens to a number the store knows already."""

    SKIP = "skip"
    UPDATE = "update"


class ImportPurpose(enum.Enum):
    """What the rows of a file are."""

    CONTACTS = "contacts"
    SUPPRESSIONS = "suppressions"
    """Numbers that are not to be sent to."""


class FileKind(enum.Enum):
    """What an upload is, by its content."""

    CSV = "csv"
    XLSX = "xlsx"


class Encoding(enum.Enum):
    """How the text of a CSV file is written; a byte order mark is no part of the text."""

    UTF_8 = "utf-8-sig"
    WINDOWS_1253 = "cp1253"


@attrs.frozen
class FileForm:
    """What an upload turned out to be; `encoding` only matters for CSV."""

    kind: FileKind
    encoding: Encoding = Encoding.UTF_8


@attrs.frozen(kw_only=True)
class ImportTerms:
    """What is to be done with the rows, fixed when the file is sent.

    `note` is kept with each barred number.
    """

    region: str
    mode: ImportMode = ImportMode.SKIP
    dry_run: bool = False
    list_id: ListId | None = None
    tags: tuple[str, ...] = ()
    consent_source: str = CONSENT_NOT_STATED
    purpose: ImportPurpose = ImportPurpose.CONTACTS
    note: str | None = attrs.field(default=None, repr=False)
