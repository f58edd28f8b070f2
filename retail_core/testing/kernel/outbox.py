"""The outbox in memory."""

from collections.abc import Sequence
from datetime import datetime

import attrs

from retail_core.kernel.ids import AccountId
from retail_core.kernel.jobs import DueJob, Job
from retail_core.testing.kernel.table import DuplicateRow, sees
from retail_core.testing.tables import MemoryTables


@attrs.frozen
class MemoryJobOutbox:
    """`JobOutbox` in memory."""

    tables: MemoryTables
    bound_to: AccountId | None

    def add(self, job: Job) -> None:
        """A waiting job with the same key is kept as it is."""
        due = DueJob(self.tables.outbox_ids.take(), job)
        try:
            self.tables.outbox.insert(due.id, due)
        except DuplicateRow:
            return

    def take_due_across_accounts(self, now: datetime, jobs_max: int) -> Sequence[DueJob]:
        """Transactions are serial here, so no job is ever locked by somebody else."""
        due = [row for row in self._seen() if (row.job.not_before or now) <= now]
        return due[:jobs_max]

    def remove_across_accounts(self, jobs: Sequence[DueJob]) -> None:
        """Forget jobs that reached the queue."""
        for due in jobs:
            self.tables.outbox.remove(due.id)

    def waiting_count(self, account: AccountId) -> int:
        return sum(due.job.account == account for due in self._seen())

    def _seen(self) -> list[DueJob]:
        """A job of no account carries no shop's data, so everybody may see it."""
        return [
            due
            for due in self.tables.outbox
            if due.job.account is None or sees(self.bound_to, due.job.account)
        ]
