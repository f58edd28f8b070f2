"""The real processes behind the API: simulator, scheduler and worker, and what they left behind."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout, suppress
from io import StringIO
from pathlib import Path
from typing import Any

import attrs
import psutil
import psycopg

from adapters_sms.simulator.log import read_accepted
from retail_core.kernel.settings import AppSettings
from retail_core.messages.model import MessageState
from tests.integration.workers.watching import until
from workers.cli.running import main

ROOT = Path(__file__).resolve().parents[3]
FIRST_PHONE = 6_900_000_000
WAITS_FOR_SECONDS = 60


def _no_logs(_settings: AppSettings) -> None:
    """The logs of a test process are pytest's."""


@attrs.frozen
class Plant:
    """One run of the processes on a database, a queue and a simulator's log of its own."""

    directory: Path
    variables: Mapping[str, str] = attrs.field(repr=False)
    running: list[psutil.Popen] = attrs.field(factory=list)

    @property
    def gateway_log(self) -> Path:
        return self.directory / "mitto.jsonl"

    def start(self, module: str, *arguments: str, **changes: str) -> psutil.Popen:
        """Start a process; what it writes is kept in the directory. `changes`: its settings."""
        with (self.directory / f"{module}.log").open("ab") as output:
            process = psutil.Popen(
                [sys.executable, "-m", module, *arguments],
                # the code that stands beside this test, wherever another copy is installed
                env={**self.variables, **changes, "PYTHONPATH": str(ROOT)},
                cwd=self.directory,
                stdout=output,
                stderr=output,
            )
        self.running.append(process)
        return process

    def stop(self) -> None:
        """End whatever still runs, and all below it."""
        for process in self.running:
            kill(process)

    def command(self, *words: str) -> dict[str, Any]:
        """Run a command of the operator, which must be done."""
        with redirect_stdout(StringIO()) as output:
            code = main([*words, "--json"], self.variables, _no_logs)
        printed: dict[str, Any] = json.loads(output.getvalue())
        assert code == 0, printed
        return printed

    def shop(self, contacts: int) -> str:
        """A shop with so many contacts and credits for each; gives its e-mail address."""
        email = "owner@example.com"
        who = ("--email", email)
        self.command("create-account", *who, "--password", "long-enough-7", "--sender", "Shop")
        self.command("activate-subscription", *who, "--plan", "starter")
        self.command("grant-credits", *who, "--credits", str(contacts), "--reason", "a test")
        path = self.directory / "contacts.csv"
        numbers = (str(FIRST_PHONE + number) for number in range(contacts))
        path.write_text("\n".join(["phone", *numbers]))
        self.command("import-contacts", *who, str(path))
        return email

    def accepted(self) -> list[str]:
        """The numbers whose phones would have received a message, in order, from the gateway."""
        if not self.gateway_log.exists():
            return []
        return [str(entry.destination).lstrip("+") for entry in read_accepted(self.gateway_log)]

    def ask(self, statement: str, *parameters: object) -> list[Any]:
        """Rows of the database, as its owner sees them."""
        with psycopg.connect(self.variables["DATABASE_URL"]) as connection:
            return connection.execute(statement.encode(), parameters).fetchall()

    def numbers_by_state(self, campaign: int) -> dict[MessageState, list[str]]:
        """The numbers of a campaign's messages, by the state of their rows."""
        found: dict[MessageState, list[str]] = {state: [] for state in MessageState}
        for phone, state in self.ask(
            "SELECT phone, state FROM message WHERE campaign_id = %s", campaign
        ):
            found[MessageState(state)].append(str(phone))
        return found

    def wait_for_end(self, campaign: int) -> None:
        """Wait until nobody of a campaign waits to be sent to."""
        until(lambda: self.state(campaign) == "completed", WAITS_FOR_SECONDS)

    def state(self, campaign: int) -> str:
        ((state,),) = self.ask("SELECT state FROM campaign WHERE id = %s", campaign)
        return str(state)


def kill(process: psutil.Popen) -> None:
    """`kill -9` a process and all below it, at once."""
    try:
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        family = []
    for each in family:
        with suppress(psutil.NoSuchProcess):  # it may have died by itself meanwhile
            each.kill()
    process.wait()


@contextmanager
def started(directory: Path, database_url: str, redis_url: str, **changes: str) -> Iterator[Plant]:
    """A plant whose simulator and scheduler run; `changes` are settings."""
    variables = {
        "APP_ENV": "test",
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "MITTO_API_KEY": "key",
        "SMS_TRAFFIC_ACCOUNT_ID": "account",
        "SMS_BATCH_SIZE": "100",
        "UNSUBSCRIBE_TOKEN_SECRET": "a secret of thirty-two characters",
        "PUBLIC_BASE_URL": "https://example.com",
        "BCRYPT_COST": "4",
        "WORKER_CONCURRENCY": "2",
        **changes,
    }
    (directory / "slow.json").write_text('{"latency_ms": [40, 120]}')
    plant = Plant(directory, variables)
    try:
        files = ("--log", str(plant.gateway_log), "--scenario", "slow.json")
        plant.start("adapters_sms.simulator", *files)
        said = directory / "adapters_sms.simulator.log"
        until(lambda: "listens on" in said.read_text())
        base = {"MITTO_API_BASE": said.read_text().split()[-1]}
        plant = attrs.evolve(plant, variables=variables | base)
        plant.start("workers.scheduler")
        yield plant
    finally:
        plant.stop()
