"""What will run, and with which settings: read from the environment before anything starts."""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import attrs

from retail_core.kernel.settings import AppEnv, Env, read_dotenv
from workers.dev.children import Child
from workers.dev.embedded import EmbeddedPostgres, EmbeddedServer, EmbeddedValkey
from workers.dev.embedded.processes import remembered_port
from workers.dev.homemade import SECRETS, fill_in_secrets

PORT: Final = 3001
DISABLED: Final = "disabled"


@attrs.frozen
class Server:
    """An embedded server and the settings that get its address."""

    name: str
    settings: tuple[str, ...]
    server: EmbeddedServer


@attrs.frozen
class Plan:
    """One run. `variables` is what every child gets, but for the addresses of the servers."""

    directory: Path
    port: int
    variables: Mapping[str, str] = attrs.field(repr=False)
    servers: tuple[Server, ...]
    preparation: tuple[tuple[str, ...], ...]
    children: Callable[[Mapping[str, str]], tuple[Child, ...]]
    seeds_demo: bool = True

    @property
    def var(self) -> Path:
        """Where all data of the run lie."""
        return self.directory / "var"


def read_plan(variables: Mapping[str, str], directory: Path) -> Plan:
    """Decide what to run: what an address is given for is not started here.

    Raises SettingsError for a bad variable.
    """
    var = directory / "var"
    var.mkdir(exist_ok=True)
    known = {name: text for name, text in variables.items() if text.strip()}
    known = {"APP_ENV": "development"} | read_dotenv(directory / ".env") | known
    env = Env(known)
    if env.app_env is not AppEnv.DEVELOPMENT:
        env.problem("APP_ENV", "everything at once is for development")
    port = env.integer("PORT", default=PORT, minimum=1, maximum=65_535)
    worker_wanted = env.flag("START_WORKER", default=True)
    queue_wanted = not env.flag("QUEUE_DISABLED", default=False)
    env.finish()
    simulated = "MITTO_API_BASE" not in known
    # a real gateway's key cannot be invented
    names = (*SECRETS, "MITTO_API_KEY") if simulated else SECRETS
    known = fill_in_secrets(var / "secrets.env", known, names) | known
    if simulated:
        known |= _of_simulator(remembered_port(var / "mitto.port"))
    known = _defaults(port) | known
    queue = queue_wanted and known.get("REDIS_URL") != DISABLED
    names_of_children = ["mitto"] if simulated else []
    names_of_children += ["api"]
    names_of_children += ["worker"] if worker_wanted and queue else []
    names_of_children += ["scheduler"] if queue else []

    def children(complete: Mapping[str, str]) -> tuple[Child, ...]:
        return tuple(_child(name, complete, var) for name in names_of_children)

    return Plan(
        directory=directory,
        port=port,
        variables=known,
        servers=_servers(known, var),
        preparation=(("migrate",),),
        children=children,
    )


def command_line(*arguments: str) -> tuple[str, ...]:
    """A command of the operator's command line."""
    return (sys.executable, "-m", "workers.cli", *arguments)


def _servers(known: Mapping[str, str], var: Path) -> tuple[Server, ...]:
    servers: list[Server] = []
    if "DATABASE_URL" not in known:
        postgres = EmbeddedPostgres(var / "postgres")
        # both: a direct address from elsewhere would let the migrations loose on another database
        settings = ("DATABASE_URL", "DIRECT_DATABASE_URL")
        servers.append(Server("PostgreSQL", settings, postgres))
    if "REDIS_URL" not in known and "REDIS_HOST" not in known:
        servers.append(Server("Valkey", ("REDIS_URL",), EmbeddedValkey(var / "valkey")))
    return tuple(servers)


def _of_simulator(port: int) -> dict[str, str]:
    return {
        "MITTO_API_BASE": f"http://127.0.0.1:{port}",
        "SMS_TRAFFIC_ACCOUNT_ID": "demo",
        # the simulator takes our number with a message and says it in every report
        "SMS_SEND_REFERENCE": "1",
        # nobody else sends through it
        "SMS_ACCOUNT_IS_SHARED": "0",
        "SIMULATOR_PORT": str(port),
    }


def _defaults(port: int) -> dict[str, str]:
    return {
        "PORT": str(port),
        "PUBLIC_BASE_URL": f"http://127.0.0.1:{port}",
        "LOG_FORMAT": "text",
        "WORKER_CONCURRENCY": "2",
        "PYTHONUNBUFFERED": "1",
        "PATH": os.defpath,
    }


def _child(name: str, variables: Mapping[str, str], var: Path) -> Child:
    python = (sys.executable, "-m")
    if name == "mitto":
        simulator = (*python, "adapters_sms.simulator", "--port", variables["SIMULATOR_PORT"])
        # a random secret may begin with a hyphen, which would look like another option
        files = ("--log", str(var / "mitto.jsonl"), f"--secret={variables['WEBHOOK_SECRET']}")
        reports = f"http://127.0.0.1:{variables['PORT']}/webhooks/mitto/dlr"
        # the worker may be waiting for its answer, and an answer that is lost leaves doubt
        return Child(name, (*simulator, *files, "--callback", reports), variables, last=True)
    if name == "api":
        return Child(name, (*python, "gunicorn", "adapters_http.wsgi:application"), variables)
    return Child(name, (*python, f"workers.{name}"), variables)
