"""What an import may rely on when it reads a file."""

from collections.abc import Iterator, Sequence

import pytest

from retail_core.imports.errors import UnreadableTable
from retail_core.imports.model import Cell, FileForm, FileKind
from retail_core.imports.ports import TableReader


class TableReaderContract:
    """A suite gives the fixture `reader`, and in `table` the form and bytes of three rows:

    `phone, firstName`; `6984303401, Άννα`; `6984303402` and an empty cell.
    """

    def test_a_table_gives_its_rows_in_order(
        self, reader: TableReader, table: tuple[FileForm, bytes]
    ) -> None:
        assert _read(reader, table) == [
            ["phone", "firstName"],
            ["6984303401", "Άννα"],
            ["6984303402", ""],
        ]

    @pytest.mark.parametrize("piece_bytes", [1, 7, 4096])
    def test_pieces_of_any_size_are_one_file(
        self, reader: TableReader, table: tuple[FileForm, bytes], piece_bytes: int
    ) -> None:
        assert _read(reader, table, piece_bytes) == _read(reader, table)

    def test_a_table_can_be_read_as_often_as_needed(
        self, reader: TableReader, table: tuple[FileForm, bytes]
    ) -> None:
        form, raw = table

        with reader.open(form, lambda: iter([raw])) as rows:
            next(rows())
            assert len(list(rows())) == len(list(rows())) == 3

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
    reader: TableReader, table: tuple[FileForm, bytes], piece_bytes: int = 1_000_000
) -> list[Sequence[Cell]]:
    form, raw = table

    def chunks() -> Iterator[bytes]:
        return (raw[at : at + piece_bytes] for at in range(0, len(raw), piece_bytes))

    with reader.open(form, chunks) as rows:
        return [list(row) for row in rows()]
