"""The outbox: jobs written in the transaction of their cause."""

from collections.abc import Sequence
from datetime import datetime

import attrs
from sqlalchemy import Connection, delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from adapters_db.tables.kernel import outbox
from retail_core.kernel.ids import AccountId
from retail_core.kernel.jobs import DueJob, Job

CHANNEL = "retail_outbox"
"""The relay listens here; a notification carries nothing and only ends its sleep."""


@attrs.frozen
class SqlJobOutbox:
    """`JobOutbox` on PostgreSQL.

    Jobs are kept back until the commit and then inserted in the order of their keys: two
    transactions that add the same keys wait for each other briefly, and never in a circle.
    """

    connection: Connection
    _added: dict[str, Job] = attrs.field(init=False, factory=dict)

    def add(self, job: Job) -> None:
        """Write a job at the commit; a waiting job with the same key is kept as it is."""
        self._added.setdefault(job.key, job)

    def flush(self) -> None:
        """Insert what was added and wake the relay, in one round trip."""
        if not self._added:
            return
        rows = [_row(self._added[key]) for key in sorted(self._added)]
        self._added.clear()
        added = (
            insert(outbox)
            .values(rows)
            .on_conflict_do_nothing(index_elements=[outbox.c.key])
            .returning(outbox.c.id)
            .cte()
        )
        counted = select(func.count().label("jobs")).select_from(added).subquery()
        self.connection.execute(select(func.pg_notify(CHANNEL, "")).select_from(counted))

    def take_due_across_accounts(self, now: datetime, jobs_max: int) -> Sequence[DueJob]:
        """Lock and return jobs that are due, oldest first; skips those locked by another relay."""
        self.flush()
        rows = self.connection.execute(
            select(
                outbox.c.id,
                outbox.c.kind,
                outbox.c.key,
                outbox.c.payload,
                outbox.c.account_id,
                outbox.c.not_before,
            )
            .where(or_(outbox.c.not_before.is_(None), outbox.c.not_before <= now))
            .order_by(outbox.c.id)
            .limit(jobs_max)
            .with_for_update(skip_locked=True)
        )
        return [DueJob(row[0], Job(*row[1:])) for row in rows]

    def remove_across_accounts(self, jobs: Sequence[DueJob]) -> None:
        """Forget jobs that reached the queue."""
        if jobs:
            ids = [due.id for due in jobs]
            self.connection.execute(delete(outbox).where(outbox.c.id.in_(ids)))

    def waiting_count(self, account: AccountId) -> int:
        """How many jobs of this account have not reached the queue yet."""
        self.flush()
        count = select(func.count()).select_from(outbox).where(outbox.c.account_id == account)
        return self.connection.execute(count).scalar_one()


def _row(job: Job) -> dict[str, object]:
    return {
        "kind": job.kind,
        "key": job.key,
        "payload": dict(job.payload),
        "account_id": job.account,
        "not_before": job.not_before,
    }
