"""The guards of texts that people send back: each counts once, in its turn, and holds nobody up."""

from functools import partial
from typing import Final

from tests.contracts.engagement.inbound import InboundStoreContract
from tests.integration.pipeline.races import test_inbound_turns as turns
from tests.torture.guards.guarding import Guard, Here, without

INBOUND_SQL: Final = "adapters_db.engagement.inbound"
LOCK: Final = "pg_try_advisory_xact_lock(hashtext('inbound_text'), sender_end)"

_contract = InboundStoreContract()

INBOUND: Final = (
    Guard(
        "a number's texts are with one worker at a time",
        Here(turns.test_a_text_that_was_committed_late_waits_for_the_later_one_in_work),
        without(f"{INBOUND_SQL}:_TURNS", LOCK, "true"),
    ),
    Guard(
        "a text is with one worker at a time when it is applied by itself",
        Here(turns.test_nobody_applies_a_text_by_itself_whose_number_another_one_has),
        without(f"{INBOUND_SQL}:_TURN_OF_ONE", LOCK, "true"),
    ),
    Guard(
        "a STOP is applied first",
        Here(_contract.test_what_is_urgent_is_taken_first_with_what_came_before_from_its_number),
        without(f"{INBOUND_SQL}:_TURNS", "ORDER BY t.urgency, t.id", "ORDER BY t.id"),
    ),
    Guard(
        "what follows a text that was put off waits for it",
        Here(_contract.test_what_is_put_off_waits_and_so_does_what_follows_from_its_number),
        without(f"{INBOUND_SQL}:_OF_NUMBERS", "p.not_before > %(now)s", "%(now)s IS NULL"),
    ),
    Guard(
        "a text does not wait for a store that somebody has locked",
        Here(
            partial(
                turns.test_whom_somebody_else_is_changing_holds_nobody_else_up,
                lock=turns.LOCKS["store"],
            )
        ),
        without("adapters_db.engagement.standings:_FREE_STORES", "SKIP LOCKED"),
    ),
    Guard(
        "a number is told of its STOP by one worker at a time",
        Here(turns.test_of_two_workers_that_tell_a_number_of_its_stop_one_waits),
        without(
            "adapters_db.engagement.confirmations:_LOCK_TOLD", "pg_advisory_xact_lock", "num_nulls"
        ),
    ),
)
