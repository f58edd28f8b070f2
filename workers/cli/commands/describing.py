"""The description of the API."""

from argparse import ArgumentParser
from pathlib import Path

from adapters_http.description.document import Description
from adapters_http.routes import ROUTES
from workers.cli.command import Given, Result


def openapi_arguments(parser: ArgumentParser) -> None:
    """Where to write; what is printed is JSON in any case."""
    parser.add_argument("--output", help="a file to write instead of printing")
    parser.set_defaults(json=True)


def openapi(given: Given) -> Result:
    """Describe every route as OpenAPI."""
    description = Description.of(ROUTES)
    output: str | None = given.arguments.output
    if output is None:
        return description.document
    Path(output).write_bytes(description.text())
    return {"written": output, "routes": len(ROUTES)}
