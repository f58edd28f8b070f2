"""A scheduler that leads by a lease of seconds, so that it can be halted for longer than that.

Run as a module it is a whole scheduler (`workers.scheduler`).
"""

import sys
from typing import Final

from adapters_db.operations.leading import Leadership
from tests.torture.guards.patches import replaced
from workers import scheduler

LEAD_SECONDS: Final = 3.0
CHECK_SECONDS: Final = 0.5


class ShortLead:
    """The same lease, for a shorter time."""

    @staticmethod
    def at(direct_url: str) -> Leadership:
        return Leadership.at(direct_url, LEAD_SECONDS)


PATCHES: Final = (
    replaced("workers.scheduler:Leadership", "tests.torture.short_lead:ShortLead"),
    replaced(
        "workers.processes.leading:LEAD_CHECK_SECONDS", "tests.torture.short_lead:CHECK_SECONDS"
    ),
)

if __name__ == "__main__":
    for patch in PATCHES:
        patch.apply()
    sys.exit(scheduler.main())
