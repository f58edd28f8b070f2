"""From the rows of somebody's table to contacts, or to the faults that stand in the way."""

import codecs
import functools
import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, Final, TypeAlias

import attrs

from retail_core.contacts.errors import (
    InvalidBirthday,
    InvalidGender,
    InvalidPhone,
    InvalidTags,
)
from retail_core.contacts.model import Gender
from retail_core.contacts.model.values import (
    TAGS_MAX,
    check_birthday,
    read_email,
    read_name,
    read_tags,
)
from retail_core.imports.errors import UnreadableTable
from retail_core.imports.model import (
    FAULT_VALUE_LENGTH_MAX,
    Cell,
    Encoding,
    FileForm,
    FileKind,
    ImportedRow,
    RowFault,
)
from retail_core.kernel.addresses.phones import Phone, parse_phone
from retail_core.kernel.errors import InvalidField, RuleViolation
from retail_core.kernel.folding import fold

_Read: TypeAlias = Callable[[Cell], object]
"""Reads one cell; None where it is blank. Raises `RuleViolation`."""

CELLS_REMEMBERED_MAX: Final = 2_048
BIRTHDAYS_REMEMBERED_MAX: Final = 16_384
SEPARATORS: Final = (";", ",", "\t")

_FIELDS: Final[Mapping[str, str]] = {
    "phone": "phone",
    "mobile": "phone",
    "τηλεφωνο": "phone",
    "κινητο": "phone",
    "firstname": "firstName",
    "ονομα": "firstName",
    "lastname": "lastName",
    "επωνυμο": "lastName",
    "email": "email",
    "gender": "gender",
    "φυλο": "gender",
    "birthday": "birthday",
    "birthdate": "birthday",
    "dateofbirth": "birthday",
    "γενεθλια": "birthday",
    "subscribed": "subscribed",
    "issubscribed": "subscribed",
    "tags": "tags",
}
_GENDERS: Final[Mapping[str, Gender]] = {
    **{gender.value: gender for gender in Gender},
    "m": Gender.MALE,
    "f": Gender.FEMALE,
    fold("άνδρας"): Gender.MALE,
    fold("γυναίκα"): Gender.FEMALE,
}
_YES: Final = frozenset({"yes", "true", "1", "y", "ναι"})
_NO: Final = frozenset({"no", "false", "0", "n", "οχι"})
_IGNORED_IN_HEADERS: Final = re.compile(r"[\s_]+")
_DAY_FIRST: Final = re.compile(r"([0-9]{1,2})([/.-])([0-9]{1,2})\2([0-9]{4})")
_YEAR_FIRST: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_TAG_SEPARATORS: Final = re.compile("[,;|]")
_GUARDED: Final = re.compile(r"'[=+\-@\t\r]")
_CONTROLS: Final = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f]")
_BLANKS: Final = b" \t\r\n\f"
_HEAD_BYTES_MAX: Final = 1_024
_OTHER_FORMATS: Final = re.compile(
    rb"""
      %PDF-|%!PS|\{\\rtf                            # PDF, PostScript, RTF
    | <[a-z!?/]                                    # HTML, XML, SVG
    | \{\s*["}]                                    # a JSON object
    | \[\s*(?:[\[{"\]]|-?[0-9]|(?:true|false|null)\b)  # a JSON array; "[name]" is a header
    | BEGIN:V                                      # vCard, iCalendar
    """,
    re.IGNORECASE | re.VERBOSE,
)


class TextScan:
    """Reads a file chunk by chunk and tells whether, and how, it is the text of a table.

    UTF-8 if all of it is valid UTF-8, else Windows-1253; a control character means neither, and so
    does a beginning that only another format has: PDF, HTML, JSON and the like are text as well.
    """

    def __init__(self) -> None:
        self._head = b""
        self._decoders = {
            encoding: codecs.getincrementaldecoder(encoding.value)() for encoding in Encoding
        }

    def feed(self, chunk: bytes, *, last: bool = False) -> None:
        """Look at the next bytes; an empty last chunk ends the file."""
        if len(self._head) < _HEAD_BYTES_MAX:
            start = (self._head + chunk).removeprefix(codecs.BOM_UTF8)
            self._head = start.lstrip(_BLANKS)[:_HEAD_BYTES_MAX]
        for encoding, decoder in list(self._decoders.items()):
            try:
                text = decoder.decode(chunk, last)
            except UnicodeDecodeError:
                del self._decoders[encoding]
                continue
            if _CONTROLS.search(text):
                del self._decoders[encoding]

    @property
    def encoding(self) -> Encoding | None:
        """The encoding, in order of preference; None if this is no table as text."""
        if _OTHER_FORMATS.match(self._head):
            return None
        return next(iter(self._decoders), None)


def choose_form(file_name: str, *, is_workbook: bool, encoding: Encoding | None) -> FileForm | None:
    """What a file is by its content; None if it is no table, or another one than it claims."""
    claimed = file_name.rpartition(".")[2].lower()
    if is_workbook:
        return None if claimed == "csv" else FileForm(FileKind.XLSX)
    if encoding is None or claimed in ("xlsx", "xls"):
        return None
    return FileForm(FileKind.CSV, encoding)


def choose_separator(header: str) -> str:
    """The separator that shows most columns we know, then most columns at all."""

    def columns(separator: str) -> tuple[int, int]:
        names = [name.strip().strip('"') for name in header.split(separator)]
        known = sum(_normalised(name) in _FIELDS for name in names)
        return known, len(names)

    return max(SEPARATORS, key=columns)


