"""The streaming reader of workbooks: however a sheet is written, and whatever it hides."""

import io
from datetime import date
from typing import Any
from xml.sax.saxutils import escape

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from retail_core.imports.errors import UnreadableTable
from retail_core.imports.model import Cell
from tests.unit.workers.readers.workbooks import MAIN, archive, packed, sheet, strings
from workers.readers import shared_strings, spool
from workers.readers.spool import Spool
from workers.readers.workbook import workbook_rows

FORMATTED = "<is><r><t>&#98;</t></r><rPh><t>no</t></rPh></is>"
TEXTS = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Cn", "Co"), max_codepoint=0xFFFD), max_size=8
)
CELLS = st.one_of(
    st.tuples(st.just("text"), TEXTS),
    st.tuples(st.just("shared"), TEXTS),
    st.tuples(st.just("formula"), TEXTS),
    st.tuples(st.just("number"), st.integers(0, 10**14) | st.floats(-1e6, 1e6)),
    st.tuples(st.just("true"), st.booleans()),
    st.tuples(st.just("date"), st.dates(date(1900, 3, 1), date(2100, 1, 1))),
    st.tuples(st.just("empty"), st.none()),
    st.tuples(st.just("gap"), st.none()),
)


def read(raw: bytes) -> list[list[Cell]]:
    return [row for row in workbook_rows(lambda: iter([raw]), lambda: None) if any(row)]


def written(rows: list[list[tuple[str, Any]]]) -> tuple[str, str]:
    """The sheet and the shared strings of rows, as spreadsheets write them."""
    texts: dict[str, int] = {}
    lines = []
    for no, row in enumerate(rows, start=1):
        line = ""
        for letter, (kind, value) in zip("ABCDEFGH", row, strict=False):
            line += _cell(f"{letter}{no}", kind, value, texts)
        lines.append(f'<row r="{no}" spans="1:3">{line}</row>')
    items = [f'<si><t xml:space="preserve">{escape(text)}</t></si>' for text in texts]
    return sheet("".join(lines)), strings(*items)


def _cell(at: str, kind: str, value: Any, texts: dict[str, int]) -> str:  # noqa: PLR0911 - one a kind
    match kind:
        case "text":
            return f'<c r="{at}" t="inlineStr"><is><t>{escape(value)}</t></is></c>'
        case "shared":
            return f'<c r="{at}" t="s"><v>{texts.setdefault(value, len(texts))}</v></c>'
        case "formula":
            return f'<c r="{at}" t="str"><f>A1&amp;"x"</f><v>{escape(value)}</v></c>'
        case "number":
            return f'<c r="{at}"><v>{value!r}</v></c>'
        case "true":
            return f'<c r="{at}" s="0" t="b"><v>{int(value)}</v></c>'
        case "date":
            return f'<c r="{at}" s="2"><v>{(value - date(1899, 12, 30)).days}</v></c>'
        case "empty":
            return f'<c r="{at}" s="1"/>'
        case _:
            return ""


