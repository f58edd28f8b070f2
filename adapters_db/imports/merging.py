"""Bringing a batch of an import into the contacts, as a set.

The rows are copied into a table of the transaction's own; every statement then works on all of
them at once. COPY cannot write into tables with row security, and these checks need joins anyway.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import attrs
import psycopg
from sqlalchemy import Connection

from adapters_db.connection.connections import psycopg_connection
from adapters_db.imports.staging import COPY_STAGED, staged_lines
from retail_core.contacts.model import SEARCH_SEPARATOR
from retail_core.contacts.model.values import TAGS_MAX
from retail_core.imports.model import ImportedRow, ImportMode, ImportTerms, MergeOutcome
from retail_core.kernel.ids import SYSTEM_ACCOUNT, AccountId, ImportId

# Two files with the same new numbers in another order would wait for each other for ever.
_ALONE: Final = "SELECT pg_advisory_xact_lock(hashtext('import_merge'), %(account)s)"

_STAGE: Final = """
CREATE TEMP TABLE staged (
    row_no integer, phone bigint, country text, line_type smallint, email text, first_name text,
    last_name text, gender text, birthday date, tags text[], subscribed boolean,
    email_folded text, first_folded text, last_folded text
) ON COMMIT DROP
"""

# Numbers that an earlier row of this import brought leave the batch.
_TAKE_OUT_SEEN: Final = """
DELETE FROM staged s USING import_row r
WHERE r.account_id = %(account)s AND r.import_id = %(import)s AND r.phone = s.phone
RETURNING s.row_no
"""

_TAGS: Final = f"""
CASE WHEN s.tags IS NULL AND cardinality(%(extra)s::text[]) = 0 THEN {{before}} ELSE ARRAY(
    SELECT tag FROM unnest(coalesce(s.tags, {{before}}) || %(extra)s::text[])
        WITH ORDINALITY AS named (tag, at) GROUP BY tag ORDER BY min(at) LIMIT {TAGS_MAX}
) END
"""

_SEARCH: Final = "concat_ws(%(separator)s, '+' || s.phone, {email}, {first}, {last})"

_CREATE: Final = f"""
WITH allowed AS (
    SELECT s.*, s.subscribed AND NOT EXISTS (
        SELECT FROM suppression x
        WHERE x.account_id IN (%(account)s, %(operator)s) AND x.phone = s.phone
    ) AS allowed
    FROM staged s
), created AS (
    INSERT INTO contact (account_id, phone, country, line_type, email, first_name, last_name,
        gender, birthday, tags, is_subscribed, unsubscribed_at, search_text,
        created_at, updated_at)
    SELECT %(account)s, s.phone, s.country, s.line_type, s.email, s.first_name, s.last_name,
        s.gender, s.birthday, {_TAGS.format(before="'{}'::text[]")}, s.allowed,
        CASE WHEN NOT s.allowed THEN %(at)s::timestamptz END,
        {
    _SEARCH.format(
        email="coalesce(s.email_folded, '')",
        first="coalesce(s.first_folded, '')",
        last="coalesce(s.last_folded, '')",
    )
},
        %(at)s, %(at)s
    FROM allowed s ORDER BY s.row_no
    ON CONFLICT (account_id, phone) DO NOTHING
    RETURNING id, phone, is_subscribed
), told AS (
    INSERT INTO consent_event
        (account_id, contact_id, type, source, source_ref, statement, occurred_at)
    SELECT %(account)s, id, CASE WHEN is_subscribed THEN 'granted' ELSE 'withdrawn' END,
        'import', %(ref)s, %(statement)s, %(at)s
    FROM created ORDER BY id
), kept AS (
    INSERT INTO import_row (account_id, import_id, phone, row_no, contact_id, applied_at)
    SELECT %(account)s, %(import)s, c.phone, s.row_no, c.id, %(at)s
    FROM created c JOIN staged s ON s.phone = c.phone
)
SELECT s.row_no FROM staged s LEFT JOIN created c ON c.phone = s.phone WHERE c.phone IS NULL
"""

_LOCK_KNOWN: Final = """
SELECT c.id FROM contact c JOIN staged s ON s.phone = c.phone
WHERE c.account_id = %(account)s ORDER BY c.id FOR UPDATE OF c
"""

_WITHDRAW: Final = """
INSERT INTO consent_event
    (account_id, contact_id, type, source, source_ref, statement, occurred_at)
SELECT %(account)s, c.id, 'withdrawn', 'import', %(ref)s, %(statement)s, %(at)s
FROM contact c JOIN staged s ON s.phone = c.phone
WHERE c.account_id = %(account)s AND c.is_subscribed AND NOT s.subscribed ORDER BY c.id
"""

# What an undo compares; it puts the folded fields back as well.
_FIELDS: Final = """
    'email', c.email, 'first_name', c.first_name, 'last_name', c.last_name,
    'gender', c.gender, 'birthday', c.birthday, 'tags', c.tags,
    'is_subscribed', c.is_subscribed, 'unsubscribed_at', c.unsubscribed_at,
    'updated_at', c.updated_at
