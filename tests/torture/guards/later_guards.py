"""The guards of what comes after the call: reports, doubt, and what is still held for it."""

from typing import Final

from tests.contracts.messages.report_store import ReportStoreContract
from tests.contracts.messages.reports import MessageStoreContract
from tests.contracts.messages.unknown.matching import DoubtMatching
from tests.contracts.messages.unknown.single_doubts import SingleMatching
from tests.torture.guards import doubt_trials
from tests.torture.guards.guarding import Guard, Here, without
from tests.torture.guards.patches import Patch, replaced

RESOLVE: Final = "adapters_db.messages.unknown.doubts:_RESOLVE"
RESOLVE_SINGLE: Final = "adapters_db.messages.unknown.single_doubts:_RESOLVE"
OVERDUE: Final = "adapters_db.messages.unknown.doubts:_SETTLE_OVERDUE"
MATCHES: Final = "adapters_db.messages.unknown.matching:_MATCHES"
BY_REFERENCE: Final = "adapters_db.messages.unknown.matching:_BY_REFERENCE"
APPLY: Final = "adapters_db.messages.messages:_APPLY"
REMOVALS: Final = "tests.torture.guards.removals"

LATER: Final = (
    # doubt
    Guard(
        "a hold that was settled is not settled again by a report",
        Here(doubt_trials.a_hold_that_came_back_is_not_captured_by_a_later_report),
        without(
            RESOLVE, "CASE WHEN d.credits_settled_at IS NULL THEN d.credits ELSE 0 END", "d.credits"
        ),
    ),
    Guard(
        "a hold that was settled is not settled again by the policy",
        Here(doubt_trials.a_hold_comes_back_once),
        without(OVERDUE, "AND credits_settled_at IS NULL"),
    ),
    Guard(
        "a message keeps its hold for the time that the policy gives",
        Here(doubt_trials.what_is_young_keeps_its_hold),
        without(OVERDUE, "since < %(before)s", "%(before)s IS NOT NULL"),
    ),
    Guard(
        "a finding about another message changes nothing",
        Here(doubt_trials.an_id_of_another_message_says_nothing),
        without(RESOLVE, "OR m.provider_id = f.provider_id", "OR true"),
    ),
    Guard(
        "a finding never lowers a state",
        Here(doubt_trials.a_doubt_once_resolved_is_not_unresolved),
        (Patch(RESOLVE, "greatest(m.state, f.state)", "f.state"),),
    ),
    Guard(
        "a number that could mean two messages means none",
        Here(doubt_trials.a_number_that_could_mean_two_messages_means_none),
        without(MATCHES, "c.candidates = 1 AND"),
    ),
    Guard(
        "a report by number alone charges nothing of a campaign's",
        Here(doubt_trials.a_number_alone_charges_nothing),
        without(RESOLVE, "AND c.certain"),
    ),
    Guard(
        "a report by number alone charges nothing of a single message",
        Here(SingleMatching().test_a_report_by_number_alone_moves_the_state_and_no_credits),
        without(RESOLVE_SINGLE, "NOT f.certain OR", ""),
    ),
    Guard(
        "a number of ours that came back with another phone is not ours",
        Here(DoubtMatching().test_a_reference_with_the_number_of_somebody_else_is_not_ours),
        without(BY_REFERENCE, "AND (q.phone IS NULL OR m.phone IS NULL OR q.phone = m.phone)"),
    ),
    # reports
    Guard(
        "the state of a message never falls",
        Here(MessageStoreContract().test_a_state_never_falls),
        without(APPLY, "greatest(m.state, f.state)", "f.state"),
    ),
    Guard(
        "a report that matches nothing yet is kept",
        Here(ReportStoreContract().test_a_parked_report_comes_back_once_its_message_is_known),
        (
            replaced(
                "adapters_db.messages.reports.reports:SqlReportStore.park",
                f"{REMOVALS}:write_nothing_down",
            ),
        ),
    ),
    Guard(
        "a webhook call is applied once",
        Here(ReportStoreContract().test_what_is_applied_does_not_come_again),
        (
            replaced(
                "adapters_db.messages.reports.reports:SqlReportStore.mark_applied",
                f"{REMOVALS}:write_nothing_down",
            ),
        ),
    ),
)
