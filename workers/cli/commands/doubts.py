"""What the operator does about messages of which nobody knows whether they went out."""

from argparse import ArgumentParser
from typing import Final

from retail_core.kernel.ids import CampaignId
from retail_core.messages.model import NO_CAMPAIGN, Doubt, MessageState
from retail_core.messages.use_cases import AskGateway, ResolveUnknown
from workers.cli.command import Given, Result

DECLARABLE: Final = {
    state.word: state for state in (MessageState.DELIVERED, MessageState.SENT, MessageState.FAILED)
}
SHOWN_MAX: Final = 100


def resolve_unknown_arguments(parser: ArgumentParser) -> None:
    """Of which campaign, and what the operator knows about its messages."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--campaign", type=int, metavar="ID", help="only of this campaign")
    which.add_argument(
        "--singles", action="store_true", help="only tests, automations and confirmations"
    )
    parser.add_argument(
        "--as",
        dest="declared",
        choices=sorted(DECLARABLE),
        help="what became of all that the gateway cannot be asked about (needs --campaign or "
        "--singles): sent and delivered spend their credits, failed gives them back",
    )
    parser.add_argument(
        "--show", type=int, default=SHOWN_MAX, metavar="N", help="list so many that remain unknown"
    )


def resolve_unknown(given: Given) -> Result:
    """Ask the gateway about unknown messages whose id is known, and list or declare the others."""
    words = given.arguments
    campaign = NO_CAMPAIGN if words.singles else words.campaign and CampaignId(words.campaign)
    if words.campaign is not None and words.campaign < 1:
        words.refuse("--campaign needs the id of a campaign")
    if words.declared is not None and campaign is None:
        words.refuse("--as needs --campaign or --singles: say of which messages you know it")
    given.container.register(AskGateway)
    given.container.register(ResolveUnknown)
    declared = None if words.declared is None else DECLARABLE[words.declared]
    done = given.container.resolve(ResolveUnknown)(campaign, declared, max(words.show, 0))
    return {
        "asked": done.asked,
        "settledByGateway": done.settled_by_gateway,
        "settledByOperator": done.settled_by_operator,
        "unknown": done.remaining,
        "messages": [_shown(doubt) for doubt in done.remain],
    }


def _shown(doubt: Doubt) -> Result:
    return {
        "id": doubt.number,
        "campaignId": None if doubt.message.is_single else doubt.message.campaign,
        "accountId": doubt.message.account,
        "since": doubt.since.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "credits": doubt.credits,
        "creditsSettled": doubt.credits_settled,
        "providerMessageId": doubt.provider_id,
    }
