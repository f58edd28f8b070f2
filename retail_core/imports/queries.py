"""Questions about imports that the edge asks directly."""

from collections.abc import Iterator, Sequence
from typing import Protocol

import attrs

from retail_core.imports.model import ImportJob, RowFault
from retail_core.kernel.ids import AccountId, ImportId


@attrs.frozen
class ImportView:
    """An import as it is shown, with its first `SHOWN_FAULTS_MAX` faults once it is completed."""

    job: ImportJob
    faults: Sequence[RowFault]


class ImportQueries(Protocol):
    """Reads imports."""

    def find(self, account: AccountId, import_id: ImportId) -> ImportView | None:
        """One import of the store; None if it has no such one."""
        ...

    def owner_across_accounts(self, import_id: ImportId) -> AccountId | None:
        """Whose import it is, to tell a foreign one from none; None if there is none."""
        ...

    def faults(self, account: AccountId, import_id: ImportId) -> Iterator[RowFault]:
        """All faults by row, page by page."""
        ...
