"""Imports as they are stored in memory."""

from datetime import datetime

import attrs

from retail_core.contacts.model import Contact
from retail_core.imports.model import ImportJob, RowFault
from retail_core.kernel.ids import AccountId, ContactId, ImportId


@attrs.frozen
class StoredImport:
    """An import and its store."""

    account: AccountId
    job: ImportJob


@attrs.frozen
class StoredFault:
    """A fault of a row of an import."""

    account: AccountId
    import_id: ImportId
    fault: RowFault


@attrs.frozen(kw_only=True)
class StoredImportRow:
    """What a row of an import did; no contact: it was a dry run."""

    contact: ContactId | None = None
    before: Contact | None = None
    after: Contact | None = None
    at: datetime
    row: int
