"""The guards of those who leave: deleted, erased, taken back with their import, or by a link."""

from functools import partial
from typing import Final

from tests.contracts.imports.reversal import ImportReversalContract
from tests.contracts.messages.batches.batches import BatchIntent
from tests.contracts.messages.singles.singles import SingleIntent
from tests.integration.pipeline.races import test_leaving_races as races
from tests.integration.pipeline.races import test_opt_out_link_races as links
from tests.torture.guards.guarding import Guard, Here, without
from tests.torture.guards.patches import replaced

REMOVALS: Final = "tests.torture.guards.removals"
CONTACTS: Final = "adapters_db.contacts.contacts"
USE_CASES: Final = "retail_core.messages.use_cases"
NO_LOCK: Final = "%(account)s::integer"

LEAVING: Final = (
    Guard(
        "who writes numbers down waits for who is just leaving",
        Here(races.test_whoever_is_erased_while_a_file_with_the_number_is_imported_stays_away),
        without(
            f"{CONTACTS}:_ADDING",
            "pg_advisory_xact_lock_shared(hashtext('people_leave'), %(account)s)",
            NO_LOCK,
        ),
    ),
    Guard(
        "who leaves waits for who is just writing numbers down",
        Here(
            partial(
                races.test_whoever_leaves_while_a_campaign_freezes_the_audience_stands_in_no_batch,
                leave=races.erase,
                moment="at its commit",
            )
        ),
        without(
            f"{CONTACTS}:_REMOVING",
            "pg_advisory_xact_lock(hashtext('people_leave'), %(account)s)",
            NO_LOCK,
        ),
    ),
    Guard(
        "who left while an audience was frozen is taken out of it",
        Here(
            partial(
                races.test_whoever_leaves_while_a_campaign_freezes_the_audience_stands_in_no_batch,
                leave=races.erase,
                moment="while it ends",
            )
        ),
        (
            replaced(
                "retail_core.campaigns.use_cases.starting:_forget_departed",
                f"{REMOVALS}:do_nothing",
            ),
        ),
    ),
    Guard(
        "an erased number is refused at the hand-over of a campaign",
        Here(races.test_an_erased_number_is_refused_whatever_the_row_of_its_contact_says),
        (replaced(f"{USE_CASES}.dispatching:refuse_erased", f"{REMOVALS}:refuse_nobody"),),
    ),
    Guard(
        "an erased number is refused at the hand-over of a single message",
        Here(races.test_a_message_to_an_erased_number_is_refused_and_leaves_no_number),
        (replaced(f"{USE_CASES}.singles:refuse_erased_singles", f"{REMOVALS}:refuse_no_single"),),
    ),
    Guard(
        "age is read again at the hand-over of a campaign",
        Here(BatchIntent().test_age_is_read_again),
        without(
            "adapters_db.messages.batches.batches:_LEFT_OUT",
            "OR c.birthday > %(adult_until)s OR",
            "OR",
        ),
    ),
    Guard(
        "who must know ages hands over to nobody of unknown age",
        Here(BatchIntent().test_a_store_that_must_know_ages_writes_to_nobody_of_unknown_age),
        without(
            "adapters_db.messages.batches.batches:_LEFT_OUT",
            "OR (c.birthday IS NULL AND a.adults_only)",
        ),
    ),
    Guard(
        "age is read again at the hand-over of an automation",
        Here(SingleIntent().test_an_automation_reaches_nobody_known_to_be_under_age),
        without(
            "adapters_db.messages.singles.singles:INTENT", "c.birthday > %(adult_until)s", "false"
        ),
    ),
    Guard(
        "an undo keeps whoever is just being handed over",
        Here(ImportReversalContract().test_whoever_is_just_being_handed_over_stays),
        without(
            "adapters_db.imports.reverting:_REMOVE",
            "AND c.id NOT IN (SELECT contact_id FROM in_flight)",
        ),
    ),
    Guard(
        "an undo waits for a hand-over that is being written down",
        Here(races.test_an_undo_beside_a_hand_over_keeps_whoever_is_handed_over),
        (replaced("adapters_db.imports.reverting:lock_batches", f"{REMOVALS}:do_nothing"),),
    ),
    Guard(
        "who presses the link of a forgotten number waits for who is just adding it",
        Here(
            partial(
                links.test_an_opt_out_beside_the_adding_of_its_number_is_honoured,
                add=links.by_hand,
            )
        ),
        (
            replaced(
                "retail_core.contacts.use_cases.opting_out:_wait_for_others",
                f"{REMOVALS}:do_nothing",
            ),
        ),
    ),
    Guard(
        "a number that was barred while it was forgotten is barred when it is known again",
        Here(
            partial(
                links.test_a_number_that_is_added_beside_its_opt_out_is_not_written_to,
                add=links.by_hand,
            )
        ),
        without(
            "adapters_db.contacts.suppressions:_NAME_FORGOTTEN",
            "s.phone_hash = given.hash",
            "s.phone_hash IS NULL",
        ),
    ),
    Guard(
        "the link of a forgotten message means the number that it went to",
        Here(links.test_a_deletion_of_long_ago_leaves_a_link_that_works),
        without(
            "adapters_db.engagement.number_traces:_KEEP",
            "FROM handed JOIN given USING (id) ORDER BY number",
            "FROM handed JOIN given USING (id) WHERE false ORDER BY number",
        ),
    ),
)
