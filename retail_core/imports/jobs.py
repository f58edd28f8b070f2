"""The nudges of this room."""

from typing import Final

from retail_core.imports.model import ImportKey
from retail_core.kernel.ids import AccountId, ImportId
from retail_core.kernel.jobs import Job

IMPORT_CONTACTS: Final = "import_contacts"
UNDO_IMPORT: Final = "undo_import"
SWEEP_IMPORTS: Final = "sweep_imports"


def import_contacts(key: ImportKey) -> Job:
    """Take up an import, from wherever it stands."""
    return _job(IMPORT_CONTACTS, key)


def undo_import(key: ImportKey) -> Job:
    """Take an import back, from wherever that stands."""
    return _job(UNDO_IMPORT, key)


def read_import_key(job: Job) -> ImportKey:
    """The import that a job names."""
    account, import_id = job.payload["account"], job.payload["import"]
    assert isinstance(account, int), "the outbox gives back what was put in"
    assert isinstance(import_id, int), "the outbox gives back what was put in"
    return ImportKey(AccountId(account), ImportId(import_id))


def _job(kind: str, key: ImportKey) -> Job:
    return Job(
        kind=kind,
        key=f"{kind}:{key.id}",
        payload={"account": key.account, "import": key.id},
        account=key.account,
    )
