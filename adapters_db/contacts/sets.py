"""Many contacts at once, on PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import attrs
from sqlalchemy import ColumnElement, Connection, TextClause, func, or_, select, text

from adapters_db.connection.connections import psycopg_connection
from adapters_db.contacts.choosing import chosen
from adapters_db.contacts.contacts import CONTACT_COLUMNS, contact_of
from adapters_db.tables.contacts import contact
from retail_core.contacts.model import Contact, TagChange, TagCounts
from retail_core.contacts.model.values import TAGS_MAX
from retail_core.contacts.queries import ContactFilter
from retail_core.kernel.ids import AccountId

_RETAG: Final = """
UPDATE contact SET updated_at = %(now)s, tags = ARRAY(
    SELECT tag FROM unnest(tags || %(add)s::text[]) WITH ORDINALITY AS named (tag, at)
    WHERE tag <> ALL (%(remove)s::text[]) GROUP BY tag ORDER BY min(at))
WHERE account_id = %(account)s AND id = ANY(%(ids)s)
"""
_HAS_ROOM: Final = f"""
cardinality(ARRAY(
    (SELECT unnest(contact.tags) UNION SELECT unnest(CAST(:added AS text[])))
    EXCEPT SELECT unnest(CAST(:removed AS text[])))) <= {TAGS_MAX}
"""


@attrs.frozen
class SqlContactSets:
    """`ContactSets` on PostgreSQL."""

    connection: Connection

    def count(self, account: AccountId, which: ContactFilter, change: TagChange) -> TagCounts:
        """All three in one statement."""
        lacking = _lacks(change)
        row = self.connection.execute(
            select(
                func.count(),
                func.count().filter(lacking),
                func.count().filter(lacking, _has_room(change)),
            )
            .select_from(contact)
            .where(chosen(account, which))
        ).one()
        return TagCounts(matched=row[0], lacking=row[1], fitting=row[2])

    def retag(
        self,
        account: AccountId,
        which: ContactFilter,
        change: TagChange,
        contacts_max: int,
        now: datetime,
    ) -> int:
        """Lock those who need it, then change them as a set."""
        ids = self.connection.execute(
            select(contact.c.id)
            .where(chosen(account, which), _lacks(change), _has_room(change))
            .order_by(contact.c.id)
            .limit(contacts_max)
            .with_for_update()
        ).scalars()
        changed = psycopg_connection(self.connection).execute(
            _RETAG,
            {
                "account": account,
                "ids": list(ids),
                "add": list(change.add),
                "remove": list(change.remove),
                "now": now,
            },
        )
        return changed.rowcount

    def choose(
        self, account: AccountId, which: ContactFilter, contacts_max: int
    ) -> Sequence[Contact]:
        """Those with the lowest ids."""
        rows = self.connection.execute(
            select(*CONTACT_COLUMNS)
            .where(chosen(account, which))
            .order_by(contact.c.id)
            .limit(contacts_max)
            .with_for_update(of=contact)
        )
        return [contact_of(row) for row in rows.mappings()]


def _lacks(change: TagChange) -> ColumnElement[bool]:
    has_all = contact.c.tags.contains(change.add)
    return or_(~has_all, contact.c.tags.overlap(change.remove))


def _has_room(change: TagChange) -> TextClause:
    return text(_HAS_ROOM).bindparams(added=list(change.add), removed=list(change.remove))
