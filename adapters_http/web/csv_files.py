"""CSV files for spreadsheets, written while they are read: no file is ever held as a whole."""

import csv
import io
from collections.abc import Generator, Iterable, Sequence
from enum import Enum
from typing import Final

import attrs

CSV: Final = "text/csv; charset=utf-8"
LINES_PER_PIECE: Final = 500
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")


class Separator(Enum):
    """What stands between two cells."""

    COMMA = "comma"
    SEMICOLON = "semicolon"
    TAB = "tab"

    @property
    def character(self) -> str:
        return {Separator.COMMA: ",", Separator.SEMICOLON: ";", Separator.TAB: "\t"}[self]


@attrs.frozen
class Form:
    """How a file is to be written; some spreadsheets know UTF-8 by a mark at its begin only."""

    separator: Separator = Separator.COMMA
    bom: bool = False


PLAIN: Final = Form()


def disarmed(cell: str) -> str:
    """A cell that a spreadsheet would run as a formula gets a quote before it."""
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell


def lines(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    form: Form = PLAIN,
) -> Generator[bytes, None, None]:
    """The file piece by piece; whoever stops reading stops the rows as well."""
    piece = io.StringIO()
    writer = csv.writer(piece, delimiter=form.separator.character)
    if form.bom:
        piece.write("\ufeff")
    writer.writerow(columns)
    for number, row in enumerate(rows, start=1):
        writer.writerow(row)
        if number % LINES_PER_PIECE == 0:
            yield piece.getvalue().encode()
            piece.seek(0)
            piece.truncate()
    yield piece.getvalue().encode()
