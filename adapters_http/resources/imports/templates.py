"""The empty tables that a shop may fill in, as CSV and as XLSX."""

import enum
import functools
import io
import zipfile
from collections.abc import Callable, Mapping
from typing import Final
from xml.sax.saxutils import escape

import attrs

COLUMNS: Final = (
    "firstName",
    "lastName",
    "phone",
    "email",
    "gender",
    "birthday",
    "subscribed",
    "tags",
)
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_HEAD: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_SCHEMAS: Final = "http://schemas.openxmlformats.org"
_DOCUMENT: Final = f"{_SCHEMAS}/officeDocument/2006/relationships"
_KIND: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PARTS: Final[Mapping[str, str]] = {
    "[Content_Types].xml": (
        f'<Types xmlns="{_SCHEMAS}/package/2006/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_KIND}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_KIND}.worksheet+xml"/>'
        "</Types>"
    ),
    "_rels/.rels": (
        f'<Relationships xmlns="{_SCHEMAS}/package/2006/relationships">'
        f'<Relationship Id="rId1" Type="{_DOCUMENT}/officeDocument" Target="xl/workbook.xml"/>'
        "</Relationships>"
    ),
    "xl/workbook.xml": (
        f'<workbook xmlns="{_SCHEMAS}/spreadsheetml/2006/main" xmlns:r="{_DOCUMENT}">'
        '<sheets><sheet name="contacts" sheetId="1" r:id="rId1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        f'<Relationships xmlns="{_SCHEMAS}/package/2006/relationships">'
        f'<Relationship Id="rId1" Type="{_DOCUMENT}/worksheet" Target="worksheets/sheet1.xml"/>'
        "</Relationships>"
    ),
}


class TemplateFormat(enum.Enum):
    """The two kinds of file that can be imported."""

    XLSX = "xlsx"
    CSV = "csv"


@attrs.frozen
class TemplateFile:
    """A file to be downloaded."""

    name: str
    content_type: str
    content: Callable[[], bytes]


def csv_template() -> bytes:
    """One header row; the byte order mark tells Excel that it is UTF-8."""
    return ("\ufeff" + ",".join(COLUMNS) + "\r\n").encode()


@functools.cache
def xlsx_template() -> bytes:
    """A workbook with one sheet and one header row, the same bytes every time."""
    cells = "".join(
        f'<c r="{chr(ord("A") + at)}1" t="inlineStr"><is><t>{escape(name)}</t></is></c>'
        for at, name in enumerate(COLUMNS)
    )
    sheet = (
        f'<worksheet xmlns="{_SCHEMAS}/spreadsheetml/2006/main">'
        f'<sheetData><row r="1">{cells}</row></sheetData></worksheet>'
    )
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as workbook:
        for name, xml in {**_PARTS, "xl/worksheets/sheet1.xml": sheet}.items():
            part = zipfile.ZipInfo(name, _EPOCH)
            workbook.writestr(part, _HEAD + xml)
    return file.getvalue()


FILES: Final[Mapping[TemplateFormat, TemplateFile]] = {
    TemplateFormat.CSV: TemplateFile(
        "contacts_template.csv", "text/csv; charset=utf-8", csv_template
    ),
    TemplateFormat.XLSX: TemplateFile("contacts_template.xlsx", f"{_KIND}.sheet", xlsx_template),
}
