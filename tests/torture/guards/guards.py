"""The guards of sending, one by one: what each is for, how it is taken out, and which test notices.

A guard that can be taken out without a test failing is no guard, or has no test.
"""

import sys
from functools import partial
from typing import Final

from tests.contracts.credits.credits import CreditLedgerContract
from tests.contracts.messages.batches.batches import BatchClaiming, BatchIntent
from tests.contracts.messages.batches.settling import BatchSettling
from tests.torture.guards import trials
from tests.torture.guards.guarding import Forged, Guard, Here, InDatabase, without
from tests.torture.guards.inbound_guards import INBOUND
from tests.torture.guards.later_guards import LATER
from tests.torture.guards.leaving_guards import LEAVING
from tests.torture.guards.naive import REQUEUES_SUBMITTING, RETRIES_LOST_ANSWERS
from tests.torture.guards.patches import replaced
from tests.torture.guards.quiet_guards import QUIET

BATCHES: Final = "adapters_db.messages.batches.batches"
SETTLING: Final = "adapters_db.messages.batches.settling"
REMOVALS: Final = "tests.torture.guards.removals"
DISPATCH: Final = "retail_core.messages.use_cases.dispatching:DispatchBatch"


CLAIM: Final = f"{BATCHES}:_CLAIM"
INTENT: Final = f"{BATCHES}:_INTENT"
LEFT_OUT: Final = f"{BATCHES}:_LEFT_OUT"
PUT_BACK: Final = f"{BATCHES}:_PUT_BACK"
SPLIT: Final = "adapters_db.messages.batches.splitting:_HALVE"
FREE_STALE: Final = f"{BATCHES}:_FREE_STALE"
BOOKING: Final = f"{SETTLING}:_GUARD"
IS_CLAIMED: Final = "AND b.state = 'claimed'"
IS_SENDING: Final = "AND c.state = 'sending'"
WORKER: Final = "AND b.worker = %(worker)s"
ATTEMPT: Final = "AND b.attempt = %(attempt)s"
LEASE_OVER: Final = "lease_until < %s"
ANY_LEASE: Final = "%s::timestamptz IS NOT NULL"
OWNED: Final = "state IN ('claimed', 'submitting')"

_claiming, _intent, _settling = BatchClaiming(), BatchIntent(), BatchSettling()

