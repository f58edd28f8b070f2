"""Frozen recipients, grouped by what the size of their text depends on."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import psycopg

from retail_core.kernel.ids import AccountId, CampaignId
from retail_core.messages.model import MergeGroup
from retail_core.templates.encoding import SHAPES
from retail_core.templates.rendering import MERGE_FIELDS, Field

GROUPS_FETCHED: Final = 10_000
"""Groups that one fetch brings."""

_COLUMNS: Final = dict(zip(MERGE_FIELDS, ("r.first_name", "r.last_name", "r.email"), strict=True))

_GROUPS: Final = """
SELECT credits, first_name, last_name, email, count(*), parts
FROM (SELECT r.credits, {values}, {parts} AS parts
      FROM send_batch b,
           unnest(b.credits_per_part, b.first_names, b.last_names, b.emails{columns})
               AS r (credits, first_name, last_name, email{columns_as})
      WHERE b.account_id = %(account)s AND b.campaign_id = %(campaign)s{condition}) recipient
GROUP BY credits, first_name, last_name, email, parts
"""
_EVERYBODY: Final = {"parts": "NULL::integer", "columns": "", "columns_as": "", "condition": ""}

# Those who were deleted meanwhile: their values are gone, but credits are held for them.
_IN_FLIGHT: Final = {
    "parts": "(b.forgotten -> r.seq::text ->> 1)::integer",
    "columns": ", b.seqs",
    "columns_as": ", seq",
    "condition": " AND b.state = 'submitting'",
}

Driver = psycopg.Connection[tuple[Any, ...]]


def shape_of(value: str) -> str:
    """What stands in for a value, as an expression: all of its shape are one group."""
    cases = " ".join(
        f"WHEN {value} ~ '^{shape.pattern}$' THEN repeat('{shape.stand_in}', length({value}))"
        for shape in SHAPES
    )
    return f"CASE {cases} ELSE {value} END"


def merge_groups(
    driver: Driver, account: AccountId, campaign: CampaignId, shaped: frozenset[Field]
) -> Iterator[MergeGroup]:
    """All recipients of a campaign whose batches were just frozen."""
    return _streamed(driver, account, campaign, shaped, _EVERYBODY)


def in_flight_groups(
    driver: Driver, account: AccountId, campaign: CampaignId, shaped: frozenset[Field]
) -> Iterator[MergeGroup]:
    """The recipients of its batches that are being submitted."""
    return _streamed(driver, account, campaign, shaped, _IN_FLIGHT)


def _streamed(
    driver: Driver,
    account: AccountId,
    campaign: CampaignId,
    shaped: frozenset[Field],
    where: Mapping[str, str],
) -> Iterator[MergeGroup]:
    """Grouped in the database; the groups are streamed, since every recipient may be one."""
    values = ", ".join(
        f"{shape_of(column) if field in shaped else column} AS {column.removeprefix('r.')}"
        for field, column in _COLUMNS.items()
    )
    statement = _GROUPS.format(values=values, **where)
    with driver.cursor("merge_groups") as cursor:
        cursor.itersize = GROUPS_FETCHED
        for row in cursor.execute(statement, {"account": account, "campaign": campaign}):
            yield MergeGroup(*row)
