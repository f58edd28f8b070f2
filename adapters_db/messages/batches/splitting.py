"""Cutting batches: what stays keeps its row, the rest gets rows of its own."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import psycopg

# First the batch, then its campaign (the order of a settle), each by a statement of its own: only
# a later statement sees the number that another split, which we waited for, has taken.
_LOCK_OWNED = """
SELECT FROM send_batch
WHERE account_id = %(account)s AND campaign_id = %(campaign)s AND no = %(no)s
FOR UPDATE
"""
_LOCK_CAMPAIGN = """
SELECT FROM campaign WHERE account_id = %(account)s AND id = %(campaign)s FOR UPDATE
"""

_SPLIT = """
WITH owned AS (
    SELECT b.*, coalesce(%(kept)s::integer, b.size / 2) AS kept FROM send_batch b
    WHERE b.account_id = %(account)s AND b.campaign_id = %(campaign)s AND b.no = %(no)s
      AND b.size > 1 AND b.state IN ('claimed', 'submitting')
      AND b.worker = %(worker)s AND b.attempt = %(attempt)s
), rest AS (
    INSERT INTO send_batch (campaign_id, no, account_id, size, first_seq, last_seq, seqs,
        contact_ids, phones, credits_per_part, first_names, last_names, emails, turn, tries,
        not_before, forgotten)
    SELECT campaign_id,
           (SELECT max(no) + 1 FROM send_batch WHERE campaign_id = %(campaign)s), account_id,
           size - kept, (SELECT min(s) FROM unnest(seqs[kept + 1:]) s),
           (SELECT max(s) FROM unnest(seqs[kept + 1:]) s), seqs[kept + 1:],
           contact_ids[kept + 1:], phones[kept + 1:], credits_per_part[kept + 1:],
           first_names[kept + 1:], last_names[kept + 1:], emails[kept + 1:],
           turn, tries, %(not_before)s, forgotten
    FROM owned
)
UPDATE send_batch b
SET size = o.kept, first_seq = (SELECT min(s) FROM unnest(o.seqs[:o.kept]) s),
    last_seq = (SELECT max(s) FROM unnest(o.seqs[:o.kept]) s), seqs = o.seqs[:o.kept],
    contact_ids = o.contact_ids[:o.kept], phones = o.phones[:o.kept],
    credits_per_part = o.credits_per_part[:o.kept], first_names = o.first_names[:o.kept],
    last_names = o.last_names[:o.kept], emails = o.emails[:o.kept]{outcome}
FROM owned o
WHERE b.campaign_id = o.campaign_id AND b.no = o.no
"""
_HALVE = _SPLIT.format(
    outcome=""",
    state = 'queued', ref = NULL, worker = NULL, lease_until = NULL, not_before = %(not_before)s"""
)
_PART = _SPLIT.format(outcome="")

# One statement for any number of parts: `parts` says of each recipient in which they are. Part 0
# stays in the row, and in hand if somebody stays; part n waits for the n-th of `moments`.
_DEFER = """
WITH owned AS (
    SELECT b.*, (SELECT max(no) FROM send_batch WHERE campaign_id = %(campaign)s) AS last_no
    FROM send_batch b
    WHERE b.account_id = %(account)s AND b.campaign_id = %(campaign)s AND b.no = %(no)s
      AND b.state = 'claimed' AND b.worker = %(worker)s AND b.attempt = %(attempt)s
), part AS (
    SELECT r.part, count(*) AS size, min(r.seq) AS first_seq, max(r.seq) AS last_seq,
           array_agg(r.seq ORDER BY r.place) AS seqs,
           array_agg(r.contact_id ORDER BY r.place) AS contact_ids,
           array_agg(r.phone ORDER BY r.place) AS phones,
           array_agg(r.credits ORDER BY r.place) AS credits_per_part,
           array_agg(r.first_name ORDER BY r.place) AS first_names,
           array_agg(r.last_name ORDER BY r.place) AS last_names,
           array_agg(r.email ORDER BY r.place) AS emails
    FROM owned o, unnest(o.seqs, o.contact_ids, o.phones, o.credits_per_part, o.first_names,
                         o.last_names, o.emails, %(parts)s::integer[])
        WITH ORDINALITY AS r (seq, contact_id, phone, credits, first_name, last_name, email, part,
                              place)
    GROUP BY r.part
), rest AS (
    INSERT INTO send_batch (campaign_id, no, account_id, size, first_seq, last_seq, seqs,
        contact_ids, phones, credits_per_part, first_names, last_names, emails, turn, tries,
        state, not_before, forgotten)
    SELECT o.campaign_id, o.last_no + p.part, o.account_id, p.size, p.first_seq, p.last_seq,
           p.seqs, p.contact_ids, p.phones, p.credits_per_part,
           CASE WHEN o.first_names IS NOT NULL THEN p.first_names END,
           CASE WHEN o.last_names IS NOT NULL THEN p.last_names END,
           CASE WHEN o.emails IS NOT NULL THEN p.emails END,
           o.turn, o.tries, 'deferred', (%(moments)s::timestamptz[])[p.part], o.forgotten
    FROM owned o, part p WHERE p.part > 0
)
UPDATE send_batch b
SET size = p.size, first_seq = p.first_seq, last_seq = p.last_seq, seqs = p.seqs,
    contact_ids = p.contact_ids, phones = p.phones, credits_per_part = p.credits_per_part,
    first_names = CASE WHEN o.first_names IS NOT NULL THEN p.first_names END,
    last_names = CASE WHEN o.last_names IS NOT NULL THEN p.last_names END,
    emails = CASE WHEN o.emails IS NOT NULL THEN p.emails END
