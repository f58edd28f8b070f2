"""XLSX by calamine, behind guards: what a file claims about itself is not believed.

A workbook is a zip of XML. Its parts are unpacked within a limit into a plain archive of our own,
so that no part can be larger than was counted. Calamine keeps a sheet as a full rectangle of
cells, so on the way the outermost cell is looked for: two cells in far corners would otherwise
cost more memory than any machine has.
"""

import re
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Final

import attrs
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from retail_core.imports.errors import UnreadableTable
from retail_core.imports.model import TABLE_ROWS_MAX, UNPACKED_BYTES_MAX, Cell
from retail_core.imports.ports import Chunks

PARTS_MAX: Final = 1_000
COLUMNS_MAX: Final = 256
CELLS_MAX: Final = 20_000_000
PIECE_BYTES: Final = 1024 * 1024

_CELL: Final = re.compile(rb'<(?:\w+:)?c\s[^>]*?\br="([A-Z]{1,3})([0-9]{1,7})"')
_LONGEST_TAG_BYTES: Final = 256
_LETTERS: Final = 26


@attrs.frozen
class WorkbookTable:
    """The first sheet of a workbook as a table."""

    sheet: CalamineSheet

    def rows(self) -> Iterator[Sequence[Cell]]:
        """Rows from the start."""
        for row in self.sheet.iter_rows():
            yield [_cell(value) for value in row]


@contextmanager
def open_workbook(chunks: Chunks) -> Iterator[WorkbookTable]:
    """The first sheet; its temporary files are gone at the end. Raises `UnreadableTable`."""
    with tempfile.TemporaryDirectory(prefix="import-") as directory:
        plain = Path(directory, "plain.xlsx")
        with tempfile.TemporaryFile(dir=directory) as upload:
            for chunk in chunks():
                upload.write(chunk)
            try:
                with zipfile.ZipFile(upload) as packed:
                    _unpack(packed, plain)
            except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError) as error:
                raise UnreadableTable("The workbook is damaged or protected.") from error
        yield WorkbookTable(_first_sheet(plain))


def _first_sheet(path: Path) -> CalamineSheet:
    try:
        return CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0)
    except CalamineError as error:
        raise UnreadableTable("The workbook cannot be read.") from error


def _unpack(packed: zipfile.ZipFile, plain: Path) -> None:
    """Copy the XML parts, unpacked and counted, into an archive of our own."""
    parts = [part for part in packed.infolist() if part.filename.endswith((".xml", ".rels"))]
    size = sum(part.file_size for part in parts)
    if len(parts) > PARTS_MAX or size > UNPACKED_BYTES_MAX:
        raise UnreadableTable(f"The workbook unpacks to more than {UNPACKED_BYTES_MAX:,} bytes.")
    with zipfile.ZipFile(plain, "w", zipfile.ZIP_STORED) as copy:
        for part in parts:
            extent = _Extent() if "/worksheets/" in part.filename else None
            with packed.open(part) as source, copy.open(part.filename, "w") as target:
                # reads no more than `file_size`, whatever is packed in there
                while piece := source.read(PIECE_BYTES):
                    target.write(piece)
                    if extent is not None:
                        extent.look_at(piece)


class _Extent:
    """Looks for the outermost cell of a sheet."""

    def __init__(self) -> None:
        self._rows = 0
        self._columns = 0
        self._rest = b""

    def look_at(self, piece: bytes) -> None:
        """Read on; raises `UnreadableTable` once the sheet is too large."""
        text = self._rest + piece
        for letters, number in _CELL.findall(text):
            self._columns = max(self._columns, _column(letters))
            self._rows = max(self._rows, int(number))
        self._rest = text[-_LONGEST_TAG_BYTES:]
        if self._rows > TABLE_ROWS_MAX + 1 or self._columns > COLUMNS_MAX:
            raise UnreadableTable("The sheet has too many rows or columns.")
        if self._rows * self._columns > CELLS_MAX:
            raise UnreadableTable(f"The sheet has more than {CELLS_MAX:,} cells.")


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * _LETTERS + letter - ord("A") + 1
    return number


def _cell(value: object) -> Cell:
    """Cells as text, as a person sees them; only real dates stay dates."""
    match value:
        case str():
            return value.replace("\0", "")
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer():
            return str(int(value))
        case datetime():
            return value.date()
        case date():
            return value
        case _:
            return str(value)
