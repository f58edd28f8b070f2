"""Unknown messages are settled by whoever knows first, and their credits move once."""

from datetime import timedelta

import attrs
import pytest

from retail_core.campaigns.model import CampaignCounts
from retail_core.credits.model import Wallet
from retail_core.kernel.ids import AccountId, ProviderId
from retail_core.messages.composing import compose
from retail_core.messages.model import (
    Accepted,
    CreditPolicy,
    Finding,
    MessageKey,
    MessageState,
    Rejection,
)
from tests.contracts.staging import CODES, messages, people, shop, started, submitting
from tests.contracts.worlds import World, memory_world
from tests.doubting import DoubtLine
from tests.pipeline import LEASE_OVER

SENT, DELIVERED, FAILED = MessageState.SENT, MessageState.DELIVERED, MessageState.FAILED
WINDOW_OVER = timedelta(hours=72, seconds=1)


@pytest.fixture
def world() -> World:
    return memory_world()


@pytest.fixture
def line(world: World) -> DoubtLine:
    return DoubtLine.over(world)


@pytest.fixture
def account(world: World) -> AccountId:
    return shop(world, credits=100)


@pytest.mark.parametrize(
    "names", [("reference",), ("phone",), ("id", "reference"), ("id", "phone")]
)
@pytest.mark.parametrize("state", [SENT, DELIVERED, FAILED])
def test_a_report_settles_an_unknown_message_and_captures_it(
    world: World, account: AccountId, names: tuple[str, ...], state: MessageState
) -> None:
    """Also what is reported failed: the gateway had accepted it."""
    line = DoubtLine.over(world, account_is_shared=False)
    lost = line.lose(account, 2)

    line.deliver(lost.report(0, state, world, *names))

    row, other = messages(world, lost.campaign)
    assert (row.state, other.state) == (state, MessageState.UNKNOWN)
    assert row.provider_id == (lost.ids[0] if "id" in names else None)
    assert line.line.wallet(account) == Wallet(available=98, held=1)
    line.assert_books_are_right(account, lost.campaign, 100)


@pytest.mark.parametrize("names", [("phone",), ("id", "phone")])
@pytest.mark.parametrize("state", [SENT, DELIVERED, FAILED])
def test_where_others_send_too_a_report_by_number_moves_the_state_and_charges_nothing(
    world: World, line: DoubtLine, account: AccountId, names: tuple[str, ...], state: MessageState
) -> None:
    lost = line.lose(account, 2)

    line.deliver(lost.report(0, state, world, *names))

    row, other = messages(world, lost.campaign)
    assert (row.state, other.state) == (state, MessageState.UNKNOWN)
    assert row.provider_id is None
    assert line.line.wallet(account) == Wallet(available=98, held=2)
    line.assert_books_are_right(account, lost.campaign, 100)


@pytest.mark.parametrize(
    ("policy", "left"), [(CreditPolicy.RELEASE, 100), (CreditPolicy.CAPTURE, 98)]
)
def test_what_was_reported_by_number_alone_settles_its_hold_by_the_policy(
    world: World, account: AccountId, policy: CreditPolicy, left: int
) -> None:
    line = DoubtLine.over(world, credits=policy)
    lost = line.lose(account, 2)
    line.deliver(lost.report(0, DELIVERED, world, "phone"))
    world.clock.advance(WINDOW_OVER)

    line.settle_overdue()

    assert line.line.wallet(account) == Wallet(available=left)
    assert line.doubts(lost.campaign)[0].state is MessageState.UNKNOWN
    line.assert_books_are_right(account, lost.campaign, 100)


