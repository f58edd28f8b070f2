"""What is under way in an account, and what is forgotten of it when it is closed."""

from typing import Final

from retail_core.messages.model import MessageState

_NOTHING: Final = "-"
"""What stands where a text may not be missing."""

OBSTACLES: Final = f"""
SELECT 'a campaign is scheduled, sending or paused' WHERE EXISTS (
    SELECT FROM campaign
    WHERE account_id = :account AND state IN ('scheduled', 'sending', 'paused'))
UNION ALL
SELECT 'a single message is being sent' WHERE EXISTS (
    SELECT FROM single_message WHERE account_id = :account
        AND state IN ({MessageState.QUEUED:d}, {MessageState.SUBMITTING:d}))
UNION ALL
SELECT 'credits are held for messages in doubt' WHERE EXISTS (
    SELECT FROM wallet WHERE account_id = :account AND held > 0)
UNION ALL
SELECT 'a file is being imported' WHERE EXISTS (
    SELECT FROM import_job
    WHERE account_id = :account AND status IN ('waiting', 'active', 'delayed', 'undoing'))
"""


def _some(table: str, condition: str) -> str:
    """The addresses of some rows of the account."""
    return (
        f"ctid = ANY (ARRAY(SELECT ctid FROM {table} "
        f"WHERE account_id = :account AND ({condition}) LIMIT :rows))"
    )


def _removed(table: str) -> str:
    return f"DELETE FROM {table} WHERE account_id = :account AND {_some(table, 'true')}"


def _emptied(table: str, changes: str, condition: str) -> str:
    return f"UPDATE {table} SET {changes} WHERE account_id = :account AND {_some(table, condition)}"


_MESSAGES: Final = """
UPDATE message m
SET contact_id = NULL, phone = NULL, first_name = NULL, last_name = NULL, email = NULL, error = NULL
FROM (
    SELECT s.campaign_id, s.seq FROM campaign c JOIN message s ON s.campaign_id = c.id
    WHERE c.account_id = :account AND s.account_id = :account
      AND (s.contact_id IS NOT NULL OR s.phone IS NOT NULL OR s.error IS NOT NULL)
    LIMIT :rows
) AS found
WHERE m.account_id = :account AND m.campaign_id = found.campaign_id AND m.seq = found.seq
"""

_BATCHES: Final = """
UPDATE send_batch
SET contact_ids = array_fill(NULL::integer, ARRAY[cardinality(contact_ids)]),
    phones = array_fill(NULL::bigint, ARRAY[cardinality(contact_ids)]),
    first_names = CASE WHEN first_names IS NOT NULL
        THEN array_fill(NULL::text, ARRAY[cardinality(contact_ids)]) END,
    last_names = CASE WHEN last_names IS NOT NULL
        THEN array_fill(NULL::text, ARRAY[cardinality(contact_ids)]) END,
    emails = CASE WHEN emails IS NOT NULL
        THEN array_fill(NULL::text, ARRAY[cardinality(contact_ids)]) END
WHERE account_id = :account AND (campaign_id, no) IN (
    SELECT b.campaign_id, b.no FROM campaign c JOIN send_batch b ON b.campaign_id = c.id
    WHERE c.account_id = :account AND b.account_id = :account
      AND (array_remove(b.contact_ids, NULL) <> '{}' OR array_remove(b.phones, NULL) <> '{}')
    LIMIT greatest(:rows / 1000, 1))
"""

_CAMPAIGNS: Final = f"""
UPDATE campaign
SET name = '{_NOTHING}', message_text = '{_NOTHING}', segment = NULL,
    list_id = NULL, exclude_list_ids = '{{}}', named_list_ids = '{{}}',
    plan = plan || '{{"text": "{_NOTHING}", "sender": "{_NOTHING}", "store_name": "{_NOTHING}"}}'
WHERE account_id = :account AND id IN (
    SELECT id FROM campaign
    WHERE account_id = :account AND (name <> '{_NOTHING}' OR message_text <> '{_NOTHING}'
        OR list_id IS NOT NULL OR segment IS NOT NULL
        OR plan ->> 'sender' <> '{_NOTHING}' OR plan ->> 'store_name' <> '{_NOTHING}')
    LIMIT :rows)
"""

ERASURES: Final = (
    _emptied(
        "consent_event",
        "ip = NULL, user_agent = NULL",
        "ip IS NOT NULL OR user_agent IS NOT NULL",
    ),
    _removed("suppression"),
    _removed("confirmation"),
    # the trigger inbound_scope_is_left empties texts that concern no store any more
    _removed("inbound_scope"),
    _removed("number_trace"),
    _removed("message_trace"),
    _MESSAGES,
    _emptied("message_doubt", "phone = NULL", "phone IS NOT NULL"),
    _emptied(
        "single_message",
        f"contact_id = NULL, phone = NULL, text = NULL, error = NULL, sender = '{_NOTHING}'",
        f"sender <> '{_NOTHING}' OR phone IS NOT NULL OR text IS NOT NULL OR error IS NOT NULL",
    ),
    _BATCHES,
    _CAMPAIGNS,
    _removed("contact_list"),
    _removed("import_row"),
    _removed("import_fault"),
    _removed("import_chunk"),
    _removed("import_job"),
    _removed("refresh_token"),
    _removed("session"),
    _removed("api_key"),
    _removed("idempotency_key"),
    _removed("outbox"),
    _removed("notice"),
    _emptied("subscription", "status = 'cancelled'", "status <> 'cancelled'"),
)
"""In this order; each is repeated until it finds nothing more."""
