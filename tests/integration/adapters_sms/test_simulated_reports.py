"""The simulator's delivery reports and inbound messages, as a callback receives them."""

import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import attrs
import orjson
import pytest

from adapters_sms.reports import MittoReportReader
from adapters_sms.simulator.reporter import Callback
from adapters_sms.simulator.scenario import ReportPlan, Scenario
from adapters_sms.simulator.thread import SimulatorThread
from retail_core.messages.model import MessageState
from tests.contracts.messages.sms_gateway import IN_TIME, ids_of, outgoing
from tests.integration.adapters_sms.receiver import Receiver, receiving
from tests.integration.adapters_sms.worlds import (
    SimulatedWorld,
    gateway_for,
    options_for,
    settings_for,
)

FAST = ReportPlan(first_delay_ms=0, step_ms=20)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def run(
    receiver: Receiver, log_path: Path, plan: ReportPlan, messages: int
) -> tuple[SimulatedWorld, list[str]]:
    """Send messages, wait until all is reported, and stop; the log and the calls remain."""
    base = receiver.base_url
    callback = Callback(f"{base}/dlr", f"{base}/inbound", "the-secret")
    options = attrs.evolve(options_for(log_path, Scenario(reports=plan)), callback=callback)
    with SimulatorThread(options) as simulator:
        gateway = gateway_for(settings_for(simulator.base_url))
        ids = ids_of(gateway.submit(outgoing(messages), IN_TIME)) if messages else []
        assert simulator.wait_until_reported(20)
        gateway.close()
    return SimulatedWorld(gateway, simulator), [str(each) for each in ids]


def test_every_message_is_reported_in_arrays_with_the_secret(
    receiver: Receiver, tmp_path: Path
) -> None:
    _, ids = run(receiver, tmp_path / "log", attrs.evolve(FAST, array_max=30), 100)

    assert receiver.words() == {"Sent": 100, "Delivered": 100}
    assert {each["messageId"] for each in receiver.reports} == set(ids)
    assert {call.secret for call in receiver.calls} == {"the-secret"}
    assert max(len(call.body) for call in receiver.calls) == 30


def test_single_reports_are_bare_objects(receiver: Receiver, tmp_path: Path) -> None:
    run(receiver, tmp_path / "log", attrs.evolve(FAST, array_max=1), 5)

    assert len(receiver.calls) == 10
    assert all(isinstance(call.body, dict) for call in receiver.calls)


def test_our_reader_understands_what_is_sent(receiver: Receiver, tmp_path: Path) -> None:
    plan = attrs.evolve(FAST, failed_rate=1.0, words=("Delivered",))
    _, ids = run(receiver, tmp_path / "log", plan, 1)

    (report,) = MittoReportReader(sends_references=True).read(
        orjson.dumps(receiver.calls[0].body), datetime.now(UTC)
    )

    assert (report.provider_id, report.reference) == (ids[0], 1)
    assert (report.phone, report.state) == (outgoing(1)[0].destination, MessageState.FAILED)
    assert report.error == "Absent subscriber"


def test_the_names_of_the_classic_family_can_be_used(receiver: Receiver, tmp_path: Path) -> None:
    run(receiver, tmp_path / "log", attrs.evolve(FAST, classic_names=True), 1)

    assert {"id", "status", "timestamp", "receiver"} <= set(receiver.reports[0])


def test_a_report_is_sent_again_until_it_is_taken(receiver: Receiver, tmp_path: Path) -> None:
    receiver.refusals_left = 2
    world, _ = run(receiver, tmp_path / "log", attrs.evolve(FAST, words=("Delivered",)), 10)

    reported = [each for each in world.simulator.entries() if each.kind == "report"]
    assert receiver.words() == {"Delivered": 10}
    assert {each.http_status for each in reported} == {202}


