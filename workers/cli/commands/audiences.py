"""Commands that tell how an audience comes about."""

import json
from argparse import ArgumentParser
from typing import Final

import attrs

from retail_core.audiences.errors import ListNotFound
from retail_core.audiences.model import SYSTEM_LISTS, AudienceSpec, AudienceStep, Exclusion, Segment
from retail_core.audiences.segments import read_segment
from retail_core.campaigns.queries import CampaignQueries
from retail_core.campaigns.use_cases import CountAudience, ExplainRecipient
from retail_core.kernel.errors import InvalidField
from retail_core.kernel.ids import CampaignId, ContactId, ListId
from workers.cli.command import Given, Result
from workers.cli.commands.accounts import email_argument

ID_DIGITS_MAX: Final = 10


def audience_arguments(parser: ArgumentParser) -> None:
    """Whose audience, and which: of a campaign, or of a list and a segment."""
    email_argument(parser)
    parser.add_argument("--campaign", type=int, metavar="ID", help="the audience of this campaign")
    parser.add_argument(
        "--list", metavar="ID", help=f"an own list, or one of {', '.join(SYSTEM_LISTS)}"
    )
    parser.add_argument("--segment", metavar="JSON", help="a filter tree, as the API takes it")


def audience(given: Given) -> Result:
    """Count who is meant, who is left out for which reason, and who remains."""
    words = given.arguments
    if words.campaign is not None and (words.list is not None or words.segment is not None):
        words.refuse("--campaign has its own list and segment")
    account = given.account()
    if words.campaign is not None:
        queries = given.container.resolve(CampaignQueries)
        spec = queries.get(account.id, CampaignId(words.campaign)).content.audience
    else:
        system_list, own_list = list_named(words.list)
        segment = None if words.segment is None else _segment(words.segment)
        spec = AudienceSpec(system_list, own_list=own_list, segment=segment)
    given.container.register(CountAudience)
    count = given.container.resolve(CountAudience)(account.id, spec)
    return {
        "matched": count.matched,
        "excluded": {reason.value: count.excluded.get(reason, 0) for reason in Exclusion},
        "recipients": count.recipients,
    }


def why_arguments(parser: ArgumentParser) -> None:
    """Whose campaign, and about whom."""
    email_argument(parser)
    parser.add_argument("--campaign", type=int, required=True, metavar="ID")
    parser.add_argument("--contact", type=int, required=True, metavar="ID")


def why(given: Given) -> Result:
    """Tell why a contact is a recipient of a campaign or not, rule by rule."""
    words = given.arguments
    account = given.account()
    given.container.register(ExplainRecipient)
    explain = given.container.resolve(ExplainRecipient)
    found = explain(account.id, CampaignId(words.campaign), ContactId(words.contact))
    return {
        "campaignId": found.campaign,
        "contactId": found.contact,
        "isRecipient": found.is_recipient,
        "isFrozen": found.is_frozen,
        "reason": found.reason,
        "steps": [_step(step) for step in found.steps],
    }


def _step(step: AudienceStep) -> Result:
    return {
        "rule": step.rule.value,
        "effect": "exclude" if step.excludes else "match",
        "holds": step.holds,
        "decidedBy": [attrs.asdict(leaf) for leaf in step.leaves],
    }


def list_named(word: str | None) -> tuple[str | None, ListId | None]:
    """A system list, or an own one. Raises `ListNotFound`."""
    if word is None or word in SYSTEM_LISTS:
        return word, None
    if not (word.isascii() and word.isdigit() and len(word) <= ID_DIGITS_MAX):
        raise ListNotFound
    return None, ListId(int(word))


def _segment(text: str) -> Segment:
    """Raises `InvalidField`."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidField("segment", "is not JSON") from None
    return read_segment(document)
