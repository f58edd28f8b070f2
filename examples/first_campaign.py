"""From a CSV file to delivered messages, over the HTTP API alone.

Start the system with `make run`, then, in a second terminal:

    python3 examples/first_campaign.py --password PASSWORD-THAT-MAKE-RUN-PRINTED

It imports made-up customers, writes a campaign, sends it through the gateway simulator, waits
until all messages are delivered and compares the wallet with the parts that were sent. It needs
nothing but Python.
"""

import argparse
import csv
import io
import json
import secrets
import sys
import time
import urllib.error
import urllib.request
import uuid
from typing import Any

FIRST_NAMES = (
    *("Maria", "George", "Eleni", "Nikos", "Anna", "Peter", "Sofia", "John"),
    *("Μαρία", "Γιώργος", "Ελένη", "Νίκος", "Άννα", "Πέτρος", "Σοφία", "Χρήστος"),
)
LAST_NAMES = ("Papadopoulou", "Smith", "Παπαδόπουλος", "Ιωάννου", "Jones", "Νικολάου")
TEXT = "Hi {{firstName|friend}}, your coffee is on us today until 6!"
MESSAGES_PER_PAGE = 200


class Api:
    """The few calls that are needed, with the access token once there is one."""

    def __init__(self, base: str) -> None:
        self.base = base.rstrip("/")
        self.token = ""

    def call(
        self, method: str, path: str, body: bytes | None = None, kind: str = "application/json"
    ) -> Any:
        """Send a request; a refusal ends the program with what the API says."""
        headers = {"Content-Type": kind} if body is not None else {}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if method == "POST" and self.token:
            headers["Idempotency-Key"] = str(uuid.uuid4())
        request = urllib.request.Request(self.base + path, body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=120) as reply:
                return json.load(reply)
        except urllib.error.HTTPError as error:
            sys.exit(f"{method} {path}: {error.code} {error.read().decode()}")
        except OSError as error:
            sys.exit(f"{self.base} does not answer ({error}). Is `make run` running?")

    def post(self, path: str, **fields: object) -> Any:
        """Send JSON."""
        return self.call("POST", path, json.dumps(fields).encode())

    def get(self, path: str) -> Any:
        """Read JSON."""
        return self.call("GET", path)


def customers(count: int) -> bytes:
    """A CSV file of made-up people with Greek and English names and different Greek numbers."""
    start = secrets.randbelow(90_000_000)
    file = io.StringIO()
    table = csv.writer(file)
    table.writerow(["phone", "firstName", "lastName", "email"])
    for number in range(count):
        table.writerow(
            [
                f"69{(start + number) % 100_000_000:08d}",
                FIRST_NAMES[number % len(FIRST_NAMES)],
                LAST_NAMES[number % len(LAST_NAMES)],
                f"person{start + number}@example.com",
            ]
        )
    return file.getvalue().encode()


def import_contacts(api: Api, content: bytes) -> dict[str, Any]:
    """Upload the file and wait until the worker has read it."""
    boundary = uuid.uuid4().hex
    part = (
        f"--{boundary}\r\n"
        'Content-Disposition: form-data; name="file"; filename="customers.csv"\r\n'
        "Content-Type: text/csv\r\n\r\n"
    )
    body = part.encode() + content + f"\r\n--{boundary}--\r\n".encode()
    kind = f"multipart/form-data; boundary={boundary}"
    job = api.call("POST", "/api/contacts/import", body, kind)
    while True:
        state: dict[str, Any] = api.get(f"/api/contacts/import/{job['jobId']}")
        if state["status"] in {"completed", "failed"}:
            return state
        time.sleep(0.2)


def follow(api: Api, campaign: int, seconds_max: float) -> dict[str, int]:
    """Show the campaign's progress until every message has its final state."""
    until = time.monotonic() + seconds_max
    while True:
        metrics: dict[str, int] = api.get(f"/api/campaigns/{campaign}/status")["metrics"]
        shown = ", ".join(f"{key} {value}" for key, value in metrics.items() if value)
        print(f"  {shown}", flush=True)
        if metrics["queued"] == 0 and metrics["sent"] == 0:
            return metrics
        if time.monotonic() > until:
            sys.exit("not everything was delivered in time")
        time.sleep(1)


def credits_of_messages(api: Api, campaign: int) -> int:
    """What the message log says was charged, message by message."""
    total, page = 0, 1
    while True:
        path = f"/api/campaigns/{campaign}/messages?page={page}&pageSize={MESSAGES_PER_PAGE}"
        items = api.get(path)["items"]
        if not items:
            return total
        total += sum(item["credits"] for item in items if item["status"] == "delivered")
        page += 1


def main() -> None:
    """Run the whole path and print what happens."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--base", default="http://127.0.0.1:3001")
    options.add_argument("--email", default="demo@example.com")
    options.add_argument("--password", required=True)
    options.add_argument("--contacts", type=int, default=10_000)
    options.add_argument("--seconds-max", type=float, default=300)
    chosen = options.parse_args()

    api = Api(chosen.base)
    signed_in = api.post("/api/auth/login", email=chosen.email, password=chosen.password)
    api.token = signed_in["accessToken"]
    before = api.get("/api/me")["user"]["credits"]
    print(f"signed in as {chosen.email}, {before} credits")

    began = time.monotonic()
    state = import_contacts(api, customers(chosen.contacts))
    if state["status"] == "failed":
        sys.exit(f"the import failed: {state['error']}")
    took = time.monotonic() - began
    print(f"imported in {took:.1f} s: {state['results']['created']} contacts created")

    campaign = api.post("/api/campaigns", name="Coffee hour", messageText=TEXT)
    sample = api.get(f"/api/campaigns/{campaign['id']}/preview")["sample"][0]
    print(f"for example, to {sample['to']}:\n    " + sample["fullText"].replace("\n", "\n    "))

    began = time.monotonic()
    started = api.post(f"/api/campaigns/{campaign['id']}/enqueue")
    print(f"enqueued {started['queued']} messages, {started['credits']['held']} credits held")
    metrics = follow(api, campaign["id"], chosen.seconds_max)
    print(f"{metrics['delivered']} messages delivered in {time.monotonic() - began:.1f} s")

    after = api.get("/api/me")["user"]["credits"]
    charged = credits_of_messages(api, campaign["id"])
    print(f"the wallet went from {before} to {after}: {before - after} credits for {charged} parts")
    if before - after != charged:
        sys.exit("the wallet does not fit the parts sent")


if __name__ == "__main__":
    main()
