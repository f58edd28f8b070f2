"""Imports beside their floors, and a worker's memory: `python -m bench.imports`.

    python -m bench.imports [--csv 1000000] [--xlsx 200000] [--large-xlsx 1000000] [--rounds 5]

Floor and product take turns in one run, each round for a store that has nobody yet.

* plain COPY: the same rows into a table with the columns and indexes of contacts, and nothing else.
* floor: COPY of prepared lines into the staging table, then the very statements of an import
  (contacts, consent events, undo rows), in the same batches: no parsing and no validation.
* product: the use case of a worker, from the stored upload to the completed import.
* XLSX: our reader from the upload to its last row, against openpyxl, read-only.
* memory: the most that a worker's process ever had (VmHWM), above an idle one.
"""

import argparse
import contextlib
import io
import itertools
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import openpyxl

from adapters_db.connection.reads import Reads
from adapters_db.imports import merging as imports_merging
from adapters_db.imports.imports import SqlUploadReads
from adapters_db.transactions import SqlTransactions
from bench.memory import PATIENCE_SECONDS, peak_megabytes, worker
from bench.processes import process, variables
from bench.stage import Stage, scratch, seconds, spread, stage
from retail_core.contacts.model.number_hash import NumberHash
from retail_core.imports.model import (
    BATCH_ROWS_MAX,
    UPLOAD_CHUNK_BYTES,
    FileForm,
    FileKind,
    ImportKey,
    ImportTerms,
)
from retail_core.imports.use_cases import ImportContacts, ImportRequest, StartImport
from retail_core.kernel.ids import AccountId, ImportId
from workers.dev.embedded import EmbeddedValkey
from workers.processes.memory import settle
from workers.readers import TableReaders
from workers.readers.reading_ahead import read_ahead

HEADER = ("phone", "firstName", "lastName", "email", "gender", "birthday", "subscribed", "tags")
NAMES = ("Maria", "George", "Eleni", "Nikos", "Μαρία", "Γιώργος", "Anna", "Peter")
CSV, XLSX = FileForm(FileKind.CSV), FileForm(FileKind.XLSX)


def people(rows: int) -> Iterator[tuple[str, ...]]:
    """People with a value in every column."""
    for no in range(rows):
        birthday = f"{1950 + no % 50}-{no % 12 + 1:02}-{no % 28 + 1:02}"
        yield (
            f"69{no:08}",
            NAMES[no % 8],
            f"P{no % 997}",
            f"{no}@x.gr",
            "f" if no % 2 else "m",
            birthday,
            "",
            "v" if no % 3 else "n",
        )


def csv_of(rows: int) -> bytes:
    """A file as a shop sends it."""
    return "\n".join(";".join(row) for row in (HEADER, *people(rows))).encode()


