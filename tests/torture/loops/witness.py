"""What the database itself saw: who was frozen into batches, and each intent to hand one over.

Triggers write it down in the transaction of the product's own statement, so it is there exactly if
that was committed. It lies beside the product's tables: an erasure empties those and not these.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import attrs

WATCH: Final = """
CREATE SCHEMA IF NOT EXISTS witness;
CREATE TABLE IF NOT EXISTS witness.frozen (campaign integer, seqs integer[], phones bigint[]);
CREATE INDEX IF NOT EXISTS frozen_campaign ON witness.frozen (campaign);
CREATE TABLE IF NOT EXISTS witness.intent (
    campaign integer, phones bigint[], marked_at timestamptz, lease_until timestamptz);
CREATE INDEX IF NOT EXISTS intent_campaign ON witness.intent (campaign);

CREATE OR REPLACE FUNCTION witness.freeze() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO witness.frozen VALUES (NEW.campaign_id, NEW.seqs, NEW.phones);
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER witness_freezes AFTER INSERT ON send_batch
FOR EACH ROW EXECUTE FUNCTION witness.freeze();

CREATE OR REPLACE FUNCTION witness.intend() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO witness.intent
    VALUES (NEW.campaign_id, NEW.phones, clock_timestamp(), NEW.lease_until);
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER witness_intends AFTER UPDATE ON send_batch
FOR EACH ROW WHEN (NEW.state = 'submitting' AND OLD.state <> 'submitting')
EXECUTE FUNCTION witness.intend();
"""
_FROZEN: Final = """
SELECT f.campaign, r.seq, r.phone FROM witness.frozen f, unnest(f.seqs, f.phones) AS r (seq, phone)
WHERE f.campaign = ANY(%s) AND r.phone IS NOT NULL
"""
_INTENTS: Final = """
SELECT i.campaign, phone, i.marked_at, i.lease_until FROM witness.intent i, unnest(i.phones) phone
WHERE i.campaign = ANY(%s) AND phone IS NOT NULL ORDER BY i.marked_at
"""

Query = Callable[..., Iterable[tuple[Any, ...]]]


@attrs.frozen
class Intent:
    """A hand-over that was intended: when it was marked, just before who left is left out.

    Whoever's departure was committed before that moment must not be handed over.
    """

    marked_at: datetime
    lease_until: datetime


@attrs.frozen
class Intents:
    """All intents of some campaigns, by campaign and number, in their order."""

    by_person: Mapping[tuple[int, int], Sequence[Intent]]

    @classmethod
    def of(cls, query: Query, campaigns: Sequence[int]) -> "Intents":
        """As the database saw them."""
        found: dict[tuple[int, int], list[Intent]] = defaultdict(list)
        for campaign, phone, marked_at, lease_until in query(_INTENTS, campaigns):
            found[campaign, phone].append(Intent(marked_at, lease_until))
        return cls(found)

    def before(self, campaign: int, phone: int, moment: datetime) -> Intent | None:
        """The latest one that was marked before this moment: the one that was carried out then."""
        intents = self.by_person.get((campaign, phone), ())
        place = bisect_right(intents, moment, key=lambda each: each.marked_at)
        return intents[place - 1] if place else None


def frozen_numbers(query: Query, campaigns: Sequence[int]) -> Mapping[tuple[int, int], int]:
    """The number of each recipient by campaign and seq, as it was when the audience was frozen."""
    return {(campaign, seq): phone for campaign, seq, phone in query(_FROZEN, campaigns)}
