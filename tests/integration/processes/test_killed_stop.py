"""Every STOP that was answered with 202 has one effect, wherever the worker dies over it."""

import http.client
import json
import socket
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

import psutil
import pytest

from adapters_db.operations.migrate import upgrade
from retail_core.messages.model import MessageState
from tests.http.api import ORIGIN, WEBHOOK_SECRET
from tests.integration.processes.plant import FIRST_PHONE, ROOT, Plant, kill, started
from tests.integration.workers.watching import until

LEAVE, STAY = 300, 10
PEOPLE = LEAVE + STAY
COUNTRY: Final = 30
WAITS_FOR_SECONDS = 60
DEATHS: Final = (
    "before_text_commit",
    "after_text_commit",
    "before_text_commit:2",
)
HEADERS: Final = {"Content-Type": "application/json", "X-Webhook-Token": WEBHOOK_SECRET}
SHORT_LEASE = {"MITTO_TIMEOUT_SECONDS": "1", "BATCH_LEASE_SECONDS": "3"}

pytestmark = [pytest.mark.servers, pytest.mark.slow, pytest.mark.timeout(300)]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def number_of(person: int) -> str:
    return f"{COUNTRY}{FIRST_PHONE + person}"


def text_stop(port: int, people: range) -> None:
    """Each texts STOP, and the gateway tells of it twice."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as line:
        for person in people:
            told = {"from": number_of(person), "to": "Shop", "text": "STOP", "id": f"in-{person}"}
            for _ in range(2):
                line.request("POST", "/webhooks/mitto/inbound", json.dumps(told), HEADERS)
                answer = line.getresponse()
                answer.read()
                assert answer.status == http.client.ACCEPTED


def waiting(plant: Plant) -> int:
    ((count,),) = plant.ask("SELECT count(*) FROM inbound_text WHERE applied_at IS NULL")
    return int(count)


def let_die(plant: Plant, at: str) -> None:
    """Let the process that works die at a point, and then kill all that is left."""
    worker = plant.start("workers.dev.crashing", CRASH_AT=at)
    until(worker.children, WAITS_FOR_SECONDS)
    working = worker.children()
    until(lambda: any(not is_alive(each) for each in working), WAITS_FOR_SECONDS)
    kill(worker)


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def kill_in_the_middle(plant: Plant) -> None:
    """Kill a worker from outside, at no point that the code knows."""
    before = waiting(plant)
    worker = plant.start("workers.worker")
    until(lambda: waiting(plant) < before, WAITS_FOR_SECONDS)
    kill(worker)


def write_to_everybody(plant: Plant) -> None:
    """A campaign, so that their answers mean the shop; and credits for what it sends back."""
    email = plant.shop(PEOPLE)
    worker = plant.start("workers.worker")
    words = ("--email", email, "--name", "Coffee", "--text", "Coffee is on us")
    plant.wait_for_end(plant.command("send-campaign", *words)["campaignId"])
    kill(worker)
    more = ("--credits", f"{LEAVE}", "--reason", "a test")
    plant.command("grant-credits", "--email", email, *more)


def test_every_stop_that_was_answered_has_one_effect(
    new_database: Callable[[], str], redis_url: str, tmp_path: Path
) -> None:
    database_url = new_database()
    upgrade(database_url)
    port = free_port()
    variables = SHORT_LEASE | {
        "STOP_CONFIRMATION": "on",
        "WORKER_CONCURRENCY": "1",
        "JWT_SECRET": "a secret that is long enough for tokens",
        "WEBHOOK_SECRET": WEBHOOK_SECRET,
        "FRONTEND_URL": ORIGIN,
        "PORT": f"{port}",
        "WEB_CONCURRENCY": "1",
        "RATE_LIMITS_FACTOR": "1000000",
    }
    with started(tmp_path, database_url, redis_url, **variables) as plant:
        write_to_everybody(plant)
        application = ("--config", f"{ROOT / 'gunicorn.conf.py'}", "adapters_http.wsgi:application")
        plant.start("gunicorn", *application)
        until(lambda: is_open(port), WAITS_FOR_SECONDS)
        text_stop(port, range(LEAVE))
        assert waiting(plant) == 2 * LEAVE

        for at in DEATHS:
            let_die(plant, at)
        kill_in_the_middle(plant)
        assert waiting(plant) > 0, "it was over before the last one died"
        plant.start("workers.worker")
        until(lambda: waiting(plant) == 0, WAITS_FOR_SECONDS)
        until(lambda: not unsettled(plant), WAITS_FOR_SECONDS)

        assert_they_left_and_nobody_else(plant)
        assert_each_was_told_once(plant)


def unsettled(plant: Plant) -> int:
    waits = [int(MessageState.QUEUED), int(MessageState.SUBMITTING)]
    ((count,),) = plant.ask("SELECT count(*) FROM single_message WHERE state = ANY(%s)", waits)
    return int(count)


def assert_they_left_and_nobody_else(plant: Plant) -> None:
    leavers = Counter(number_of(person) for person in range(LEAVE))
    withdrawn = plant.ask(
        "SELECT c.phone FROM consent_event e JOIN contact c ON c.id = e.contact_id "
        "WHERE e.type = 'withdrawn' AND e.source = 'stop'"
    )
    assert Counter(str(phone) for (phone,) in withdrawn) == leavers
    barred = plant.ask("SELECT phone FROM suppression WHERE reason = 'stop'")
    assert Counter(str(phone) for (phone,) in barred) == leavers
    out = plant.ask("SELECT phone FROM contact WHERE NOT is_subscribed")
    assert Counter(str(phone) for (phone,) in out) == leavers
    assert plant.ask("SELECT count(*) FROM contact WHERE is_subscribed") == [(STAY,)]


def assert_each_was_told_once(plant: Plant) -> None:
    """As far as it is known: who was in the call of a worker that died may not have been."""
    told = plant.ask("SELECT phone, state FROM single_message WHERE kind = 'confirmation'")
    leavers = {number_of(person) for person in range(LEAVE)}
    assert sorted(str(phone) for phone, _ in told) == sorted(leavers)
    unknown = {str(phone) for phone, state in told if state == MessageState.UNKNOWN}
    assert {MessageState(state) for _, state in told} <= {MessageState.SENT, MessageState.UNKNOWN}
    texts = Counter(plant.accepted())
    assert {number: texts[number] for number in leavers - unknown} == dict.fromkeys(
        leavers - unknown, 2
    )
    assert all(texts[number] <= 2 for number in unknown)
    assert plant.ask("SELECT available, held FROM wallet WHERE account_id > 1") == [
        (0, len(unknown))
    ]
    assert plant.command("verify-ledger") == {"wallets": [], "holds": [], "campaigns": []}