FROM owned o, part p
WHERE p.part = 0 AND b.campaign_id = o.campaign_id AND b.no = o.no
"""
_DEFER_ALL = """
UPDATE send_batch
SET state = 'deferred', worker = NULL, lease_until = NULL, not_before = %(moment)s
WHERE account_id = %(account)s AND campaign_id = %(campaign)s AND no = %(no)s
  AND state = 'claimed' AND worker = %(worker)s AND attempt = %(attempt)s
"""
# Each store's go behind what it has waiting, in the order in which they stood.
_WAKE = """
WITH due AS (
    SELECT campaign_id, no, account_id, turn FROM send_batch
    WHERE state = 'deferred' AND not_before <= %(now)s
    ORDER BY not_before LIMIT %(batches_max)s
    FOR UPDATE SKIP LOCKED
), free AS (
    SELECT account_id, first_free_turn(account_id) AS turn
    FROM (SELECT DISTINCT account_id FROM due) account
), fresh AS (
    SELECT d.campaign_id, d.no, f.turn - 1 + row_number() OVER (
               PARTITION BY d.account_id ORDER BY d.turn, d.campaign_id, d.no) AS turn
    FROM due d JOIN free f USING (account_id)
)
UPDATE send_batch b SET state = 'queued', not_before = NULL, turn = f.turn
FROM fresh f WHERE b.campaign_id = f.campaign_id AND b.no = f.no
"""

Driver = psycopg.Connection[tuple[Any, ...]]


def halve(driver: Driver, parameters: Mapping[str, object]) -> bool:
    """Queue both halves of an owned batch; False if it is not ours, or a single message."""
    driver.execute(_LOCK_OWNED, parameters)
    driver.execute(_LOCK_CAMPAIGN, parameters)
    return driver.execute(_HALVE, {**parameters, "kept": None}).rowcount == 1


def keep_one(driver: Driver, parameters: Mapping[str, object]) -> None:
    """Keep the first message of an owned batch in hand; all others wait again in a new one.

    The campaign's row must be locked.
    """
    driver.execute(_PART, {**parameters, "kept": 1, "not_before": None})


def defer(
    driver: Driver,
    owned: Mapping[str, object],
    size: int,
    waits: Mapping[datetime, Sequence[int]],
) -> bool:
    """See the port. The campaign's row must be locked: it guards the numbers of its batches."""
    driver.execute(_LOCK_OWNED, owned)
    moments = sorted(waits)
    stays = size > sum(len(positions) for positions in waits.values())
    if not stays and len(moments) == 1:
        return driver.execute(_DEFER_ALL, {**owned, "moment": moments[0]}).rowcount == 1
    parts = [0] * size
    # where nobody stays, those of the first moment do: in the row, but not in hand
    apart = moments if stays else moments[1:]
    for part, moment in enumerate(apart, start=1):
        for position in waits[moment]:
            parts[position] = part
    cut = driver.execute(_DEFER, {**owned, "parts": parts, "moments": apart})
    if cut.rowcount == 1 and not stays:
        driver.execute(_DEFER_ALL, {**owned, "moment": moments[0]})
    return cut.rowcount == 1


def wake(driver: Driver, now: datetime, batches_max: int) -> int:
    """Queue deferred batches whose moment has come."""
    return driver.execute(_WAKE, {"now": now, "batches_max": batches_max}).rowcount
