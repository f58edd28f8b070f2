"""The demo store: made on the first start through the operator's command line."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import attrs

from workers.dev.children import Child, Supervisor
from workers.dev.homemade import DemoStore
from workers.dev.plan import command_line

CREDITS: Final = 100_000
DONE: Final = 0
REFUSED: Final = 1


async def seed(
    supervisor: Supervisor, variables: Mapping[str, str], path: Path
) -> DemoStore | None:
    """Make the demo store if the database has none, and go on with a making that was cut short.

    Gives None if nobody can sign in. A failure is told and does not hinder the rest: everything
    but the demo still works.
    """
    kept = DemoStore.kept(path)
    store = kept or DemoStore.new()
    store.write(path)
    answer: list[str] = []
    account = Child("setup", command_line(*_account(store)), variables)
    code = await supervisor.run(account, answer.append)
    if code == DONE:
        # a new database: what an older one had got is not there
        store = attrs.evolve(store, done=())
        store.write(path)
    elif code != REFUSED or kept is None:
        if code == REFUSED:
            # somebody else's account: the password just made is not its password
            DemoStore.forget(path)
        _tell(supervisor, answer, f"the demo store could not be made (exit code {code})")
        return None
    return await _complete(supervisor, variables, path, store)


async def _complete(
    supervisor: Supervisor, variables: Mapping[str, str], path: Path, store: DemoStore
) -> DemoStore:
    for step, done in _steps(store):
        if step[0] in store.done or supervisor.stop.wanted.is_set():
            continue
        answer: list[str] = []
        command = Child("setup", command_line(*step), variables)
        if await supervisor.run(command, answer.append) != DONE:
            _tell(supervisor, answer, f"the demo store is not complete: {step[0]} failed")
            return store
        supervisor.console.line("setup", f"the demo store has {done}")
        store = attrs.evolve(store, done=(*store.done, step[0]))
        store.write(path)
    return store


def _tell(supervisor: Supervisor, answer: list[str], text: str) -> None:
    if supervisor.stop.wanted.is_set():
        # the command was broken off by us, and the next start goes on with it
        return
    for line in answer:
        supervisor.console.line("setup", line)
    supervisor.console.say(text)


def _account(store: DemoStore) -> tuple[str, ...]:
    return (
        *("create-account", "--email", store.email, f"--password={store.password}"),
        *("--company", "Demo Store", "--sender", "Demo"),
    )


def _steps(store: DemoStore) -> tuple[tuple[tuple[str, ...], str], ...]:
    """Commands, and what the store has after each."""
    who = ("--email", store.email)
    grant = ("--credits", str(CREDITS), "--reason", "a start for the demo store")
    return (
        (("activate-subscription", *who, "--plan", "starter"), "an active subscription"),
        (("grant-credits", *who, *grant), f"{CREDITS:,} credits"),
    )
