"""The rows of a sheet, one after the other, none kept."""

import re
from collections.abc import Iterator
from typing import IO, Final

from retail_core.imports.errors import UnreadableTable
from retail_core.imports.model import TABLE_ROWS_MAX, Cell
from workers.readers.cells import CellMeanings
from workers.readers.guarded_xml import parse
from workers.readers.plain_xml import NotPlain, read_text, segments
from workers.readers.shared_strings import TEXT_CHARACTERS_MAX

COLUMNS_MAX: Final = 256
ROW_DIGITS_MAX: Final = 9
_LETTERS: Final = 26
_REFERENCE: Final = re.compile("([A-Z]{1,3})([0-9]{1,9})")
_PLAIN_CELL: Final = re.compile(
    r'<c r="([A-Z]{1,3})([0-9]{1,9})"(?: s="([0-9]{1,6})")?(?: t="([a-zA-Z]{1,9})")?\s?'
    r"(?:/>|>(?:<f(?:\s[^<>]*)?(?:/>|>[^<]*</f>))?"
    r'(?:<v>([^<]*)</v>|<v/>|<is><t(?: xml:space="preserve")?>([^<]*)</t></is>)?</c>)'
)
_CELL_STARTS: Final = re.compile(r"<c[\s>/]")
_Row = list[Cell]


class _Columns(dict[str, int]):
    """Letters of columns, with the number of each from 0."""

    def __missing__(self, letters: str) -> int:
        number = 0
        for letter in letters:
            number = number * _LETTERS + ord(letter) - ord("A") + 1
        if number > COLUMNS_MAX:
            raise UnreadableTable("The sheet has too many columns.")
        self[letters] = number - 1
        return number - 1


def sheet_rows(source: IO[bytes], meanings: CellMeanings) -> Iterator[_Row]:
    """The rows of a sheet, gaps filled. Raises `UnreadableTable`."""
    done = 0
    try:
        for row in _plain_rows(source, meanings):
            yield row
            done += 1
    except NotPlain:
        source.seek(0)
    else:
        return
    for row in _any_rows(source, meanings):
        if done:
            done -= 1
        else:
            yield row


def _plain_rows(source: IO[bytes], meanings: CellMeanings) -> Iterator[_Row]:
    """Rows as spreadsheets write them. Raises `NotPlain` where they are written otherwise."""
    columns = _Columns()
    is_begun = False
    for each in segments(source, "</row>", "worksheet"):
        segment = each
        if not is_begun:
            _, begin, segment = segment.partition("<sheetData>")
            if not begin:
                raise NotPlain
            is_begun = True
        lines = segment.split("</row>")
        for line in lines[:-1]:
            yield _plain_row(line, columns, meanings)
        if "</sheetData>" in lines[-1]:
            return
        if "<c" in lines[-1]:
            raise NotPlain
    raise UnreadableTable("The sheet has no end.")


def _plain_row(line: str, columns: _Columns, meanings: CellMeanings) -> _Row:
    found = _PLAIN_CELL.findall(line)
    if len(found) != len(_CELL_STARTS.findall(line)):
        raise NotPlain
    if found and int(found[0][1]) > TABLE_ROWS_MAX + 1:
        raise UnreadableTable("The sheet has too many rows.")
    row: _Row = []
    for letters, _, style, kind, value, text in found:
        column = columns[letters]
        if column != len(row):
            if column < len(row):
                raise NotPlain
            row += [""] * (column - len(row))
        if text:
            row.append(read_text(text))
        elif not value:
            row.append("")
        elif kind == "s":
            row.append(meanings.shared(value))
        elif kind in ("", "n"):
            row.append(meanings.of(kind, style, value))
        else:
            row.append(meanings.of(kind, style, read_text(value)))
    return row


def _any_rows(source: IO[bytes], meanings: CellMeanings) -> Iterator[_Row]:
    """Rows in whatever way they are written."""
    reading = _AnyRows(meanings)
    for _ in parse(source, reading.start, reading.end, reading.text):
        yield from reading.done
        reading.done = []


class _AnyRows:
    """Collects rows from the events of a parser."""

    def __init__(self, meanings: CellMeanings) -> None:
        self.done: list[_Row] = []
        self._meanings = meanings
        self._columns = _Columns()
        self._row: _Row = []
        self._column = 0
        self._cell: dict[str, str] = {}
        self._pieces: list[str] = []
        self._characters = 0
        self._inside: list[str] = []

    def start(self, name: str, found: dict[str, str]) -> None:
        self._inside.append(name)
        if name == "row":
            self._row = []
            _check_row(found.get("r", ""))
        elif name == "c":
            self._cell, self._pieces, self._characters = found, [], 0
            reference = _REFERENCE.fullmatch(found.get("r", ""))
            if reference is not None:
                _check_row(reference[2])
            self._column = len(self._row) if reference is None else self._columns[reference[1]]

    def end(self, name: str) -> None:
        self._inside.pop()
        if name == "row":
            self.done.append(self._row)
        elif name == "c":
            self._end_cell("".join(self._pieces))

    def text(self, text: str) -> None:
        inside = self._inside[-1]
        if inside != "v" and (inside != "t" or "rPh" in self._inside[-3:]):
            return
        self._characters += len(text)
        if self._characters > TEXT_CHARACTERS_MAX:
            raise UnreadableTable(f"A cell has more than {TEXT_CHARACTERS_MAX:,} characters.")
        self._pieces.append(text)

    def _end_cell(self, text: str) -> None:
        kind, style = self._cell.get("t", ""), self._cell.get("s", "")
        row = self._row
        row += [""] * (self._column + 1 - len(row))
        if len(row) > COLUMNS_MAX:
            raise UnreadableTable("The sheet has too many columns.")
        if not text:
            return
        if kind not in ("", "n", "s"):
            text = read_text(text, is_escaped=False)
        row[self._column] = self._meanings.of(kind, style, text)


def _check_row(number: str) -> None:
    if number.isdecimal() and int(number[:ROW_DIGITS_MAX]) > TABLE_ROWS_MAX + 1:
        raise UnreadableTable("The sheet has too many rows.")
