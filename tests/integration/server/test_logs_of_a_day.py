"""A whole day of a shop, with everything that goes wrong in it: no log of any process tells of it.

Its people, texts, tokens and secrets are made up so that no other word holds them by chance.
"""

import http.client
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

import attrs
import pytest

from adapters_db.operations.migrate import upgrade
from adapters_sms.simulator.log import read_accepted
from tests import harmless_logs
from tests.http.api import VARIABLES
from tests.http.uploading import form
from tests.integration.processes.plant import Plant
from tests.integration.server.serving import ROOT, Server, serving
from tests.integration.workers.watching import until
from workers.dev.embedded.processes import free_port

EMAIL: Final = "persephone@olympus.example"
PASSWORD: Final = "pomegranate-seeds-6"
WRONG_PASSWORD: Final = "asphodel-meadows-9"
TEXT: Final = "Nectar tonight {{firstName}}, ambrosia tomorrow"
PHONES: Final = ("6984303491", "6984303492", "6984303493")
NAMES: Final = ("Hyacinthus", "Callirrhoe", "Ξενοκράτης")
SECRETS: Final = {
    "JWT_SECRET": "styx-acheron-lethe-phlegethon-cocytus",
    "MITTO_API_KEY": "cerberus-key-3-heads",
    "WEBHOOK_SECRET": "charon-takes-one-obol",
    "UNSUBSCRIBE_TOKEN_SECRET": "the-thread-of-ariadne-in-the-labyrinth",
}
MEGABYTE: Final = 1_048_576
PROCESSES: Final = ("adapters_sms.simulator", "workers.worker", "workers.scheduler")


@attrs.define
class Day:
    """One shop and its processes; whatever must be in no log is noted."""

    server: Server
    plant: Plant
    token: str = ""
    cookie: str = ""
    said: set[str] = attrs.field(factory=set)

    def ask(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, bytes]:
        line = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=20)
        sent = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            line.request(method, path, body, sent)
            answer = line.getresponse()
            self.cookie = self._cookie(answer) or self.cookie
            return answer.status, answer.read()
        finally:
            line.close()

    def post(self, path: str, **fields: object) -> tuple[int, Any]:
        status, raw = self.ask(
            "POST", path, json.dumps(fields).encode(), Content_Type="application/json"
        )
        return status, json.loads(raw)

    def _cookie(self, answer: http.client.HTTPResponse) -> str:
        found = re.search(r"rt=([0-9a-f]{128})", answer.headers.get("Set-Cookie", ""))
        return found[1] if found else ""


@pytest.fixture
def variables(new_database: Callable[[], str], redis_url: str, log_format: str) -> dict[str, str]:
    url = new_database()
    upgrade(url)
    return {
        **VARIABLES,
        **SECRETS,
        "DATABASE_URL": url,
        "REDIS_URL": redis_url,
        "LOG_LEVEL": "debug",
        "LOG_FORMAT": log_format,
        "PUBLIC_BASE_URL": "https://r.example",
        "WORKER_CONCURRENCY": "1",
        "MITTO_API_BASE": f"http://127.0.0.1:{free_port()}",
        "PYTHONPATH": str(ROOT),
    }


@pytest.fixture
def day(tmp_path: Path, variables: dict[str, str]) -> Iterator[Day]:
    plant = Plant(tmp_path, variables)
    with serving(tmp_path, variables["DATABASE_URL"], **variables) as server:
        try:
            plant.start(
                "adapters_sms.simulator",
                f"--port={variables['MITTO_API_BASE'].rpartition(':')[2]}",
                f"--log={plant.gateway_log}",
                f"--secret={SECRETS['WEBHOOK_SECRET']}",
                f"--callback=http://127.0.0.1:{server.port}/webhooks/mitto/dlr",
            )
            plant.start("workers.worker")
            plant.start("workers.scheduler")
            yield Day(server, plant)
        finally:
            plant.stop()