def xlsx_of(rows: int) -> bytes:
    """The same as a workbook."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in (HEADER, *people(rows)):
        sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def new_store(made: Stage) -> AccountId:
    """A store that has nobody."""
    with made.connect() as connection:
        row = connection.execute(
            "INSERT INTO account (email, company) VALUES (gen_random_uuid() || '@x.gr', 'B') "
            "RETURNING id"
        ).fetchone()
        assert row is not None
        return AccountId(int(str(row[0])))


def sent(made: Stage, transactions: SqlTransactions, form: FileForm, content: bytes) -> ImportKey:
    """An upload of a new store."""
    account = new_store(made)
    request = ImportRequest(file_name="people", form=form, size_bytes=len(content), region="GR")
    pieces = range(0, len(content), UPLOAD_CHUNK_BYTES)
    chunks = (content[at : at + UPLOAD_CHUNK_BYTES] for at in pieces)
    return ImportKey(account, StartImport(transactions, made.clock)(account, request, chunks))


def product(made: Stage, transactions: SqlTransactions, form: FileForm, content: bytes) -> float:
    """Seconds of a whole import."""
    key = sent(made, transactions, form, content)
    uploads = SqlUploadReads(Reads(transactions.connections))
    run = ImportContacts(
        transactions, uploads, TableReaders(), made.clock, NumberHash(b"x"), read_ahead
    )
    took = seconds(lambda: run(key))
    with transactions.begin(key.account) as uow:
        job = uow.imports.lock(key.account, key.id)
        assert job is not None
        assert (job.status.value, job.faults) == ("completed", 0), job
    return took


def prepared(rows: int) -> list[tuple[int, bytes]]:
    """Batches as the staging table takes them: how many rows, and their lines."""
    found = []
    numbered = enumerate(people(rows), start=1)
    while batch := list(itertools.islice(numbered, BATCH_ROWS_MAX)):
        lines = "".join(
            f"{no}\t30{phone}\tGR\t1\t{email}\t{first}\t{last}\t"
            f"{'female' if gender == 'f' else 'male'}\t{birthday}\t{{{tags}}}\tt\t{email}\t"
            f"{first.lower()}\t{last.lower()}\n"
            for no, (phone, first, last, email, gender, birthday, _, tags) in batch
        )
        found.append((len(batch), lines.encode()))
    return found


def floor(
    made: Stage, transactions: SqlTransactions, batches: Sequence[tuple[int, bytes]]
) -> float:
    """Seconds of the statements alone."""
    key = sent(made, transactions, CSV, b"x")
    lines = iter(batches)

    def copy(cursor: Any, _rows: Sequence[object]) -> None:  # noqa: ANN401 - the driver's
        with cursor.copy("COPY staged FROM STDIN") as into:
            into.write(next(lines)[1])

    terms = ImportTerms(region="GR")
    began = time.perf_counter()
    with patch.object(imports_merging, "_copy", copy):
        for size, _ in batches:
            rows: Any = range(size)  # only their number counts
            with transactions.begin(key.account) as uow:
                now = made.clock.now()
                outcome = uow.import_merge.merge(key.account, key.id, rows, terms, now)
                assert outcome.created == size, outcome
    return time.perf_counter() - began


def plain_copy(made: Stage, batches: Sequence[tuple[int, bytes]]) -> float:
    """Seconds to COPY the rows into an indexed table in one transaction."""
    account = new_store(made)
    with made.connect() as connection:
        connection.execute("DROP TABLE IF EXISTS floor_contact")
        connection.execute("CREATE TABLE floor_contact (LIKE contact INCLUDING ALL)")
        lines = [line.split("\t") for _, raw in batches for line in raw.decode().splitlines()]
        data = "".join(
            f"{account}\t" + "\t".join(cells[1:11]) + f"\t+{cells[1]}\t2026-01-01\t2026-01-01\n"
            for cells in lines
        )
        began = time.perf_counter()
        with connection.cursor().copy(
            "COPY floor_contact (account_id, phone, country, line_type, email, first_name, "
            "last_name, gender, birthday, tags, is_subscribed, search_text, created_at, "
            "updated_at) FROM STDIN"
        ) as copy:
            copy.write(data)
        return time.perf_counter() - began


def reads_ours(content: bytes) -> float:
    """Seconds of our reader, from the upload to its last row."""
    reader, key = TableReaders(), ImportKey(AccountId(1), ImportId(1))
    began = time.perf_counter()
    table = reader.open(key, XLSX, lambda: iter([content]), lambda: None)
    for _ in table.rows(0):
        pass
    took = time.perf_counter() - began
    reader.close(key)
    return took


def reads_openpyxl(content: bytes) -> float:
    """Seconds of openpyxl in its read-only mode."""
    began = time.perf_counter()
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True)
    for _ in book.worksheets[0].iter_rows(values_only=True):
        pass
    return time.perf_counter() - began


def peak(made: Stage, known: dict[str, str], form: FileForm, content: bytes | None) -> float:
    """The most that a fresh worker's process had in memory while it imported a file."""
    transactions = made.transactions()
    with worker(known) as started:
        if content is not None:
            key = sent(made, transactions, form, content)
            ends = time.monotonic() + PATIENCE_SECONDS
            while True:
                with transactions.begin(key.account) as uow:
                    job = uow.imports.lock(key.account, key.id)
                assert job is not None
                if job.status.value == "completed":
                    break
                assert job.error is None, job.error
                assert time.monotonic() < ends, job
                time.sleep(0.5)
        else:
            time.sleep(5)
        transactions.connections.engine.dispose()
        return max(peak_megabytes(child) for child in started.children())


