"""Scenarios of the simulator, as values."""

import random
from pathlib import Path

import pytest

from adapters_sms.simulator.__main__ import callback_of, options_of
from adapters_sms.simulator.reporter import Callback, Step, fate_of
from adapters_sms.simulator.scenario import Fault, FaultName, ReportPlan, fault_of


@pytest.mark.parametrize("name", FaultName)
def test_every_fault_can_be_named_on_the_command_line(name: FaultName) -> None:
    assert Fault.parse(name.value) == Fault(name)
    assert Fault.parse(f"{name.value}:0.25") == Fault(name, rate=0.25)


def test_a_status_fault_carries_its_status() -> None:
    assert Fault.parse("accept-status-502:0.1") == Fault(
        FaultName.ACCEPT_STATUS, rate=0.1, status=502
    )


@pytest.mark.parametrize("value", ["gremlins", "hang:often", "", 7, None, [], {"name": "x"}])
def test_what_is_no_fault_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        fault_of(value)


def test_inbound_messages_go_beside_the_reports_unless_told_otherwise() -> None:
    reports = "http://127.0.0.1:3001/webhooks/mitto/dlr"

    assert callback_of(reports, None, "s") == Callback(
        reports, "http://127.0.0.1:3001/webhooks/mitto/inbound", "s"
    )
    assert callback_of(reports, "http://other", None).inbound_url == "http://other"
    assert callback_of("http://other/reports", None, None).inbound_url is None


def test_the_command_line_says_all_that_is_needed(tmp_path: Path) -> None:
    scenario = tmp_path / "scenario.json"
    scenario.write_text('{"seed": 9, "faults": ["slow:0.5"]}')
    arguments = f"--port 3901 --log {tmp_path}/log --api-key k --account a --secret s"

    options = options_of(
        [*arguments.split(), "--scenario", str(scenario), "--fault", "close", "--fault", "hang"]
    )

    assert (options.port, options.api_key, options.traffic_account_id) == (3901, "k", "a")
    assert options.scenario.seed == 9
    assert [fault.name for fault in options.scenario.faults] == ["close", "hang", "slow"]


def test_a_plain_plan_says_each_word_once_in_order() -> None:
    steps = fate_of(ReportPlan(first_delay_ms=10, step_ms=5), random.Random(1))

    assert steps == [Step(10, "Sent"), Step(15, "Delivered")]


def test_a_reordered_message_hears_the_end_first_and_it_stays_true() -> None:
    steps = fate_of(ReportPlan(first_delay_ms=0, reordered_rate=1.0), random.Random(1))

    assert [(step.word, step.is_true) for step in steps] == [("Delivered", True), ("Sent", False)]


def test_a_contradiction_is_never_the_truth() -> None:
    steps = fate_of(ReportPlan(contradicted_rate=1.0, failed_rate=1.0), random.Random(1))

    assert [(step.word, step.is_true) for step in steps] == [
        ("Sent", True),
        ("Failure", True),
        ("Delivered", False),
    ]


def test_a_plan_without_words_reports_nothing() -> None:
    assert fate_of(ReportPlan(words=()), random.Random(1)) == ()