def sign_up(day: Day) -> None:
    """Open the account, also with what is refused, and come back with the cookie."""
    who = {"email": EMAIL, "password": PASSWORD, "company": "Chthonic Florists"}
    for body, status in (
        (who | {"password": "short"}, 400),
        (who | {"senderName": "Persephone Florists of Hades"}, 400),
        (who, 201),
        (who, 409),
    ):
        assert day.post("/api/auth/register", **body)[0] == status
    assert day.post("/api/auth/login", email=EMAIL, password=WRONG_PASSWORD)[0] == 401
    status, reply = day.post("/api/auth/login", email=EMAIL, password=PASSWORD)
    assert status == 200
    day.said |= {reply["accessToken"], day.cookie}
    assert day.ask("POST", "/api/auth/refresh", Cookie=f"rt={day.cookie}")[0] == 200
    day.token = reply["accessToken"]
    who_pays = ("--email", EMAIL)
    day.plant.command("activate-subscription", *who_pays, "--plan", "starter")
    day.plant.command("grant-credits", *who_pays, "--credits", "100", "--reason", "obols")


def take_in_people(day: Day) -> None:
    """Import a file with good and bad rows."""
    rows = [
        f"{phone},{name},{name.lower()}@olympus.example"
        for phone, name in zip(PHONES, NAMES, strict=True)
    ]
    text = "\n".join(["phone,firstName,email", *rows, "698430349,Minthe,no address"])
    headers, body = form([("file", "people.csv", text.encode())])
    status, raw = day.ask(
        "POST", "/api/contacts/import", body, Content_Type=headers["Content-Type"]
    )
    assert status < 300, raw
    job = json.loads(raw)["jobId"]

    def is_done() -> bool:
        return b'"completed"' in day.ask("GET", f"/api/contacts/import/{job}")[1]

    until(is_done, 60)
    assert day.ask("GET", f"/api/contacts/import/{job}/errors")[0] == 200
    for name in (NAMES[0], PHONES[0], NAMES[2]):
        assert day.ask("GET", f"/api/contacts?q={quote(name)}")[0] == 200


def send_to_them(day: Day) -> None:
    """Preview, try and send a campaign, and let the gateway report about it."""
    status, campaign = day.post("/api/campaigns", name="Solstice of Hades", messageText=TEXT)
    assert status == 201, campaign
    path = f"/api/campaigns/{campaign['id']}"
    day.ask("GET", f"{path}/preview")
    day.post(f"{path}/test-send", to=["6984303494"])
    assert day.post(f"{path}/enqueue")[0] < 300

    def are_delivered() -> bool:
        log = json.loads(day.ask("GET", f"{path}/messages")[1])
        return [each["status"] for each in log["items"]] == ["delivered"] * len(PHONES)

    until(are_delivered, 60)


def let_one_go(day: Day) -> None:
    """Open a link out of a message and press the button."""
    text = next(
        str(entry.text)
        for entry in read_accepted(day.plant.gateway_log)
        if str(entry.destination).endswith(PHONES[0])
    )
    found = re.search(r"/u/([\w-]{11})", text)
    assert found, text
    code = found[1]
    day.said.add(code)
    for path in (
        f"/u/{code}",
        f"/api/contacts/unsubscribe/{code}",
        f"/api/contacts/preferences/{code}",
    ):
        assert day.ask("GET", path)[0] < 400
    assert day.post("/api/contacts/unsubscribe", token=code)[0] == 200
    assert day.post("/api/contacts/resubscribe", pageToken=code)[0] == 200
    assert day.post("/api/contacts/unsubscribe", token=f"{code}x")[0] == 400


def report_by_hand(day: Day) -> None:
    """Call the webhooks with the secret in the address, rightly and wrongly."""
    told = {"messageId": "m-1", "deliveryStatus": "Delivered", "to": "+306984303491"}
    secret = {"secret": SECRETS["WEBHOOK_SECRET"]}
    path = "/webhooks/mitto/dlr"
    for query, status in ((secret, 202), ({"secret": "charon-is-cheap"}, 401), ({}, 401)):
        assert day.ask("GET", f"{path}?{urlencode(told | query)}")[0] == status
        body = json.dumps(told).encode()
        assert day.ask("POST", f"{path}?{urlencode(query)}", body)[0] == status
    broken = b'{"text":"Nectar tonight Hyacinthus'
    assert day.ask("POST", f"{path}?{urlencode(secret)}", broken)[0] == 400
    day.said.add("charon-is-cheap")


