"""The command that reads the audit log."""

from argparse import ArgumentParser
from typing import Final

from retail_core.kernel.audit import AuditAction, AuditFilter, AuditRecord
from retail_core.kernel.ports import AuditTrail
from workers.cli.command import Given, Result, moment

RECORDS_SHOWN: Final = 100
RECORDS_MAX: Final = 100_000


def audit_arguments(parser: ArgumentParser) -> None:
    """Which deeds, and how many of them."""
    parser.add_argument("--email", help="only what was done to or by this account")
    parser.add_argument(
        "--since",
        type=moment,
        metavar="TIME",
        help="only what was done since, as 2026-11-24T01:57Z (UTC if it names no zone)",
    )
    parser.add_argument("--action", choices=[action.value for action in AuditAction])
    parser.add_argument("--limit", type=int, default=RECORDS_SHOWN, metavar="N")


def audit(given: Given) -> Result:
    """List who did what, the newest first."""
    words = given.arguments
    which = AuditFilter(
        account=None if words.email is None else given.account().id,
        action=None if words.action is None else AuditAction(words.action),
        since=words.since,
    )
    trail = given.container.resolve(AuditTrail)
    found = trail.newest_across_accounts(which, min(max(words.limit, 0), RECORDS_MAX))
    return {"entries": [_shown(record) for record in found]}


def _shown(record: AuditRecord) -> Result:
    agent = record.agent
    return {
        "number": record.number,
        "at": record.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "action": record.action.value,
        "accountId": record.account,
        "kind": record.kind.value,
        "id": record.id,
        "details": dict(record.details),
        "agent": agent.kind.value,
        "sessionId": agent.session,
        "apiKeyId": agent.api_key,
        "requestId": agent.request_id,
        "address": agent.address,
    }