class TestEveryWayOfWriting:
    @given(st.lists(st.lists(CELLS, max_size=6), max_size=5))
    def test_the_fast_way_reads_what_a_parser_reads(
        self, rows: list[list[tuple[str, Any]]]
    ) -> None:
        sheet_xml, strings_xml = written(rows)
        slow = packed(
            sheet_xml.replace("<sheetData>", "<!-- slow --><sheetData>"),
            strings_xml.replace("<sst ", "<!-- slow --><sst "),
        )

        assert read(packed(sheet_xml, strings_xml)) == read(slow)

    @example([[("text", " ")]])
    @given(st.lists(st.lists(CELLS, min_size=1, max_size=6), min_size=1, max_size=5))
    def test_it_reads_what_another_reader_reads(self, rows: list[list[tuple[str, Any]]]) -> None:
        raw = packed(*written(rows))
        other = CalamineWorkbook.from_filelike(io.BytesIO(raw)).get_sheet_by_index(0).to_python()

        ours = [_shown(row) for row in read(raw)]

        # it leaves out columns that are empty in all rows
        theirs = [_shown(row) for row in other]
        assert _filled(ours) == _filled(theirs)

    @pytest.mark.parametrize(
        "rows",
        [
            "<row><c><v>1</v></c><c t='inlineStr'><is><t>b</t></is></c></row>",
            '<row r="1"><c t="n" r="A1"><v>1</v></c><c r="B1" t="str"><v>b</v></c></row>',
            '<row r="1"><c r="A1"><v><![CDATA[1]]></v></c><c r="B1" t="str"><v>b</v></c></row>',
            '<row r="1"><c r="A1"><v>1</v></c><!--</row>--><c r="B1" t="str"><v>b</v></c></row>',
            '<row r="1"><c r="A1" cm="1"><v>1</v></c><c r="B1" t="str"><v>&#x62;</v></c></row>',
            f'<row r="1"><c r="A1"><v>1</v></c><c r="B1" t="inlineStr">{FORMATTED}</c></row>',
            '<row r="1"><c r="B1" t="str"><v>b</v></c><c r="A1"><v>1</v></c></row>',
            '<row r="1"><c r="A1"><v>1</v></c><c r="B1" t="str"><v>b</v></c></row><row r="2"/>',
            '<row r="1"><c r="A1" t="n"><v>1.0E0</v></c><c r="B1" t="str"><f/><v>b</v></c></row>',
            '\n <row r="1" >\n<c r="A1" >\n<v>1</v>\n</c>\n<c r="B1" t="str"><v>b</v></c>\n</row>',
        ],
    )
    def test_rows_are_understood_however_they_are_written(self, rows: str) -> None:
        assert read(packed(sheet(rows))) == [["1", "b"]]

    @pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "iso-8859-7"])
    def test_other_encodings_are_understood(self, encoding: str) -> None:
        rows = '<row r="1"><c r="A1" t="inlineStr"><is><t>Άννα</t></is></c></row>'
        name = encoding.removesuffix("-sig")
        xml = sheet(rows).replace("UTF-8", name).encode(encoding)

        assert read(packed(xml)) == [["Άννα"]]

    def test_prefixed_names_are_understood(self) -> None:
        xml = (
            f'<x:worksheet xmlns:x="{MAIN}"><x:sheetData><x:row r="1"><x:c r="A1"><x:v>1</x:v>'
            "</x:c></x:row></x:sheetData></x:worksheet>"
        )

        assert read(packed(xml)) == [["1"]]

    def test_formatted_texts_are_put_together_without_their_phonetics(self) -> None:
        items = (
            "<si><t>a&amp;b</t></si>",
            "<si><r><t>Án</t></r><r><t>na</t></r><rPh><t>no</t></rPh></si>",
            "<si/>",
            "<si><t>x_x000D_y_x005F_x0041_</t></si>",
        )
        cells = "".join(f'<c r="{at}1" t="s"><v>{no}</v></c>' for no, at in enumerate("ABCD"))
        raw = packed(sheet(f'<row r="1">{cells}</row>'), strings(*items))

        assert read(raw) == [["a&b", "Ánna", "", "x\ry_x0041_"]]

    def test_days_count_from_1904_where_the_workbook_says_so(self) -> None:
        cells = '<row r="1"><c r="A1" s="1"><v>31548.75</v></c><c r="B1" s="2"><v>0.5</v></c></row>'
        book = f'<workbook xmlns="{MAIN}" xmlns:r="r"><workbookPr date1904="1"/><sheets>'
        book += '<sheet name="A" sheetId="1" r:id="rId1"/></sheets></workbook>'

        assert read(packed(sheet(cells), workbook=book)) == [[date(1990, 5, 17), "0.5"]]
        assert read(packed(sheet(cells))) == [[date(1986, 5, 16), "0.5"]]


