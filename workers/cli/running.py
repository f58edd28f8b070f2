"""From the words of a command line to what is printed and how the process ends."""

import json
import os
from argparse import ArgumentParser
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from retail_core.kernel.audit import Agent, AgentKind, acting
from retail_core.kernel.errors import DomainError
from retail_core.kernel.settings import AppSettings, SettingsError, read_env
from workers.cli.command import Command, Given, Refused, Result
from workers.cli.preparing import log_to_standard_error, prepared
from workers.cli.table import COMMANDS

DONE: Final = 0
REFUSED: Final = 1
USAGE: Final = 2


def main(
    words: Sequence[str],
    variables: Mapping[str, str] = os.environ,
    set_up_logs: Callable[[AppSettings], None] = log_to_standard_error,
) -> int:
    """Run one command: 0 done, 1 refused, 2 wrong words or settings."""
    arguments = parser().parse_args(words)
    command: Command = arguments.command
    try:
        env = read_env(variables, Path.cwd())
        with prepared(env, command.needs, set_up_logs) as container:
            result, code = _run(command, Given(arguments, container)), DONE
    except SettingsError as error:
        result, code = {"code": "SETTINGS", "message": str(error)}, USAGE
    except DomainError as error:
        result, code = _refusal(error), REFUSED
    except Refused as refused:
        result, code = refused.result, REFUSED
    show(result, as_json=arguments.json)
    return code


def _run(command: Command, given: Given) -> Result:
    with acting(Agent(AgentKind.OPERATOR)):
        return command.run(given)


def parser() -> ArgumentParser:
    """All commands; a wrong word ends the process with 2."""
    whole = ArgumentParser(prog="workers.cli", description="The operator's command line.")
    commands = whole.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        one = commands.add_parser(command.name, help=command.summary, description=command.summary)
        one.add_argument("--json", action="store_true", help="print one JSON object")
        command.arguments(one)
        one.set_defaults(command=command, refuse=one.error)
    return whole


def show(result: Result, *, as_json: bool) -> None:
    """Print a result: one JSON object, or a line for each value."""
    if as_json:
        print(json.dumps(result, ensure_ascii=False, default=str))
        return
    for name, value in result.items():
        if isinstance(value, list | tuple):
            print(f"{name}: {len(value)}")
            for item in value:
                print(f"  {item}")
        else:
            print(f"{name}: {value}")


def _refusal(error: DomainError) -> Result:
    refusal: dict[str, object] = {"code": error.code, "message": error.message}
    if error.fields:
        refusal["fields"] = {fault.path: fault.message for fault in error.fields}
    return refusal | dict(error.extra)
