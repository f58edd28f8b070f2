"""The rows of a batch as COPY takes them.

Written as one text here: the driver looks at each value by itself, which takes three times as long.
"""

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from adapters_db.tables.contacts import LINE_TYPE_NUMBERS
from retail_core.contacts.model import folded_field
from retail_core.imports.model import ImportedRow

COPY_STAGED: Final = "COPY staged FROM STDIN (NULL '')"
"""No text of a row is empty: what is empty is missing."""

COLUMNS: Final = 14

_SEPARATOR: Final = "\t"
_END: Final = "\n"
_ESCAPES: Final = {ord("\\"): r"\\", ord("\t"): r"\t", ord("\n"): r"\n", ord("\r"): r"\r"}
_QUOTES: Final = {ord("\\"): r"\\", ord('"'): r"\""}
_LINE_TYPES: Final = {kind: str(number) for kind, number in LINE_TYPE_NUMBERS.items()}


def staged_lines(rows: Sequence[ImportedRow]) -> str:
    """A line for each row, in the columns of the table `staged`."""
    lines = map(_SEPARATOR.join, _cells(rows))
    text = _END.join(lines) + _END
    is_plain = (
        "\\" not in text
        and "\r" not in text
        and text.count(_END) == len(rows)
        and text.count(_SEPARATOR) == len(rows) * (COLUMNS - 1)
    )
    return text if is_plain else _escaped(rows)


def _escaped(rows: Sequence[ImportedRow]) -> str:
    return "".join(
        _SEPARATOR.join(cell.translate(_ESCAPES) for cell in cells) + _END for cells in _cells(rows)
    )


def _cells(rows: Sequence[ImportedRow]) -> Iterator[tuple[str, ...]]:
    # the same names and tags stand in many rows
    fold: Callable[[str | None], str] = functools.cache(folded_field)
    array: Callable[[tuple[str, ...] | None], str] = functools.cache(_array)
    for row in rows:
        phone = row.phone
        yield (
            str(row.row),
            phone.number[1:],
            phone.country,
            _LINE_TYPES[phone.line_type],
            row.email or "",
            row.first_name or "",
            row.last_name or "",
            "" if row.gender is None else row.gender.value,
            "" if row.birthday is None else row.birthday.isoformat(),
            array(row.tags),
            "t" if row.subscribed else "f",
            folded_field(row.email),
            fold(row.first_name),
            fold(row.last_name),
        )


def _array(texts: tuple[str, ...] | None) -> str:
    if texts is None:
        return ""
    return "{" + ",".join(f'"{text.translate(_QUOTES)}"' for text in texts) + "}"