@pytest.mark.parametrize(
    ("told", "answered", "state", "available"),
    [(DELIVERED, True, DELIVERED, 98), (SENT, True, SENT, 98), (DELIVERED, False, DELIVERED, 100)],
)
def test_the_late_answer_charges_what_was_reported_by_number_alone(
    world: World,
    line: DoubtLine,
    account: AccountId,
    told: MessageState,
    available: int,
    state: MessageState,
    *,
    answered: bool,
) -> None:
    lost = line.lose(account, 2)
    line.deliver(lost.report(0, told, world, "phone"))
    refused = Accepted((Rejection("no", "no"), Rejection("no", "no")))

    assert line.answer(lost if answered else attrs.evolve(lost, accepted=refused))

    assert messages(world, lost.campaign)[0].state is state
    assert line.line.wallet(account) == Wallet(available=available)
    line.assert_books_are_right(account, lost.campaign, 100)


def test_a_strangers_id_is_not_taken_for_the_gateways(
    world: World, line: DoubtLine, account: AccountId
) -> None:
    """Another system beside us wrote to the same person: its further reports charge nothing."""
    lost = line.lose(account, 1)
    strange = attrs.evolve(lost.report(0, SENT, world, "phone"), provider_id=ProviderId("theirs"))
    line.deliver(strange)
    line.deliver(attrs.evolve(strange, state=DELIVERED, word="delivered"))

    [row] = messages(world, lost.campaign)
    assert (row.state, row.provider_id) == (DELIVERED, None)
    assert line.line.wallet(account) == Wallet(available=99, held=1)

    assert line.answer(lost)
    [row] = messages(world, lost.campaign)
    assert row.provider_id == lost.ids[0]
    assert line.line.wallet(account) == Wallet(available=99)


def test_the_operator_decides_about_what_was_reported_by_number_alone(
    world: World, line: DoubtLine, account: AccountId
) -> None:
    lost = line.lose(account, 2)
    line.deliver(lost.report(0, DELIVERED, world, "phone"))

    done = line.resolve_unknown(lost.campaign.id, FAILED)

    assert done.settled_by_operator == 2
    assert [row.state for row in messages(world, lost.campaign)] == [DELIVERED, FAILED]
    assert line.line.wallet(account) == Wallet(available=100)
    line.assert_books_are_right(account, lost.campaign, 100)


def test_a_report_that_comes_while_its_batch_is_submitted_waits_for_the_outcome(
    world: World, line: DoubtLine, account: AccountId
) -> None:
    people(world, account, 1)
    campaign = started(world, account)
    batch, _ = submitting(world)
    line.line.gateway.take(compose(batch, CODES).outgoing(()))
    line.deliver(*line.line.gateway.become(DELIVERED))

    before = line.line.campaign(campaign).counts
    world.clock.advance(LEASE_OVER)
    line.line.sweep()
    line.settle_reports()

    assert before == CampaignCounts(queued=1)
    assert line.line.campaign(campaign).counts == CampaignCounts(delivered=1)
    line.assert_books_are_right(account, campaign, 100)


def test_a_doubled_report_in_another_form_changes_nothing(
    world: World, line: DoubtLine, account: AccountId
) -> None:
    lost = line.lose(account, 1)
    for names in (("reference",), ("phone",), ("id",), ("id", "phone"), ("id", "reference")):
        line.deliver(lost.report(0, DELIVERED, world, *names))

    assert line.line.campaign(lost.campaign).counts == CampaignCounts(delivered=1)
    line.assert_books_are_right(account, lost.campaign, 100)


def test_a_late_answer_books_only_what_nobody_has_settled(
    world: World, line: DoubtLine, account: AccountId
) -> None:
    lost = line.lose(account, 3)
    line.deliver(lost.report(1, DELIVERED, world, "reference"))

    assert line.answer(lost)

    rows = messages(world, lost.campaign)
    assert [row.state for row in rows] == [SENT, DELIVERED, SENT]
    assert [row.provider_id for row in rows] == list(lost.ids)
    assert line.line.wallet(account) == Wallet(available=97)
    line.assert_books_are_right(account, lost.campaign, 100)


