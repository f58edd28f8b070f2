"""The simulator as a gateway: what it checks, takes, answers and never forgets."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import attrs
import httpx
import pytest

from adapters_sms.simulator.log import MessageLog
from adapters_sms.simulator.scenario import Fault, FaultName, Scenario
from adapters_sms.simulator.thread import SimulatorThread
from retail_core.messages.model import Accepted, BatchRefused
from tests.contracts.messages.sms_gateway import IN_TIME, ids_of, outgoing
from tests.integration.adapters_sms.worlds import (
    ACCOUNT,
    KEY,
    SILENT,
    SimulatedWorld,
    options_for,
    simulated,
)

MESSAGES = "/api/v1.1/Messages"


@pytest.fixture
def log_path(tmp_path: Path) -> Path:
    return tmp_path / "mitto.log"


@pytest.fixture
def world(log_path: Path) -> Iterator[SimulatedWorld]:
    with simulated(log_path) as world:
        yield world


@pytest.fixture
def http(world: SimulatedWorld) -> Iterator[httpx.Client]:
    with httpx.Client(
        base_url=world.simulator.base_url, headers={"X-Mitto-API-Key": KEY}, trust_env=False
    ) as client:
        yield client


def entry(**other: object) -> dict[str, object]:
    fields = {"trafficAccountId": ACCOUNT, "destination": "+306984303406"}
    return {**fields, "sms": {"text": "Hi", "sender": "Shop"}, **other}


def test_a_call_without_the_right_key_takes_nothing(
    world: SimulatedWorld, http: httpx.Client
) -> None:
    for headers in ({"X-Mitto-API-Key": "wrong"}, {"X-Mitto-API-Key": ""}):
        assert http.post(f"{MESSAGES}/send", json=entry(), headers=headers).status_code == 401
    assert http.get(f"{MESSAGES}/x", headers={"X-Mitto-API-Key": "wrong"}).status_code == 401
    assert world.handed_over() == []


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"destination": "0698"}, 8),
        ({"destination": ""}, 7),
        ({"destination": None}, 7),
        ({"destination": 306984303406}, 7),
        ({"sms": {"text": "Hi", "sender": "ab"}}, 6),
        ({"sms": {"text": "Hi", "sender": "My Shop"}}, 6),
        ({"sms": {"text": "Hi"}}, 5),
        ({"sms": {"text": "", "sender": "Shop"}}, 3),
        ({"sms": "Hi"}, 3),
        ({"trafficAccountId": "other"}, 9),
        ({"trafficAccountId": 7}, 9),
    ],
    ids=repr,
)
def test_a_wrong_message_refuses_its_call_and_says_why(
    world: SimulatedWorld, http: httpx.Client, fields: dict[str, object], code: int
) -> None:
    body = {"messages": [entry(), entry(**fields)]}

    answer = http.post(f"{MESSAGES}/sendmessagesbulk", json=body)

    assert answer.status_code == 400
    assert [(each["index"], each["errorCode"]) for each in answer.json()["errors"]] == [(1, code)]
    assert world.handed_over() == []


def test_a_wrong_message_may_also_be_rejected_alone(
    world: SimulatedWorld, http: httpx.Client
) -> None:
    world.simulator.play(attrs.evolve(SILENT, rejects_single_messages=True))
    body = {"messages": [entry(), entry(destination="0698"), entry()]}

    answers = http.post(f"{MESSAGES}/sendmessagesbulk", json=body).json()["messages"]

    assert ["messageId" in each for each in answers] == [True, False, True]
    assert answers[1]["errorCode"] == 8
    assert len(world.handed_over()) == 2


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"{}", b'{"messages": []}', b'{"messages": {}}', b"\xff"]
)
def test_a_body_without_messages_is_refused(http: httpx.Client, body: bytes) -> None:
    assert http.post(f"{MESSAGES}/sendmessagesbulk", content=body).status_code == 400


def test_one_text_for_many_is_taken_too(world: SimulatedWorld, http: httpx.Client) -> None:
    body = entry(destinations=["+306984303406", "306984303407"])

    answer = http.post(f"{MESSAGES}/sendbulk", json=body).json()

    assert len({each["messageId"] for each in answer["messages"]}) == 2
    assert answer["bulkId"]
    assert [number for number, _ in world.handed_over()] == ["+306984303406", "306984303407"]


def test_a_message_can_be_looked_up(http: httpx.Client) -> None:
    sent = http.post(f"{MESSAGES}/send", json=entry(reference="17")).json()["messages"][0]

    found = http.get(f"{MESSAGES}/{sent['messageId']}").json()

    assert found["messageId"] == sent["messageId"]
    assert (found["text"], found["sender"], found["reference"]) == ("Hi", "Shop", "17")
    assert found["trafficAccountId"] == ACCOUNT
    assert found["messageParts"] is None
    assert {"conversation", "createdAt", "updatedAt", "description", "requestInfo"} <= set(found)


def test_too_many_messages_are_refused_so_that_batches_get_halved(world: SimulatedWorld) -> None:
    world.simulator.play(attrs.evolve(SILENT, bulk_messages_max=2))

    assert isinstance(world.gateway.submit(outgoing(3), IN_TIME), BatchRefused)
    assert isinstance(world.gateway.submit(outgoing(2), IN_TIME), Accepted)


def test_what_is_no_request_of_ours_is_refused(http: httpx.Client) -> None:
    assert http.get("/nowhere").status_code == 404
    assert http.put(f"{MESSAGES}/send", content=b"").status_code == 404
    assert http.post(f"{MESSAGES}/send", content=iter([b"{}"])).status_code == 411
    assert http.get("/", headers={"X-Long": "x" * 70_000}).status_code == 431


def test_a_body_too_long_is_refused_before_it_is_sent(http: httpx.Client) -> None:
    head = f"POST {MESSAGES}/send HTTP/1.1\r\nContent-Length: {100 * 1024 * 1024}\r\n\r\n"
    with socket.create_connection((http.base_url.host, http.base_url.port or 80)) as connection:
        connection.sendall(head.encode())

        assert connection.recv(1000).startswith(b"HTTP/1.1 413 ")


def test_a_restart_remembers_all_messages_and_gives_no_id_twice(log_path: Path) -> None:
    with simulated(log_path) as world:
        before = ids_of(world.gateway.submit(outgoing(5), IN_TIME))
        world.simulator.set_status("Delivered")
    with simulated(log_path) as world:
        after = ids_of(world.gateway.submit(outgoing(5), IN_TIME))
        found = [world.gateway.look_up(each) for each in (*before, *after)]

        assert len({*before, *after}) == 10
        assert all(found)
        assert len(world.handed_over()) == 10


def test_a_line_torn_by_a_kill_is_no_message(log_path: Path) -> None:
    with simulated(log_path) as world:
        ids_of(world.gateway.submit(outgoing(2), IN_TIME))
    with log_path.open("ab") as file:
        file.write(b'{"kind": "accepted", "messageId": "')
    with simulated(log_path) as world:
        ids = ids_of(world.gateway.submit(outgoing(2, first=10), IN_TIME))

        assert [each.message_id for each in world.simulator.accepted()][2:] == ids
        assert len(world.handed_over()) == 4


def test_ids_of_another_log_are_unknown(tmp_path: Path) -> None:
    with simulated(tmp_path / "one.log") as world:
        ids = ids_of(world.gateway.submit(outgoing(1), IN_TIME))
    with simulated(tmp_path / "two.log") as world:
        world.gateway.submit(outgoing(1), IN_TIME)

        assert world.gateway.look_up(ids[0]) is None


def test_calls_in_flight_are_answered_before_it_stops(log_path: Path) -> None:
    slow = attrs.evolve(SILENT, faults=(Fault(FaultName.SLOW, seconds=0.5),))
    outcomes: list[object] = []
    with simulated(log_path, slow) as world:
        calls = threading.Thread(
            target=lambda: outcomes.append(world.gateway.submit(outgoing(3), IN_TIME))
        )
        calls.start()
        time.sleep(0.2)
        world.simulator.stop()
        calls.join()

    assert [type(each) for each in outcomes] == [Accepted]


def test_an_outage_ends(world: SimulatedWorld) -> None:
    world.simulator.add_fault(Fault(FaultName.OUTAGE, seconds=0.3))
    time.sleep(0.6)

    assert isinstance(world.gateway.submit(outgoing(1), IN_TIME), Accepted)


def test_the_control_paths_show_and_change(world: SimulatedWorld, http: httpx.Client) -> None:
    http.post("/_control/faults", json="status-429:1").raise_for_status()
    assert http.post(f"{MESSAGES}/send", json=entry()).status_code == 429
    http.delete("/_control/faults").raise_for_status()
    http.post(f"{MESSAGES}/send", json=entry()).raise_for_status()

    assert http.get("/_control/counts").json()["faults"] == {"status": 1}
    shown = http.get("/_control/messages", params={"after": 0, "limit": 5}).json()
    assert (shown["total"], shown["messages"][0]["destination"]) == (1, "+306984303406")
    http.put("/_control/scenario", json={"seed": 7, "faults": ["hang:0.1"]}).raise_for_status()
    assert http.get("/_control/scenario").json()["faults"][0]["rate"] == 0.1
    assert world.simulator.counts()["accepted"] == 1


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"no": 1}', b'{"faults": ["gremlins"]}'])
def test_a_wrong_scenario_is_refused(http: httpx.Client, body: bytes) -> None:
    assert http.put("/_control/scenario", content=body).status_code == 400


def test_latencies_are_drawn_from_the_scenario(log_path: Path) -> None:
    with simulated(log_path, attrs.evolve(SILENT, latency_ms=(120.0,))) as world:
        started = time.monotonic()
        world.gateway.submit(outgoing(1), IN_TIME)

        assert time.monotonic() - started >= 0.12


def test_a_port_in_use_is_said_at_the_start(world: SimulatedWorld, tmp_path: Path) -> None:
    port = int(world.simulator.base_url.rpartition(":")[2])
    options = attrs.evolve(options_for(tmp_path / "other.log"), port=port)

    with pytest.raises(RuntimeError, match="did not start"), SimulatorThread(options):
        pass


def test_the_command_serves_until_it_is_told_to_stop(log_path: Path) -> None:
    command = [sys.executable, "-m", "adapters_sms.simulator", "--log", str(log_path)]
    with subprocess.Popen(
        [*command, "--fault", "status-503:0"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        base_url = process.stdout.readline().split()[-1]
        answer = httpx.post(
            f"{base_url}{MESSAGES}/send",
            json=entry(),
            headers={"X-Mitto-API-Key": "any"},
            trust_env=False,
        )
        os.kill(process.pid, signal.SIGTERM)

        assert answer.status_code == 200
        assert process.wait(10) == 0


def test_the_command_refuses_faults_nobody_knows(log_path: Path) -> None:
    command = [sys.executable, "-m", "adapters_sms.simulator", "--log", str(log_path)]

    done = subprocess.run([*command, "--fault", "gremlins"], capture_output=True, check=False)

    assert done.returncode == 2
    assert b"gremlins" in done.stderr


def test_the_log_finds_only_its_own_ids(log_path: Path) -> None:
    log = MessageLog.open(log_path)
    log.append_accepted([{"destination": "+306984303406", "text": "Hi"}])

    assert log.number_of(log.id_of(0)) == 0
    for other in ("", "-", "x-0", log.id_of(1), log.id_of(0).upper(), f"{log.id_of(0)}0"):
        assert log.number_of(other) is None
    log.close()


def test_a_scenario_file_says_all_that_code_can(tmp_path: Path) -> None:
    path = tmp_path / "scenario.json"
    path.write_text(
        '{"seed": 3, "faults": ["accept-status-500:0.2", {"name": "hang", "seconds": 1}],'
        ' "latency_ms": [1, 2], "reports": {"words": ["Delivered"], "lost_rate": 0.5}}'
    )

    scenario = Scenario.load(path)

    assert scenario.faults == (
        Fault(FaultName.ACCEPT_STATUS, rate=0.2, status=500),
        Fault(FaultName.HANG, seconds=1),
    )
    assert scenario.reports.words == ("Delivered",)
