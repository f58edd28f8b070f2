"""What holds of quiet hours only as long as the gate before the intent does."""

from datetime import UTC, datetime

import attrs

from retail_core.messages.quiet_hours import BUILT_IN
from retail_core.messages.use_cases import DispatchOutcome
from tests.contracts.staging import ANN, people, shop, started
from tests.contracts.worlds import World
from tests.pipeline import Pipeline

MIDNIGHT = datetime(2026, 11, 24, 22, tzinfo=UTC)


def nobody_is_sent_to_at_night(world: World) -> None:
    """It is midnight in Greece."""
    account = shop(world)
    people(world, account, 2)
    world.clock.moment = MIDNIGHT
    started(world, account)
    line = Pipeline.over(world, name=f"night{account}", seed=account)

    dispatch = attrs.evolve(line.dispatch_batch, quiet_policy=BUILT_IN)

    assert dispatch(ANN) is DispatchOutcome.DEFERRED
    assert line.gateway.calls == []
