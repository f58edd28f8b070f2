"""Frozen recipients, grouped by what the size of their text depends on."""

from collections.abc import Iterator
from typing import Any, Final

import psycopg

from retail_core.kernel.ids import AccountId, CampaignId
from retail_core.messages.model import MergeGroup

GROUPS_FETCHED: Final = 10_000
"""Groups that one fetch brings."""

_VALUES = "r.first_name, r.last_name, r.email"
_EVERYBODY = """
FROM send_batch b,
     unnest(b.credits_per_part, b.first_names, b.last_names, b.emails)
         AS r (credits, first_name, last_name, email)"""
_OF_CAMPAIGN = "b.account_id = %(account)s AND b.campaign_id = %(campaign)s"

# Every character of a plain value takes one septet or one 16-bit unit, and it is not blank.
_PLAIN = "^[A-Za-z0-9@][A-Za-z0-9@.,_ -]*$"
_LENGTHS = f"""LATERAL (SELECT
         CASE WHEN r.first_name ~ '{_PLAIN}' THEN repeat('x', length(r.first_name))
              ELSE r.first_name END,
         CASE WHEN r.last_name ~ '{_PLAIN}' THEN repeat('x', length(r.last_name))
              ELSE r.last_name END,
         CASE WHEN r.email ~ '{_PLAIN}' THEN repeat('x', length(r.email)) ELSE r.email END
     ) AS v (first_name, last_name, email)"""
_LENGTH_VALUES = "v.first_name, v.last_name, v.email"

_FROZEN = f"""
SELECT r.credits, {_VALUES}, count(*), NULL::integer {_EVERYBODY}
WHERE {_OF_CAMPAIGN} GROUP BY r.credits, {_VALUES}
"""
_FROZEN_LENGTHS = f"""
SELECT r.credits, {_LENGTH_VALUES}, count(*), NULL::integer {_EVERYBODY}, {_LENGTHS}
WHERE {_OF_CAMPAIGN} GROUP BY r.credits, {_LENGTH_VALUES}
"""

# Those who were deleted meanwhile: their values are gone, but credits are held for them.
_IN_FLIGHT_OF = """
SELECT r.credits, {values}, count(*), (b.forgotten -> r.seq::text ->> 1)::integer AS parts
FROM send_batch b,
     unnest(b.credits_per_part, b.first_names, b.last_names, b.emails, b.seqs)
         AS r (credits, first_name, last_name, email, seq){lengths}
WHERE b.account_id = %(account)s AND b.campaign_id = %(campaign)s AND b.state = 'submitting'
GROUP BY r.credits, {values}, parts
"""
_IN_FLIGHT = _IN_FLIGHT_OF.format(values=_VALUES, lengths="")
_IN_FLIGHT_LENGTHS = _IN_FLIGHT_OF.format(values=_LENGTH_VALUES, lengths=f", {_LENGTHS}")

Driver = psycopg.Connection[tuple[Any, ...]]


def merge_groups(
    driver: Driver, account: AccountId, campaign: CampaignId, *, plain_as_length: bool
) -> Iterator[MergeGroup]:
    """All recipients of a campaign whose batches were just frozen."""
    return _streamed(driver, _FROZEN_LENGTHS if plain_as_length else _FROZEN, account, campaign)


def in_flight_groups(
    driver: Driver, account: AccountId, campaign: CampaignId, *, plain_as_length: bool
) -> Iterator[MergeGroup]:
    """The recipients of its batches that are being submitted."""
    statement = _IN_FLIGHT_LENGTHS if plain_as_length else _IN_FLIGHT
    return _streamed(driver, statement, account, campaign)


def _streamed(
    driver: Driver, statement: str, account: AccountId, campaign: CampaignId
) -> Iterator[MergeGroup]:
    """Grouped in the database; the groups are streamed, since every recipient may be one."""
    with driver.cursor("merge_groups") as cursor:
        cursor.itersize = GROUPS_FETCHED
        for row in cursor.execute(statement, {"account": account, "campaign": campaign}):
            yield MergeGroup(*row)
