"""Commands that look after the system itself."""

from argparse import ArgumentParser
from typing import Final

import attrs

from adapters_db.campaigns.recount import SqlCampaignAudit
from adapters_db.connection.reads import Reads
from adapters_db.operations.migrate import current, upgrade
from adapters_db.settings import DatabaseSettings
from adapters_sms.simulator.__main__ import main as run_simulator
from retail_core.credits.use_cases import VerifyLedger
from workers.cli.command import Given, Refused, Result
from workers.jobs.cleaning import CleanUp

MISMATCHES_MAX: Final = 1000


def no_arguments(_parser: ArgumentParser) -> None:
    """Nothing to be given."""


def migrate(given: Given) -> Result:
    """Bring the schema to the newest version."""
    url = given.container.resolve(DatabaseSettings).direct_url
    before = current(url)
    upgrade(url)
    return {"from": before, "to": current(url)}


def verify_ledger(given: Given) -> Result:
    """Add everything up again. Refused, with a list, if anything differs; repairs nothing."""
    given.container.register(VerifyLedger)
    wallets = given.container.resolve(VerifyLedger)()
    audit = SqlCampaignAudit(given.container.resolve(Reads))
    campaigns = audit.mismatches_across_accounts(MISMATCHES_MAX)
    result = {
        "wallets": [attrs.asdict(each) for each in wallets],
        "campaigns": [attrs.asdict(each) for each in campaigns],
    }
    if wallets or campaigns:
        raise Refused(result)
    return result


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


def simulate_mitto(given: Given) -> Result:
    """Run the gateway's simulator until it is stopped."""
    words = given.arguments
    options = ["--port", words.port, "--log", words.log]
    for name in ("callback", "secret", "scenario"):
        value = getattr(words, name)
        options += [f"--{name}", value] if value is not None else []
    for fault in words.fault:
        options += ["--fault", fault]
    run_simulator(options)
    return {"stopped": True}
