"""Which partitions of messages to look into: those used of late, one by one or from one on.

A statement about a few messages names the campaigns it is about, or a partition, as plain values:
then the planner leaves all other partitions out, however many there are.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import attrs
import psycopg

from retail_core.kernel.ids import AccountId
from retail_core.messages.model import REPORTED_WITHIN

Driver = psycopg.Connection[tuple[Any, ...]]

_USED_SINCE: Final = """
SELECT first_campaign, below FROM message_partition
WHERE last_hand_over >= %s ORDER BY first_campaign DESC
"""
# A new one counts also where the first hand-over in it is noted at this very moment.
_FIRST_USED_SINCE: Final = """
SELECT coalesce(min(first_campaign), 0) FROM message_partition
WHERE last_hand_over >= %(since)s OR last_hand_over IS NULL OR made_at >= %(since)s
"""
_OF_ACCOUNT: Final = """
SELECT p.first_campaign, p.below FROM message_partition p
WHERE EXISTS (
    SELECT FROM campaign c
    WHERE c.account_id = %s AND c.id >= p.first_campaign AND c.id < p.below
      AND c.started_at IS NOT NULL)
ORDER BY p.first_campaign DESC
"""

WITHIN: Final = """(m.campaign_id >= %(first)s OR m.campaign_id > %(first)s - 1)
     AND (m.campaign_id < %(below)s OR m.campaign_id <= %(below)s - 1)"""
"""The condition that a message `m` is in a partition, with the parameters of it; for `by_index`.

Each bound is said in two ways: so it still names the partition, but is no condition for the index
on campaigns, nor does the planner, where it knows nothing of the partition, take it for half a
percent of the messages. It would read all of them once for each key.
"""

NOTE_USE: Final = """
UPDATE message_partition p SET last_hand_over = %(now)s
WHERE p.first_campaign = ANY(ARRAY(
    SELECT q.first_campaign FROM message_partition q
    WHERE q.first_campaign = (
        SELECT max(first_campaign) FROM message_partition WHERE first_campaign <= %(campaign)s)
      AND (q.last_hand_over IS NULL
           OR q.last_hand_over < %(now)s::timestamptz - interval '1 hour')
    FOR UPDATE SKIP LOCKED))
"""
"""Notes a hand-over of a campaign; at most once an hour, and never behind somebody who does."""


@attrs.frozen
class Partition:
    """A partition of messages, by the campaigns in it: from `first` on, `below` not included."""

    first: int
    below: int

    @property
    def parameters(self) -> dict[str, object]:
        return {"first": self.first, "below": self.below}


def used_since(driver: Driver, since: datetime) -> Sequence[Partition]:
    """Those with a hand-over since then, give or take an hour, the newest first."""
    return [Partition(*row) for row in driver.execute(_USED_SINCE, (since,))]


def first_used_since(driver: Driver, since: datetime) -> int:
    """The first campaign of the oldest of them: whoever asks for hand-overs since then starts here.

    A bit before: a hand-over may have been noted by an earlier one, and a report tell of it later.
    """
    ((first,),) = driver.execute(_FIRST_USED_SINCE, {"since": since - REPORTED_WITHIN})
    return int(first)


def of_account(driver: Driver, account: AccountId) -> Sequence[Partition]:
    """Those in which the account has messages, the newest first."""
    return [Partition(*row) for row in driver.execute(_OF_ACCOUNT, (account,))]


def in_any(spans: Sequence[Partition], column: str) -> str:
    """The condition that a campaign is in one of these, in as few spans as they make together."""
    joined: list[Partition] = []
    for each in sorted(spans, key=lambda span: span.first):
        if joined and joined[-1].below == each.first:
            joined[-1] = Partition(joined[-1].first, each.below)
        else:
            joined.append(each)
    parts = [f"{column} >= {each.first:d} AND {column} < {each.below:d}" for each in joined]
    return "(" + " OR ".join(parts) + ")" if parts else "false"
