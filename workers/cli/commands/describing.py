"""The description of the API."""

import json
import subprocess
import sys
from argparse import ArgumentParser
from typing import Final

from workers.cli.command import Given, Refused, Result

PROGRAM: Final = (sys.executable, "-m", "adapters_http.openapi")
"""A process of its own: the API's package is no part of the command line's."""


def openapi_arguments(parser: ArgumentParser) -> None:
    """Where to write; what is printed is JSON in any case."""
    parser.add_argument("--output", help="a file to write instead of printing")
    parser.set_defaults(json=True)


def openapi(given: Given) -> Result:
    """Describe every route as OpenAPI."""
    output: str | None = given.arguments.output
    words = (*PROGRAM,) if output is None else (*PROGRAM, output)
    run = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    if run.returncode != 0:
        raise Refused({"code": "NO_API", "message": run.stderr.strip().rpartition("\n")[2]})
    if output is not None:
        return {"written": output}
    description: Result = json.loads(run.stdout)
    return description
