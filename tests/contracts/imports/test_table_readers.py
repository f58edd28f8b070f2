"""The contract of reading files, by the readers that a worker has."""

import io

import openpyxl
import pytest

from retail_core.imports.model import Encoding, FileForm, FileKind
from retail_core.imports.ports import TableReader
from tests.contracts.imports.table_readers import TableReaderContract
from workers.readers import TableReaders

ROWS = (("phone", "firstName"), ("6984303401", "Άννα"), ("", ""), ("6984303402", ""))


@pytest.fixture
def reader() -> TableReader:
    return TableReaders()


class TestCsv(TableReaderContract):
    @pytest.fixture(params=list(Encoding))
    def table(self, request: pytest.FixtureRequest) -> tuple[FileForm, bytes]:
        encoding: Encoding = request.param
        text = "\r\n".join(";".join(row) for row in ROWS)
        return FileForm(FileKind.CSV, encoding), text.encode(encoding.value)


class TestXlsx(TableReaderContract):
    @pytest.fixture
    def table(self) -> tuple[FileForm, bytes]:
        book = openpyxl.Workbook()
        assert book.active is not None
        for row in ROWS:
            book.active.append(list(row))
        file = io.BytesIO()
        book.save(file)
        return FileForm(FileKind.XLSX), file.getvalue()