GUARDS: Final = (
    # claim
    Guard(
        "only a batch that waits is claimed",
        Here(_claiming.test_a_claim_is_leased_to_one_worker),
        without(CLAIM, "b.state = 'queued' AND"),
    ),
    Guard(
        "only a sending campaign is served",
        Here(_claiming.test_only_sending_campaigns_are_served),
        without(CLAIM, "AND c.state = 'sending'"),
    ),
    Guard(
        "a batch waits for its time",
        Here(_claiming.test_a_batch_waits_for_its_time),
        without(CLAIM, "b.not_before <= %(now)s", "%(now)s IS NOT NULL"),
    ),
    Guard(
        "a claim passes over what another one has locked",
        Here(trials.two_claims_at_once_do_not_wait_for_each_other),
        without(CLAIM, "SKIP LOCKED"),
    ),
    Guard(
        "each claim has a number of its own",
        Here(_intent.test_an_older_claim_has_lost_its_lease),
        without(CLAIM, "attempt = b.attempt + 1,"),
    ),
    # intent
    Guard(
        "the intent is committed before the socket is touched",
        Forged(trials.a_worker_dies_after_the_call, "duplicates"),
        (
            replaced(f"{DISPATCH}._commit_intent", f"{REMOVALS}:no_intent"),
            replaced(f"{DISPATCH}._finish", f"{REMOVALS}:intend_late"),
        ),
    ),
    *(
        Guard(purpose, Here(test), without(INTENT, words))
        for purpose, test, words in (
            ("a claim leads to one intent", _intent.test_a_batch_is_intended_once, IS_CLAIMED),
            (
                "only the worker that claimed goes on",
                _intent.test_another_worker_cannot_take_over,
                WORKER,
            ),
            (
                "only the latest claim goes on",
                _intent.test_an_older_claim_has_lost_its_lease,
                ATTEMPT,
            ),
            (
                "a paused campaign goes no further",
                _intent.test_a_pause_stops_before_the_hand_over,
                IS_SENDING,
            ),
        )
    ),
    *(
        Guard(purpose, Here(trial), without(INTENT, "FOR KEY SHARE"))
        for purpose, trial in (
            (
                "a cancel waits for an intent that is being committed",
                trials.a_cancel_waits_for_an_intent_that_is_being_committed,
            ),
            (
                "an intent waits for a cancel that is being committed",
                trials.an_intent_waits_for_a_cancel_that_is_being_committed,
            ),
        )
    ),
    Guard(
        "consent is read again at the hand-over",
        Forged(trials.somebody_opts_out_between_claim_and_hand_over, "disregarded"),
        without(LEFT_OUT, "OR NOT c.is_subscribed"),
    ),
    Guard(
        "suppressions are read again at the hand-over",
        Here(_intent.test_what_changed_since_the_claim_is_honoured),
        without(LEFT_OUT, "s.phone = c.phone", "false"),
    ),
    Guard(
        "numbers are compared at the hand-over",
        Here(_intent.test_what_changed_since_the_claim_is_honoured),
        without(LEFT_OUT, "(c.id IS NULL OR c.phone <> r.phone", "(c.id IS NULL"),
    ),
    # the gateway's answer
    Guard(
        "a lost answer is never taken for none",
        Forged(trials.an_answer_gets_lost, "duplicates"),
        (RETRIES_LOST_ANSWERS,),
    ),
    Guard(
        "only a call of which no byte was written was surely not made",
        Forged(trials.an_answer_gets_lost, "duplicates"),
        (replaced("adapters_sms.mitto:Interrupted.outcome", f"{REMOVALS}:nothing_arrived"),),
    ),
    Guard(
        "nothing is handed over when the lease is over",
        Forged(trials.a_worker_wakes_up_when_its_lease_is_over, "handed over late"),
        (replaced("adapters_sms.sockets:CallLimits.check_deadline", f"{REMOVALS}:never_late"),),
    ),
    Guard(
        "an answer must have as many ids as messages",
        Forged(trials.an_answer_has_an_id_too_few, "invented"),
        (replaced("adapters_sms.answers:_accepted", f"{REMOVALS}:whatever_count"),),
    ),
    Guard(
        "the ids of an answer must differ",
        Forged(trials.an_answer_repeats_an_id, "invented"),
        (replaced("adapters_sms.answers:_accepted", f"{REMOVALS}:whatever_ids"),),
    ),
    Guard(
        "an answer is kept until the database is back",
        Forged(trials.the_connection_breaks_at_the_booking, "[1-9] unknown"),
        (replaced(f"{DISPATCH}._patiently", f"{REMOVALS}:give_up_at_once"),),
    ),
    # booking
    Guard(
        "a batch is booked under the ref of its call",
        Here(_settling.test_another_ref_settles_nothing),
        without(BOOKING, "AND ref = %(ref)s"),
    ),
    Guard(
        "a batch is booked once",
        Here(_settling.test_a_batch_settles_once),
        without(BOOKING, "AND state IN ('submitting', 'unknown')"),
    ),
    Guard(
        "who books waits for who is booking",
        Here(trials.two_book_the_same_batch_at_once),
        without(BOOKING, "FOR UPDATE"),
    ),
    Guard(
        "a late answer changes only what is unknown",
        Here(_settling.test_a_late_answer_changes_only_rows_that_are_unknown),
        without(f"{SETTLING}:_UPDATE_UNKNOWN", "AND m.state = 2"),
    ),
    Guard(
        "credits move once under a key",
        Here(partial(CreditLedgerContract().test_a_reference_settles_once, captured=1, released=1)),
        without("adapters_db.credits.credits:_POST", "key = ANY(:keys)", "false"),
    ),
    Guard(
        "a contact has one row in a campaign",
        InDatabase(
            trials.a_contact_has_one_row_in_a_campaign,
            "ALTER TABLE message DROP CONSTRAINT message_contact_id_campaign_id_key",
        ),
    ),
    Guard(
        "a place in a campaign has one row",
        InDatabase(
            trials.a_place_in_a_campaign_has_one_row,
            "ALTER TABLE message DROP CONSTRAINT message_pkey",
        ),
    ),
    # back to the queue
    Guard(
        "what is in doubt is never put back, not even by its worker",
        Here(trials.nobody_can_any_more(trials.put_back)),
        without(PUT_BACK, f"AND {OWNED}"),
    ),
    Guard(
        "what is in doubt is never halved",
        Here(trials.nobody_can_any_more(trials.split)),
        without(SPLIT, f"AND b.{OWNED}"),
    ),
    *(
        Guard(f"only {who} {verbs}", Here(trials.nobody_else_can(verb)), without(text, words))
        for verb, verbs, text, prefix in (
            (trials.put_back, "puts back", PUT_BACK, ""),
            (trials.split, "halves", SPLIT, "b."),
        )
        for who, words in (
            ("the worker that claimed", f"AND {prefix}worker = %(worker)s"),
            ("the latest claim", f"AND {prefix}attempt = %(attempt)s"),
        )
    ),
    Guard(
        "halves get numbers of their own, also side by side",
        Here(trials.two_batches_are_halved_at_once),
        without("adapters_db.messages.batches.splitting:_LOCK_CAMPAIGN", "FOR UPDATE"),
    ),
    Guard(
        "what comes back to a cancelled campaign is cancelled",
        Forged(trials.an_owner_cancels_during_a_call_that_is_refused, "ledger"),
        (
            replaced(
                "adapters_db.campaigns.progress:SqlCampaignProgress.lock_unless_cancelled",
                f"{REMOVALS}:never_cancelled",
            ),
        ),
    ),
    # sweeps
    Guard(
        "a sweep never queues again what was being submitted",
        Forged(trials.a_worker_dies_after_the_call, "duplicates"),
        (REQUEUES_SUBMITTING,),
    ),
    Guard(
        "a sweep does not wait for a worker that hangs",
        Here(trials.a_sweep_meets_a_worker_that_hangs),
        without(FREE_STALE, "SKIP LOCKED"),
    ),
    Guard(
        "a claim under lease is left alone",
        Here(trials.a_claim_under_lease_is_left_alone),
        without(FREE_STALE, LEASE_OVER, ANY_LEASE),
    ),
    Guard(
        "a call under lease is left alone",
        Here(trials.a_call_under_lease_is_left_alone),
        without(f"{BATCHES}:_STALE", f"b.{LEASE_OVER}", ANY_LEASE),
    ),
    *LATER,
    *QUIET,
    *LEAVING,
    *INBOUND,
)


def listed() -> str:
    """One line for each guard: what it is for, and what fails without it."""
    width = max(len(guard.purpose) for guard in GUARDS)
    return "\n".join(f"{guard.purpose:{width}}  {guard.shown_by}" for guard in GUARDS)


if __name__ == "__main__":
    sys.stdout.write(f"{listed()}\n")