def told(name: str, rows: int, taken: list[float], beside: list[float] | None = None) -> None:
    """A line of the table; the ratio is the median of the rounds' own ratios."""
    rate = [rows / each for each in taken]
    line = f"{name:<34} {spread(taken)} s   {spread(rate)} rows/s"
    if beside is not None:
        line += f"   share of it {spread([b / t for b, t in zip(beside, taken, strict=True)])}"
    print(line, flush=True)


def speeds(made: Stage, rows: int, rounds: int) -> None:
    """CSV against its floors."""
    transactions = made.transactions()
    content, batches = csv_of(rows), prepared(rows)
    copies, floors, products = [], [], []
    for _ in range(rounds):
        copies.append(plain_copy(made, batches))
        floors.append(floor(made, transactions, batches))
        products.append(product(made, transactions, CSV, content))
    transactions.connections.engine.dispose()
    told("plain COPY, indexed", rows, copies)
    told("floor: COPY and the statements", rows, floors, copies)
    told("CSV import, share of the floor", rows, products, floors)
    told("CSV import, share of plain COPY", rows, products, copies)


def workbooks(made: Stage, rows: int, rounds: int) -> None:
    """XLSX against openpyxl."""
    transactions = made.transactions()
    content = xlsx_of(rows)
    ours, theirs, whole = [], [], []
    for _ in range(rounds):
        theirs.append(reads_openpyxl(content))
        ours.append(reads_ours(content))
        whole.append(product(made, transactions, XLSX, content))
    transactions.connections.engine.dispose()
    told("openpyxl, read-only", rows, theirs)
    told("our reader, times openpyxl", rows, ours, theirs)
    told("XLSX import, times openpyxl's read", rows, whole, theirs)


def memory(made: Stage, directory: Path, chosen: argparse.Namespace) -> None:
    """A worker's memory at each size, above an idle one."""
    valkey = EmbeddedValkey(directory / "valkey")
    with contextlib.ExitStack() as stack:
        stack.callback(valkey.stop)
        known = variables(made.url, REDIS_URL=valkey.start())
        stack.enter_context(process(known, "workers.scheduler"))
        idle = peak(made, known, CSV, None)
        print(f"idle worker {idle:.1f} MB")
        for name, form, content in (
            (f"CSV {chosen.csv}", CSV, csv_of(chosen.csv)),
            (f"XLSX {chosen.xlsx}", XLSX, xlsx_of(chosen.xlsx)),
            (f"XLSX {chosen.large_xlsx}", XLSX, xlsx_of(chosen.large_xlsx)),
        ):
            found = peak(made, known, form, content)
            print(f"{name:<14} {found:.1f} MB, {found - idle:.1f} above idle", flush=True)


def main() -> None:
    """Measure speeds in turns, then memory."""
    options = argparse.ArgumentParser(description="imports")
    options.add_argument("--csv", type=int, default=1_000_000)
    options.add_argument("--xlsx", type=int, default=200_000)
    options.add_argument("--large-xlsx", type=int, default=1_000_000)
    options.add_argument("--rounds", type=int, default=5)
    chosen = options.parse_args()
    settle()  # as a worker does
    with scratch() as name, stage(Path(name)) as made:
        speeds(made, chosen.csv, chosen.rounds)
        workbooks(made, chosen.xlsx, chosen.rounds)
        memory(made, Path(name), chosen)


if __name__ == "__main__":
    main()
