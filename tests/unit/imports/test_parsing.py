"""From cells to contacts, or to faults."""

import codecs
import csv
import io
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retail_core.contacts.model import Gender
from retail_core.imports.errors import UnreadableTable
from retail_core.imports.model import Encoding, FileForm, FileKind, ImportedRow
from retail_core.imports.parsing import (
    SEPARATORS,
    RowReader,
    TextScan,
    choose_form,
    choose_separator,
    find_columns,
)

TODAY = date(2026, 11, 24)
FIELDS = (
    "phone",
    "firstName",
    "lastName",
    "email",
    "gender",
    "birthday",
    "subscribed",
    "tags",
)
READER = RowReader({name: at for at, name in enumerate(FIELDS)}, "GR", TODAY)


def read(**cells: Any) -> Any:
    row = [cells.get(name, "") for name in FIELDS]
    row[0] = cells.get("phone", "6984303406")
    return READER.read(1, row)


def faults(**cells: Any) -> list[tuple[str, str]]:
    found = read(**cells)
    assert isinstance(found, list), found
    return [(fault.field, fault.code) for fault in found]


class TestHeader:
    @pytest.mark.parametrize(
        ("name", "field"),
        [
            ("phone", "phone"),
            ("Mobile", "phone"),
            ("ΤΗΛΕΦΩΝΟ", "phone"),
            ("Τηλέφωνο", "phone"),
            ("κινητό ", "phone"),
            ("first_name", "firstName"),
            ("First Name", "firstName"),
            ("Όνομα", "firstName"),
            ("ΕΠΩΝΥΜΟ", "lastName"),
            ("E_MAIL", "email"),
            ("φύλο", "gender"),
            ("Birth_Date", "birthday"),
            ("dateOfBirth", "birthday"),
            ("Γενέθλια", "birthday"),
            ("isSubscribed", "subscribed"),
            ("\ufefftags", "tags"),
        ],
    )
    def test_columns_have_many_names(self, name: str, field: str) -> None:
        assert find_columns(["mobile", name])[field] == (0 if field == "phone" else 1)

    def test_others_are_ignored_and_the_first_of_two_counts(self) -> None:
        assert find_columns(["x", "phone", "", "mobile", "mail"]) == {"phone": 1}

    def test_a_table_needs_numbers(self) -> None:
        with pytest.raises(UnreadableTable):
            find_columns(["name", "email"])

    @given(
        st.sampled_from(SEPARATORS),
        st.permutations(["phone", "first name", "tags; maybe", "x,y", "e\tmail"]),
    )
    def test_the_separator_is_found_in_the_header(self, separator: str, names: list[str]) -> None:
        line = io.StringIO()
        csv.writer(line, delimiter=separator).writerow(["phone", "email", "gender", *names])

        assert choose_separator(line.getvalue()) == separator


