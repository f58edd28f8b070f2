"""The contract of batches, in memory and on PostgreSQL."""

import pytest

from tests.contracts.messages.batches.batches import BatchClaiming, BatchIntent
from tests.contracts.messages.batches.cancelling import BatchCancelling
from tests.contracts.messages.batches.capping import AudienceCapping, BatchCapping
from tests.contracts.messages.batches.deferring import BatchDeferring
from tests.contracts.messages.batches.freezing import BatchFreezing
from tests.contracts.messages.batches.gateway_health import BatchProbing, GatewayHealthStoreContract
from tests.contracts.messages.batches.returning import BatchReturning, BatchSweeping
from tests.contracts.messages.batches.settling import BatchSettling
from tests.contracts.messages.batches.turns import BatchTurns
from tests.contracts.staging import clear_the_stage
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
