"""Where the parts of a workbook are, and what its styles say about dates."""

import posixpath
import re
import zipfile
from collections.abc import Callable
from datetime import date
from typing import Final

import attrs

from retail_core.imports.errors import UnreadableTable
from workers.readers.cells import EPOCH_1900, EPOCH_1904
from workers.readers.guarded_xml import parse

WORKBOOK: Final = "xl/workbook.xml"
RELATIONS: Final = "xl/_rels/workbook.xml.rels"
SMALL_PART_BYTES_MAX: Final = 4 * 1024 * 1024
STYLES_BYTES_MAX: Final = 32 * 1024 * 1024

_BUILT_IN_DATES: Final = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
_NO_CODE: Final = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]')
_DATE_CODE: Final = re.compile("[dmyhs]", re.IGNORECASE)
_TRUE: Final = frozenset({"1", "true"})


@attrs.frozen
class Parts:
    """The names of the parts that matter; None for what a workbook need not have."""

    sheet: str
    strings: str | None
    styles: str | None
    epoch: date


def find_parts(packed: zipfile.ZipFile) -> Parts:
    """The first sheet and what belongs to it. Raises `UnreadableTable`."""
    sheets: list[str] = []
    epoch = EPOCH_1900

    def in_workbook(name: str, found: dict[str, str]) -> None:
        nonlocal epoch
        if name == "sheet":
            sheets.extend(value for key, value in found.items() if key.endswith(":id"))
        elif name == "workbookPr" and found.get("date1904") in _TRUE:
            epoch = EPOCH_1904

    relations: dict[str, tuple[str, str]] = {}

    def in_relations(name: str, found: dict[str, str]) -> None:
        if name == "Relationship":
            kind = found.get("Type", "").rpartition("/")[2]
            relations[found.get("Id", "")] = (kind, _part(found.get("Target", "")))

    _read(packed, WORKBOOK, SMALL_PART_BYTES_MAX, in_workbook)
    _read(packed, RELATIONS, SMALL_PART_BYTES_MAX, in_relations)
    named = [relations[each] for each in sheets if each in relations]
    sheet = next((target for kind, target in named if kind == "worksheet"), None)
    if sheet is None:
        raise UnreadableTable("The workbook has no sheet.")
    by_kind = dict(relations.values())
    return Parts(sheet, by_kind.get("sharedStrings"), by_kind.get("styles"), epoch)


def find_date_styles(packed: zipfile.ZipFile, part: str | None) -> frozenset[str]:
    """The numbers of the styles that show a date."""
    if part is None or part not in packed.NameToInfo:
        return frozenset()
    formats: dict[str, bool] = {str(number): True for number in _BUILT_IN_DATES}
    styles: list[str] = []
    is_inside = False
    number = 0

    def start(name: str, found: dict[str, str]) -> None:
        nonlocal is_inside, number
        if name == "numFmt":
            code = _NO_CODE.sub("", found.get("formatCode", ""))
            formats[found.get("numFmtId", "")] = _DATE_CODE.search(code) is not None
        elif name in ("cellXfs", "cellStyleXfs"):
            is_inside = name == "cellXfs"
        elif name == "xf" and is_inside:
            if formats.get(found.get("numFmtId", "")):
                styles.append(str(number))
            number += 1

    _read(packed, part, STYLES_BYTES_MAX, start)
    return frozenset(styles)


def _part(target: str) -> str:
    """The name of a part, as relations of the workbook write it."""
    return posixpath.normpath(target[1:] if target.startswith("/") else f"xl/{target}")


def _read(
    packed: zipfile.ZipFile,
    part: str,
    bytes_max: int,
    start: Callable[[str, dict[str, str]], object],
) -> None:
    info = packed.NameToInfo.get(part)
    if info is None or info.file_size > bytes_max:
        raise UnreadableTable("The workbook cannot be read.")
    with packed.open(info) as source:
        for _ in parse(source, start, _ignore, _ignore):
            pass


def _ignore(_text: str) -> None:
    return