"""
_BEFORE: Final = f"jsonb_build_object({_FIELDS}, 'search_text', c.search_text)"
_AFTER: Final = f"jsonb_build_object({_FIELDS})"

_OLD_PART: Final = "split_part(c.search_text, %(separator)s, {})"
_UPDATE: Final = f"""
WITH old AS (
    SELECT c.id, c.phone, s.row_no, {_BEFORE} AS before
    FROM contact c JOIN staged s ON s.phone = c.phone WHERE c.account_id = %(account)s
), changed AS (
UPDATE contact c SET
    email = coalesce(s.email, c.email),
    first_name = coalesce(s.first_name, c.first_name),
    last_name = coalesce(s.last_name, c.last_name),
    gender = coalesce(s.gender, c.gender),
    birthday = coalesce(s.birthday, c.birthday),
    tags = {_TAGS.format(before="c.tags")},
    is_subscribed = c.is_subscribed AND s.subscribed,
    unsubscribed_at = CASE WHEN c.is_subscribed AND NOT s.subscribed
        THEN %(at)s::timestamptz ELSE c.unsubscribed_at END,
    search_text = {
    _SEARCH.format(
        email=f"coalesce(s.email_folded, {_OLD_PART.format(2)})",
        first=f"coalesce(s.first_folded, {_OLD_PART.format(3)})",
        last=f"coalesce(s.last_folded, {_OLD_PART.format(4)})",
    )
},
    updated_at = %(at)s
FROM staged s WHERE c.account_id = %(account)s AND c.phone = s.phone
RETURNING c.id, {_AFTER} AS after
)
INSERT INTO import_row
    (account_id, import_id, phone, row_no, contact_id, before, after, applied_at)
SELECT %(account)s, %(import)s, old.phone, old.row_no, id, old.before, changed.after, %(at)s
FROM old JOIN changed USING (id)
"""

# Run when the updated rows are kept, and again when the created ones are.
_JOIN: Final = """
INSERT INTO list_member (account_id, list_id, contact_id, created_at)
SELECT %(account)s, %(list)s, r.contact_id, %(at)s
FROM staged s JOIN import_row r ON r.phone = s.phone
WHERE r.account_id = %(account)s AND r.import_id = %(import)s ORDER BY r.contact_id
ON CONFLICT DO NOTHING
"""
_HOLD_LIST: Final = """
SELECT id FROM contact_list
WHERE account_id = %(account)s AND id = %(list)s
    AND num_nonnulls(filter_gender, filter_age_min, filter_age_max) = 0 FOR KEY SHARE
"""

_SELECT_KNOWN: Final = """
SELECT s.row_no FROM staged s JOIN contact c ON c.account_id = %(account)s AND c.phone = s.phone
"""
_KEEP_DRY: Final = """
INSERT INTO import_row (account_id, import_id, phone, row_no, applied_at)
SELECT %(account)s, %(import)s, s.phone, s.row_no, %(at)s FROM staged s
"""


@attrs.frozen
class SqlImportMerge:
    """`ImportMerge` on PostgreSQL."""

    connection: Connection

    def merge(
        self,
        account: AccountId,
        import_id: ImportId,
        rows: Sequence[ImportedRow],
        terms: ImportTerms,
        at: datetime,
    ) -> MergeOutcome:
        """Merge a batch in a handful of statements."""
        if not rows:
            return MergeOutcome(0, 0, ())
        cursor = psycopg_connection(self.connection).cursor()
        cursor.execute(_STAGE)
        _copy(cursor, rows)
        values = {
            "account": account,
            "import": import_id,
            "operator": SYSTEM_ACCOUNT,
            "list": terms.list_id,
            "extra": list(terms.tags),
            "separator": SEARCH_SEPARATOR,
            "ref": f"import:{import_id}",
            "statement": terms.consent_source,
            "at": at,
        }
        seen = _numbers(cursor.execute(_TAKE_OUT_SEEN, values))
        left = len(rows) - len(seen)
        merge = _count_only if terms.dry_run else _store
        updated, known = merge(cursor, values, terms.mode)
        cursor.execute("DROP TABLE staged")
        return MergeOutcome(left - updated - len(known), updated, (*seen, *known))

    def forget_dry_run(self, account: AccountId, import_id: ImportId) -> None:
        """Drop what a dry run kept of the numbers."""
        psycopg_connection(self.connection).execute(
            "DELETE FROM import_row WHERE account_id = %s AND import_id = %s", (account, import_id)
        )


_Cursor = psycopg.Cursor[tuple[Any, ...]]


def _store(
    cursor: _Cursor, values: Mapping[str, Any], mode: ImportMode
) -> tuple[int, Sequence[int]]:
    updated = 0
    cursor.execute(_ALONE, values)
    joins = values["list"] is not None and bool(_numbers(cursor.execute(_HOLD_LIST, values)))
    if mode is ImportMode.UPDATE:
        cursor.execute(_LOCK_KNOWN, values)
        cursor.execute(_WITHDRAW, values)
        updated = cursor.execute(_UPDATE, values).rowcount
        if joins:
            cursor.execute(_JOIN, values)
        cursor.execute(_TAKE_OUT_SEEN, values)
    known = _numbers(cursor.execute(_CREATE, values))
    if joins:
        cursor.execute(_JOIN, values)
    return updated, known


def _count_only(
    cursor: _Cursor, values: Mapping[str, Any], mode: ImportMode
) -> tuple[int, Sequence[int]]:
    known = _numbers(cursor.execute(_SELECT_KNOWN, values))
    cursor.execute(_KEEP_DRY, values)
    return (len(known), ()) if mode is ImportMode.UPDATE else (0, known)


def _numbers(cursor: _Cursor) -> Sequence[int]:
    return [row[0] for row in cursor.fetchall()]


def _copy(cursor: _Cursor, rows: Sequence[ImportedRow]) -> None:
    with cursor.copy(COPY_STAGED) as copy:
        copy.write(staged_lines(rows))
