"""The hand-over of single messages in SQL: the last look at whether each may be sent."""

from typing import Final

from retail_core.contacts.model import LIFTED_BY_LINK, SuppressionReason
from retail_core.messages.model import Dropped, MessageState

IS_DUE: Final = f"""
    m.state = {MessageState.QUEUED:d} AND (m.not_before IS NULL OR m.not_before <= %(now)s)"""

# A confirmation asks somebody who may have left before they were asked, in a way that they can take
# back themselves; whoever leaves after that is not asked any more. What tells them that their STOP
# worked passes this very suppression, known by its id: a later STOP writes another one.
_LIFTABLE: Final = ", ".join(f"'{reason.value}'" for reason in sorted(LIFTED_BY_LINK, key=str))
_IS_ITS_STOP: Final = f"""(s.id = m.stop_suppression_id AND s.account_id = m.account_id
                           AND s.phone = m.phone AND s.reason = '{SuppressionReason.STOP.value}'
                           AND m.kind = 'confirmation')"""
_BARS: Final = f"""CASE WHEN m.stop_suppression_id IS NOT NULL THEN NOT {_IS_ITS_STOP}
                        ELSE m.kind <> 'confirmation' OR s.reason NOT IN ({_LIFTABLE})
                             OR s.created_at > m.created_at END"""

INTENT: Final = f"""
WITH due AS (
    SELECT m.number FROM single_message m
    WHERE m.account_id = %(account)s
      AND CASE WHEN %(numbers)s::bigint[] IS NULL THEN {IS_DUE}
               ELSE m.state = {MessageState.QUEUED:d} AND m.number = ANY(%(numbers)s::bigint[]) END
    ORDER BY m.kind = 'automation', m.number
    LIMIT %(singles_max)s
    FOR UPDATE SKIP LOCKED
), checked AS (
    SELECT m.number,
           CASE WHEN m.phone IS NULL OR (m.kind <> 'test' AND c.id IS NULL)
                    THEN '{Dropped.ERASED.value}'
                WHEN m.expires_at <= %(now)s THEN '{Dropped.TOO_LATE.value}'
                WHEN c.phone <> m.phone THEN '{Dropped.NUMBER_CHANGED.value}'
                WHEN m.kind = 'automation' AND NOT c.is_subscribed
                    THEN '{Dropped.OPTED_OUT.value}'
                WHEN m.kind = 'automation' AND c.birthday > %(adult_until)s
                    THEN '{Dropped.UNDER_AGE.value}'
                WHEN m.kind = 'automation' AND c.birthday IS NULL AND a.adults_only
                    THEN '{Dropped.AGE_UNKNOWN.value}'
                WHEN EXISTS (SELECT FROM suppression s
                             WHERE s.account_id IN (%(account)s, %(system)s) AND s.phone = m.phone
                               AND {_BARS})
                    THEN '{Dropped.SUPPRESSED.value}'
                WHEN m.stop_suppression_id IS NOT NULL
                     AND NOT EXISTS (SELECT FROM suppression s WHERE {_IS_ITS_STOP})
                    THEN '{Dropped.TOO_LATE.value}' END AS dropped
    FROM due JOIN single_message m USING (number) JOIN account a ON a.id = m.account_id
         LEFT JOIN contact c ON c.account_id = %(account)s AND c.id = m.contact_id
)
UPDATE single_message m
SET state = CASE WHEN k.dropped IS NULL THEN {MessageState.SUBMITTING:d}
                 ELSE {MessageState.CANCELLED:d} END,
    lease_until = CASE WHEN k.dropped IS NULL THEN %(lease_until)s::timestamptz END,
    holds = m.holds AND k.dropped IS NULL,
    ref = %(ref)s, error_code = k.dropped, error = NULL, not_before = NULL,
    submitted_at = CASE WHEN k.dropped IS NULL THEN %(now)s::timestamptz END,
    look_up_at = CASE WHEN k.dropped IS NULL THEN %(look_up_at)s::timestamptz END,
    updated_at = %(now)s
FROM checked k
WHERE m.number = k.number
RETURNING m.number, m.phone, m.sender, m.text, m.credits, m.reason, m.tries, k.dropped, m.kind,
    m.expires_at
"""
