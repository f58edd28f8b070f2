"""Reading uploaded tables, also those made to break us."""

import io
import re
import zipfile
from collections.abc import Sequence
from datetime import date, datetime

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retail_core.imports.errors import UnreadableTable
from retail_core.imports.model import Cell, Encoding, FileForm, FileKind, ImportKey
from retail_core.kernel.ids import AccountId, ImportId
from workers.readers import TableReaders, workbook

CSV = FileForm(FileKind.CSV)
XLSX = FileForm(FileKind.XLSX)
LATE_THAT_DAY = datetime(1990, 5, 17, 23)  # noqa: DTZ001 - spreadsheets know no zones
SHEET = "xl/worksheets/sheet1.xml"


KEY = ImportKey(AccountId(2), ImportId(1))


def read(form: FileForm, *pieces: bytes) -> list[list[Cell]]:
    reader = TableReaders()
    table = reader.open(KEY, form, lambda: iter(pieces), lambda: None)
    rows = [list(row) for row in table.rows(0)]
    assert [list(row) for row in table.rows(0)] == rows, "it can be read again"
    reader.close(KEY)
    return rows


def book_of(*rows: Sequence[object]) -> bytes:
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(list(row))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def with_sheet(xml: str) -> bytes:
    """A workbook whose sheet is made by hand."""
    source = zipfile.ZipFile(io.BytesIO(book_of(["phone"])))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = xml.encode() if name == SHEET else source.read(name)
            target.writestr(name, content)
    return file.getvalue()


def cells(*references: str) -> bytes:
    found = [re.fullmatch("([A-Z]+)([0-9]+)", each) for each in references]
    rows = "".join(
        f'<row r="{each[2]}"><c r="{each[0]}" t="inlineStr"><is><t>x</t></is></c></row>'
        for each in found
        if each
    )
    schema = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return with_sheet(f'<worksheet xmlns="{schema}"><sheetData>{rows}</sheetData></worksheet>')


class TestCsv:
    @given(
        st.lists(
            st.lists(
                st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc")), max_size=5)
                | st.sampled_from(['"', "a,b;c", "two\nlines", "α\r\nβ"]),
                min_size=2,
                max_size=4,
            ),
            max_size=5,
        ),
        st.sampled_from([";", ",", "\t"]),
        st.integers(1, 7),
    )
    def test_every_cell_comes_back_however_the_file_is_cut(
        self, rows: list[list[str]], separator: str, piece: int
    ) -> None:
        header = ["phone", "email", "tags"]
        lines = [
            separator.join('"' + cell.replace('"', '""') + '"' for cell in row)
            for row in [header, *rows]
        ]
        raw = "\n".join(lines).encode()

        read_back = read(CSV, *(raw[at : at + piece] for at in range(0, len(raw), piece)))

        assert read_back == [header, *filter(any, rows)]

    @pytest.mark.parametrize(
        ("encoding", "raw"),
        [
            (Encoding.UTF_8, "\ufeffphone;όνομα\r\n1;Ω".encode()),
            (Encoding.UTF_8, "\n \nphone;όνομα\n1;Ω\n".encode()),
            (Encoding.WINDOWS_1253, "phone;όνομα\r1;Ω".encode("cp1253")),
            (Encoding.WINDOWS_1253, b"\xef\xbb\xbf" + "phone;όνομα\n1;Ω".encode("cp1253")),
        ],
    )
    def test_encodings_and_line_ends_are_understood(self, encoding: Encoding, raw: bytes) -> None:
        assert read(FileForm(FileKind.CSV, encoding), raw) == [["phone", "όνομα"], ["1", "Ω"]]

    def test_an_empty_file_has_no_header(self) -> None:
        assert read(CSV) == []

    @pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\n\n"])
    def test_a_quote_that_nobody_closes_does_not_swallow_the_rows_after_it(
        self, end: bytes
    ) -> None:
        with pytest.raises(UnreadableTable, match="no end"):
            read(CSV, b'phone,name\n1,"Ana\n2,Bob' + end)

    @pytest.mark.parametrize(
        "raw", [b'phone,name\n1,"A\nB"', b'phone,name\n1,"A\nB"\n', b'"phone",name\n1,A"\n']
    )
    def test_quotes_that_are_closed_or_stand_within_a_cell_are_no_fault(self, raw: bytes) -> None:
        assert len(read(CSV, raw)) == 2

    @pytest.mark.parametrize("raw", [b'phone\n"' + b"x" * 200_000, b"phone\n" + b"x" * 200_000])
    def test_a_cell_without_an_end_is_refused(self, raw: bytes) -> None:
        with pytest.raises(UnreadableTable):
            read(CSV, raw)


