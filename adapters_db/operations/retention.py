"""Old personal data, by kind: how it is counted, and how some of it is removed or emptied.

Each statement takes `before`, the moment from which on everything stays, and `rows`, how many rows
one transaction changes at most.
"""

from collections.abc import Mapping
from typing import Final

import attrs

from retail_core.messages.model import MessageState

_UNDER_WAY: Final = f"({MessageState.QUEUED:d}, {MessageState.SUBMITTING:d})"


@attrs.frozen
class Walk:
    """A statement that goes on behind `after`: what it removed, and how far it came, or null."""

    sql: str


@attrs.frozen
class Old:
    """One kind of old data. Each of `steps` is repeated until it finds nothing more.

    A step that a table has many rows for is a walk, which never looks twice at what it passed: rows
    that are gone stay in an index until it is vacuumed.

    How much was removed is told by all steps together, or, with `counts_last`, by the last.
    """

    count: str
    steps: tuple[str | Walk, ...]
    are_consents: bool = False
    counts_last: bool = False


_PERSONAL: Final = (
    "phone IS NOT NULL OR first_name IS NOT NULL OR last_name IS NOT NULL OR email IS NOT NULL "
    "OR error IS NOT NULL"
)
# Where the whole partition is old before long, all of it is copied instead.
_BY_ITSELF: Final = """(c.finished_at < :long_before OR NOT EXISTS (
    SELECT FROM message_partition p
    WHERE p.waits AND p.first_campaign <= c.id AND p.below > c.id))"""
_IS_LEAN: Final = """EXISTS (
    SELECT FROM message_partition p
    WHERE p.lean_before > c.finished_at AND p.lean_at IS NOT NULL
      AND p.first_campaign <= c.id AND p.below > c.id)"""
_CAMPAIGNS: Final = """
SELECT c.id, c.total, c.finished_at FROM campaign c
WHERE c.texts_removed_at IS NULL AND c.finished_at < :before
  AND c.state IN ('completed', 'failed', 'cancelled')
  AND (c.finished_at, c.id) > (CAST(:at AS timestamptz), :after) AND {}
ORDER BY c.finished_at, c.id LIMIT 1000
"""
OVER_CAMPAIGNS: Final = _CAMPAIGNS.format(_BY_ITSELF)
"""Campaigns whose messages are old and not emptied yet, and how many each has."""

LEAN_CAMPAIGNS: Final = _CAMPAIGNS.format(_IS_LEAN)
"""Campaigns whose messages are copies without what is personal."""

EMPTY_MESSAGES: Final = f"""
WITH found AS (
    SELECT campaign_id, seq FROM message
    WHERE campaign_id = ANY(CAST(:campaigns AS integer[])) AND seq >= :first AND seq < :below
      AND ({_PERSONAL})
    ORDER BY campaign_id DESC, seq FOR UPDATE SKIP LOCKED
)
UPDATE message m
SET phone = NULL, first_name = NULL, last_name = NULL, email = NULL, error = NULL
FROM found f
WHERE m.campaign_id = f.campaign_id AND m.seq = f.seq
  AND m.campaign_id = ANY(CAST(:campaigns AS integer[]))
"""
"""Named by plain values, so that only their partitions are looked into."""

_EMPTY_BATCHES: Final = """
UPDATE send_batch
SET phones = array_fill(NULL::bigint, ARRAY[cardinality(contact_ids)]),
    first_names = CASE WHEN first_names IS NOT NULL
        THEN array_fill(NULL::text, ARRAY[cardinality(contact_ids)]) END,
    last_names = CASE WHEN last_names IS NOT NULL
        THEN array_fill(NULL::text, ARRAY[cardinality(contact_ids)]) END,
    emails = CASE WHEN emails IS NOT NULL
        THEN array_fill(NULL::text, ARRAY[cardinality(contact_ids)]) END
WHERE campaign_id = ANY(CAST(:campaigns AS integer[])) AND array_remove(phones, NULL) <> '{}'
"""
_EMPTY_DOUBTS: Final = """
UPDATE message_doubt SET phone = NULL
WHERE campaign_id = ANY(CAST(:campaigns AS integer[])) AND phone IS NOT NULL
"""
_MARK_EMPTIED: Final = f"""
UPDATE campaign c SET texts_removed_at = now()
WHERE c.id = ANY(CAST(:campaigns AS integer[])) AND NOT EXISTS (
    SELECT FROM message m
    WHERE m.campaign_id = ANY(CAST(:campaigns AS integer[])) AND m.campaign_id = c.id
      AND ({_PERSONAL}))
"""
# So that nobody looks through its messages again; not where somebody else held one of them.
END_CAMPAIGNS: Final = (_EMPTY_DOUBTS, _EMPTY_BATCHES, _MARK_EMPTIED)
"""What follows when their messages are emptied."""

