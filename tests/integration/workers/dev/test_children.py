import asyncio
import io
import os
import signal
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path

import psutil
import pytest

from workers.dev.children import Backoff, Child, Stop, Supervisor
from workers.dev.console import Console
from workers.dev.leftovers import Leftovers

SLEEP = "import time; print('ready', flush=True); time.sleep(600)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEP
PARENT = (
    "import subprocess, sys; kin = subprocess.Popen([sys.executable, '-c', sys.argv[1]]); "
    "print('kin', kin.pid, flush=True); kin.wait()"
)


class Scene:
    """A supervisor whose console is a text."""

    def __init__(self, directory: Path) -> None:
        self.stream = io.StringIO()
        self.directory = directory
        self.leftovers = Leftovers(directory / "processes.json")

    def supervisor(self) -> Supervisor:
        return Supervisor(
            Console(self.stream, colour=False),
            Stop(),
            self.leftovers,
            self.directory,
            backoff=Backoff(first_seconds=0.05, longest_seconds=0.2),
            grace_seconds=0.5,
        )

    async def wait_for(self, text: str, times: int = 1) -> None:
        async with asyncio.timeout(20):
            while self.stream.getvalue().count(text) < times:  # noqa: ASYNC110 - has no event
                await asyncio.sleep(0.02)

    def pid_of(self, name: str) -> int:
        found = [entry for entry in self.leftovers._read() if entry["name"] == name]
        return int(str(found[-1]["pid"]))

    def lines(self) -> list[str]:
        return self.stream.getvalue().splitlines()


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def python(name: str, code: str, *arguments: str, last: bool = False) -> Child:
    return Child(name, (sys.executable, "-c", code, *arguments), {}, last=last)


def run(
    scene: Scene,
    children: tuple[Child, ...],
    act: Callable[[Supervisor], Coroutine[object, object, None]],
) -> None:
    async def scenario() -> None:
        supervisor = scene.supervisor()
        kept = asyncio.create_task(supervisor.keep(children))
        try:
            await act(supervisor)
        finally:
            if not supervisor.stop.wanted.is_set():
                supervisor.stop.ask()
            async with asyncio.timeout(20):
                await kept

    asyncio.run(scenario())


def test_each_line_begins_with_the_name_of_its_process(scene: Scene) -> None:
    code = "import sys; print('one\\ntwo'); print('Γεια', file=sys.stderr); sys.stdout.write('x')"

    async def act(_: Supervisor) -> None:
        await scene.wait_for("api       | one")
        await scene.wait_for("ended with exit code 0")

    run(scene, (python("api", code),), act)
    assert {"api       | one", "api       | two", "api       | Γεια", "api       | x"} <= set(
        scene.lines()
    )


def test_a_line_without_end_does_not_fill_the_memory(scene: Scene) -> None:
    code = "import sys; sys.stdout.write('x' * 300_000); sys.stdout.flush(); print(); print('end')"

    async def act(_: Supervisor) -> None:
        await scene.wait_for("| end")

    run(scene, (python("api", code),), act)
    assert len([line for line in scene.lines() if "xxx" in line]) > 2


def test_a_killed_child_is_started_again_with_growing_delays(scene: Scene) -> None:
    code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"

    async def act(_: Supervisor) -> None:
        await scene.wait_for("worker was killed by SIGKILL", times=4)

    run(scene, (python("worker", code),), act)
    delays = [line.rpartition(" in ")[2] for line in scene.lines() if "starting it again" in line]
    assert delays[:4] == ["0.05 s", "0.1 s", "0.2 s", "0.2 s"]


def test_a_long_run_begins_the_delays_anew() -> None:
    backoff = Backoff()
    assert backoff.after(0.0, 1.0) == 0.5
    assert backoff.after(8.0, 1.0) == 16.0
    assert backoff.after(20.0, 1.0) == 30.0
    assert backoff.after(16.0, 31.0) == 0.5


