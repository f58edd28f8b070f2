"""What an import may rely on when it reads a file."""

from collections.abc import Iterator, Sequence

import pytest

from retail_core.imports.errors import UnreadableTable
from retail_core.imports.model import Cell, FileForm, FileKind, ImportKey
from retail_core.imports.ports import TableReader
from retail_core.kernel.ids import AccountId, ImportId

KEY = ImportKey(AccountId(2), ImportId(1))
Stored = tuple[FileForm, bytes]


class TableReaderContract:
    """A suite gives the fixture `reader`, and in `table` the form and bytes of three rows:

    `phone, firstName`; `6984303401, Άννα`; an empty one, which is no row; and `6984303402`.
    """

    def test_a_table_gives_its_rows_in_order(self, reader: TableReader, table: Stored) -> None:
        header, first, second = _read(reader, table)

        assert (header, first) == (("phone", "firstName"), ("6984303401", "Άννα"))
        assert [cell for cell in second if cell] == ["6984303402"]

    @pytest.mark.parametrize("piece_bytes", [1, 7, 4096])
    def test_pieces_of_any_size_are_one_file(
        self, reader: TableReader, table: Stored, piece_bytes: int
    ) -> None:
        assert _read(reader, table, piece_bytes) == _read(reader, table)

    def test_a_table_can_be_read_from_any_row_as_often_as_needed(
        self, reader: TableReader, table: Stored
    ) -> None:
        form, raw = table

        opened = reader.open(KEY, form, lambda: iter([raw]), lambda: None)
        rows = [list(row) for row in opened.rows(0)]
        assert opened.rows_total == len(rows) == 3
        next(opened.rows(0))
        for first in (1, 2, 3, 4):
            assert [list(row) for row in opened.rows(first)] == rows[first:]
        reader.close(KEY)

    def test_an_open_table_is_not_read_again(self, reader: TableReader, table: Stored) -> None:
        form, raw = table

        def nothing() -> Iterator[bytes]:
            raise AssertionError("it was read before")

        reader.open(KEY, form, lambda: iter([raw]), lambda: None)
        again = reader.open(KEY, form, nothing, lambda: None)
        assert again.rows_total == 3
        reader.close(KEY)
        reader.close(KEY)

        with pytest.raises(AssertionError):
            reader.open(KEY, form, nothing, lambda: None)

    @pytest.mark.parametrize(
        ("form", "raw"),
        [
            (FileForm(FileKind.XLSX), b"PK\x03\x04 damaged"),
            (FileForm(FileKind.CSV), b'phone\n"' + b"x" * 1_000_000),
        ],
    )
    def test_what_cannot_be_read_says_so(
        self, reader: TableReader, form: FileForm, raw: bytes
    ) -> None:
        with pytest.raises(UnreadableTable):
            _read(reader, (form, raw))


def _read(
    reader: TableReader, table: Stored, piece_bytes: int = 1_000_000
) -> Sequence[Sequence[Cell]]:
    form, raw = table

    def chunks() -> Iterator[bytes]:
        return (raw[at : at + piece_bytes] for at in range(0, len(raw), piece_bytes))

    rows = [tuple(row) for row in reader.open(KEY, form, chunks, lambda: None).rows(0)]
    reader.close(KEY)
    return rows