class TestRows:
    def test_a_row_has_all_its_values(self) -> None:
        row = read(
            phone=" 698 430 3406 ",
            firstName=" Άννα ",
            lastName="'=Lo",
            email="A@B.GR",
            gender="Γυναίκα",
            birthday="17/05/1990",
            subscribed="ΌΧΙ",
            tags="VIP, new;vip|x",
        )

        assert isinstance(row, ImportedRow)
        assert (row.phone.number, row.first_name, row.last_name) == ("+306984303406", "Άννα", "=Lo")
        assert (row.email, row.gender, row.birthday) == (
            "a@b.gr",
            Gender.FEMALE,
            date(1990, 5, 17),
        )
        assert (row.tags, row.subscribed) == (("vip", "new", "x"), False)

    def test_empty_cells_are_nothing(self) -> None:
        row = read()

        assert row == ImportedRow(1, row.phone)

    def test_short_rows_are_filled_up(self) -> None:
        assert isinstance(READER.read(1, ["6984303406"]), ImportedRow)
        assert [fault.field for fault in _list(READER.read(1, []))] == ["phone"]

    @pytest.mark.parametrize(
        ("word", "gender"),
        [
            ("m", Gender.MALE),
            ("F", Gender.FEMALE),
            ("Male", Gender.MALE),
            ("ΑΝΔΡΑΣ", Gender.MALE),
            ("άνδρας", Gender.MALE),
            ("prefer_not_to_say", Gender.PREFER_NOT_TO_SAY),
            (" ", None),
        ],
    )
    def test_genders_have_many_words(self, word: str, gender: Gender | None) -> None:
        assert read(gender=word).gender is gender

    @pytest.mark.parametrize(
        ("word", "subscribed"),
        [
            ("", True),
            ("yes", True),
            ("TRUE", True),
            ("1", True),
            ("ναι", True),
            ("Ναί", True),
            ("n", False),
            ("0", False),
            ("False", False),
            ("όχι", False),
        ],
    )
    def test_consent_has_many_words(self, word: str, *, subscribed: bool) -> None:
        assert read(subscribed=word).subscribed is subscribed

    @given(st.dates(min_value=date(1900, 1, 1), max_value=date(2026, 11, 23)))
    def test_a_birthday_is_day_first_in_every_form(self, day: date) -> None:
        forms = [day, day.isoformat(), *(f"{day:%d{sign}%m{sign}%Y}" for sign in "/.-")]
        forms.append(f"{day.day}/{day.month}/{day.year}")

        assert [read(birthday=form).birthday for form in forms] == [day] * 6

    @pytest.mark.parametrize(
        ("cells", "fault"),
        [
            ({"phone": "x"}, ("phone", "INVALID_PHONE")),
            ({"phone": " "}, ("phone", "INVALID_PHONE")),
            ({"email": "x@"}, ("email", "INVALID_EMAIL")),
            ({"gender": "x"}, ("gender", "INVALID_GENDER")),
            ({"birthday": "05/17/1990"}, ("birthday", "INVALID_BIRTHDAY")),
            ({"birthday": "17/05-1990"}, ("birthday", "INVALID_BIRTHDAY")),
            ({"birthday": "17/05/90"}, ("birthday", "INVALID_BIRTHDAY")),
            ({"birthday": date(2030, 1, 1)}, ("birthday", "INVALID_BIRTHDAY")),
            ({"subscribed": "perhaps"}, ("subscribed", "VALIDATION_ERROR")),
            ({"firstName": "x" * 121}, ("firstName", "VALIDATION_ERROR")),
            ({"lastName": "x" * 121}, ("lastName", "VALIDATION_ERROR")),
            ({"tags": "x" * 41}, ("tags", "VALIDATION_ERROR")),
        ],
    )
    def test_each_fault_names_its_column(
        self, cells: dict[str, Any], fault: tuple[str, str]
    ) -> None:
        assert faults(**cells) == [fault]

    def test_every_fault_of_a_row_is_told(self) -> None:
        assert faults(phone="x", email="x", gender="x") == [
            ("phone", "INVALID_PHONE"),
            ("email", "INVALID_EMAIL"),
            ("gender", "INVALID_GENDER"),
        ]

    def test_a_missing_number_is_a_fault_beside_others(self) -> None:
        assert faults(phone=" ", email="x") == [
            ("phone", "INVALID_PHONE"),
            ("email", "INVALID_EMAIL"),
        ]

    def test_the_tags_of_the_import_count(self) -> None:
        reader = RowReader(READER.columns, "GR", TODAY, tuple(f"t{n}" for n in range(50)))
        row = ["6984303406", *[""] * 6]

        assert isinstance(reader.read(1, [*row, "t1"]), ImportedRow)
        assert [fault.field for fault in _list(reader.read(1, [*row, "one more"]))] == ["tags"]

    @given(st.lists(st.text(max_size=60) | st.dates(), max_size=9))
    def test_no_cells_break_a_row(self, cells: list[Any]) -> None:
        found = READER.read(7, cells)

        if isinstance(found, list):
            assert found
            assert all(fault.row == 7 and len(fault.value) <= 200 for fault in found)


