"""Random lives of two shops over real PostgreSQL; `HYPOTHESIS_PROFILE=deep` lives longer."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from adapters_db.campaigns.recount import SqlCampaignAudit
from adapters_db.connection.connections import Connections
from adapters_db.connection.reads import Reads
from tests.contracts.worlds import World, sql_world
from tests.integration.pipeline.machine import ShopLife

LIVES = settings(
    max_examples=max(20, settings().max_examples // 5),
    stateful_step_count=40,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.timeout(600)
def test_the_books_hold_whatever_happens_in_whatever_order(connections: Connections) -> None:
    class Life(ShopLife):
        audit = SqlCampaignAudit(Reads(connections))

        @staticmethod
        def new_world() -> World:
            return sql_world(connections)

    run_state_machine_as_test(Life, settings=LIVES)
