"""Commands that look after the system itself."""

import itertools
import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Final, NoReturn

import attrs

from adapters_db.campaigns.books import Books, SqlBooks
from adapters_db.connection.connections import Connections
from adapters_db.operations.migrate import current, upgrade
from adapters_db.settings import DatabaseSettings
from retail_core.kernel.ids import AccountId
from retail_core.kernel.process.machine import SystemClock
from workers.cli.command import Given, Refused, Result
from workers.jobs.checking_books import ACCOUNTS_PER_STEP_MAX, CODE, alarm
from workers.jobs.cleaning import CleanUp

SIMULATOR: Final = "adapters_sms.simulator"
NO_SCHEMA: Final = "0000"
MISMATCHES_MAX: Final = 1000


def no_arguments(_parser: ArgumentParser) -> None:
    """Nothing to be given."""


def migrate(given: Given) -> Result:
    """Bring the schema to the newest version."""
    url = given.container.resolve(DatabaseSettings).direct_url
    before = current(url)
    upgrade(url)
    return {"schema": f"{before or NO_SCHEMA} -> {current(url)}"}


def verify_ledger(given: Given) -> Result:
    """Add everything up again, account by account. Refused, with a list, if anything differs;
    repairs nothing.
    """
    books = SqlBooks(given.container.resolve(Connections))
    found = list(itertools.islice(_wrong_books(books), MISMATCHES_MAX))
    campaigns = (each for wrong in found for each in wrong.campaigns)
    result: dict[str, object] = {
        "wallets": [attrs.asdict(each.wallet) for each in found if each.wallet is not None],
        "holds": [attrs.asdict(each.holds) for each in found if each.holds is not None],
        "campaigns": [attrs.asdict(each) for each in itertools.islice(campaigns, MISMATCHES_MAX)],
    }
    if found:
        raise Refused({"code": CODE, **result})
    return result


def _wrong_books(books: SqlBooks) -> Iterator[Books]:
    """Those of accounts in which something differs; each raises an alarm as in the hourly check."""
    clock, after = SystemClock(), AccountId(-1)
    while accounts := books.accounts(after, ACCOUNTS_PER_STEP_MAX):
        for account in accounts:
            found = books.verify(account, clock.now())
            if not found.are_right:
                alarm(found)
                yield found
        after = accounts[-1]


def prune_arguments(parser: ArgumentParser) -> None:
    """Whether to remove or only to count."""
    parser.add_argument("--dry-run", action="store_true", help="only count")


def prune(given: Given) -> Result:
    """Remove what has been kept long enough."""
    given.container.register(CleanUp)
    dry_run: bool = given.arguments.dry_run
    counts = given.container.resolve(CleanUp)(dry_run=dry_run)
    return {"dryRun": dry_run, **counts}


def simulate_mitto_arguments(parser: ArgumentParser) -> None:
    """Where to listen, and what goes wrong."""
    parser.add_argument("--port", default="3901", help="0 takes a free one")
    parser.add_argument("--log", default="var/mitto.jsonl", help="what was sent, as JSON lines")
    parser.add_argument("--callback", help="address for delivery reports")
    parser.add_argument("--secret", help="what the reports prove themselves with")
    parser.add_argument("--scenario", help="a JSON file of what goes wrong when")
    parser.add_argument("--fault", action="append", default=[], metavar="NAME[:RATE]")


def simulate_mitto(given: Given) -> NoReturn:
    """Run the gateway's simulator until it is stopped."""
    words = given.arguments
    options = ["--port", words.port, "--log", words.log]
    for name in ("callback", "secret", "scenario"):
        value = getattr(words, name)
        options += [f"--{name}", value] if value is not None else []
    for fault in words.fault:
        options += ["--fault", fault]
    if find_spec(SIMULATOR) is None:
        raise Refused({"code": "NOT_INSTALLED", "message": "The simulator is for development."})
    # in our place, so that whoever stops us stops it
    os.execv(sys.executable, [sys.executable, "-m", SIMULATOR, *options])  # noqa: S606
