"""A shop full of everything, with a mark of its own in every column that can hold a text.

Rows and marks are put into whatever tables and columns there are, so a new one is searched too.
"""

import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

import attrs
import psycopg
from psycopg.sql import SQL, Composed, Identifier, Placeholder
from psycopg.types.json import Jsonb

from retail_core.contacts.model import Contact
from retail_core.contacts.queries import ContactFilter
from retail_core.kernel.ids import AccountId
from tests.contracts.accounts.api_keys import an_api_key
from tests.contracts.accounts.closing import sent_campaign
from tests.contracts.accounts.sessions import a_session, a_token
from tests.contracts.imports.imports import new_import
from tests.contracts.messages.singles.stage import planned, to_contact
from tests.contracts.staging import shop
from tests.contracts.worlds import World

Cursor = psycopg.Connection[Any]
Place = tuple[str, str]
"""A table and one of its columns."""

MARK: Final = "mk"
FILE: Final = b"phone,firstName\n%s,Xenophon\n"
_BY_TYPE: Final[Mapping[str, Any]] = {
    "text": "x",
    "integer": 1,
    "smallint": 1,
    "bigint": 1,
    "boolean": True,
    "jsonb": Jsonb({"word": "x"}),
    "timestamp with time zone": datetime(2026, 11, 1, tzinfo=UTC),
    "character": "GR",
    "text[]": ["x"],
}
_WORDS: Final[Mapping[str, Mapping[str, Any]]] = {
    "audit_entry": {"agent": "operator", "action": "exported", "kind": "account"},
    "consent_event": {"type": "granted", "source": "api", "channel": "sms", "purpose": "marketing"},
    "import_job": {"status": "completed", "kind": "csv", "encoding": "utf-8", "mode": "update"},
    "suppression": {"reason": "manual"},
    "session": {"id": 1},
    "notice": {"kind": "credits_low"},
    "idempotency_key": {"reply_status": 200, "reply_body": b"{}"},
    "import_row": {"before": Jsonb({"name": "x"}), "after": Jsonb({"name": "x"})},
}
"""Values of closed lists, and what rows need to know of each other."""

_WITH_MARKED_TEXTS: Final = """
CASE WHEN {0} IS NOT NULL THEN (
    SELECT coalesce(jsonb_object_agg(key, CASE WHEN jsonb_typeof(value) = 'string'
        THEN to_jsonb({1} || (value #>> '{{}}')) ELSE value END), '{{}}')
    FROM jsonb_each({0})) END
"""


@attrs.frozen
class Stage:
    """Whose rows they are, and which person is looked at."""

    account: AccountId
    contact: Contact
    digits: str = attrs.field(repr=False)


@attrs.frozen
class Column:
    """A column as PostgreSQL knows it."""

    table: str
    name: str
    type: str
    must_be_given: bool

    @property
    def place(self) -> Place:
        return self.table, self.name


def columns(connection: Cursor) -> Sequence[Column]:
    """Of all tables; partitions are seen through their parents."""
    rows = connection.execute(
        """
        SELECT c.relname, a.attname, format_type(a.atttypid, NULL),
               a.attnotnull AND NOT a.atthasdef AND a.attidentity = ''
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
          AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped
          AND a.attgenerated = '' AND c.relname <> 'alembic_version'
        ORDER BY 1, a.attnum
        """
    )
    return [Column(*row) for row in rows]


