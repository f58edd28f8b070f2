"""Reading uploaded tables, CSV and XLSX, in bounded memory."""

from collections.abc import Iterator
from contextlib import contextmanager

import attrs

from retail_core.imports.model import FileForm, FileKind
from retail_core.imports.ports import Chunks, Table
from workers.readers.delimited import DelimitedTable
from workers.readers.workbook import open_workbook


@attrs.frozen
class TableReaders:
    """`TableReader`: picks the reader that fits the kind of file."""

    @contextmanager
    def open(self, form: FileForm, chunks: Chunks) -> Iterator[Table]:
        """A table; raises `UnreadableTable`."""
        if form.kind is FileKind.XLSX:
            with open_workbook(chunks) as workbook:
                yield workbook.rows
        else:
            yield DelimitedTable(form.encoding, chunks).rows


__all__ = ["TableReaders"]
