"""People among the recipients of batches that have no rows: found, locked and taken out, as a set.

A batch keeps its recipients in arrays of thousands, so that whatever changes one of them writes
all of them anew. However many people are meant, each batch is therefore read once and written
once.
"""

from collections.abc import Collection, Mapping
from typing import Any, Final

import cattrs
import psycopg

from retail_core.kernel.ids import AccountId, ContactId
from retail_core.messages.composing import compiled
from retail_core.messages.model import SendingPlan

Driver = psycopg.Connection[tuple[Any, ...]]

# Looked up one by one in a hash of those who are meant: that an array overlaps another is told by
# comparing all of the one with all of the other.
_HAS_SOME: Final = """b.account_id = %(account)s AND b.contact_ids IS NOT NULL
  AND EXISTS (SELECT FROM unnest(b.contact_ids) AS id WHERE id = ANY(%(contacts)s::integer[]))"""

_HAVING_SOME: Final = f"SELECT b.campaign_id, b.no FROM send_batch b WHERE {_HAS_SOME}"
LOCK: Final = f"""
{_HAVING_SOME}
ORDER BY b.campaign_id, b.no
FOR UPDATE
"""

# A statement of its own, after the lock: what the rows hold now, not what they held before it.
_FIND: Final = """
SELECT b.campaign_id, b.no, r.place::integer, r.seq, r.first_name, r.last_name, r.email
FROM unnest(%(campaigns)s::integer[], %(nos)s::integer[]) AS locked (campaign_id, no)
     JOIN send_batch b ON b.campaign_id = locked.campaign_id AND b.no = locked.no
     CROSS JOIN LATERAL unnest(b.contact_ids, b.seqs, b.first_names, b.last_names, b.emails)
         WITH ORDINALITY AS r (contact_id, seq, first_name, last_name, email, place)
WHERE b.account_id = %(account)s AND r.contact_id = ANY(%(contacts)s::integer[])
"""
_PLANS: Final = "SELECT id, plan FROM campaign WHERE account_id = %s AND id = ANY(%s)"

_TAKE_OUT: Final = """
WITH gone AS (
    SELECT campaign_id, no, array_agg(place) AS places,
           jsonb_object_agg(seq, jsonb_build_array(encoding, parts, length)) AS sizes
    FROM unnest(%(campaigns)s::integer[], %(nos)s::integer[], %(places)s::integer[],
                %(seqs)s::integer[], %(encodings)s::smallint[], %(parts)s::integer[],
                %(lengths)s::integer[])
        AS r (campaign_id, no, place, seq, encoding, parts, length)
    GROUP BY campaign_id, no
)
UPDATE send_batch b
SET contact_ids = emptied_at(b.contact_ids, g.places), phones = emptied_at(b.phones, g.places),
    first_names = emptied_at(b.first_names, g.places),
    last_names = emptied_at(b.last_names, g.places), emails = emptied_at(b.emails, g.places),
    forgotten = b.forgotten || g.sizes
FROM gone g
WHERE b.account_id = %(account)s AND b.campaign_id = g.campaign_id AND b.no = g.no
"""

_converter: Final = cattrs.Converter()


def lock_batches(driver: Driver, account: AccountId, contacts: Collection[ContactId]) -> None:
    """Lock every batch that has one of them, until the end; again while a split moves them.

    Whoever waits for a split finds them neither in what is left of the batch nor in the new one,
    which is younger than the statement: only a look that waits for nobody tells that all are held.
    """
    parameters = {"account": account, "contacts": list(contacts)}
    held: set[tuple[Any, ...]] = set()
    while True:
        held |= set(driver.execute(LOCK, parameters))
        if held.issuperset(driver.execute(_HAVING_SOME, parameters)):
            return


def take_out(driver: Driver, account: AccountId, contacts: Collection[ContactId]) -> int:
    """Forget them in all batches, but keep what their texts would have cost: credits are held."""
    parameters = {"account": account, "contacts": list(contacts)}
    taken = 0
    while driver.execute(f"{_HAVING_SOME} LIMIT 1", parameters).fetchone() is not None:
        places = driver.execute(LOCK, parameters).fetchall()
        if places:  # else a split that we waited for has moved them
            taken += _take_out(driver, parameters, places)
    return taken


def _take_out(
    driver: Driver, parameters: Mapping[str, object], places: Collection[tuple[Any, ...]]
) -> int:
    campaigns, nos = zip(*places, strict=True)
    locked = {**parameters, "campaigns": list(campaigns), "nos": list(nos)}
    plans = driver.execute(_PLANS, (parameters["account"], list(set(campaigns))))
    sizes = {
        campaign: compiled(_converter.structure(plan, SendingPlan)).size for campaign, plan in plans
    }
    found = []
    for campaign, no, place, seq, *values in driver.execute(_FIND, locked):
        size = sizes[campaign](*values)
        found.append((campaign, no, place, seq, int(size.encoding), size.parts, size.length))
    names = ("campaigns", "nos", "places", "seqs", "encodings", "parts", "lengths")
    columns = map(list, zip(*found, strict=True))
    driver.execute(_TAKE_OUT, {**parameters, **dict(zip(names, columns, strict=True))})
    return len(found)
