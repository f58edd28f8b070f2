"""Rows on disk, so that a table of any size can be read from any row without being in memory."""

import bisect
import os
import tempfile
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

from retail_core.imports.errors import UnreadableTable
from retail_core.imports.model import TABLE_ROWS_MAX, UNPACKED_BYTES_MAX, Cell

PAGE_ROWS_MAX: Final = 1_000
PAGE_CHARACTERS_MAX: Final = 262_144
ROW_CHARACTERS_MAX: Final = 1_048_576

# None of the three may stand in a cell: no XML and no text that was let in has them.
_CELLS: Final = "\x1f"
_ROWS: Final = "\x1e"
_DATE: Final = "\x1d"
_NO_MARKS: Final = {ord(mark): " " for mark in (_CELLS, _ROWS, _DATE)}


class Spool:
    """Rows with content, written once and read as often as needed; the header is row 0.

    They lie in a file without a name, in pages, so nothing outlives the process.
    """

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="import-", buffering=0)  # noqa: SIM115 - `close` does
        self._page: list[str] = []
        self._page_characters = 0
        self._first_rows: list[int] = []
        self._starts = [0]
        self.rows_total = 0

    def add(self, cells: Sequence[Cell]) -> bool:
        """Write the next row; True if it ended a page. Raises `UnreadableTable` at a limit."""
        line = _line(cells)
        if len(line) > ROW_CHARACTERS_MAX:
            raise UnreadableTable(f"A row has more than {ROW_CHARACTERS_MAX:,} characters.")
        self.rows_total += 1
        if self.rows_total > TABLE_ROWS_MAX + 1:
            raise UnreadableTable(f"The file has more than {TABLE_ROWS_MAX:,} rows.")
        self._page.append(line)
        self._page_characters += len(line)
        if len(self._page) < PAGE_ROWS_MAX and self._page_characters < PAGE_CHARACTERS_MAX:
            return False
        self.end_page()
        return True

    def end_page(self) -> None:
        """Write what is not yet on disk."""
        if not self._page:
            return
        page = _ROWS.join(self._page).encode()
        end = self._starts[-1] + len(page)
        if end > UNPACKED_BYTES_MAX:
            raise UnreadableTable(f"The file unpacks to more than {UNPACKED_BYTES_MAX:,} bytes.")
        self._file.write(page)
        self._first_rows.append(self.rows_total - len(self._page))
        self._starts.append(end)
        self._page.clear()
        self._page_characters = 0

    def rows(self, first: int = 0) -> Iterator[Sequence[Cell]]:
        """All rows from this one on."""
        begins = bisect.bisect_right(self._first_rows, first) - 1
        skipped = first - self._first_rows[begins] if begins >= 0 else 0
        for page in range(max(begins, 0), len(self._first_rows)):
            for line in self._lines(page)[skipped:]:
                cells = line.split(_CELLS)
                yield cells if _DATE not in line else [_cell(text) for text in cells]
            skipped = 0

    def close(self) -> None:
        """Give the disk back."""
        self._file.close()

    def _lines(self, page: int) -> list[str]:
        start, end = self._starts[page], self._starts[page + 1]
        return os.pread(self._file.fileno(), end - start, start).decode().split(_ROWS)


def _line(cells: Sequence[Cell]) -> str:
    try:
        line = _CELLS.join(cells)  # type: ignore[arg-type]  # dates are rare enough to fail
    except TypeError:
        return _CELLS.join(map(_text, cells))
    if line.count(_CELLS) != len(cells) - 1 or _ROWS in line or _DATE in line:
        return _CELLS.join(map(_text, cells))
    return line


def _text(cell: Cell) -> str:
    return _DATE + cell.isoformat() if isinstance(cell, date) else cell.translate(_NO_MARKS)


def _cell(text: str) -> Cell:
    return date.fromisoformat(text[1:]) if text.startswith(_DATE) else text
