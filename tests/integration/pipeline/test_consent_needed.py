"""Nobody is sent to without a fact that grants it, whatever code goes wrong before."""

from uuid import uuid4

import attrs
import pytest
from sqlalchemy.exc import DBAPIError

from retail_core.contacts.model import ConsentType
from tests.contracts.people import added, draft, fact, phones, undecided
from tests.contracts.staging import shop, started
from tests.contracts.worlds import World
from tests.pipeline import Pipeline


def test_nothing_is_sent_to_whom_no_fact_grants_it(world: World) -> None:
    account = shop(world)
    agreed, only_asked = phones(account)
    _, asked = added(world, account, draft(agreed), undecided(only_asked))

    with world.transactions.begin(account) as uow:
        uow.consents.append(account, fact(asked.id, ConsentType.REQUESTED))
    with (
        pytest.raises(DBAPIError, match="whose last fact does not grant it"),
        world.transactions.begin(account) as uow,
    ):
        uow.contacts.save(account, attrs.evolve(asked, is_subscribed=True))
    line = Pipeline.over(world, name=f"{uuid4()}", seed=uuid4().int)
    started(world, account)
    line.dispatch_all()

    reached = {each.destination for each in line.gateway.accepted}
    assert agreed in reached
    assert only_asked not in reached
