"""Every way in which a call can go wrong on the wire, and what the core is told about it."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from adapters_sms import mitto
from adapters_sms.simulator.scenario import Fault, FaultName
from retail_core.messages.model import (
    Accepted,
    AccessRefused,
    AllRejected,
    BatchRefused,
    Doubtful,
    NotSent,
    SubmissionOutcome,
)
from tests.contracts.messages.sms_gateway import IN_TIME, GatewayWorld, SmsGatewayContract, outgoing
from tests.integration.adapters_sms.worlds import (
    SimulatedWorld,
    gateway_for,
    settings_for,
    simulated,
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[SimulatedWorld]:
    with simulated(tmp_path / "mitto.log", timeout_seconds=1.0) as world:
        yield world


class TestMittoGateway(SmsGatewayContract):
    @pytest.fixture
    def world(self, tmp_path: Path) -> Iterator[GatewayWorld]:
        with simulated(tmp_path / "mitto.log") as world:
            yield world


NOTHING_TAKEN: list[tuple[Fault, type[SubmissionOutcome]]] = [
    (Fault(FaultName.OUTAGE), NotSent),
    (Fault(FaultName.STATUS, status=429, retry_after="3"), NotSent),
    (Fault(FaultName.STATUS, status=503), NotSent),
    (Fault(FaultName.STATUS, status=400), BatchRefused),
    (Fault(FaultName.STATUS, status=413), BatchRefused),
    (Fault(FaultName.STATUS, status=422), BatchRefused),
    (Fault(FaultName.STATUS, status=401), AccessRefused),
    (Fault(FaultName.STATUS, status=403), AccessRefused),
    (Fault(FaultName.STATUS, status=404), AllRejected),
    (Fault(FaultName.STATUS, status=500), Doubtful),
    (Fault(FaultName.STATUS, status=502), Doubtful),
    (Fault(FaultName.STATUS, status=504), Doubtful),
    (Fault(FaultName.STATUS, status=302), Doubtful),
    (Fault(FaultName.CLOSE_UNREAD), Doubtful),
    (Fault(FaultName.CLOSE), Doubtful),
    (Fault(FaultName.HANG), Doubtful),
]
TAKEN: list[Fault] = [
    Fault(FaultName.ACCEPT_CLOSE),
    Fault(FaultName.ACCEPT_HANG),
    Fault(FaultName.ACCEPT_STATUS, status=500),
    Fault(FaultName.ACCEPT_STATUS, status=502),
    Fault(FaultName.ACCEPT_STATUS, status=504),
    Fault(FaultName.EXTRA_ENTRY),
    Fault(FaultName.MISSING_ENTRY),
    Fault(FaultName.REPEATED_IDS),
    Fault(FaultName.UNREADABLE),
    Fault(FaultName.TRUNCATED),
]


def named(value: object) -> str:
    if isinstance(value, Fault):
        return f"{value.name}-{value.status}"
    return value.__name__ if isinstance(value, type) else str(value)


@pytest.mark.parametrize("earlier_calls", [0, 1])
@pytest.mark.parametrize(("fault", "expected"), NOTHING_TAKEN, ids=named)
def test_what_was_not_taken(
    world: SimulatedWorld, fault: Fault, expected: type[SubmissionOutcome], earlier_calls: int
) -> None:
    for _ in range(earlier_calls):  # their connection is kept and used again
        world.gateway.submit(outgoing(1, first=1000), IN_TIME)
    world.simulator.add_fault(fault)
    world.simulator.counts()

    outcome = world.gateway.submit(outgoing(3), IN_TIME)

    assert type(outcome) is expected
    assert len(world.handed_over()) == earlier_calls


@pytest.mark.parametrize("earlier_calls", [0, 1])
@pytest.mark.parametrize("fault", TAKEN, ids=named)
def test_what_was_taken_without_a_proof_is_doubtful(
    world: SimulatedWorld, fault: Fault, earlier_calls: int
) -> None:
    for _ in range(earlier_calls):  # their connection is kept and used again
        world.gateway.submit(outgoing(1, first=1000), IN_TIME)
    world.simulator.add_fault(fault)

    outcome = world.gateway.submit(outgoing(3), IN_TIME)

    assert isinstance(outcome, Doubtful)
    assert len(world.handed_over()) == 3 + earlier_calls


def test_the_pause_that_the_gateway_asks_for_is_passed_on(world: SimulatedWorld) -> None:
    world.simulator.add_fault(Fault(FaultName.STATUS, status=429, retry_after="3"))

    assert world.gateway.submit(outgoing(2), IN_TIME) == NotSent("http_429", 3.0)


def test_a_slow_gateway_within_the_time_out_is_no_fault(world: SimulatedWorld) -> None:
    world.simulator.add_fault(Fault(FaultName.SLOW, seconds=0.3))

    assert isinstance(world.gateway.submit(outgoing(2), IN_TIME), Accepted)


def test_the_number_goes_along_as_reference_only_if_switched_on(tmp_path: Path) -> None:
    with simulated(tmp_path / "mitto.log") as world:
        world.gateway.submit(outgoing(2, first=41), IN_TIME)
        base = settings_for(world.simulator.base_url)
        silent = gateway_for(attrs.evolve(base, send_reference=False))
        silent.submit(outgoing(1, first=43), IN_TIME)
        silent.close()

        assert [each.reference for each in world.simulator.accepted()] == ["41", "42", None]


def test_waiting_in_vain_for_a_free_connection_has_taken_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mitto, "CONNECTIONS_MAX", 1)
    with simulated(tmp_path / "mitto.log", timeout_seconds=2.0) as world:
        world.simulator.add_fault(Fault(FaultName.HANG, calls_max=1))
        first = threading.Thread(target=world.gateway.submit, args=(outgoing(1), IN_TIME))
        first.start()
        time.sleep(0.2)

        assert world.gateway.submit(outgoing(2, first=50), IN_TIME) == NotSent("PoolTimeout")
        first.join()
        assert world.handed_over() == []
