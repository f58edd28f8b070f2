"""Jobs that failed for good: written down, counted, and forgotten after a while."""

from datetime import datetime
from typing import Final

import attrs
from sqlalchemy import delete, func, insert, select

from adapters_db.connection.connections import Connections
from adapters_db.tables.kernel import failed_job
from retail_core.kernel.jobs import Job

DETAIL_CHARACTERS_MAX: Final = 2000


@attrs.frozen
class SqlFailedJobs:
    """The table `failed_job`; each call is a transaction of its own. Raises `Unavailable`."""

    connections: Connections

    def record(self, job: Job, error: str, detail: str, attempts: int, at: datetime) -> None:
        """Write a failure down; `detail` is cut at `DETAIL_CHARACTERS_MAX`."""
        with self.connections.sweep() as connection:
            connection.execute(
                insert(failed_job).values(
                    kind=job.kind,
                    key=job.key,
                    payload=dict(job.payload),
                    account_id=job.account,
                    error=error,
                    # PostgreSQL knows no NUL in a text
                    detail=detail.replace("\0", "\ufffd")[:DETAIL_CHARACTERS_MAX],
                    attempts=attempts,
                    failed_at=at,
                )
            )

    def count(self) -> int:
        """How many failures are kept."""
        with self.connections.sweep(read_only=True) as connection:
            return connection.execute(select(func.count()).select_from(failed_job)).scalar_one()

    def remove_older(self, before: datetime) -> int:
        """Forget failures older than `before`; returns how many."""
        with self.connections.sweep() as connection:
            return connection.execute(
                delete(failed_job).where(failed_job.c.failed_at < before)
            ).rowcount