def test_a_program_that_is_not_there_is_told_and_tried_again(scene: Scene) -> None:
    async def act(_: Supervisor) -> None:
        await scene.wait_for("api could not be started", times=2)

    run(scene, (Child("api", ("/no/such/program",), {}),), act)


def test_a_stop_ends_children_by_request_and_in_order(scene: Scene) -> None:
    polite = (
        "import signal, sys, time\n"
        "def end(*_): time.sleep(0.2); print('done', flush=True); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end); print('ready', flush=True); time.sleep(600)"
    )

    async def act(supervisor: Supervisor) -> None:
        await scene.wait_for("ready", times=2)
        supervisor.stop.ask()

    run(scene, (python("mitto", polite, last=True), python("worker", polite)), act)
    ends = [line for line in scene.lines() if "done" in line or "ended" in line]
    assert ends == [
        "worker    | done",
        "dev       | worker ended with exit code 0",
        "mitto     | done",
        "dev       | mitto ended with exit code 0",
    ]
    assert scene.leftovers._read() == []


def test_a_stubborn_child_is_killed_when_its_grace_is_over(scene: Scene) -> None:
    async def act(supervisor: Supervisor) -> None:
        await scene.wait_for("ready")
        supervisor.stop.ask()

    began = time.monotonic()
    run(scene, (python("api", STUBBORN),), act)
    assert "dev       | api was killed by SIGKILL" in scene.lines()
    assert time.monotonic() - began < 10


def test_a_second_request_does_not_wait_for_the_grace(tmp_path: Path) -> None:
    scene = Scene(tmp_path)

    async def scenario() -> float:
        supervisor = Supervisor(
            Console(scene.stream, colour=False), Stop(), scene.leftovers, tmp_path, grace_seconds=60
        )
        kept = asyncio.create_task(supervisor.keep((python("api", STUBBORN),)))
        await scene.wait_for("ready")
        supervisor.stop.ask()
        supervisor.stop.ask()
        began = time.monotonic()
        await kept
        return time.monotonic() - began

    assert asyncio.run(scenario()) < 10


def test_what_a_killed_child_leaves_behind_is_ended_too(scene: Scene) -> None:
    kin: list[int] = []

    async def act(_: Supervisor) -> None:
        await scene.wait_for("| kin")
        kin.append(int(scene.stream.getvalue().rpartition("kin ")[2].split()[0]))
        os.kill(scene.pid_of("worker"), signal.SIGKILL)
        await scene.wait_for("| kin", times=2)

    run(scene, (python("worker", PARENT, STUBBORN),), act)
    gone = not psutil.pid_exists(kin[0])
    assert gone or psutil.Process(kin[0]).status() == psutil.STATUS_ZOMBIE


def test_a_command_gives_its_exit_code_and_may_be_read_line_by_line(scene: Scene) -> None:
    async def scenario() -> None:
        supervisor = scene.supervisor()
        lines: list[str] = []
        command = python("setup", "import sys; print('a\\nb'); sys.exit(3)")
        assert await supervisor.run(command, lines.append) == 3
        assert lines == ["a", "b"]
        assert scene.lines() == []

    asyncio.run(scenario())


def test_only_processes_that_are_still_the_same_are_ended(scene: Scene) -> None:
    me = psutil.Process()
    scene.leftovers.add("other", me.pid)
    entries = scene.leftovers._read()
    scene.leftovers._write([entries[0] | {"created": me.create_time() - 3600}])
    assert scene.leftovers.end_all() == []
    assert scene.leftovers._read() == []


def test_the_console_colours_names_only_if_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    stream = io.StringIO()
    Console.on(stream).line("api", "hello")
    assert stream.getvalue().startswith("\x1b[")
    assert stream.getvalue().endswith("| \x1b[0m hello\n") or "api       |\x1b[0m hello" in (
        stream.getvalue()
    )
    monkeypatch.setenv("NO_COLOR", "1")
    assert not Console.on(stream).colour


def test_a_console_whose_reader_has_gone_does_not_stop_the_run() -> None:
    stream = io.StringIO()
    stream.close()
    Console(stream, colour=False).say("nobody hears")
