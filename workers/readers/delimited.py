"""CSV, streamed: never more than a piece of the file and a row are in memory."""

import codecs
import csv
import io
from collections.abc import Iterator
from typing import Any, Final

from retail_core.imports.errors import UnreadableTable
from retail_core.imports.model import Encoding
from retail_core.imports.parsing import choose_separator
from retail_core.imports.ports import Chunks
from workers.readers.spool import ROW_CHARACTERS_MAX

CELL_CHARACTERS_MAX: Final = 131_072
BUFFER_BYTES: Final = 65_536

csv.field_size_limit(CELL_CHARACTERS_MAX)


def delimited_rows(encoding: Encoding, chunks: Chunks) -> Iterator[list[str]]:
    """The rows of a CSV file; the separator is chosen by its header row.

    Raises `UnreadableTable` for cells and rows without an end: a quote that nobody closes would
    make one cell of all rows after it.
    """
    # some programs write the mark of UTF-8 before any text
    mark = codecs.BOM_UTF8.decode(encoding.value)
    raw = io.BufferedReader(_ChunkStream(chunks()), BUFFER_BYTES)
    with io.TextIOWrapper(raw, encoding=encoding.value, newline="") as text:
        lines = _Lines(text)
        try:
            header = next((line for line in lines if line.strip()), "").removeprefix(mark)
            lines.put_back(header)
            for cells in csv.reader(lines, delimiter=choose_separator(header)):
                if lines.is_at_end:  # it was asked for more only since a quote was still open
                    raise UnreadableTable("A quoted cell has no end.")
                lines.row_has_ended()
                yield cells
        except (csv.Error, UnicodeDecodeError) as error:
            raise UnreadableTable(f"The file cannot be read as CSV: {error}.") from None


class _Lines:
    """Lines of a text, none without an end, and no row that takes too many of them."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._read = text.readline
        self._first: str | None = None
        self._characters = 0
        self.is_at_end = False

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line, self._first = self._first or self._read(ROW_CHARACTERS_MAX + 1), None
        self._characters += len(line)
        if self._characters > ROW_CHARACTERS_MAX:
            raise UnreadableTable(f"A row has more than {ROW_CHARACTERS_MAX:,} characters.")
        if not line:
            self.is_at_end = True
            raise StopIteration
        return line

    def put_back(self, line: str) -> None:
        """Give this line once more."""
        self._first = line
        self._characters = 0

    def row_has_ended(self) -> None:
        """The next line begins a row."""
        self._characters = 0


class _ChunkStream(io.RawIOBase):
    """Pieces of a file as one stream."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        """It can be read, and nothing else."""
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - whatever can be written into
        """Fill the buffer from the present piece; 0 at the end."""
        if not self._rest:
            self._rest = memoryview(next(self._chunks, b""))
        target = memoryview(buffer).cast("B")
        taken = self._rest[: len(target)]
        target[: len(taken)] = taken
        self._rest = self._rest[len(taken) :]
        return len(taken)
