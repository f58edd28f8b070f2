"""When periodic jobs ran last, for those whose period outlives a process."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import attrs
from sqlalchemy.dialects.postgresql import insert

from adapters_db.connection.connections import Connections
from adapters_db.kernel.outbox import SqlJobOutbox
from adapters_db.tables.kernel import periodic_job
from retail_core.kernel.jobs import Job


@attrs.frozen
class SqlPeriodicJobs:
    """The table `periodic_job`, by the key of the job."""

    connections: Connections

    def put_due(self, jobs: Sequence[tuple[Job, timedelta]], now: datetime) -> Sequence[str]:
        """Write the jobs whose time has come into the outbox, and when each is due again.

        One transaction, so none is lost and none is due twice, whoever asks. A job never seen
        before is due at once. Returns the keys. Raises `Unavailable`.
        """
        if not jobs:
            return ()
        by_key = {job.key: job for job, _every in jobs}
        with self.connections.sweep() as connection:
            rows = [
                {"name": job.key, "next_run_at": now + every, "last_run_at": now}
                for job, every in jobs
            ]
            added = insert(periodic_job).values(rows)
            due = added.on_conflict_do_update(
                index_elements=[periodic_job.c.name],
                set_={
                    "next_run_at": added.excluded.next_run_at,
                    "last_run_at": added.excluded.last_run_at,
                },
                where=periodic_job.c.next_run_at <= now,
            ).returning(periodic_job.c.name)
            keys = connection.execute(due).scalars().all()
            outbox = SqlJobOutbox(connection)
            for key in keys:
                outbox.add(by_key[key])
            outbox.flush()
        return keys
