"""The guards of quiet hours and of the frequency cap."""

from typing import Final

from tests.contracts.messages.batches.capping import BatchCapping
from tests.contracts.messages.batches.deferring import BatchDeferring
from tests.contracts.messages.singles.singles import SingleIntent
from tests.torture.guards import quiet_trials
from tests.torture.guards.guarding import Guard, Here, without
from tests.torture.guards.patches import replaced

DEFER: Final = "adapters_db.messages.batches.splitting:_DEFER"
DISPATCH: Final = "retail_core.messages.use_cases.dispatching:DispatchBatch"
OWNER: Final = "AND b.worker = %(worker)s AND b.attempt = %(attempt)s"

QUIET: Final = (
    Guard(
        "nobody is handed over in their quiet hours",
        Here(quiet_trials.nobody_is_sent_to_at_night),
        (replaced(f"{DISPATCH}._defer_the_quiet", "tests.torture.guards.removals:nobody_waits"),),
    ),
    Guard(
        "only its owner cuts a batch for quiet hours",
        Here(BatchDeferring().test_whoever_lost_a_batch_cannot_let_it_wait),
        without(DEFER, OWNER),
    ),
    Guard(
        "only its owner lets a whole batch wait",
        Here(BatchDeferring().test_whoever_lost_a_batch_cannot_let_it_wait),
        without(f"{DEFER}_ALL", OWNER.replace("b.", "")),
    ),
    Guard(
        "what waits goes on only when its time has come",
        Here(BatchDeferring().test_some_wait_for_their_moments_and_the_others_stay_in_hand),
        without(
            "adapters_db.messages.batches.splitting:_WAKE",
            "not_before <= %(now)s",
            "%(now)s::timestamptz IS NOT NULL",
        ),
    ),
    Guard(
        "intents of a shop with a cap wait for each other",
        Here(BatchCapping().test_two_intents_at_once_do_not_count_past_each_other),
        without(
            "adapters_db.audiences.frequency_cap:_LOCK",
            "pg_advisory_xact_lock(hashtext('frequency_cap'), %(account)s)",
            "%(account)s::integer",
        ),
    ),
    Guard(
        "a single message that is too late is dropped",
        Here(SingleIntent().test_what_is_too_late_is_dropped_and_never_sent),
        without("adapters_db.messages.singles.singles:INTENT", "m.expires_at <= %(now)s", "false"),
    ),
)