class TestFiles:
    @given(st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc"))), st.data())
    def test_utf_8_is_known_however_it_is_cut(self, text: str, data: st.DataObject) -> None:
        raw = ("x" + text).encode()
        cut = data.draw(st.integers(0, len(raw)))

        assert scanned(raw[:cut], raw[cut:]) is Encoding.UTF_8

    @given(st.text(alphabet="Άννα ΩΨ;,"))
    def test_what_is_not_utf_8_is_greek(self, text: str) -> None:
        assert scanned(f"αβ{text}".encode("cp1253")) is Encoding.WINDOWS_1253

    @pytest.mark.parametrize("raw", [b"\0", b"a\x01", "phone".encode("utf-16"), b"\x7f", b"\x81"])
    def test_binary_is_no_text(self, raw: bytes) -> None:
        assert scanned(raw) is None

    def test_a_broken_end_is_not_utf_8(self) -> None:
        assert scanned("α".encode()[:1]) is not Encoding.UTF_8

    @pytest.mark.parametrize(
        ("name", "is_workbook", "encoding", "form"),
        [
            ("a.csv", False, Encoding.UTF_8, FileForm(FileKind.CSV, Encoding.UTF_8)),
            ("noname", False, Encoding.WINDOWS_1253, FileForm(FileKind.CSV, Encoding.WINDOWS_1253)),
            ("A.XLSX", True, None, FileForm(FileKind.XLSX)),
            ("a.csv", True, None, None),
            ("a.xlsx", False, Encoding.UTF_8, None),
            ("a.csv", False, None, None),
        ],
    )
    def test_the_content_must_fit_the_kind(
        self,
        name: str,
        encoding: Encoding | None,
        form: FileForm | None,
        *,
        is_workbook: bool,
    ) -> None:
        assert choose_form(name, is_workbook=is_workbook, encoding=encoding) == form


OTHER_FORMATS = [
    b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n",
    b"%!PS-Adobe-3.0\n",
    b"{\\rtf1\\ansi phone}",
    b"<!DOCTYPE html>\n<table><tr><td>phone</td></tr></table>",
    b"<html><body>phone</body></html>",
    b"<?xml version='1.0'?>\n<people/>",
    b"<Workbook>",
    b'{"phone": "6984303401"}',
    b"{}",
    b'[{"phone": "6984303401"}]',
    b"[\n  6984303401\n]",
    b'["phone", "6984303401"]',
    b"[]",
    b"[null]",
    b"BEGIN:VCARD\nTEL:6984303401\nEND:VCARD\n",
]
"""Text all of it, but no table."""

TABLES = [
    "phone",
    "phone\n6984303401\n",
    "τηλέφωνο;όνομα\n6984303401;Ελένη\n",
    '"phone","firstName"\n"6984303401","<b>Ana</b>"\n',
    "[Name],phone\nAna,6984303401\n",
    "{name};phone\nAna;6984303401\n",
    "name,phone\n{},6984303401\n[],6984303402\n%PDF-,6984303403\n",
    "< 18;phone\nyes;6984303401\n",
    "%,phone\n5,6984303401\n",
    "+306984303401\n+306984303402\n",
    "\n\n  phone\n6984303401\n",
]


class TestFormats:
    @pytest.mark.parametrize("before", [b"", codecs.BOM_UTF8, b"\r\n \t", b" " * 5_000])
    @pytest.mark.parametrize("content", OTHER_FORMATS)
    def test_text_of_another_format_is_no_table(self, content: bytes, before: bytes) -> None:
        whole = before + content

        assert scanned(whole) is None
        assert scanned(*(whole[at : at + 1] for at in range(len(whole)))) is None

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "windows-1253"])
    @pytest.mark.parametrize("text", TABLES)
    def test_a_table_is_one_however_it_begins(self, text: str, encoding: str) -> None:
        assert scanned(text.encode(encoding)) is not None


def scanned(*pieces: bytes) -> Encoding | None:
    scan = TextScan()
    for piece in pieces:
        scan.feed(piece)
    scan.feed(b"", last=True)
    return scan.encoding


def _list(found: Any) -> list[Any]:
    assert isinstance(found, list)
    return found
