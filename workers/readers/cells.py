"""What a cell of a sheet means: text as a person sees it, and real dates as dates."""

import re
from collections.abc import Collection
from datetime import date, timedelta
from typing import Final

import attrs

from retail_core.imports.errors import UnreadableTable
from retail_core.imports.model import Cell
from workers.readers.plain_xml import read_text
from workers.readers.shared_strings import SharedStrings

EPOCH_1900: Final = date(1899, 12, 30)
EPOCH_1904: Final = date(1904, 1, 1)
# Excel believes in a 29 February 1900; before it, days count from one day later.
_FALSE_LEAP_DAY: Final = 60
_EXACT_FLOAT_MAX: Final = 1e15
_ISO_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@attrs.frozen
class CellMeanings:
    """How the cells of one workbook are read; `date_styles` are the styles that show a date."""

    strings: SharedStrings
    date_styles: Collection[str] = frozenset()
    epoch: date = EPOCH_1900

    def of(self, kind: str, style: str, text: str) -> Cell:
        """The meaning of a cell of some type (`t`), style (`s`) and text (`v`)."""
        match kind:
            case "s":
                return self.shared(text)
            case "" | "n":
                return self._date(text) if style in self.date_styles else number(text)
            case "b":
                return "true" if text.strip() == "1" else "false"
            case "d" if _ISO_DATE.match(text):
                return _date_of(text)
            case _:
                return text

    def shared(self, text: str) -> str:
        """A text by its number. Raises `UnreadableTable` if there is none."""
        try:
            return self.strings[int(text)]
        except (ValueError, IndexError):
            raise UnreadableTable("The workbook cannot be read.") from None

    def _date(self, text: str) -> Cell:
        try:
            days = int(float(text))
        except (ValueError, OverflowError):
            return text
        if days < 1:
            return number(text)  # a time of day alone
        is_early = self.epoch is EPOCH_1900 and days < _FALSE_LEAP_DAY
        try:
            return self.epoch + timedelta(days + is_early)
        except OverflowError:
            return number(text)


def number(text: str) -> str:
    """A number as a person would write it."""
    if text.isdecimal() and text.isascii():
        return text
    try:
        value = float(text)
    except ValueError:
        return read_text(text)
    if value.is_integer() and abs(value) < _EXACT_FLOAT_MAX:
        return str(int(value))
    return str(value)


def _date_of(text: str) -> Cell:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return text
