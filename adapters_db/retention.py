"""Old personal data, by kind: how it is counted, and how some of it is removed or emptied.

Each statement takes `before`, the moment from which on everything stays, and `rows`, how many rows
one transaction changes at most.
"""

from collections.abc import Mapping
from typing import Final

import attrs

from retail_core.messages.model import MessageState

_OVER: Final = """state IN ('completed', 'failed', 'cancelled')
    AND coalesce(finished_at, updated_at) < :before AND texts_removed_at IS NULL"""
_UNDER_WAY: Final = f"({MessageState.QUEUED:d}, {MessageState.SUBMITTING:d})"


@attrs.frozen
class Old:
    """One kind of old data. Each of `steps` is repeated until it finds nothing more.

    How much was removed is told by the first step, or, with `counts_last`, by the last.
    """

    count: str
    steps: tuple[str, ...]
    are_consents: bool = False
    counts_last: bool = False


_MESSAGE_TEXTS: Final = Old(
    count=f"""
    SELECT count(*) FROM campaign c JOIN message m ON m.campaign_id = c.id
    WHERE c.id IN (SELECT id FROM campaign WHERE {_OVER}) AND m.phone IS NOT NULL
    """,
    steps=(
        f"""
        WITH emptied AS (
            UPDATE message m
            SET phone = NULL, first_name = NULL, last_name = NULL, email = NULL, error = NULL
            FROM (
                SELECT o.campaign_id, o.seq FROM campaign c JOIN message o ON o.campaign_id = c.id
                WHERE c.id IN (SELECT id FROM campaign WHERE {_OVER}) AND o.phone IS NOT NULL
                LIMIT :rows FOR UPDATE OF o SKIP LOCKED
            ) found
            WHERE m.campaign_id = found.campaign_id AND m.seq = found.seq
            RETURNING m.campaign_id, m.seq
        ), nameless AS (
            UPDATE message_doubt d SET phone = NULL
            FROM emptied e WHERE d.campaign_id = e.campaign_id AND d.seq = e.seq
        )
        SELECT FROM emptied
        """,
        f"""
        UPDATE send_batch
        SET phones = array_fill(NULL::bigint, ARRAY[cardinality(contact_ids)]),
            first_names = CASE WHEN first_names IS NOT NULL
                THEN array_fill(NULL::text, ARRAY[cardinality(contact_ids)]) END,
            last_names = CASE WHEN last_names IS NOT NULL
                THEN array_fill(NULL::text, ARRAY[cardinality(contact_ids)]) END,
            emails = CASE WHEN emails IS NOT NULL
                THEN array_fill(NULL::text, ARRAY[cardinality(contact_ids)]) END
        WHERE (campaign_id, no) IN (
            SELECT b.campaign_id, b.no FROM campaign c JOIN send_batch b ON b.campaign_id = c.id
            WHERE c.id IN (SELECT id FROM campaign WHERE {_OVER})
              AND array_remove(b.phones, NULL) <> '{{}}'
            LIMIT greatest(:rows / 1000, 1))
        """,
        # So that nobody looks through its messages again.
        f"""
        UPDATE campaign c SET texts_removed_at = now()
        WHERE c.id IN (SELECT id FROM campaign WHERE {_OVER} LIMIT :rows)
          AND NOT EXISTS (
            SELECT FROM message m WHERE m.campaign_id = c.id AND m.phone IS NOT NULL)
        """,
    ),
)

_OLD_SINGLES: Final = f"""
FROM single_message
WHERE created_at < :before AND (phone IS NOT NULL OR text IS NOT NULL)
  AND state NOT IN {_UNDER_WAY}"""
_SINGLE_TEXTS: Final = Old(
    count=f"SELECT count(*) {_OLD_SINGLES}",
    steps=(
        (
            "UPDATE single_message SET phone = NULL, text = NULL, error = NULL WHERE number IN ("
            f"SELECT number {_OLD_SINGLES} LIMIT :rows FOR UPDATE SKIP LOCKED)"
        ),
    ),
)

# Reports are numbered as they come, so the old ones lie before the first young one.
_OLD_REPORTS: Final = """
FROM report_inbox
WHERE arrived_at < :before AND applied_at IS NOT NULL
  AND id < coalesce((SELECT id FROM report_inbox WHERE arrived_at >= :before ORDER BY id LIMIT 1),
                    9223372036854775807)"""
_RAW_REPORTS: Final = Old(
    count=f"SELECT count(*) {_OLD_REPORTS}",
    steps=(
        (
            f"DELETE FROM report_inbox WHERE id IN (SELECT id {_OLD_REPORTS} ORDER BY id "
            "LIMIT :rows FOR UPDATE SKIP LOCKED)"
        ),
    ),
)
_OLD_TEXTS: Final = _OLD_REPORTS.replace("report_inbox", "inbound_text")
_INBOUND_TEXTS: Final = Old(
    count=f"SELECT count(*) {_OLD_TEXTS}",
    steps=(
        (
            f"DELETE FROM inbound_text WHERE id IN (SELECT id {_OLD_TEXTS} ORDER BY id "
            "LIMIT :rows FOR UPDATE SKIP LOCKED)"
        ),
    ),
)
_PARKED_REPORTS: Final = Old(
    count="SELECT count(*) FROM report_parked WHERE parked_at < :before",
    steps=(
        (
            "DELETE FROM report_parked WHERE id IN (SELECT id FROM report_parked "
            "WHERE parked_at < :before LIMIT :rows FOR UPDATE SKIP LOCKED)"
        ),
    ),
)


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

# Whose last word was no, long ago, unless he was asked of late; or who was deleted long ago.
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
_CONSENTS: Final = Old(
    count=f"""
    SELECT count(*) FROM consent_event
    WHERE (account_id, contact_id) IN ({_OLD_CONSENTS})
    """,
    steps=(
        f"""
        DELETE FROM consent_event WHERE (account_id, contact_id) IN (
            SELECT * FROM ({_OLD_CONSENTS}) found LIMIT greatest(:rows / 100, 1))
        """,
        """
        DELETE FROM consent_subject s WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM consent_subject WHERE deleted_at < :before LIMIT :rows))
        """,
    ),
    are_consents=True,
)

KINDS: Final[Mapping[str, Old]] = {
    "message_texts": _MESSAGE_TEXTS,
    "single_message_texts": _SINGLE_TEXTS,
    "raw_reports": _RAW_REPORTS,
    "inbound_texts": _INBOUND_TEXTS,
    "parked_reports": _PARKED_REPORTS,
    "import_files": _IMPORT_FILES,
    "imports": _IMPORTS,
    "consents": _CONSENTS,
}