@pytest.mark.parametrize(
    ("policy", "left"), [(CreditPolicy.RELEASE, 100), (CreditPolicy.CAPTURE, 98)]
)
def test_what_stays_unknown_settles_its_hold_by_the_policy(
    world: World, account: AccountId, policy: CreditPolicy, left: int
) -> None:
    line = DoubtLine.over(world, credits=policy)
    lost = line.lose(account, 2)
    world.clock.advance(timedelta(hours=72))
    too_early = line.settle_overdue()
    world.clock.advance(timedelta(seconds=1))

    done, again = line.settle_overdue(), line.settle_overdue()

    assert (too_early.messages, done.messages, again.messages) == (0, 2, 0)
    assert (done.batches_closed, done.leftover_credits) == (1, 0)
    assert line.line.campaign(lost.campaign).counts == CampaignCounts(unknown=2)
    assert line.line.wallet(account) == Wallet(available=left)
    line.assert_books_are_right(account, lost.campaign, 100)


def test_a_report_after_the_policy_moves_the_state_and_no_credits(
    world: World, line: DoubtLine, account: AccountId
) -> None:
    lost = line.lose(account, 2)
    world.clock.advance(WINDOW_OVER)
    line.settle_overdue()

    line.deliver(lost.report(0, DELIVERED, world, "reference"))

    assert line.line.campaign(lost.campaign).counts == CampaignCounts(unknown=1, delivered=1)
    assert line.line.wallet(account) == Wallet(available=100)
    assert not line.answer(lost)
    line.assert_books_are_right(account, lost.campaign, 100)


def test_the_sweep_gives_back_what_an_ended_campaign_holds_for_nobody(
    world: World, line: DoubtLine, account: AccountId
) -> None:
    """It never happens; should it, the shop gets its credits, and the worker raises an alarm."""
    lost = line.lose(account, 2)
    finding = Finding.of(MessageKey(lost.campaign.id, 0, account), SENT, world.clock.now())
    with world.transactions.across_accounts() as uow:  # and the booking gets lost
        uow.doubts.resolve_across_accounts([finding], world.clock.now())

    assert line.settle_overdue().leftover_credits == 1
    assert line.settle_overdue().leftover_credits == 0
    assert line.line.wallet(account) == Wallet(available=99, held=1)


@pytest.mark.parametrize(("word", "left"), [(SENT, 97), (DELIVERED, 97), (FAILED, 100)])
def test_the_operator_says_what_became_of_a_campaigns_messages(
    world: World, line: DoubtLine, account: AccountId, word: MessageState, left: int
) -> None:
    lost = line.lose(account, 3)

    done = line.resolve_unknown(lost.campaign.id, word)

    assert (done.asked, done.settled_by_operator, done.remaining) == (0, 3, 0)
    assert {row.state for row in messages(world, lost.campaign)} == {word}
    codes = {row.error_code for row in messages(world, lost.campaign)}
    assert codes == {"resolved_by_operator" if word is FAILED else None}
    assert line.line.wallet(account) == Wallet(available=left)
    line.assert_books_are_right(account, lost.campaign, 100)


def test_without_a_word_the_operator_is_shown_what_is_unknown(
    world: World, line: DoubtLine, account: AccountId
) -> None:
    lost = line.lose(account, 3)
    line.lose(shop(world), 2)

    shown = line.resolve_unknown(lost.campaign.id, shown_max=2)
    everything = line.resolve_unknown()

    assert (shown.remaining, [each.number for each in shown.remain]) == (
        3,
        [lost.number(0), lost.number(1)],
    )
    assert everything.remaining == len(everything.remain) == 5


def test_a_report_may_contradict_the_operator_but_moves_no_credits(
    world: World, line: DoubtLine, account: AccountId
) -> None:
    lost = line.lose(account, 1)
    line.resolve_unknown(lost.campaign.id, FAILED)

    line.deliver(lost.report(0, DELIVERED, world, "reference"))

    assert line.line.campaign(lost.campaign).counts == CampaignCounts(delivered=1)
    assert line.line.wallet(account) == Wallet(available=100)
    line.assert_books_are_right(account, lost.campaign, 100)
