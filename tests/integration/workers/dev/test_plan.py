import asyncio
import io
import json
import sys
from pathlib import Path

import pytest

from adapters_sms.simulator.__main__ import options_of
from retail_core.kernel.settings import SettingsError, read_dotenv
from workers.dev import demo
from workers.dev.children import Stop, Supervisor
from workers.dev.console import Console
from workers.dev.homemade import DemoStore
from workers.dev.leftovers import Leftovers
from workers.dev.plan import read_plan

ADDRESSES = {"DATABASE_URL": "postgresql://h/d", "REDIS_URL": "redis://h"}


def names_of(directory: Path, **variables: str) -> list[str]:
    plan = read_plan(ADDRESSES | variables, directory)
    return [child.name for child in plan.children(plan.variables)]


def test_without_any_setting_everything_is_ours(tmp_path: Path) -> None:
    plan = read_plan({}, tmp_path)
    assert [each.name for each in plan.servers] == ["PostgreSQL", "Valkey"]
    assert plan.port == 3001
    assert plan.variables["APP_ENV"] == "development"
    assert plan.variables["PUBLIC_BASE_URL"] == "http://127.0.0.1:3001"
    children = {child.name: child for child in plan.children(plan.variables)}
    assert list(children) == ["mitto", "api", "worker", "scheduler"]
    simulator = children["mitto"]
    assert simulator.last
    assert simulator.argv[1:3] == ("-m", "adapters_sms.simulator")
    assert "http://127.0.0.1:3001/webhooks/mitto/dlr" in simulator.argv
    assert plan.variables["MITTO_API_BASE"].rpartition(":")[2] in simulator.argv


def test_what_has_an_address_is_not_started_here(tmp_path: Path) -> None:
    plan = read_plan(ADDRESSES | {"MITTO_API_BASE": "https://gateway.example"}, tmp_path)
    assert plan.servers == ()
    assert [child.name for child in plan.children(plan.variables)] == ["api", "worker", "scheduler"]
    assert "MITTO_API_KEY" not in plan.variables


def test_the_worker_may_be_left_out_and_without_a_queue_nobody_serves_it(tmp_path: Path) -> None:
    assert names_of(tmp_path, START_WORKER="0") == ["mitto", "api", "scheduler"]
    assert names_of(tmp_path, QUEUE_DISABLED="1") == ["mitto", "api"]
    assert names_of(tmp_path, REDIS_URL="disabled") == ["mitto", "api"]


def test_a_direct_address_from_elsewhere_never_reaches_the_embedded_migrations(
    tmp_path: Path,
) -> None:
    plan = read_plan({"DIRECT_DATABASE_URL": "postgresql://elsewhere/d"}, tmp_path)
    assert plan.servers[0].settings == ("DATABASE_URL", "DIRECT_DATABASE_URL")


def test_missing_secrets_are_made_once_and_kept_for_their_owner_only(tmp_path: Path) -> None:
    first = read_plan(ADDRESSES, tmp_path)
    second = read_plan(ADDRESSES, tmp_path)
    path = tmp_path / "var" / "secrets.env"
    assert path.stat().st_mode & 0o777 == 0o600
    for name in ("JWT_SECRET", "UNSUBSCRIBE_TOKEN_SECRET", "WEBHOOK_SECRET", "MITTO_API_KEY"):
        assert len(first.variables[name]) >= 32
        assert first.variables[name] == second.variables[name] == read_dotenv(path)[name]


def test_a_secret_that_begins_with_a_hyphen_is_not_taken_for_an_option(tmp_path: Path) -> None:
    plan = read_plan(ADDRESSES | {"WEBHOOK_SECRET": "-looks-like-an-option"}, tmp_path)
    (simulator, *_) = plan.children(plan.variables)

    options = options_of(simulator.argv[3:])

    assert options.callback.secret == "-looks-like-an-option"


