"""Reading uploaded tables, CSV and XLSX, in bounded memory."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Final

import attrs

from retail_core.imports.model import Cell, FileForm, FileKind, ImportKey
from retail_core.imports.ports import Chunks, Table
from workers.readers.delimited import delimited_rows
from workers.readers.spool import Spool
from workers.readers.workbook import workbook_rows

TABLES_OPEN_MAX: Final = 2


@attrs.frozen
class TableReaders:
    """`TableReader`: picks the reader that fits the kind of file.

    Each file is read through once and kept on disk in a form that is read much faster, from any
    row. A table stays open between the slices of its import; of too many, the oldest is closed.
    """

    _open: dict[ImportKey, Spool] = attrs.field(init=False, factory=dict)

    def open(
        self, key: ImportKey, form: FileForm, chunks: Chunks, alive: Callable[[], object]
    ) -> Table:
        """A table, from the first row to the last; raises `UnreadableTable`."""
        spool = self._open.get(key)
        if spool is None:
            while len(self._open) >= TABLES_OPEN_MAX:
                self.close(next(iter(self._open)))
            spool = self._open[key] = _filled(_rows(form, chunks, alive), alive)
        return Table(spool.rows_total, spool.rows)

    def close(self, key: ImportKey) -> None:
        """Give back what an open table holds."""
        spool = self._open.pop(key, None)
        if spool is not None:
            spool.close()


def _rows(form: FileForm, chunks: Chunks, alive: Callable[[], object]) -> Iterator[Sequence[Cell]]:
    if form.kind is FileKind.XLSX:
        return workbook_rows(chunks, alive)
    return delimited_rows(form.encoding, chunks)


def _filled(rows: Iterator[Sequence[Cell]], alive: Callable[[], object]) -> Spool:
    """All rows that are not empty from end to end."""
    spool = Spool()
    try:
        with closing(rows):  # type: ignore[type-var]  # both are generators
            for cells in rows:
                if any(cells) and spool.add(cells):
                    alive()
        spool.end_page()
    except BaseException:
        spool.close()
        raise
    return spool


__all__ = ["TableReaders"]
