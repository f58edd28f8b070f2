"""Taking back what an import did to the contacts, as a set.

The next rows of the import go into a table of the transaction's own; the contacts are locked, and
every statement then works on all of them at once, with a view that began after the locks.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import attrs
import psycopg
from sqlalchemy import Connection

from adapters_db.connection.connections import psycopg_connection
from adapters_db.messages.waiting_recipients import lock_batches
from retail_core.contacts.model import SEARCH_SEPARATOR
from retail_core.imports.model import ImportTerms, RemovedContact, UndoCounts, UndoStep
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.ids import SYSTEM_ACCOUNT, AccountId, ContactId, ImportId
from retail_core.messages.model import BatchState

_STAGE: Final = """
CREATE TEMP TABLE reverted (
    phone bigint, contact_id integer, before jsonb, after jsonb, applied_at timestamptz
) ON COMMIT DROP
"""

_TAKE: Final = """
INSERT INTO reverted
SELECT phone, contact_id, before, after, applied_at FROM import_row
WHERE account_id = %(account)s AND import_id = %(import)s AND phone > %(after)s
ORDER BY phone LIMIT %(rows)s
"""

_LOCK: Final = """
SELECT c.id, r.before IS NULL FROM contact c JOIN reverted r ON r.contact_id = c.id
WHERE c.account_id = %(account)s ORDER BY c.id FOR UPDATE OF c
"""

# Who is being handed over has no row yet. Batches are locked before: one that is only claimed
# cannot be marked meanwhile, and afterwards leaves out whoever is gone.
_REMOVE: Final = f"""
WITH in_flight AS MATERIALIZED (
    SELECT r.contact_id
    FROM send_batch b, unnest(b.contact_ids) WITH ORDINALITY AS r (contact_id, place)
    WHERE b.account_id = %(account)s AND b.state = '{BatchState.SUBMITTING.value}'
      AND r.contact_id IS NOT NULL AND NOT b.dropped ? (r.place - 1)::text
), removed AS (
    DELETE FROM contact c USING reverted r
    WHERE c.account_id = %(account)s AND c.id = r.contact_id
        AND r.before IS NULL AND c.updated_at = r.applied_at
        AND NOT EXISTS (SELECT FROM message m
            WHERE m.account_id = %(account)s AND m.contact_id = c.id)
        AND NOT EXISTS (SELECT FROM single_message m
            WHERE m.account_id = %(account)s AND m.contact_id = c.id)
        AND c.id NOT IN (SELECT contact_id FROM in_flight)
    RETURNING c.id, c.phone, c.is_subscribed
), told AS (
    INSERT INTO consent_event (account_id, contact_id, type, source, source_ref, occurred_at)
    SELECT %(account)s, id, 'withdrawn', 'import_undo', %(ref)s, %(at)s
    FROM removed WHERE is_subscribed ORDER BY id
)
SELECT id, phone FROM removed ORDER BY id
"""

_KEEP: Final = """
SELECT count(*) FROM contact c JOIN reverted r ON r.contact_id = c.id
WHERE c.account_id = %(account)s AND r.before IS NULL
"""

_TAKE_TAGS_OFF: Final = """
UPDATE contact c SET updated_at = %(at)s, tags = ARRAY(
    SELECT tag FROM unnest(c.tags) WITH ORDINALITY AS named (tag, at)
    WHERE tag <> ALL (%(extra)s::text[]) ORDER BY at)
FROM reverted r
WHERE c.account_id = %(account)s AND c.id = r.contact_id
    AND r.before IS NULL AND c.tags && %(extra)s::text[]
"""

# A membership of another moment was there before, or was made since.
_TAKE_OFF_LIST: Final = """
DELETE FROM list_member m USING reverted r
WHERE m.account_id = %(account)s AND m.list_id = %(list)s
    AND m.contact_id = r.contact_id AND m.created_at = r.applied_at
