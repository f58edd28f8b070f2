"""How much marketing contacts had of late, what is on its way to them included."""

from datetime import datetime
from typing import Any, Final

import psycopg
from sqlalchemy import Select, func, or_, select, text, union_all

from adapters_db.audiences.facts import FINISH_SLACK, campaign_handed_over_at
from adapters_db.tables.campaigns import campaign, message, send_batch
from adapters_db.tables.messages import single_message
from retail_core.audiences.model import CapWindow
from retail_core.campaigns.model import CampaignState
from retail_core.kernel.ids import AccountId
from retail_core.messages.model import BatchKey, BatchState, MessageKind, MessageState

# Batches without rows, whose recipients are to get their message or may just be getting it; word
# for word the condition of an index.
_IS_OPEN: Final = text("send_batch.state IN ('queued', 'deferred', 'claimed', 'submitting')")

# One store's intents wait for each other: what one has marked is committed before another counts.
_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtext('frequency_cap'), %(account)s)"

# The other campaigns that went on in the span: as plain values they name their partitions.
_CAMPAIGNS: Final = """
SELECT id FROM campaign
WHERE account_id = %(account)s AND id <> %(campaign)s AND started_at IS NOT NULL
  AND (finished_at IS NULL OR finished_at > %(since)s::timestamptz - %(slack)s::interval)
ORDER BY id
"""

# Of the recipients of a batch that was marked, those who had their share. What other campaigns are
# only planning does not count yet: else two would leave each other's recipients to the other.
# Recipients lead to messages, one by one (OFFSET 0): where tables were never analysed, the planner
# would read what the store has of them, and compare all of it with each recipient. So would it by
# the index on kinds, which IS TRUE keeps it from.
_CAPPED: Final = f"""
WITH r AS MATERIALIZED (
    SELECT u.contact_id, u.position
    FROM send_batch b, unnest(b.contact_ids) WITH ORDINALITY AS u (contact_id, position)
    WHERE b.campaign_id = %(campaign)s AND b.no = %(no)s AND u.contact_id IS NOT NULL
), had AS (
    SELECT r.contact_id
    FROM r CROSS JOIN LATERAL (
        SELECT FROM message m
        WHERE m.contact_id = r.contact_id AND m.campaign_id = ANY(%(campaigns)s)
          AND m.account_id = %(account)s
          AND CASE WHEN m.state = {MessageState.UNKNOWN:d} THEN m.updated_at
                   ELSE coalesce(m.sent_at, m.delivered_at) END >= %(since)s
        OFFSET 0) k
    UNION ALL
    SELECT r.contact_id
    FROM r CROSS JOIN LATERAL (
        SELECT FROM single_message s
        WHERE s.account_id = %(account)s AND s.contact_id = r.contact_id
          AND (s.kind = '{MessageKind.AUTOMATION.value}') IS TRUE
          AND (s.state NOT IN ({MessageState.FAILED:d}, {MessageState.CANCELLED:d})
               OR s.sent_at IS NOT NULL)
          AND (s.submitted_at IS NULL OR s.submitted_at >= %(since)s)
        OFFSET 0) k
    UNION ALL
    SELECT r.contact_id
    FROM send_batch b, unnest(b.contact_ids) WITH ORDINALITY AS u (contact_id, position), r
    WHERE b.account_id = %(account)s AND b.state = 'submitting' AND b.campaign_id <> %(campaign)s
      AND u.contact_id = r.contact_id AND NOT b.dropped ? (u.position - 1)::text
)
SELECT r.position - 1 FROM r
WHERE r.contact_id IN (SELECT contact_id FROM had GROUP BY contact_id
                       HAVING count(*) >= %(messages_max)s)
"""


def lock_counting(driver: "psycopg.Connection[Any]", account: AccountId) -> None:
    """Let nobody else of the store mark a batch before this transaction ends."""
    driver.execute(_LOCK, {"account": account})


def capped_positions(driver: "psycopg.Connection[Any]", key: BatchKey, cap: CapWindow) -> list[int]:
    """Those in a batch who had so much already; call it after `lock_counting`."""
    parameters = {
        "account": key.account,
        "campaign": key.campaign,
        "no": key.no,
        "since": cap.since,
        "slack": FINISH_SLACK,
        "messages_max": cap.messages_max,
    }
    campaigns = [row[0] for row in driver.execute(_CAMPAIGNS, parameters)]
    found = driver.execute(_CAPPED, parameters | {"campaigns": campaigns})
    return [position for (position,) in found]


def capped(account: AccountId, cap: CapWindow) -> Select[Any]:
    """The contacts who had so much already, what is planned for them included.

    It depends on no contact, so that it is worked out once for a whole audience: from the messages
    of the campaigns that went on in the span.
    """
    had = union_all(
        _by_campaigns(account, cap.since), _by_automations(account, cap.since), _planned(account)
    ).subquery("had")
    enough = func.count() >= cap.messages_max
    known = had.c.contact_id.is_not(None)
    return select(had.c.contact_id).where(known).group_by(had.c.contact_id).having(enough)


def _by_campaigns(account: AccountId, since: datetime) -> Select[Any]:
    return (
        select(message.c.contact_id)
        .join(campaign, campaign.c.id == message.c.campaign_id)
        .where(
            campaign.c.account_id == account,
            campaign.c.started_at.is_not(None),
            or_(campaign.c.finished_at.is_(None), campaign.c.finished_at > since - FINISH_SLACK),
            campaign_handed_over_at() >= since,
        )
    )


def _by_automations(account: AccountId, since: datetime) -> Select[Any]:
    single = single_message.c
    return select(single.contact_id).where(
        single.account_id == account,
        single.kind == MessageKind.AUTOMATION,
        or_(
            single.state.not_in([MessageState.FAILED, MessageState.CANCELLED]),
            single.sent_at.is_not(None),
        ),
        or_(single.submitted_at.is_(None), single.submitted_at >= since),
    )


def _planned(account: AccountId) -> Select[Any]:
    """What waits is cancelled with its campaign."""
    is_over = (campaign.c.state == CampaignState.CANCELLED) & (
        send_batch.c.state != BatchState.SUBMITTING.value
    )
    return (
        select(func.unnest(send_batch.c.contact_ids))
        .join(campaign, campaign.c.id == send_batch.c.campaign_id)
        .where(send_batch.c.account_id == account, _IS_OPEN, ~is_over)
    )
