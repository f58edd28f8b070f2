"""Commands that send."""

from argparse import ArgumentParser

from retail_core.audiences.model import SYSTEM_LISTS, AudienceSpec
from retail_core.campaigns.model import CampaignContent
from retail_core.campaigns.use_cases import CreateCampaign, StartCampaign
from workers.cli.command import Given, Result
from workers.cli.commands.accounts import email_argument
from workers.cli.commands.audiences import list_named


def send_campaign_arguments(parser: ArgumentParser) -> None:
    """Whose campaign, its text, and to whom."""
    email_argument(parser)
    parser.add_argument("--name", required=True, help="what the campaign is called")
    parser.add_argument("--text", required=True, help="the message, with its placeholders")
    parser.add_argument(
        "--list",
        metavar="ID",
        help=f"everybody, if not given; an own list, or one of {', '.join(SYSTEM_LISTS)}",
    )


def send_campaign(given: Given) -> Result:
    """Write a campaign and start it; workers send it from there."""
    words = given.arguments
    account = given.account()
    system_list, own_list = list_named(words.list)
    audience = AudienceSpec(system_list, own_list=own_list)
    content = CampaignContent.checked(words.name, words.text, audience, include_offer=False)
    given.container.register(CreateCampaign)
    given.container.register(StartCampaign)
    campaign = given.container.resolve(CreateCampaign)(account.id, content)
    started = given.container.resolve(StartCampaign)(account.id, campaign.id)
    return {
        "campaignId": campaign.id,
        "queued": started.queued,
        "creditsHeld": started.credits_held,
    }
