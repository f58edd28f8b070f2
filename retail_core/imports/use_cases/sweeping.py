"""Find imports whose nudge or worker got lost."""

from datetime import timedelta
from typing import Final

import attrs

from retail_core.imports.jobs import import_contacts, undo_import
from retail_core.imports.model import STALLED_AFTER_SECONDS
from retail_core.imports.ports import ImportsUnitOfWork
from retail_core.kernel.ports import Transactions
from retail_core.kernel.time.clock import Clock

NUDGED_IMPORTS_MAX: Final = 100


@attrs.frozen
class SweepImports:
    """Nudge imports that stand still, and undos."""

    transactions: Transactions[ImportsUnitOfWork]
    clock: Clock

    def __call__(self) -> int:
        """How many were nudged."""
        since = self.clock.now() - timedelta(seconds=STALLED_AFTER_SECONDS)
        with self.transactions.across_accounts() as uow:
            stalled = uow.imports.find_stalled_across_accounts(since, NUDGED_IMPORTS_MAX)
            for each in stalled:
                uow.jobs.add((undo_import if each.is_undo else import_contacts)(each.key))
            return len(stalled)