"""

_FIELDS: Final = (
    "email text, first_name text, last_name text, gender text, birthday date, tags text[], "
    "is_subscribed boolean, unsubscribed_at timestamptz, updated_at timestamptz, search_text text"
)
_PLAIN: Final = ("email", "first_name", "last_name", "gender", "birthday")
_SEARCHED: Final = ("email", "first_name", "last_name")
_SAME: Final = "c.{0} IS NOT DISTINCT FROM a.{0}"


def _part(of: str, number: int) -> str:
    return f"split_part({of}.search_text, %(separator)s, {number})"


_RESTORED: Final = ", ".join(
    f"CASE WHEN {_SAME.format(field)} THEN b.{field} ELSE c.{field} END AS {field}"
    for field in _PLAIN
)
_SEARCH_PARTS: Final = ", ".join(
    f"CASE WHEN {_SAME.format(field)} THEN {_part('b', number)} ELSE {_part('c', number)} END"
    for number, field in enumerate(_SEARCHED, start=2)
)
_CHANGED_SINCE: Final = " OR ".join(
    f"(a.{field} IS DISTINCT FROM b.{field} AND c.{field} IS DISTINCT FROM a.{field}"
    f" AND c.{field} IS DISTINCT FROM b.{field})"
    for field in (*_PLAIN, "tags")
)
_RESTORE: Final = f"""
WITH there AS (
    SELECT c.id, c.is_subscribed, {_RESTORED},
        CASE WHEN c.tags = a.tags THEN b.tags ELSE ARRAY(
            SELECT tag FROM unnest(c.tags) WITH ORDINALITY AS named (tag, at)
            WHERE tag = ANY (b.tags) OR tag <> ALL (a.tags) ORDER BY at) END AS tags,
        concat_ws(%(separator)s, {_part("c", 1)}, {_SEARCH_PARTS}) AS search_text,
        {_CHANGED_SINCE} AS is_changed,
        b.is_subscribed AND NOT c.is_subscribed AS is_opted_out,
        NOT a.is_subscribed AND c.unsubscribed_at = a.unsubscribed_at AND NOT EXISTS (
            SELECT FROM suppression x
            WHERE x.account_id IN (%(account)s, %(operator)s) AND x.phone = c.phone
        ) AS is_ours,
        c.updated_at = r.applied_at AS is_untouched, b.updated_at AS old_updated_at
    FROM contact c JOIN reverted r ON r.contact_id = c.id
    CROSS JOIN LATERAL jsonb_to_record(r.before) AS b ({_FIELDS})
    CROSS JOIN LATERAL jsonb_to_record(r.after) AS a ({_FIELDS})
    WHERE c.account_id = %(account)s AND r.after IS NOT NULL
), decided AS (
    SELECT *, is_opted_out AND coalesce(is_ours, false) AS is_back,
        is_changed OR (is_opted_out AND NOT coalesce(is_ours, false)) AS is_kept
    FROM there
), restored AS (
    UPDATE contact c SET
        email = d.email, first_name = d.first_name, last_name = d.last_name, gender = d.gender,
        birthday = d.birthday, tags = d.tags, search_text = d.search_text,
        is_subscribed = c.is_subscribed OR d.is_back,
        unsubscribed_at = CASE WHEN NOT d.is_back THEN c.unsubscribed_at END,
        updated_at = CASE WHEN d.is_untouched AND NOT d.is_kept
            THEN d.old_updated_at ELSE %(at)s::timestamptz END
    FROM decided d WHERE c.account_id = %(account)s AND c.id = d.id
), told AS (
    INSERT INTO consent_event (account_id, contact_id, type, source, source_ref, occurred_at)
    SELECT %(account)s, id, 'granted', 'import_undo', %(ref)s, %(at)s
    FROM decided WHERE is_back ORDER BY id
)
SELECT count(*) FILTER (WHERE NOT is_kept), count(*) FILTER (WHERE is_kept) FROM decided
"""

_REMEMBER: Final = """
INSERT INTO consent_subject (account_id, contact_id, phone_hash, deleted_at)
SELECT %s, contact_id, phone_hash, %s
FROM unnest(%s::integer[], %s::bytea[]) AS gone (contact_id, phone_hash)
ON CONFLICT DO NOTHING
"""

_Cursor = psycopg.Cursor[tuple[Any, ...]]


@attrs.frozen
class SqlImportReversal:
    """`ImportReversal` on PostgreSQL."""

    connection: Connection

    def revert(
        self,
        account: AccountId,
        import_id: ImportId,
        terms: ImportTerms,
        after: PhoneNumber | None,
        rows_max: int,
        at: datetime,
    ) -> UndoStep:
        """Take back a step in a handful of statements."""
        cursor = psycopg_connection(self.connection).cursor()
        cursor.execute(_STAGE)
        values = {
            "account": account,
            "import": import_id,
            "operator": SYSTEM_ACCOUNT,
            "after": 0 if after is None else int(after[1:]),
            "rows": rows_max,
            "list": terms.list_id,
            "extra": list(terms.tags),
            "separator": SEARCH_SEPARATOR,
            "ref": f"import:{import_id}",
            "at": at,
        }
        cursor.execute(_TAKE, values)
        step = _revert(cursor, values)
        cursor.execute("DROP TABLE reverted")
        return step

    def remember_removed(
        self, account: AccountId, hashes: Sequence[tuple[ContactId, bytes]], at: datetime
    ) -> None:
        """Keep whose facts they are."""
        ids, digests = [contact for contact, _ in hashes], [digest for _, digest in hashes]
        psycopg_connection(self.connection).execute(_REMEMBER, (account, at, ids, digests))


def _revert(cursor: _Cursor, values: Mapping[str, Any]) -> UndoStep:
    [last] = _row(cursor.execute("SELECT max(phone) FROM reverted"))
    if last is None:
        return UndoStep(UndoCounts(), (), None)
    created = [contact for contact, is_new in cursor.execute(_LOCK, values) if is_new]
    lock_batches(cursor.connection, values["account"], created)
    removed = [
        RemovedContact(ContactId(contact), PhoneNumber(f"+{phone}"))
        for contact, phone in cursor.execute(_REMOVE, values)
    ]
    [kept] = _row(cursor.execute(_KEEP, values))
    if values["list"] is not None:
        cursor.execute(_TAKE_OFF_LIST, values)
    if values["extra"]:
        cursor.execute(_TAKE_TAGS_OFF, values)
    restored, changed = _row(cursor.execute(_RESTORE, values))
    counts = UndoCounts(len(removed), restored, kept + changed)
    return UndoStep(counts, removed, PhoneNumber(f"+{last}"))


def _row(cursor: _Cursor) -> tuple[Any, ...]:
    row = cursor.fetchone()
    assert row is not None, "an aggregate gives one row"
    return row
