"""The contracts of doubt and of asking the gateway, in memory and on PostgreSQL."""

import pytest

from tests.contracts.messages.unknown.doubts import DoubtEnding, DoubtKeeping, DoubtResolving
from tests.contracts.messages.unknown.look_ups import LookUpStoreContract
from tests.contracts.messages.unknown.matching import DoubtMatching
from tests.contracts.messages.unknown.single_doubts import (
    SingleLookUps,
    SingleMatching,
    SingleResolving,
)
from tests.contracts.staging import clear_the_stage
from tests.contracts.worlds import World


class DoubtStoreContract(DoubtKeeping, DoubtResolving, DoubtEnding, DoubtMatching):
    """All verbs of the port; the parts have files of their own."""

    @pytest.fixture(autouse=True)
    def _stage(self, world: World) -> None:
        clear_the_stage(world)


class TestDoubtStore(DoubtStoreContract):
    pass


class TestLookUpStore(LookUpStoreContract):
    pass


class TestSingleMatching(SingleMatching):
    pass


class TestSingleResolving(SingleResolving):
    pass


class TestSingleLookUps(SingleLookUps):
    pass
