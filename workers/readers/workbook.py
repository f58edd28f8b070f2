"""XLSX in bounded memory, however large: what a file claims about itself is not believed.

A workbook is a zip of XML. Its texts go to disk, its first sheet is read row by row.
"""

import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import IO, Final

from retail_core.imports.archives import open_archive
from retail_core.imports.errors import UnreadableTable
from retail_core.imports.model import UNPACKED_BYTES_MAX, Cell
from retail_core.imports.ports import Chunks
from workers.readers.cells import CellMeanings
from workers.readers.shared_strings import SharedStrings
from workers.readers.sheet import sheet_rows
from workers.readers.workbook_parts import Parts, find_date_styles, find_parts

_PACKED: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})


def workbook_rows(chunks: Chunks, alive: Callable[[], object]) -> Iterator[list[Cell]]:
    """The rows of the first sheet; `alive` is called while texts are read, which may take a while.

    Its temporary files are gone at the end. Raises `UnreadableTable`.
    """
    with tempfile.TemporaryFile(prefix="import-") as upload:
        for chunk in chunks():
            upload.write(chunk)
        try:
            yield from _rows(upload, alive)
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError) as error:
            raise UnreadableTable("The workbook is damaged or protected.") from error


def _rows(upload: IO[bytes], alive: Callable[[], object]) -> Iterator[list[Cell]]:
    with open_archive(upload) as packed, closing(SharedStrings()) as strings:
        parts = find_parts(packed)
        _check_size(packed, parts)
        if parts.strings is not None and parts.strings in packed.NameToInfo:
            with packed.open(parts.strings) as source:
                for _ in strings.fill(source):
                    alive()
        styles = find_date_styles(packed, parts.styles)
        with packed.open(parts.sheet) as source:
            yield from sheet_rows(source, CellMeanings(strings, styles, parts.epoch))


def _check_size(packed: zipfile.ZipFile, parts: Parts) -> None:
    """No part gives more bytes than it says, whatever is packed in it: so what it says counts."""
    if parts.sheet not in packed.NameToInfo:
        raise UnreadableTable("The workbook has no sheet.")
    read = [packed.NameToInfo.get(name) for name in (parts.sheet, parts.strings or "")]
    if any(part is not None and part.compress_type not in _PACKED for part in read):
        raise UnreadableTable("The workbook is packed in an unusual way.")
    if sum(part.file_size for part in read if part is not None) > UNPACKED_BYTES_MAX:
        raise UnreadableTable(f"The workbook unpacks to more than {UNPACKED_BYTES_MAX:,} bytes.")
