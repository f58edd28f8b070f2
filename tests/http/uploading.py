"""Sending files to be imported, and doing the worker's part."""

import io
from collections.abc import Sequence
from typing import Any

import openpyxl
from falcon.testing import Result

from retail_core.audiences.model import ListDraft, ListFilter
from retail_core.contacts.model import Gender
from retail_core.contacts.model.number_hash import NumberHash
from retail_core.imports.jobs import IMPORT_CONTACTS, UNDO_IMPORT, read_import_key
from retail_core.imports.ports import ImportsUnitOfWork, UploadReads
from retail_core.imports.use_cases import ImportContacts, RevertImport
from retail_core.kernel.ids import AccountId, ListId
from retail_core.kernel.ports import Clock, Transactions, Work
from tests.http.api import Api, Shop
from workers.readers import TableReaders
from workers.readers.reading_ahead import read_ahead

PEOPLE = "firstName,phone,email\nAna,6984303401,ana@example.com\nBob,6984303402,\n"
Part = tuple[str, str | None, bytes]


def form(parts: Sequence[Part], boundary: str = "b0undary") -> tuple[dict[str, str], bytes]:
    """Headers and body of a multipart form."""
    body = io.BytesIO()
    for name, file_name, content in parts:
        named = f'; filename="{file_name}"' if file_name is not None else ""
        body.write(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"'.encode())
        body.write(f"{named}\r\n\r\n".encode() + content + b"\r\n")
    body.write(f"--{boundary}--\r\n".encode())
    return {"Content-Type": f"multipart/form-data; boundary={boundary}"}, body.getvalue()


def send(
    shop: Shop,
    content: bytes | str = PEOPLE,
    file_name: str = "people.csv",
    headers: dict[str, str] | None = None,
    boundary: str = "b0undary",
    **fields: str,
) -> Result:
    raw = content.encode() if isinstance(content, str) else content
    parts: list[Part] = [(name, None, text.encode()) for name, text in fields.items()]
    sent, body = form([*parts[:1], ("file", file_name, raw), *parts[1:]], boundary)
    return shop.post("/api/contacts/import", raw=body, headers={**sent, **(headers or {})})


def run(api: Api, account: AccountId) -> None:
    """Do what the relay and a worker would do."""
    container = api.container
    generic: Any = Transactions
    transactions = container.resolve(generic[Work])
    with transactions.across_accounts() as uow:
        due = [
            each
            for each in uow.jobs.take_due_across_accounts(api.clock.now(), 1000)
            if each.job.kind in (IMPORT_CONTACTS, UNDO_IMPORT) and each.job.account == account
        ]
        uow.jobs.remove_across_accounts(due)
    transactions = container.resolve(generic[ImportsUnitOfWork])
    clock = container.resolve(Clock)
    uploads = container.resolve(UploadReads)
    numbers = container.resolve(NumberHash)
    import_contacts = ImportContacts(
        transactions, uploads, TableReaders(), clock, numbers, read_ahead
    )
    revert = RevertImport(transactions, clock, numbers)
    for each in due:
        work = import_contacts if each.job.kind == IMPORT_CONTACTS else revert
        work(read_import_key(each.job))


def done(shop: Shop, *args: Any, **fields: Any) -> dict[str, Any]:
    """The state of an import after it was sent and worked on."""
    reply = send(shop, *args, **fields)
    assert reply.status_code == 202, reply.text
    run(shop.api, shop.id)
    state: dict[str, Any] = shop.get(f"/api/contacts/import/{reply.json['jobId']}").json
    return state


def new_list(shop: Shop, *, is_filtered: bool = False) -> ListId:
    """A list of a shop."""
    generic: Any = Transactions
    draft = ListDraft("VIP", filter=ListFilter(Gender.FEMALE if is_filtered else None))
    with shop.api.container.resolve(generic[ImportsUnitOfWork]).begin(shop.id) as uow:
        found: ListId = uow.lists.add(shop.id, draft, shop.api.clock.now()).id
    return found


def workbook(*rows: Sequence[object]) -> bytes:
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(list(row))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()