def find_columns(header: Sequence[Cell]) -> Mapping[str, int]:
    """Where each field stands; the first of two columns of one field counts.

    Raises `UnreadableTable` if there is no column of phone numbers.
    """
    columns = _named_columns(header)
    if "phone" not in columns:
        raise UnreadableTable("The header row has no column of phone numbers (phone).")
    return columns


def find_numbers(first_row: Sequence[Cell]) -> int | None:
    """Where the numbers of a register stand; None: it has no header, and they come first."""
    return _named_columns(first_row).get("phone")


def _named_columns(header: Sequence[Cell]) -> dict[str, int]:
    columns: dict[str, int] = {}
    for index, cell in enumerate(header):
        field = _FIELDS.get(_normalised(str(cell)))
        if field is not None:
            columns.setdefault(field, index)
    return columns


@attrs.frozen
class RowReader:
    """Reads data rows under one header; `extra_tags` are those of the whole import."""

    columns: Mapping[str, int]
    region: str
    today: date
    extra_tags: tuple[str, ...] = ()

    _cells: tuple[tuple[int, str, str, _Read], ...] = attrs.field(init=False, repr=False, eq=False)
    _width: int = attrs.field(init=False, repr=False, eq=False)

    @_width.default
    def _columns_needed(self) -> int:
        return max(self.columns.values()) + 1

    @_cells.default
    def _known_cells(self) -> tuple[tuple[int, str, str, _Read], ...]:
        """Where each cell stands, what its column and its value are called, and how it is read."""
        # the same few words, names and days stand in these columns again and again
        remembered = functools.lru_cache(CELLS_REMEMBERED_MAX)
        remembered_days = functools.lru_cache(BIRTHDAYS_REMEMBERED_MAX)
        ways: Mapping[str, tuple[str, _Read]] = {
            "phone": ("phone", self._phone),
            "subscribed": ("subscribed", _subscribed),
            "email": ("email", _email),
            "firstName": ("first_name", remembered(_first_name)),
            "lastName": ("last_name", remembered(_last_name)),
            "gender": ("gender", remembered(_gender)),
            "birthday": ("birthday", remembered_days(self._birthday)),
            "tags": ("tags", remembered(self._tags)),
        }
        return tuple(
            (self.columns[field], field, name, read)
            for field, (name, read) in ways.items()
            if field in self.columns
        )

    def read(self, row: int, cells: Sequence[Cell]) -> ImportedRow | list[RowFault]:
        """A contact, or one fault for each cell that is wrong."""
        faults: list[RowFault] = []
        found: dict[str, Any] = {}
        if len(cells) < self._width:
            cells = (*cells, *itertools.repeat("", self._width - len(cells)))
        for index, field, name, read in self._cells:
            cell = cells[index]
            if not cell:
                continue
            try:
                found[name] = read(cell)
            except RuleViolation as fault:
                faults.append(_fault(row, field, fault, cell))
        if found.get("phone") is None and not any(fault.field == "phone" for fault in faults):
            missing = InvalidPhone("a phone number is required")
            faults.insert(0, _fault(row, "phone", missing, ""))
        return faults or ImportedRow(row, **found)

    def _phone(self, cell: Cell) -> Phone | None:
        text = str(cell).strip()
        if not text:
            return None
        phone = parse_phone(text, self.region)
        if phone is None:
            raise InvalidPhone
        return phone

    def _birthday(self, cell: Cell) -> date | None:
        if isinstance(cell, date):
            return check_birthday(cell, self.today)
        text = cell.strip()
        if not text:
            return None
        return check_birthday(_written_date(text), self.today)

    def _tags(self, cell: Cell) -> tuple[str, ...] | None:
        names = [name for name in _TAG_SEPARATORS.split(_text(cell)) if name.strip()]
        tags = read_tags(names)
        if len({*tags, *self.extra_tags}) > TAGS_MAX:
            raise InvalidTags
        return tags or None


def _written_date(text: str) -> date:
    found = _YEAR_FIRST.fullmatch(text)
    if found is not None:
        year, month, day = found.groups()
    else:
        found = _DAY_FIRST.fullmatch(text)
        if found is None:
            raise InvalidBirthday
        day, month, year = found[1], found[3], found[4]
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        raise InvalidBirthday from None


def _text(cell: Cell) -> str:
    """The cell as text, without the apostrophe by which exports disarm formulas."""
    text = str(cell).strip()
    return text[1:] if text.startswith("'") and _GUARDED.match(text) else text


def _email(cell: Cell) -> str | None:
    return read_email(_text(cell))


def _first_name(cell: Cell) -> str | None:
    return read_name(_text(cell), "firstName")


def _last_name(cell: Cell) -> str | None:
    return read_name(_text(cell), "lastName")


def _gender(cell: Cell) -> Gender | None:
    word = fold(_text(cell))
    if not word:
        return None
    gender = _GENDERS.get(word)
    if gender is None:
        raise InvalidGender
    return gender


def _subscribed(cell: Cell) -> bool:
    word = fold(_text(cell))
    if not word or word in _YES:
        return True
    if word in _NO:
        return False
    raise InvalidField("subscribed", "yes or no")


def _fault(row: int, field: str, fault: RuleViolation, cell: Cell) -> RowFault:
    message = fault.fields[0].message if fault.fields else fault.message
    return RowFault(row, field, fault.code, message, str(cell)[:FAULT_VALUE_LENGTH_MAX])


def _normalised(name: str) -> str:
    return _IGNORED_IN_HEADERS.sub("", fold(name.strip("\ufeff")))
