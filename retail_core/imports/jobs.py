"""The nudges of this room."""

from typing import Final

from retail_core.imports.model import ImportKey
from retail_core.kernel.ids import AccountId, ImportId
from retail_core.kernel.jobs import Job

IMPORT_CONTACTS: Final = "import_contacts"
SWEEP_IMPORTS: Final = "sweep_imports"


def import_contacts(key: ImportKey) -> Job:
    """Take up an import, from wherever it stands."""
    return Job(
        kind=IMPORT_CONTACTS,
        key=f"{IMPORT_CONTACTS}:{key.id}",
        payload={"account": key.account, "import": key.id},
        account=key.account,
    )


def read_import_contacts(job: Job) -> ImportKey:
    """The import that a job names."""
    account, import_id = job.payload["account"], job.payload["import"]
    assert isinstance(account, int), "the outbox gives back what was put in"
    assert isinstance(import_id, int), "the outbox gives back what was put in"
    return ImportKey(AccountId(account), ImportId(import_id))
