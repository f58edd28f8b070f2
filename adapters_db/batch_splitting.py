"""Cutting a batch in two: the first part stays in its row, the rest gets a row of its own."""

from collections.abc import Mapping
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