COUNT_MESSAGES: Final = f"""
SELECT count(*) FROM campaign c JOIN message m ON m.campaign_id = c.id
WHERE c.texts_removed_at IS NULL AND c.finished_at < :before
  AND c.state IN ('completed', 'failed', 'cancelled') AND ({_PERSONAL})
  AND {_BY_ITSELF}
"""

_OLD_SINGLES: Final = f"""
FROM single_message
WHERE created_at < :before AND (phone IS NOT NULL OR text IS NOT NULL)
  AND state NOT IN {_UNDER_WAY}"""
_SINGLE_TEXTS: Final = Old(
    count=f"SELECT count(*) {_OLD_SINGLES}",
    steps=(
        Walk(
            f"""
            WITH found AS (
                SELECT number, created_at {_OLD_SINGLES}
                  AND created_at >= coalesce(CAST(:after AS timestamptz), '-infinity')
                ORDER BY created_at LIMIT :rows FOR UPDATE SKIP LOCKED
            ), emptied AS (
                UPDATE single_message SET phone = NULL, text = NULL, error = NULL
                WHERE number IN (SELECT number FROM found)
            )
            SELECT count(*), max(created_at) FROM found
            """
        ),
    ),
)


def _numbered_as_they_come(table: str, at: str, removable: str) -> Old:
    """Rows whose old ones lie before the young ones, but for a few.

    The walk ends where it finds young ones and nothing to remove.
    """
    return Old(
        count=f"SELECT count(*) FROM {table} WHERE {at} < :before AND {removable}",
        steps=(
            Walk(
                f"""
                WITH seen AS MATERIALIZED (
                    SELECT id, {at} < :before AS is_old FROM {table}
                    WHERE id > coalesce(CAST(:after AS bigint), 0) ORDER BY id LIMIT :rows
                ), gone AS (
                    DELETE FROM {table}
                    WHERE id = ANY (ARRAY(SELECT id FROM seen WHERE is_old)) AND {removable}
                    RETURNING id
                )
                SELECT (SELECT count(*) FROM gone),
                       CASE WHEN EXISTS (SELECT FROM gone)
                              OR NOT EXISTS (SELECT FROM seen WHERE NOT is_old)
                            THEN (SELECT max(id) FROM seen) END
                """
            ),
        ),
    )


_RAW_REPORTS: Final = _numbered_as_they_come("report_inbox", "arrived_at", "applied_at IS NOT NULL")
_INBOUND_TEXTS: Final = _numbered_as_they_come(
    "inbound_text", "arrived_at", "applied_at IS NOT NULL"
)
# What is parked again gets a new number, some days after it was parked first.
_PARKED_REPORTS: Final = _numbered_as_they_come("report_parked", "parked_at", "true")


def _of_old_imports(table: str, rows: str = ":rows") -> str:
    return (
        f"DELETE FROM {table} WHERE ctid = ANY (ARRAY("
        f"SELECT p.ctid FROM import_job j JOIN {table} p "
        "ON p.account_id = j.account_id AND p.import_id = j.id "
        f"WHERE j.finished_at < :before LIMIT {rows}))"
    )


_IMPORT_FILES: Final = Old(
    count="SELECT count(*) FROM import_job j JOIN import_chunk p "
    "ON p.account_id = j.account_id AND p.import_id = j.id WHERE j.finished_at < :before",
    # a chunk is a megabyte
    steps=(_of_old_imports("import_chunk", "greatest(:rows / 100, 1)"),),
)
_IMPORTS: Final = Old(
    count="SELECT count(*) FROM import_job WHERE finished_at < :before",
    steps=(
        _of_old_imports("import_chunk", "greatest(:rows / 100, 1)"),
        _of_old_imports("import_fault"),
        _of_old_imports("import_row"),
        (
            "DELETE FROM import_job WHERE id IN (SELECT id FROM import_job "
            "WHERE finished_at < :before LIMIT greatest(:rows / 100, 1))"
        ),
    ),
    counts_last=True,
)

