"""One person in the tables of all rooms: what is kept about them, and forgetting it."""

from collections.abc import Sequence
from typing import Any, Final

import attrs
import psycopg
from sqlalchemy import Connection, and_, select

from adapters_db.connection.connections import psycopg_connection
from adapters_db.connection.reads import Reads
from adapters_db.contacts.suppressions import SUPPRESSION_COLUMNS
from adapters_db.tables.audiences import contact_list, list_member
from adapters_db.tables.contacts import contact, suppression
from adapters_db.tables.imports import import_job, import_row
from retail_core.contacts.model import Suppression
from retail_core.contacts.model.erasure import Engagement, ImportTrace, OnList
from retail_core.kernel.addresses.phones import PhoneNumber
from retail_core.kernel.idempotency import ERASURE_SECONDS_MAX
from retail_core.kernel.ids import AccountId, ContactId

FAULT_DIGITS_MIN: Final = 7
"""A cell with fewer digits is nobody's number."""

_FORGET_ENGAGEMENT: Final = """
DELETE FROM engagement_fact WHERE account_id = %(account)s AND contact_id = %(contact)s
"""
_FORGET_MEMBERSHIPS: Final = """
DELETE FROM list_member WHERE account_id = %(account)s AND contact_id = %(contact)s
"""
_FORGET_IMPORT_ROWS: Final = """
DELETE FROM import_row r USING import_job j
WHERE j.account_id = %(account)s AND r.account_id = j.account_id AND r.import_id = j.id
  AND r.phone = %(phone)s
"""
# People write numbers in many ways, but the last digits are always the number's last. What else
# was wrong in a row of theirs is theirs too, such as their e-mail address.
_FORGET_FAULTS: Final = f"""
WITH written AS (
    SELECT import_id, row_no, ltrim(regexp_replace(value, '[^0-9]', '', 'g'), '0') AS digits
    FROM import_fault WHERE account_id = %(account)s AND value <> ''
), theirs AS (
    SELECT import_id, row_no FROM written
    WHERE length(digits) >= {FAULT_DIGITS_MIN}
      AND right(%(phone)s::bigint::text, length(digits)) = digits
    UNION
    SELECT r.import_id, r.row_no FROM import_job j JOIN import_row r
        ON r.account_id = j.account_id AND r.import_id = j.id AND r.phone = %(phone)s
    WHERE j.account_id = %(account)s
)
UPDATE import_fault f SET value = ''
FROM theirs
WHERE f.account_id = %(account)s AND f.value <> ''
  AND f.import_id = theirs.import_id AND f.row_no = theirs.row_no
"""
# A test message knows a number and no person. One that waits is not sent any more; while one is
# being submitted nobody with its number is erased.
_FORGET_TESTS: Final = """
UPDATE single_message SET phone = NULL, text = NULL, error = NULL
WHERE account_id = %(account)s AND kind = 'test' AND phone = %(phone)s
"""
# A text may concern other stores too, whose repeat of it must stay one: it only stops to concern
# this one. Where no store is left, the trigger inbound_scope_is_left empties it.
_FORGET_INBOUND: Final = """
DELETE FROM inbound_scope s USING inbound_text t
WHERE s.account_id = %(account)s AND t.id = s.inbound_id AND t.phone = %(phone)s
"""
# A repeat is told what is there by then, which is nothing. Row security hides other accounts.
_KEEP_NO_REPLY: Final = f"""
INSERT INTO reply_barrier (account_id, until)
SELECT id, clock_timestamp() + interval '{ERASURE_SECONDS_MAX} seconds'
FROM account WHERE id = %(account)s
ON CONFLICT (account_id) DO UPDATE SET until = greatest(reply_barrier.until, excluded.until)
"""
_FORGET_REPLIES: Final = """
UPDATE idempotency_key SET reply_body = NULL, reply_status = NULL
WHERE account_id = %(account)s AND reply_body IS NOT NULL
"""

_EVERYWHERE: Final = (
    _FORGET_FAULTS,
    _FORGET_IMPORT_ROWS,
    _FORGET_TESTS,
    _FORGET_INBOUND,
    _KEEP_NO_REPLY,
    _FORGET_REPLIES,
)


@attrs.frozen
class SqlPersonTraces:
    """`PersonTraces` on PostgreSQL."""

    connection: Connection

    def forget(
        self, account: AccountId, contact_id: ContactId, phone: PhoneNumber
    ) -> tuple[int, int]:
        """A statement for each table."""
        driver: psycopg.Connection[tuple[Any, ...]] = psycopg_connection(self.connection)
        parameters = {"account": account, "contact": contact_id, "phone": int(phone[1:])}
        for statement in _EVERYWHERE:
            driver.execute(statement.encode(), parameters)
        memberships = driver.execute(_FORGET_MEMBERSHIPS, parameters).rowcount
        return memberships, driver.execute(_FORGET_ENGAGEMENT, parameters).rowcount


@attrs.frozen
class SqlSubjectQueries:
    """`SubjectQueries` on PostgreSQL."""

    reads: Reads

    def lists(self, account: AccountId, contact_id: ContactId) -> Sequence[OnList]:
        """By the memberships of the person."""
        statement = (
            select(contact_list.c.id, contact_list.c.name)
            .join(
                list_member,
                and_(
                    list_member.c.account_id == contact_list.c.account_id,
                    list_member.c.list_id == contact_list.c.id,
                ),
            )
            .where(contact_list.c.account_id == account, list_member.c.contact_id == contact_id)
            .order_by(contact_list.c.id)
        )
        with self.reads.account(account) as connection:
            return [OnList(row.id, row.name) for row in connection.execute(statement)]

    def suppressions(self, account: AccountId, contact_id: ContactId) -> Sequence[Suppression]:
        """By the number that they have today."""
        statement = (
            select(*SUPPRESSION_COLUMNS)
            .join(
                contact,
                and_(
                    contact.c.account_id == suppression.c.account_id,
                    contact.c.phone == suppression.c.phone,
                ),
            )
            .where(suppression.c.account_id == account, contact.c.id == contact_id)
            .order_by(suppression.c.id.desc())
        )
        with self.reads.account(account) as connection:
            return [Suppression(**row) for row in connection.execute(statement).mappings()]

    def imports(self, account: AccountId, contact_id: ContactId) -> Sequence[ImportTrace]:
        """One look by number into the rows of each import: they have no order by person."""
        statement = (
            select(
                import_row.c.import_id,
                import_row.c.row_no,
                import_row.c.before.is_(None).label("created"),
                import_row.c.applied_at,
            )
            .select_from(import_job)
            .join(contact, contact.c.account_id == import_job.c.account_id)
            .join(
                import_row,
                and_(
                    import_row.c.account_id == import_job.c.account_id,
                    import_row.c.import_id == import_job.c.id,
                    import_row.c.phone == contact.c.phone,
                    import_row.c.contact_id == contact.c.id,
                ),
            )
            .where(import_job.c.account_id == account, contact.c.id == contact_id)
            .order_by(import_row.c.import_id.desc())
        )
        with self.reads.account(account) as connection:
            return [
                ImportTrace(
                    import_id=row.import_id,
                    row=row.row_no,
                    created=row.created,
                    at=row.applied_at,
                )
                for row in connection.execute(statement)
            ]

    def engagement(self, account: AccountId, contact_id: ContactId) -> Engagement:
        """Nothing yet writes down clicks, views, redemptions, visits or scans one by one."""
        del account, contact_id
        return Engagement()