def test_a_report_nobody_takes_is_given_up_in_the_end(receiver: Receiver, tmp_path: Path) -> None:
    receiver.refusals_left = 1000
    plan = attrs.evolve(FAST, words=("Delivered",), attempts_max=2)
    world, _ = run(receiver, tmp_path / "log", plan, 3)

    assert [each.http_status for each in world.simulator.entries() if each.kind == "report"] == (
        [503, 503, 503]
    )


def test_lost_reports_leave_the_truth_to_the_look_up(receiver: Receiver, tmp_path: Path) -> None:
    plan = attrs.evolve(FAST, lost_rate=1.0)
    base = receiver.base_url
    options = attrs.evolve(
        options_for(tmp_path / "log", Scenario(reports=plan)), callback=Callback(f"{base}/dlr")
    )
    with SimulatorThread(options) as simulator:
        gateway = gateway_for(settings_for(simulator.base_url))
        (provider_id,) = ids_of(gateway.submit(outgoing(1), IN_TIME))
        time.sleep(0.3)
        found = gateway.look_up(provider_id)
        gateway.close()

    assert found is not None
    assert found.state is MessageState.DELIVERED
    assert receiver.calls == []


def test_what_is_reported_can_be_wrong_in_every_way_at_once(
    receiver: Receiver, tmp_path: Path
) -> None:
    plan = attrs.evolve(
        FAST,
        spread_ms=60,
        failed_rate=0.2,
        doubled_rate=0.3,
        reordered_rate=0.3,
        contradicted_rate=0.2,
        unknown_rate=0.2,
        shuffled=True,
    )
    _, ids = run(receiver, tmp_path / "log", plan, 400)
    words = receiver.words()
    last = {each["messageId"]: each["deliveryStatus"] for each in receiver.reports}

    assert set(words) == {"Sent", "Delivered", "Failure", "Quantum"}
    assert words["Sent"] > 400
    assert set(last) == set(ids)
    assert Counter(last.values())["Sent"] > 0


def test_the_same_seed_brings_the_same_reports(receiver: Receiver, tmp_path: Path) -> None:
    plan = attrs.evolve(FAST, failed_rate=0.3, doubled_rate=0.3, lost_rate=0.3)
    run(receiver, tmp_path / "one", plan, 200)
    first = receiver.words()
    receiver.calls.clear()
    run(receiver, tmp_path / "two", plan, 200)

    assert receiver.words() == first


def test_reports_that_a_stop_left_over_come_after_the_restart(
    receiver: Receiver, tmp_path: Path
) -> None:
    late = attrs.evolve(FAST, first_delay_ms=60_000, words=("Delivered",))
    options = options_for(tmp_path / "log", Scenario(reports=late))
    with SimulatorThread(options) as simulator:
        gateway = gateway_for(settings_for(simulator.base_url))
        ids_of(gateway.submit(outgoing(20), IN_TIME))
        gateway.close()
    assert receiver.calls == []

    run(receiver, tmp_path / "log", attrs.evolve(FAST, words=("Delivered",)), 0)

    assert receiver.words() == {"Delivered": 20}


def test_texts_come_in(receiver: Receiver, tmp_path: Path) -> None:
    base = receiver.base_url
    callback = Callback(f"{base}/dlr", f"{base}/inbound", "the-secret")
    with SimulatorThread(
        attrs.evolve(options_for(tmp_path / "log"), callback=callback)
    ) as simulator:
        status = simulator.send_inbound("306984303406", "Shop", "ΣΤΟΠ")
        raw_status = simulator.send_reports([{"anything": 1}])
        (entry,) = [each for each in simulator.entries() if each.kind == "inbound"]

    assert (status, raw_status) == (202, 202)
    assert [(call.path, call.secret) for call in receiver.calls] == [
        ("/inbound", "the-secret"),
        ("/dlr", "the-secret"),
    ]
    assert receiver.calls[0].body == {"from": "306984303406", "to": "Shop", "text": "ΣΤΟΠ"}
    assert (entry.sender, entry.text, entry.http_status) == ("306984303406", "ΣΤΟΠ", 202)
