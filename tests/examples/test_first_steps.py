"""What the README tells a newcomer to type, typed into the system that `make run` starts."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from workers.dev.embedded.processes import free_port

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
START_SECONDS = 90
CONTACTS = 500
TALK = 'curl() { command curl --fail-with-body "$@"; }\n'
FILE_IS_READ = """
until curl -s $API/api/contacts -H "$AUTH" | grep -q '"total":3'; do sleep 0.2; done
"""
ALL_ARRIVED = """
until curl -s $CAMPAIGN/status -H "$AUTH" | grep -q '"delivered":3'; do sleep 0.2; done
"""

pytestmark = [pytest.mark.servers, pytest.mark.slow]


@attrs.frozen
class Running:
    """The system as `make run` has it, in a directory of its own."""

    process: "subprocess.Popen[bytes]"
    directory: Path
    port: int

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def password(self) -> str:
        kept = json.loads((self.directory / "var" / "demo.json").read_text())
        return str(kept["password"])

    def text(self) -> str:
        return (self.directory / "run.log").read_text()

    def type(self, *words: str) -> str:
        """Run a command in the directory, which must succeed."""
        done = subprocess.run(
            words, cwd=self.directory, capture_output=True, text=True, timeout=90, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr + self.text()
        return done.stdout


@pytest.fixture
def running(server_directory: Path) -> Iterator[Running]:
    port = free_port()
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    with (server_directory / "run.log").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "workers.dev"],
            cwd=server_directory,
            env={**kept, "PORT": str(port)},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    run = Running(process, server_directory, port)
    try:
        end = time.monotonic() + START_SECONDS
        while f"Address:   {run.base}" not in run.text():
            assert process.poll() is None, run.text()
            assert time.monotonic() < end, run.text()
            time.sleep(0.1)
        yield run
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(30)


def tutorial(running: Running) -> str:
    """The commands of the README, with what this run printed in place of what it says."""
    (commands,) = re.findall(r"```sh\n(API=.*?)```", README.read_text(), re.DOTALL)
    return (
        str(commands)
        .replace("http://127.0.0.1:3001", running.base)
        .replace('"PASSWORD"', f'"{running.password}"')
        .replace("sleep 2\n", FILE_IS_READ)
    )


def test_a_newcomer_reaches_delivered_messages_by_the_readme_and_by_the_example(
    running: Running,
) -> None:
    if shutil.which("bash") is None or shutil.which("curl") is None:
        pytest.skip("the tutorial is for bash and curl, and one of them is not here")
    running.type("bash", "-euo", "pipefail", "-c", TALK + tutorial(running) + ALL_ARRIVED)

    script = str(ROOT / "examples" / "first_campaign.py")
    words = ("--base", running.base, "--password", running.password, "--contacts", str(CONTACTS))
    said = running.type(sys.executable, script, *words)
    assert f"{CONTACTS} contacts created" in said
    assert re.search(rf"^{CONTACTS + 3} messages delivered", said, re.MULTILINE)

    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(30) == 0
    log = running.text()
    assert log.count(running.password) == 1, "only the banner shows the password"
    secrets = (running.directory / "var" / "secrets.env").read_text().splitlines()[1:]
    assert not [line for line in secrets if line.partition("=")[2] in log]
    assert "coffee" not in log
    assert not re.search(r"69\d{8}", log)
