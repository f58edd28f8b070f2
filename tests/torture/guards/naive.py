"""The negative control: a worker as most senders have it. The harness must report duplicates.

It takes a lost answer for none and tries again, it queues again what a dead worker was
submitting, at the hand-over it asks nobody whether they left, and it hands over however late it
is. Run as a module it is a whole worker (`workers.dev.crashing`).
"""

import sys
from typing import Final

from tests.torture.guards.patches import Patch, replaced
from workers.dev import crashing

RETRIES_LOST_ANSWERS: Final = replaced(
    "retail_core.messages.use_cases.outcomes:judge",
    "tests.torture.guards.removals:lost_answers_are_no_answers",
)
REQUEUES_SUBMITTING: Final = Patch(
    "adapters_db.messages.batches.batches:_FREE_STALE",
    "state = 'claimed'",
    "state IN ('claimed', 'submitting')",
)
REQUEUES_SINGLES: Final = Patch(
    "adapters_db.messages.singles.singles:_MARK_UNKNOWN",
    "SET state = 2",
    "SET ref = NULL, state = 0",
)
ASKS_NOBODY: Final = Patch(
    "adapters_db.messages.batches.batches:_LEFT_OUT",
    "WHERE b.campaign_id",
    "WHERE false AND b.campaign_id",
)
NEVER_LATE: Final = replaced(
    "adapters_sms.sockets:CallLimits.check_deadline", "tests.torture.guards.removals:never_late"
)
NAIVE: Final = (RETRIES_LOST_ANSWERS, REQUEUES_SUBMITTING, ASKS_NOBODY, NEVER_LATE)

if __name__ == "__main__":
    for patch in NAIVE:
        patch.apply()
    sys.exit(crashing.main())