# Whose last word was no, long ago, unless they were asked of late; or who was deleted long ago.
_OLD_CONSENTS: Final = """
SELECT e.account_id, e.contact_id FROM consent_event e
WHERE e.type = 'withdrawn' AND e.occurred_at < :before AND NOT EXISTS (
    SELECT FROM consent_event l
    WHERE l.account_id = e.account_id AND l.contact_id = e.contact_id AND l.id > e.id
      AND (l.type <> 'requested' OR l.occurred_at >= :before))
UNION
SELECT s.account_id, s.contact_id FROM consent_subject s
WHERE s.deleted_at < :before AND EXISTS (
    SELECT FROM consent_event l
    WHERE l.account_id = s.account_id AND l.contact_id = s.contact_id)
"""
# Both go on behind the last row that they passed, whose place is told as one text.
_OLD_WITHDRAWALS: Final = Walk(
    """
    WITH place AS (
        SELECT split_part(word, '|', 1)::timestamptz AS at, split_part(word, '|', 2)::bigint AS id
        FROM (SELECT coalesce(CAST(:after AS text), '-infinity|0') AS word) passed
    ), seen AS MATERIALIZED (
        SELECT account_id, contact_id, id, occurred_at FROM consent_event
        WHERE type = 'withdrawn' AND occurred_at < :before
          AND occurred_at >= (SELECT at FROM place)
          AND (occurred_at, id) > (SELECT at, id FROM place)
        ORDER BY occurred_at, id LIMIT greatest(:rows / 10, 1)
    ), gone AS (
        DELETE FROM consent_event g USING seen e
        WHERE g.account_id = e.account_id AND g.contact_id = e.contact_id
          AND NOT EXISTS (
            SELECT FROM consent_event l
            WHERE l.account_id = e.account_id AND l.contact_id = e.contact_id AND l.id > e.id
              AND (l.type <> 'requested' OR l.occurred_at >= :before))
        RETURNING g.id
    )
    SELECT (SELECT count(*) FROM gone),
           (SELECT occurred_at::text || '|' || id FROM seen
            ORDER BY occurred_at DESC, id DESC LIMIT 1)
    """
)
_OLD_DELETIONS: Final = Walk(
    """
    WITH place AS (
        SELECT split_part(word, '|', 1)::timestamptz AS at,
               split_part(word, '|', 2)::integer AS account,
               split_part(word, '|', 3)::integer AS contact
        FROM (SELECT coalesce(CAST(:after AS text), '-infinity|0|0') AS word) passed
    ), seen AS MATERIALIZED (
        SELECT account_id, contact_id, deleted_at FROM consent_subject
        WHERE deleted_at < :before AND deleted_at >= (SELECT at FROM place)
          AND (deleted_at, account_id, contact_id) > (SELECT at, account, contact FROM place)
        ORDER BY deleted_at, account_id, contact_id LIMIT greatest(:rows / 10, 1)
    ), gone AS (
        DELETE FROM consent_event g USING seen s
        WHERE g.account_id = s.account_id AND g.contact_id = s.contact_id
        RETURNING g.id
    ), forgotten AS (
        DELETE FROM consent_subject d USING seen s
        WHERE d.account_id = s.account_id AND d.contact_id = s.contact_id
    )
    SELECT (SELECT count(*) FROM gone),
           (SELECT deleted_at::text || '|' || account_id || '|' || contact_id FROM seen
            ORDER BY deleted_at DESC, account_id DESC, contact_id DESC LIMIT 1)
    """
)
_CONSENTS: Final = Old(
    count=f"""
    SELECT count(*) FROM consent_event
    WHERE (account_id, contact_id) IN ({_OLD_CONSENTS})
    """,
    steps=(_OLD_WITHDRAWALS, _OLD_DELETIONS),
    are_consents=True,
)

KINDS: Final[Mapping[str, Old]] = {
    "single_message_texts": _SINGLE_TEXTS,
    "raw_reports": _RAW_REPORTS,
    "inbound_texts": _INBOUND_TEXTS,
    "parked_reports": _PARKED_REPORTS,
    "import_files": _IMPORT_FILES,
    "imports": _IMPORTS,
    "consents": _CONSENTS,
}