class TestWorkbook:
    def test_cells_are_text_and_real_dates_stay_dates(self) -> None:
        raw = book_of(
            ["phone", "b", "c", "d", "e", "f"],
            [6984303401, 306984303401.0, 1.5, True, date(1990, 5, 17), LATE_THAT_DAY],
            ["+30 698", None, "Άννα", False, "17/05/1990", "a\nb"],
        )

        _, first, second = read(XLSX, raw[:100], raw[100:])

        assert first == [
            "6984303401",
            "306984303401",
            "1.5",
            "true",
            date(1990, 5, 17),
            date(1990, 5, 17),
        ]
        assert second == ["+30 698", "", "Άννα", "false", "17/05/1990", "a\nb"]

    def test_only_the_first_sheet_counts(self) -> None:
        book = openpyxl.load_workbook(io.BytesIO(book_of(["phone"])))
        book.create_sheet("second").append(["x"])
        file = io.BytesIO()
        book.save(file)

        assert read(XLSX, file.getvalue()) == [["phone"]]

    @pytest.mark.parametrize("raw", [b"", b"PK", book_of(["phone"])[:-200], b"x" * 1000])
    def test_a_damaged_file_is_refused(self, raw: bytes) -> None:
        with pytest.raises(UnreadableTable):
            read(XLSX, raw)

    @pytest.mark.parametrize("name", ["xl/workbook.xml", "[Content_Types].xml", SHEET])
    def test_a_file_without_a_part_is_refused_or_empty(self, name: str) -> None:
        source = zipfile.ZipFile(io.BytesIO(book_of(["phone"])))
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as target:
            for part in source.namelist():
                if part != name:
                    target.writestr(part, source.read(part))

        try:
            rows = read(XLSX, file.getvalue())
        except UnreadableTable:
            return
        assert rows in ([], [["phone"]])

    @pytest.mark.parametrize("xml", ["", "<worksheet>", "not xml at all", "<a/>" * 100])
    def test_a_broken_sheet_is_refused_or_empty(self, xml: str) -> None:
        try:
            rows = read(XLSX, with_sheet(xml))
        except UnreadableTable:
            return
        assert rows == []

    def test_what_unpacks_to_too_much_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        raw = book_of(["phone"], ["x" * 30_000])
        monkeypatch.setattr(workbook, "UNPACKED_BYTES_MAX", 2_000)

        with pytest.raises(UnreadableTable, match="unpacks to more"):
            read(XLSX, raw)

    def test_a_part_is_never_larger_than_it_claims(self) -> None:
        raw = bytearray(book_of(["phone"], ["x" * 30_000]))
        source = zipfile.ZipFile(io.BytesIO(bytes(raw)))
        size = source.getinfo(SHEET).file_size
        lied = bytes(raw).replace(size.to_bytes(4, "little"), (100).to_bytes(4, "little"))
        assert lied != bytes(raw)

        with pytest.raises(UnreadableTable):
            read(XLSX, lied)

    @pytest.mark.parametrize("references", [("A1", "XFD1048576"), ("A1", "ZZ1"), ("A1", "IW2")])
    def test_cells_in_far_columns_are_refused(self, references: tuple[str, ...]) -> None:
        with pytest.raises(UnreadableTable, match="columns"):
            read(XLSX, cells(*references))

    @pytest.mark.parametrize("number", ["1048578", "999999999", "1000000000"])
    def test_rows_beyond_any_sheet_are_refused(self, number: str) -> None:
        with pytest.raises(UnreadableTable, match="rows"):
            read(XLSX, cells("A1", f"A{number}"))

    def test_gaps_are_filled_and_empty_rows_are_none(self) -> None:
        assert read(XLSX, cells("A1", "C3", "IV9")) == [["x"], ["", "", "x"], [""] * 255 + ["x"]]