def ask_badly(day: Day) -> None:
    """Every kind of bad request, each with something personal in it."""
    person = {"phone": PHONES[0], "firstName": NAMES[0], "email": EMAIL}
    body = json.dumps(person).encode()
    as_json = {"Content_Type": "application/json"}
    paths = urlencode(person)
    for method, path, sent, headers in (
        ("POST", "/api/contacts", body, as_json),
        ("POST", "/api/contacts", body[:-1], as_json),
        ("POST", "/api/contacts", b"[" + body + b"]", as_json),
        ("POST", "/api/contacts", body * (MEGABYTE // len(body) + 1), as_json),
        ("POST", "/api/contacts", body, {"Content_Type": "text/plain"}),
        ("POST", "/api/contacts", body, as_json | {"Origin": f"https://{NAMES[0]}.example"}),
        ("POST", "/api/contacts", body, as_json | {"Idempotency_Key": f"key {NAMES[0]}"}),
        ("PATCH", "/api/contacts", body, as_json),
        ("GET", f"/api/contacts/{NAMES[0]}?{paths}", None, {}),
        ("GET", f"/{NAMES[0]}/{PHONES[0]}?{paths}", None, {}),
        ("GET", f"/api/contacts?{paths}&{paths}", None, {}),
        ("GET", f"/api/contacts?q={NAMES[0]}%zz", None, {}),
        ("GET", f"/api/contacts?page={NAMES[0]}", None, {}),
        ("GET", "/api/me", None, {"Authorization": f"Bearer {NAMES[0]}.{PASSWORD}"}),
        ("GET", "/api/me", None, {"Authorization": f"Basic {EMAIL}:{PASSWORD}"}),
        ("GET", "/healthz", None, {"X_Request_ID": f"{NAMES[0]} {EMAIL}", "Referer": EMAIL}),
        ("GET", "/healthz", None, {"User_Agent": NAMES[0], "X_Forwarded_For": NAMES[0]}),
        ("POST", "/api/auth/refresh", None, {"Cookie": f"rt={day.cookie}{PASSWORD}"}),
    ):
        status, reply = day.ask(method, path, sent, **headers)
        assert status < 500, (method, path, reply)


def speak_no_http(day: Day) -> None:
    """What never reaches the application: the server itself answers, and may log."""
    secret = f"secret={SECRETS['WEBHOOK_SECRET']}"
    for head in (
        f"GET /webhooks/mitto/dlr?{secret}&to=+306984303491 HTTP/9.9",
        f"GET /webhooks/mitto/dlr?{secret} {NAMES[0]} HTTP/1.1",
        f"{NAMES[0].upper()}! /{NAMES[0]} HTTP/1.1",
        f"GET /healthz HTTP/1.1\r\nHost: x\r\n{NAMES[0]} {EMAIL}: 1",
        f"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Phone {PHONES[0]}",
        f"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Name: {NAMES[0]}\x00",
        f"GET /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: {NAMES[0]}",
        f"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: {NAMES[0]}",
        f"GET /{NAMES[0] * 1000} HTTP/1.1",
        f"{NAMES[0]} {EMAIL} {PASSWORD}",
    ):
        for answer in day.server.say(f"{head}\r\n\r\n".encode()):
            assert answer.status < 500 or answer.status == http.HTTPStatus.NOT_IMPLEMENTED


@pytest.mark.slow
@pytest.mark.parametrize("log_format", ["json", "text"])
def test_no_log_of_a_whole_day_tells_of_people_texts_tokens_or_secrets(day: Day) -> None:
    for part in (sign_up, take_in_people, send_to_them, let_one_go):
        part(day)
    for part in (report_by_hand, ask_badly, speak_no_http):
        part(day)
    assert day.ask("POST", "/api/auth/logout", Cookie=f"rt={day.cookie}")[0] == 200
    day.plant.stop()

    files = [day.server.log, *(day.plant.directory / f"{name}.log" for name in PROCESSES)]
    texts = {EMAIL, PASSWORD, WRONG_PASSWORD, *PHONES, *NAMES, *day.said, *SECRETS.values()}
    texts |= {"Nectar tonight", "ambrosia", "Chthonic", "olympus", "Minthe", "obols", "HYACINTHUS"}
    assert harmless_logs.findings_in(files, texts) == []
