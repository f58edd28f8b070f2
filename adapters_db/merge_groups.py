"""Frozen recipients, grouped by what the size of their text depends on."""

from collections.abc import Iterator
from typing import Any, Final

import psycopg

from retail_core.kernel.ids import AccountId, CampaignId
from retail_core.messages.model import MergeGroup

GROUPS_FETCHED: Final = 10_000
"""Groups that one fetch brings."""

_MERGE_GROUPS = """
SELECT r.credits, r.first_name, r.last_name, r.email, count(*)
FROM send_batch b,
     unnest(b.credits_per_part, b.first_names, b.last_names, b.emails)
         AS r (credits, first_name, last_name, email)
WHERE b.account_id = %s AND b.campaign_id = %s
GROUP BY r.credits, r.first_name, r.last_name, r.email
"""

# Every character of a plain value takes one septet or one 16-bit unit, and it is not blank.
_PLAIN = "^[A-Za-z0-9@][A-Za-z0-9@.,_ -]*$"
_PLAIN_GROUPS = f"""
SELECT r.credits, v.first_name, v.last_name, v.email, count(*)
FROM send_batch b,
     unnest(b.credits_per_part, b.first_names, b.last_names, b.emails)
         AS r (credits, first_name, last_name, email),
     LATERAL (SELECT
         CASE WHEN r.first_name ~ '{_PLAIN}' THEN repeat('x', length(r.first_name))
              ELSE r.first_name END,
         CASE WHEN r.last_name ~ '{_PLAIN}' THEN repeat('x', length(r.last_name))
              ELSE r.last_name END,
         CASE WHEN r.email ~ '{_PLAIN}' THEN repeat('x', length(r.email)) ELSE r.email END
     ) AS v (first_name, last_name, email)
WHERE b.account_id = %s AND b.campaign_id = %s
GROUP BY r.credits, v.first_name, v.last_name, v.email
"""


def merge_groups(
    driver: "psycopg.Connection[tuple[Any, ...]]",
    account: AccountId,
    campaign: CampaignId,
    *,
    plain_as_length: bool,
) -> Iterator[MergeGroup]:
    """Grouped in the database; the groups are streamed, since every recipient may be one."""
    statement = _PLAIN_GROUPS if plain_as_length else _MERGE_GROUPS
    with driver.cursor("merge_groups") as cursor:
        cursor.itersize = GROUPS_FETCHED
        for row in cursor.execute(statement, (account, campaign)):
            yield MergeGroup(*row)
