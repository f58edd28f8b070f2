"""What happens every so often, whoever leads. One line adds one."""

from datetime import timedelta
from typing import Final

import attrs

from retail_core.engagement.jobs import APPLY_INBOUND_TEXTS
from retail_core.kernel.jobs import Job
from retail_core.messages.jobs import REFRESH_STATUSES
from retail_core.notices.jobs import SWEEP_NOTICES
from workers.jobs.checking_books import CHECK_BOOKS

LASTING_FROM: Final = timedelta(minutes=10)


@attrs.frozen
class Periodic:
    """A job that is nudged again and again; its key is its name.

    One with a long period is written down in the database when it ran, so that a restart neither
    repeats nor forgets it. One with a short period is simply nudged: the next tick heals all.
    """

    job: Job
    every: timedelta

    @property
    def is_lasting(self) -> bool:
        return self.every >= LASTING_FROM


def every(kind: str, **span: float) -> Periodic:
    """`every("sweep_imports", seconds=10)`."""
    return Periodic(Job(kind, kind), timedelta(**span))


PERIODIC: Final = (
    every("sweep_stale_batches", seconds=5),
    every("sweep_single_messages", seconds=5),
    every(APPLY_INBOUND_TEXTS, seconds=10),
    every("sweep_imports", seconds=10),
    every(SWEEP_NOTICES, seconds=60),
    every("match_parked_reports", seconds=5),
    every("apply_reports", seconds=60),
    every("resolve_by_reports", seconds=60),
    every("settle_overdue_unknown", minutes=10),
    every("watch_numbers", hours=1),
    every(CHECK_BOOKS, hours=1),
    every("clean_up", days=1),
)
"""Each finds work by itself, in the rows: so a nudge that got lost, or a queue that was wiped,
costs seconds. (`apply_reports` has a nudge of its own; this one is for the case it got lost.)"""


def periodic(refresh_every: timedelta | None) -> tuple[Periodic, ...]:
    """All of them; None: the gateway is never asked what became of messages."""
    if refresh_every is None:
        return PERIODIC
    return (*PERIODIC, Periodic(Job(REFRESH_STATUSES, REFRESH_STATUSES), refresh_every))
