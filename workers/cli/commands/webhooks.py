"""The command that lets what the gateway told us be understood again."""

from argparse import ArgumentParser
from typing import Final

from retail_core.messages.use_cases import ReplayReports
from workers.cli.command import Given, Result, moment

PROVIDERS: Final = ("mitto",)


def replay_webhooks_arguments(parser: ArgumentParser) -> None:
    """Whose calls, and from when on."""
    parser.add_argument("--provider", choices=PROVIDERS, required=True, help="who called")
    parser.add_argument(
        "--since",
        type=moment,
        metavar="TIME",
        help="only what arrived since, as 2026-11-24T01:57Z (UTC if it names no zone); "
        "all that is kept, if not given",
    )


def replay_webhooks(given: Given) -> Result:
    """Let stored delivery reports be applied again; no final state changes by that."""
    given.container.register(ReplayReports)
    replayed = given.container.resolve(ReplayReports)(given.arguments.since)
    return {"provider": given.arguments.provider, "calls": replayed}
