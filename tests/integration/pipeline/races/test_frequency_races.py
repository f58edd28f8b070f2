"""A frequency cap holds also where two campaigns are sent to the same people at once."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from threading import Barrier
from uuid import uuid4

import attrs

from retail_core.audiences.model import FrequencyCap
from retail_core.campaigns.model import Campaign, CampaignState
from retail_core.campaigns.use_cases import StartCampaign, StartedCampaign
from retail_core.kernel.ids import WorkerId
from retail_core.messages.model import Dropped
from tests.contracts.staging import messages, people, policy, shop, written
from tests.contracts.worlds import World
from tests.pipeline import Pipeline

ONCE = FrequencyCap(1, timedelta(days=7))
PEOPLE, ROUNDS, WORKERS = 12, 8, 4


def start(world: World, barrier: Barrier, campaign: Campaign) -> StartedCampaign:
    starting = StartCampaign(world.transactions, world.clock, policy(3))
    barrier.wait()
    return starting(campaign.account_id, campaign.id)


def dispatch(world: World, barrier: Barrier, worker: WorkerId) -> list[str]:
    """Send until nothing is due; the numbers that were handed over."""
    line = Pipeline.over(world, name=f"{uuid4()}", seed=uuid4().int)
    capped = attrs.evolve(line, dispatch_batch=attrs.evolve(line.dispatch_batch, cap=ONCE))
    barrier.wait()
    capped.dispatch_all(worker)
    return [message.destination for message in line.gateway.accepted]


def test_two_campaigns_at_once_send_each_person_one_message(world: World) -> None:
    for _ in range(ROUNDS):
        account = shop(world)
        contacts = people(world, account, PEOPLE)
        campaigns = [written(world, account, text) for text in ("one", "two")]
        # as if neither had seen the other's plan: both are for everybody
        barrier = Barrier(2)
        with ThreadPoolExecutor(2) as threads:
            list(threads.map(partial(start, world, barrier), campaigns))
        barrier = Barrier(WORKERS)
        with ThreadPoolExecutor(WORKERS) as threads:
            workers = [WorkerId(f"worker {n}") for n in range(WORKERS)]
            sent = list(threads.map(partial(dispatch, world, barrier), workers))

        numbers = Counter(number for each in sent for number in each)
        assert numbers == {contact.phone: 1 for contact in contacts}
        done = [world.campaign_queries.get(account, each.id) for each in campaigns]
        assert {each.state for each in done} == {CampaignState.COMPLETED}
        codes = [row.error_code for each in done for row in messages(world, each)]
        assert codes.count(Dropped.FREQUENCY_CAP.value) == PEOPLE
        with world.transactions.begin(account) as uow:
            assert uow.credits.wallet(account).held == 0
