"""The moment of hand-over: who is left out, and what that costs."""

import attrs
import pytest

from retail_core.campaigns.model import Campaign, CampaignState
from retail_core.credits.model import Wallet
from retail_core.kernel.ids import AccountId
from retail_core.messages.use_cases import DispatchOutcome
from tests.answering import HASH
from tests.contracts.staging import (
    ANN,
    bar,
    delete,
    messages,
    opt_out,
    pause,
    people,
    shop,
    started,
)
from tests.contracts.worlds import World, memory_world
from tests.pipeline import Pipeline

SETTLED, PUT_BACK = DispatchOutcome.SETTLED, DispatchOutcome.PUT_BACK
TWO_PARTS = "x" * 200


@pytest.fixture
def world() -> World:
    return memory_world()


@pytest.fixture
def line(world: World) -> Pipeline:
    return Pipeline.over(world)


@pytest.fixture
def account(world: World) -> AccountId:
    return shop(world, credits=1_000)


def campaign_to(
    world: World, account: AccountId, count: int, batch_messages_max: int = 5_000
) -> Campaign:
    """A campaign of two parts each."""
    people(world, account, count)
    return started(world, account, TWO_PARTS, batch_messages_max)


def test_whoever_opted_out_since_the_start_is_not_sent_to_and_costs_nothing(
    world: World, line: Pipeline, account: AccountId
) -> None:
    out, barred, gone, stays = people(world, account, 4)
    campaign = started(world, account, TWO_PARTS)
    opt_out(world, account, out.id)
    bar(world, account, barred.phone)
    delete(world, account, gone.id)

    line.dispatch_all()

    assert [message.destination for message in line.gateway.accepted] == [stays.phone]
    found = [(row.state.word, row.error_code) for row in messages(world, campaign)]
    assert found == [
        ("cancelled", "opted_out"),
        ("cancelled", "suppressed"),
        ("cancelled", "erased"),
        ("sent", None),
    ]
    assert line.wallet(account) == Wallet(available=998)


def test_an_erased_number_is_refused_whatever_the_row_of_its_contact_says(
    world: World, line: Pipeline, account: AccountId
) -> None:
    erased, stays = people(world, account, 2)
    campaign = started(world, account, TWO_PARTS)
    with world.transactions.begin(account) as uow:
        uow.suppressions.add_erased(account, HASH.of(erased.phone), world.clock.now())

    line.dispatch_all()

    assert [message.destination for message in line.gateway.accepted] == [stays.phone]
    refused, _ = messages(world, campaign)
    assert (refused.state.word, refused.error_code) == ("cancelled", "erased")
    assert (refused.phone, refused.contact) == (None, None)
    assert line.wallet(account) == Wallet(available=998)


def test_what_another_store_erased_is_sent_to(
    world: World, line: Pipeline, account: AccountId
) -> None:
    (contact,), other = people(world, account, 1), shop(world)
    started(world, account)
    with world.transactions.begin(other) as uow:
        uow.suppressions.add_erased(other, HASH.of(contact.phone), world.clock.now())

    line.dispatch_all()

    assert [message.destination for message in line.gateway.accepted] == [contact.phone]


def test_where_all_opted_out_the_gateway_is_not_called(
    world: World, line: Pipeline, account: AccountId
) -> None:
    (contact,) = people(world, account, 1)
    campaign = started(world, account)
    opt_out(world, account, contact.id)

    assert line.dispatch_all() == [SETTLED]

    assert line.gateway.calls == []
    assert line.campaign(campaign).state is CampaignState.COMPLETED
    assert line.wallet(account) == Wallet(available=1_000)


def test_answers_belong_to_those_who_were_handed_over(
    world: World, line: Pipeline, account: AccountId
) -> None:
    contacts = people(world, account, 4)
    campaign = started(world, account, batch_messages_max=4)
    opt_out(world, account, contacts[1].id)
    line.gateway.reject_next(lambda message: message.destination == contacts[2].phone)

    line.dispatch_all()

    found = [(row.state.word, row.provider_id) for row in messages(world, campaign)]
    assert found == [("sent", "fake-1"), ("cancelled", None), ("failed", None), ("sent", "fake-2")]


def test_a_pause_during_the_wait_for_the_pace_stops_the_hand_over(
    world: World, line: Pipeline, account: AccountId
) -> None:
    campaign = campaign_to(world, account, 2)

    class Interrupting:
        def seconds(self, duration_seconds: float) -> None:
            pause(world, campaign)

    dispatch = attrs.evolve(line.dispatch_batch, pause=Interrupting())

    assert dispatch(ANN) is DispatchOutcome.PUT_BACK
    assert line.gateway.calls == []
