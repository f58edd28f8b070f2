"""What sending may rely on about settling a batch: once, and with what is surely known."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid4

import attrs
import pytest

from retail_core.kernel.ids import ProviderId
from retail_core.messages.model import (
    BatchResults,
    ClaimedBatch,
    Finding,
    MessageKey,
    MessageState,
    Settlement,
)
from tests.contracts.staging import (
    all_claims,
    claimed,
    messages,
    people,
    results,
    shop,
    started,
    submitting,
)
from tests.contracts.worlds import World

SENT, FAILED, UNKNOWN = MessageState.SENT, MessageState.FAILED, MessageState.UNKNOWN
DELIVERED = MessageState.DELIVERED
QUEUED, CANCELLED = MessageState.QUEUED, MessageState.CANCELLED


def settle(
    world: World, batch: ClaimedBatch, ref: UUID, outcome: BatchResults
) -> Settlement | None:
    with world.transactions.begin(batch.key.account) as uow:
        return uow.batches.settle(batch, ref, outcome, world.clock.now())


def positions(settlement: Settlement | None) -> Sequence[int]:
    assert settlement is not None
    return list(settlement.positions)


class BatchSettling:
    def test_settling_writes_one_row_per_recipient(self, world: World) -> None:
        account = shop(world)
        contacts = people(world, account, 3, first_name="Άννα")
        campaign = started(world, account, text="Γεια {{firstName}}")
        batch, ref = submitting(world)
        outcome = results(batch, ref, SENT, FAILED, CANCELLED)

        settlement = settle(world, batch, ref, outcome)

        assert settlement is not None
        assert (settlement.previous, list(settlement.positions)) == (QUEUED, [0, 1, 2])
        rows = messages(world, campaign)
        assert [row.state for row in rows] == [SENT, FAILED, CANCELLED]
        assert [row.contact for row in rows] == [contact.id for contact in contacts]
        assert [row.phone for row in rows] == [contact.phone for contact in contacts]
        assert {row.first_name for row in rows} == {"Άννα"}
        assert [row.provider_id for row in rows] == [f"{ref}:0", None, None]
        assert [row.sent_at for row in rows] == [world.clock.now(), None, None]
        assert [row.failed_at for row in rows] == [None, world.clock.now(), None]
        assert [(row.parts, row.credits) for row in rows] == [(1, 1)] * 3

    def test_errors_are_kept_as_they_came_but_for_line_breaks(self, world: World) -> None:
        account = shop(world)
        people(world, account, 2)
        campaign = started(world, account)
        batch, ref = submitting(world)
        codes, errors = ["8", None], ["Bad\nreceiver, {\"\\'}", None]
        plain = results(batch, ref, FAILED)

        settle(world, batch, ref, attrs.evolve(plain, error_codes=codes, errors=errors))

        found = [(row.error_code, (row.error or "").split()) for row in messages(world, campaign)]
        assert found == [("8", ["Bad", "receiver,", "{\"\\'}"]), (None, [])]

    def test_a_batch_settles_once(self, world: World) -> None:
        account = shop(world)
        people(world, account, 2)
        campaign = started(world, account)
        batch, ref = submitting(world)
        settle(world, batch, ref, results(batch, ref, SENT))

        again = settle(world, batch, ref, results(batch, ref, FAILED))

        assert again is None
        assert {row.state for row in messages(world, campaign)} == {SENT}

    def test_another_ref_settles_nothing(self, world: World) -> None:
        account = shop(world)
        people(world, account, 2)
        started(world, account)
        batch, ref = submitting(world)

        assert settle(world, batch, uuid4(), results(batch, ref, SENT)) is None
        assert settle(world, batch, ref, results(batch, ref, SENT)) is not None

    def test_a_claim_without_an_intent_cannot_settle(self, world: World) -> None:
        account = shop(world)
        people(world, account, 2)
        started(world, account)
        batch, ref = claimed(world), uuid4()

        assert settle(world, batch, ref, results(batch, ref, SENT)) is None

    def test_settling_does_not_see_another_accounts_rows(self, world: World) -> None:
        account, other = shop(world), shop(world)
        people(world, account, 1)
        started(world, account)
        batch, ref = submitting(world)
        outcome = results(batch, ref, SENT)

        with world.transactions.begin(other) as uow:
            assert uow.batches.settle(batch, ref, outcome, world.clock.now()) is None
        assert settle(world, batch, ref, outcome) is not None

    def test_a_late_answer_changes_only_rows_that_are_unknown(self, world: World) -> None:
        account = shop(world)
        people(world, account, 3)
        campaign = started(world, account)
        batch, ref = submitting(world)
        first = settle(world, batch, ref, results(batch, ref, UNKNOWN, CANCELLED, UNKNOWN))
        world.clock.advance(timedelta(minutes=5))

        late = settle(world, batch, ref, results(batch, ref, SENT, SENT, FAILED))

        assert positions(first) == [0, 1, 2]
        assert late is not None
        assert (late.previous, list(late.positions)) == (UNKNOWN, [0, 2])
        rows = messages(world, campaign)
        assert [row.state for row in rows] == [SENT, CANCELLED, FAILED]
        assert (rows[0].sent_at, rows[2].failed_at) == (world.clock.now(), world.clock.now())
        assert rows[1].provider_id is None

    @pytest.mark.parametrize(
        ("told", "answer", "state"),
        [(DELIVERED, SENT, DELIVERED), (DELIVERED, FAILED, DELIVERED), (SENT, FAILED, FAILED)],
    )
    def test_a_late_answer_is_told_who_was_reported_by_number_alone(
        self, world: World, told: MessageState, answer: MessageState, state: MessageState
    ) -> None:
        account = shop(world)
        people(world, account, 3)
        campaign = started(world, account)
        batch, ref = submitting(world)
        settle(world, batch, ref, results(batch, ref, UNKNOWN))
        key = MessageKey(batch.key.campaign, 1, batch.key.account)
        by_number = Finding.of(key, told, world.clock.now(), ProviderId("theirs"))
        with world.transactions.across_accounts() as uow:
            uow.doubts.resolve_across_accounts(
                [attrs.evolve(by_number, is_certain=False)], world.clock.now()
            )

        late = settle(world, batch, ref, results(batch, ref, SENT, answer, UNKNOWN))

        assert late is not None
        assert (list(late.positions), dict(late.reported)) == ([0, 1, 2], {1: told})
        rows = messages(world, campaign)
        assert [row.state for row in rows] == [SENT, state, UNKNOWN]
        assert rows[1].provider_id != "theirs"

    def test_a_late_answer_comes_once(self, world: World) -> None:
        account = shop(world)
        people(world, account, 2)
        started(world, account)
        batch, ref = submitting(world)
        settle(world, batch, ref, results(batch, ref, UNKNOWN))
        settle(world, batch, ref, results(batch, ref, SENT))

        assert settle(world, batch, ref, results(batch, ref, FAILED)) is None

    def test_a_batch_with_unknown_rows_stays_unknown(self, world: World) -> None:
        account = shop(world)
        people(world, account, 2)
        started(world, account)
        batch, ref = submitting(world)
        settle(world, batch, ref, results(batch, ref, SENT, UNKNOWN))

        again = settle(world, batch, ref, results(batch, ref, UNKNOWN))

        assert positions(again) == [1]
        assert positions(settle(world, batch, ref, results(batch, ref, SENT))) == [1]

    def test_no_timer_hands_an_unknown_batch_over_again(self, world: World) -> None:
        account = shop(world)
        people(world, account, 2)
        started(world, account)
        batch, ref = submitting(world)
        settle(world, batch, ref, results(batch, ref, UNKNOWN))
        world.clock.advance(timedelta(days=30))

        with world.transactions.across_accounts() as uow:
            uow.batches.free_stale_claims_across_accounts(world.clock.now())
            stale = uow.batches.stale_across_accounts(world.clock.now(), 1_000)
        with world.transactions.begin(account) as uow:
            put_back = uow.batches.put_back(batch, None, failed_try=True)
            split = uow.batches.split(batch, world.clock.now())

        assert (put_back, split) == (False, False)
        assert account not in [each.key.account for each in all_claims(world)]
        assert account not in [each.key.account for each in stale]
