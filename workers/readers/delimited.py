"""CSV, streamed: never more than a piece of the file and a line are in memory."""

import csv
import io
import itertools
from collections.abc import Iterator, Sequence
from typing import Any, Final

import attrs

from retail_core.imports.errors import UnreadableTable
from retail_core.imports.model import Cell, Encoding
from retail_core.imports.parsing import choose_separator
from retail_core.imports.ports import Chunks

CELL_CHARACTERS_MAX: Final = 131_072
BUFFER_BYTES: Final = 65_536

csv.field_size_limit(CELL_CHARACTERS_MAX)


@attrs.frozen
class DelimitedTable:
    """A CSV file as a table; the separator is chosen by its header row."""

    encoding: Encoding
    chunks: Chunks

    def rows(self) -> Iterator[Sequence[Cell]]:
        """Rows from the start. Raises `UnreadableTable` for cells without an end and the like."""
        raw = io.BufferedReader(_ChunkStream(self.chunks()), BUFFER_BYTES)
        with io.TextIOWrapper(raw, encoding=self.encoding.value, newline="") as text:
            header = next((line for line in text if line.strip()), "")
            lines = itertools.chain([header], text)
            try:
                yield from csv.reader(lines, delimiter=choose_separator(header))
            except (csv.Error, UnicodeDecodeError) as error:
                raise UnreadableTable(f"The file cannot be read as CSV: {error}.") from None


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