class TestBombs:
    @pytest.mark.parametrize("part", ["sheet", "strings", "workbook", "relations", "styles"])
    def test_entities_are_refused(self, part: str) -> None:
        levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
        bomb = f'<!DOCTYPE x [<!ENTITY e0 "ha">{levels}]><x>&e9;</x>'
        parts: dict[str, Any] = {part: bomb}
        plain = sheet('<row r="1"><c r="A1"><v>1</v></c></row>')

        with pytest.raises(UnreadableTable, match="entities"):
            read(packed(parts.pop("sheet", plain), parts.pop("strings", strings()), **parts))

    @pytest.mark.parametrize(
        "xml",
        [
            f'<worksheet><sheetData><row r="1"><c r="{"A" * 9_000_000}"/></row></sheetData>',
            f"<worksheet><sheetData><!--{'x' * 9_000_000}--></sheetData></worksheet>",
        ],
    )
    def test_tokens_without_an_end_are_refused(self, xml: str) -> None:
        with pytest.raises(UnreadableTable):
            read(packed(f"<!-- slow -->{xml}"))

    def test_a_row_without_an_end_is_refused(self) -> None:
        cell = '<c r="A1" t="str"><v>x</v></c>'

        with pytest.raises(UnreadableTable):
            read(packed(sheet('<row r="1">' + cell * 700_000 + "</row>")))

    @pytest.mark.parametrize("slow", ["", "<!-- slow -->"])
    def test_long_texts_are_refused(self, slow: str) -> None:
        cell = '<row r="1"><c r="A1" t="s"><v>0</v></c></row>'
        long = strings(f"<si><t>{'x' * 32_768}</t></si>").replace("<sst", f"{slow}<sst")

        with pytest.raises(UnreadableTable, match="characters"):
            read(packed(sheet(cell), long))

    def test_a_text_named_a_million_times_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(spool, "UNPACKED_BYTES_MAX", 1_000_000)
        rows = '<row r="1"><c r="A1" t="s"><v>0</v></c></row>' * 1_000
        raw = packed(sheet(rows), strings(f"<si><t>{'x' * 30_000}</t></si>"))
        kept = Spool()

        rows_read = workbook_rows(lambda: iter([raw]), lambda: None)

        with pytest.raises(UnreadableTable, match="unpacks to more"):
            list(map(kept.add, rows_read))
        kept.close()

    def test_an_archive_of_very_many_parts_is_refused(self) -> None:
        parts = {f"xl/{number:060}": b"" for number in range(8_000)}

        with pytest.raises(UnreadableTable, match="damaged"):
            read(archive(parts))

    def test_a_text_that_is_not_there_is_refused(self) -> None:
        for number in ("1", "-1", "128", "x"):
            cell = f'<row r="1"><c r="A1" t="s"><v>{number}</v></c></row>'
            with pytest.raises(UnreadableTable):
                read(packed(sheet(cell), strings("<si><t>a</t></si>")))

    @pytest.mark.parametrize("part", ["workbook", "relations"])
    def test_parts_that_name_no_sheet_are_refused(self, part: str) -> None:
        with pytest.raises(UnreadableTable):
            read(packed(sheet(""), **{part: "<x/>"}))


class TestShared:
    def test_any_number_of_texts_is_found_in_any_order(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(shared_strings, "PAGES_KEPT_MAX", 3)
        texts = [f"text {number}" for number in range(1_000)]
        order = [*range(999, -1, -7), *range(0, 1_000, 131)]
        rows = "".join(
            f'<row r="{no}"><c r="A{no}" t="s"><v>{number}</v></c></row>'
            for no, number in enumerate(order, start=1)
        )
        items = strings(*(f"<si><t>{text}</t></si>" for text in texts))

        assert read(packed(sheet(rows), items)) == [[texts[number]] for number in order]


class TestSpool:
    @given(
        st.lists(
            st.lists(TEXTS | st.dates() | st.sampled_from(["\x1d", "\x1e", "\x1f"]), min_size=1),
            max_size=30,
        ),
        st.integers(0, 31),
    )
    def test_rows_come_back_from_any_row_on(self, rows: list[list[Cell]], first: int) -> None:
        kept = Spool()
        for row in rows:
            kept.add(row)
        kept.end_page()

        found = [list(row) for row in kept.rows(first)]
        kept.close()

        marks = str.maketrans("\x1d\x1e\x1f", "   ")
        assert found == [
            [cell.translate(marks) if isinstance(cell, str) else cell for cell in row]
            for row in rows[first:]
        ]

    def test_too_many_rows_are_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(spool, "TABLE_ROWS_MAX", 4)
        kept = Spool()
        for _ in range(5):
            kept.add(["x"])

        with pytest.raises(UnreadableTable, match="rows"):
            kept.add(["x"])
        kept.close()


def _filled(rows: list[list[str]]) -> list[list[str]]:
    """What is in the cells; a row of blanks is a row to one reader and none to the other."""
    return [cells for row in rows if (cells := list(filter(None, row)))]


def _shown(row: Any) -> list[str]:
    """Cells of whatever reader, as one text each."""
    return [_text(cell) for cell in row]


def _text(cell: Any) -> str:
    match cell:
        case bool():
            return "true" if cell else "false"
        case float() if cell.is_integer() and abs(cell) < 1e15:
            return str(int(cell))
        case _:
            return str(cell).strip()  # blanks at the ends are kept by one reader and not the other
