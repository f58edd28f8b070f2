"""The command that shows texts from numbers to which no store wrote."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Final

from adapters_db.connection.reads import Reads
from adapters_db.engagement.inbound import NobodysText, SqlNobodysTexts
from adapters_sms.inbound import MittoInboundReader
from retail_core.engagement.model import international_forms
from retail_core.kernel.addresses.phones import mask_phone
from retail_core.kernel.ids import InboundId
from workers.cli.command import Given, Refused, Result

SHOWN: Final = 20
SHOWN_MAX: Final = 10_000
OTHER: Final = "other"


def inbound_arguments(parser: ArgumentParser) -> None:
    """All of them, or one."""
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument(
        "--unmatched", action="store_true", help="count them, and list the newest, numbers masked"
    )
    which.add_argument("--id", type=int, metavar="ID", help="show one, with its numbers in full")
    parser.add_argument("--show", type=int, default=SHOWN, metavar="N", help="list so many")


def inbound(given: Given) -> Result:
    """Tell who wants to leave and could not be found; the texts themselves are never shown."""
    texts = SqlNobodysTexts(given.container.resolve(Reads))
    words = given.arguments
    if words.id is not None:
        found = texts.find_across_accounts(InboundId(words.id))
        if found is None:
            raise Refused({"id": words.id, "found": False})
        return _shown(found, in_full=True)
    counts = texts.counts_across_accounts()
    newest = texts.newest_across_accounts(min(max(words.show, 0), SHOWN_MAX))
    return {
        "unmatched": sum(counts.values()),
        **{name or OTHER: count for name, count in counts.items()},
        "texts": [_shown(each, in_full=False) for each in newest],
    }


def _shown(text: NobodysText, *, in_full: bool) -> Result:
    told = MittoInboundReader().read(text.raw)
    sender, receiver = told.sender, told.receiver
    return {
        "id": text.id,
        "arrivedAt": _iso(text.arrived_at),
        "keyword": text.keyword or OTHER,
        "from": sender if in_full else _masked(sender),
        "to": receiver if in_full else _masked(receiver),
    }


def _masked(sender: str) -> str:
    forms = international_forms(sender)
    return mask_phone(forms[0] if forms else sender)


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
