"""How campaigns are written and started, as the operator says."""

from retail_core.audiences.settings import frequency_cap
from retail_core.campaigns.planning import PARTS_MAX, RECIPIENTS_DAILY_MAX, SendingPolicy
from retail_core.credits.settings import low_credits, prices
from retail_core.kernel.settings import Env
from retail_core.links.settings import link_templates
from retail_core.messages.model import BATCH_MESSAGES_MAX
from retail_core.messages.settings import fallback_sender, quiet_policy


def sending_policy(env: Env) -> SendingPolicy:
    """Take the variables; problems are collected by `env`."""
    return SendingPolicy(
        links=link_templates(env),
        fallback_sender=fallback_sender(env),
        prices=prices(env),
        parts_max=env.integer("MAX_SEGMENTS", default=PARTS_MAX, minimum=1, maximum=255),
        batch_messages_max=env.integer(
            "SMS_BATCH_SIZE", default=BATCH_MESSAGES_MAX, minimum=1, maximum=BATCH_MESSAGES_MAX
        ),
        low_credits=low_credits(env),
        quiet=quiet_policy(env),
        cap=frequency_cap(env),
        recipients_daily_max=env.integer(
            "CAMPAIGN_RECIPIENTS_DAILY_MAX", default=RECIPIENTS_DAILY_MAX, maximum=1_000_000_000
        ),
    )