def test_given_secrets_are_used_and_not_written_down(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("JWT_SECRET=from-the-file\n")
    plan = read_plan(ADDRESSES | {"WEBHOOK_SECRET": "from-outside"}, tmp_path)
    assert plan.variables["JWT_SECRET"] == "from-the-file"
    assert plan.variables["WEBHOOK_SECRET"] == "from-outside"
    kept = read_dotenv(tmp_path / "var" / "secrets.env")
    assert set(kept) == {"UNSUBSCRIBE_TOKEN_SECRET", "MITTO_API_KEY"}


def test_production_and_malformed_settings_are_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        read_plan({"APP_ENV": "production", "PORT": "http"}, tmp_path)
    assert [line.partition(":")[0] for line in caught.value.problems] == ["APP_ENV", "PORT"]


class Desk:
    """A stand-in for the command line that writes down its calls and answers as it is told."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.directory = directory
        self.stream = io.StringIO()
        script = directory / "desk.py"
        script.write_text(
            "import json, pathlib, sys\n"
            "here = pathlib.Path(__file__).parent\n"
            "with (here / 'calls').open('a') as file:\n"
            "    file.write(json.dumps(sys.argv[1:]) + '\\n')\n"
            "print('asked for', sys.argv[1])\n"
            "sys.exit(json.loads((here / 'codes').read_text()).get(sys.argv[1], 0))\n"
        )
        monkeypatch.setattr(
            demo, "command_line", lambda *words: (sys.executable, str(script), *words)
        )

    def seed(self, **codes: int) -> DemoStore | None:
        answers = {name.replace("_", "-"): code for name, code in codes.items()}
        (self.directory / "codes").write_text(json.dumps(answers))
        (self.directory / "calls").write_text("")
        supervisor = Supervisor(
            Console(self.stream, colour=False),
            Stop(),
            Leftovers(self.directory / "processes.json"),
            self.directory,
        )
        return asyncio.run(demo.seed(supervisor, {}, self.directory / "demo.json"))

    def calls(self) -> list[list[str]]:
        return [json.loads(line) for line in (self.directory / "calls").read_text().splitlines()]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(tmp_path, monkeypatch)


def test_the_demo_store_gets_an_account_a_subscription_and_credits_once(desk: Desk) -> None:
    store = desk.seed()
    assert store is not None
    assert [call[0] for call in desk.calls()] == [
        "create-account",
        "activate-subscription",
        "grant-credits",
    ]
    assert f"--password={store.password}" in desk.calls()[0]
    assert "100000" in desk.calls()[2]
    again = desk.seed(create_account=1)
    assert again == store
    assert [call[0] for call in desk.calls()] == ["create-account"]
    assert (desk.directory / "demo.json").stat().st_mode & 0o777 == 0o600


def test_a_seeding_that_was_cut_short_goes_on_where_it_ended(desk: Desk) -> None:
    desk.seed(grant_credits=2)
    assert "grant-credits failed" in desk.stream.getvalue()
    desk.seed(create_account=1)
    assert [call[0] for call in desk.calls()] == ["create-account", "grant-credits"]


def test_a_new_database_gets_its_demo_store_again_with_the_same_sign_in(desk: Desk) -> None:
    first = desk.seed()
    second = desk.seed()
    assert len(desk.calls()) == 3
    assert first == second


def test_an_account_whose_password_is_not_known_here_is_not_shown(desk: Desk) -> None:
    assert desk.seed(create_account=1) is None
    assert "asked for create-account" in desk.stream.getvalue()
    assert not (desk.directory / "demo.json").exists()


def test_a_making_that_was_broken_off_keeps_its_password_for_the_next_start(desk: Desk) -> None:
    assert desk.seed(create_account=3) is None
    password = json.loads((desk.directory / "demo.json").read_text())["password"]
    # the account had been made before the end came
    store = desk.seed(create_account=1)
    assert store is not None
    assert store.password == password
    assert len(desk.calls()) == 3
