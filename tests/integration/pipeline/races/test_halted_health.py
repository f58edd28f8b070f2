"""Somebody who was halted while they had the gateway's health locked keeps nobody waiting."""

import time
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from adapters_db.connection.connections import Connections
from retail_core.messages.model import GatewayHealth, NotSent
from retail_core.messages.use_cases.calling import Call, may_call, note
from tests.contracts.staging import ANN, LEASE, clear_the_stage, people, shop, started
from tests.contracts.worlds import World

pytestmark = pytest.mark.servers
AT_ONCE_SECONDS = 3.0
"""Half a second and what a busy machine needs; a lock is waited for ten, a halt lasts a minute."""


@pytest.fixture
def halted(world: World, connections: Connections) -> Iterator[None]:
    """A gateway that may be probed, and somebody who has its row locked and does not go on."""
    clear_the_stage(world)
    with world.transactions.across_accounts() as uow:
        uow.gateway_health.save(GatewayHealth(strain=5, level=1))
    with connections.engine.connect() as connection, connection.begin():
        connection.execute(text("SET LOCAL ROLE retail_sweep"))
        connection.execute(text("SELECT FROM gateway_health FOR UPDATE"))
        yield
    with world.transactions.across_accounts() as uow:
        uow.gateway_health.save(GatewayHealth())


@pytest.mark.usefixtures("halted")
def test_whoever_tells_of_a_call_does_not_wait_for_who_was_halted(world: World) -> None:
    began = time.monotonic()

    note(world.transactions, Call(strain=5), NotSent("refused"), world.clock.now())

    assert time.monotonic() - began < AT_ONCE_SECONDS


@pytest.mark.usefixtures("halted")
def test_whoever_would_probe_lets_who_was_halted_have_it(world: World) -> None:
    began, now = time.monotonic(), world.clock.now()

    with world.transactions.across_accounts() as uow:
        assert may_call(uow, now, now + LEASE) is None

    assert time.monotonic() - began < AT_ONCE_SECONDS


@pytest.mark.usefixtures("halted")
def test_whoever_claims_does_not_wait_for_who_was_halted(world: World) -> None:
    account, now = shop(world), world.clock.now()
    people(world, account, 1)
    started(world, account)
    began = time.monotonic()

    with world.transactions.across_accounts() as uow:
        assert uow.batches.claim_across_accounts(ANN, now, now + LEASE) is None

    assert time.monotonic() - began < AT_ONCE_SECONDS
