"""The contract of batches, in memory and on PostgreSQL."""

import pytest

from tests.contracts.batches import BatchClaiming, BatchIntent
from tests.contracts.cancelling import BatchCancelling
from tests.contracts.capping import AudienceCapping, BatchCapping
from tests.contracts.deferring import BatchDeferring
from tests.contracts.freezing import BatchFreezing
from tests.contracts.gateway_health import BatchProbing, GatewayHealthStoreContract
from tests.contracts.returning import BatchReturning, BatchSweeping
from tests.contracts.settling import BatchSettling
from tests.contracts.staging import clear_the_stage
from tests.contracts.turns import BatchTurns
from tests.contracts.worlds import World


@pytest.fixture(autouse=True)
def _stage(world: World) -> None:
    clear_the_stage(world)


class BatchStoreContract(
    BatchFreezing,
    BatchClaiming,
    BatchTurns,
    BatchIntent,
    BatchSettling,
    BatchReturning,
    BatchSweeping,
    BatchCancelling,
    BatchDeferring,
    BatchCapping,
    BatchProbing,
):
    """All verbs of the port; each part has a file of its own."""


class TestBatchStore(BatchStoreContract):
    pass


class TestGatewayHealthStore(GatewayHealthStoreContract):
    pass


class TestAudienceCapping(AudienceCapping):
    pass
