"""The real adapter against the simulator, over loopback."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs

from adapters_sms.mitto import MittoGateway
from adapters_sms.settings import SmsSettings
from adapters_sms.simulator.scenario import Fault, FaultName, ReportPlan, Scenario
from adapters_sms.simulator.server import SimulatorOptions
from adapters_sms.simulator.thread import SimulatorThread
from retail_core.kernel.process.machine import SystemClock
from retail_core.kernel.secrets import SecretText
from retail_core.messages.model import (
    AccessRefused,
    AllRejected,
    BatchRefused,
    NotSent,
    SubmissionOutcome,
)

KEY = "key-of-the-tests"
ACCOUNT = "account-of-the-tests"
STATUS_OF = {NotSent: 429, BatchRefused: 400, AccessRefused: 401, AllRejected: 404}
SILENT = Scenario(reports=ReportPlan(words=("Sent",), first_delay_ms=0))


def settings_for(base_url: str, timeout_seconds: float = 5.0) -> SmsSettings:
    return SmsSettings(
        api_key=SecretText(KEY),
        traffic_account_id=ACCOUNT,
        api_base=base_url,
        timeout_seconds=timeout_seconds,
        send_reference=True,
    )


def gateway_for(settings: SmsSettings) -> MittoGateway:
    """A gateway with connections of its own; close it in the end."""
    return MittoGateway(settings, SystemClock())


def options_for(log_path: Path, scenario: Scenario = SILENT) -> SimulatorOptions:
    return SimulatorOptions(
        log_path=log_path, api_key=KEY, traffic_account_id=ACCOUNT, scenario=scenario
    )


@attrs.frozen
class SimulatedWorld:
    gateway: MittoGateway
    simulator: SimulatorThread

    def handed_over(self) -> list[tuple[str, str]]:
        return [(each.destination or "", each.text or "") for each in self.simulator.accepted()]

    def answer_next_with(self, outcome: type[SubmissionOutcome]) -> None:
        status = STATUS_OF[outcome]
        self.simulator.add_fault(Fault(FaultName.STATUS, calls_max=1, status=status))

    def lose_next_answer(self) -> None:
        self.simulator.add_fault(Fault(FaultName.ACCEPT_CLOSE, calls_max=1))

    def reject_some_of_next(self) -> None:
        self.simulator.add_fault(Fault(FaultName.REJECT_SOME, calls_max=1))

    def go_away(self) -> None:
        self.simulator.add_fault(Fault(FaultName.OUTAGE))
        self.simulator.counts()  # once more through the loop: kept connections are closed now

    def deliver_all(self) -> None:
        self.simulator.set_status("Delivered")


@contextmanager
def simulated(
    log_path: Path, scenario: Scenario = SILENT, timeout_seconds: float = 5.0
) -> Iterator[SimulatedWorld]:
    with SimulatorThread(options_for(log_path, scenario)) as simulator:
        gateway = gateway_for(settings_for(simulator.base_url, timeout_seconds))
        try:
            yield SimulatedWorld(gateway, simulator)
        finally:
            gateway.close()