@contextmanager
def without_rules(url: str) -> Iterator[Cursor]:
    """Neither triggers nor references are in the way; checks are."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        yield connection


def filled_shop(world: World, url: str) -> Stage:
    """A shop with a sent campaign and at least one row in every table."""
    account = shop(world)
    campaign = sent_campaign(world, account)
    a_token(world, a_session(world, account))
    an_api_key(world, account)
    job = new_import(world, account)
    person = next(world.contact_queries.every(account, ContactFilter()))
    to_contact(world, person, account)
    planned(world, account, phone=person.phone)
    stage = Stage(account, person, person.phone[1:])
    known = {
        "account_id": account,
        "contact_id": person.id,
        "campaign_id": campaign.id,
        "import_id": job.id,
        "list_id": 1,
        "phone": int(stage.digits),
        "row_no": 1,
        "data": FILE % stage.digits.encode(),
        "raw": b'{"recipient":"%s"}' % stage.digits.encode(),
        "value": stage.digits,
    }
    with without_rules(url) as connection:
        found = columns(connection)
        of_person = SQL("SELECT seq FROM message WHERE contact_id = %s")
        known["seq"] = connection.execute(of_person, [person.id]).fetchall()[0][0]
        connection.execute("UPDATE single_message SET state = 5, holds = false")
        connection.execute("UPDATE import_job SET status = 'completed'")
        for table in dict.fromkeys(each.table for each in found):
            its = [each for each in found if each.table == table]
            _fill(connection, table, its, known | dict(_WORDS.get(table, {})))
        connection.execute("UPDATE inbound_text SET applied_at = arrived_at")
    return stage


def _fill(connection: Cursor, table: str, its: Sequence[Column], known: Mapping[str, Any]) -> None:
    """A row, unless there is one."""
    if connection.execute(SQL("SELECT 1 FROM {}").format(Identifier(table))).fetchone():
        return
    values = {
        each.name: known[each.name] if each.name in known else _value(each.type)
        for each in its
        if each.must_be_given or each.name in known
    }
    connection.execute(
        SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({})").format(
            Identifier(table),
            SQL(", ").join(map(Identifier, values)),
            SQL(", ").join(map(Placeholder, values)),
        ),
        values,
    )


def _value(kind: str) -> Any:
    return secrets.token_bytes(32) if kind == "bytea" else _BY_TYPE[kind]


def mark(connection: Cursor, stage: Stage, where: Mapping[str, str]) -> Mapping[str, Place]:
    """Put a mark into each column of the rows that `where` chooses by table; by mark, its place.

    Columns whose checks allow no mark hold words of closed lists, or what is no text.
    """
    marks: dict[str, Place] = {}
    values = {"account": stage.account, "contact": stage.contact.id, "phone": int(stage.digits)}
    for number, column in enumerate(columns(connection)):
        word = f"{MARK}{number:03d}q"
        change = _marking(column, word)
        if change is None or column.table not in where:
            continue
        statement = SQL("UPDATE {} SET {} = {} WHERE {}").format(
            Identifier(column.table),
            Identifier(column.name),
            change,
            SQL(where[column.table]),
        )
        try:
            changed = connection.execute(statement, values).rowcount
        except (psycopg.errors.CheckViolation, psycopg.errors.StringDataRightTruncation):
            continue
        if changed:
            marks[word] = column.place
    return marks


def rows_of(connection: Cursor, **conditions: str) -> Mapping[str, str]:
    """For each table the condition of the first of these columns that it has."""
    names: dict[str, set[str]] = {}
    for column in columns(connection):
        names.setdefault(column.table, set()).add(column.name)
    found = {
        table: next((text for name, text in conditions.items() if name in its), None)
        for table, its in names.items()
    }
    return {table: text for table, text in found.items() if text is not None}


def _marking(column: Column, word: str) -> Composed | None:
    name = Identifier(column.name)
    match column.type:
        case "text":
            return SQL("{} || ctid").format(word)  # which is unique
        case "text[]":
            return SQL(
                "CASE WHEN {1} IS NOT NULL THEN "
                "array_fill({0}::text, ARRAY[coalesce(cardinality({1}), 0)]) END"
            ).format(word, name)
        case "bytea":
            return SQL("convert_to({} || ctid, 'UTF8')").format(word)
        case "jsonb":
            return SQL(_WITH_MARKED_TEXTS).format(name, word)
        case _:
            return None


def places_with(connection: Cursor, words: Collection[str]) -> set[Place]:
    """Where any of these stands, in whatever column of whatever table."""
    found = set()
    for column in columns(connection):
        as_text = "encode({}, 'escape')" if column.type == "bytea" else "{}::text"
        statement = SQL("SELECT 1 FROM {} WHERE " + as_text + " LIKE ANY (%s) LIMIT 1").format(
            Identifier(column.table), Identifier(column.name)
        )
        if connection.execute(statement, ([f"%{word}%" for word in words],)).fetchone():
            found.add(column.place)
    return found
