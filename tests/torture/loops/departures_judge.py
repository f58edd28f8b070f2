"""The judge of departures: nobody is handed over, comes back or stays in a table after they left.

A hand-over whose intent was marked before a departure was confirmed counts as before: during the
call is too late. But nothing may leave after the lease of its intent, for whomever.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import attrs
import psycopg
from psycopg.sql import SQL, Composed, Identifier

from tests.integration.adapters_db.marked import columns
from tests.torture.loops.departures import FOR_GOOD, Departure, Departures, How, Person
from tests.torture.loops.witness import Intents

# Whoever left for good may be a contact again, but must not be one who would be sent to.
_RETURNED: Final = """
SELECT c.phone FROM contact c
WHERE c.account_id = %s AND c.phone = ANY(%s) AND c.is_subscribed
  AND NOT EXISTS (SELECT FROM suppression s
                  WHERE s.account_id IN (c.account_id, 1) AND s.phone = c.phone)
"""
AS_THEY_CAME: Final = frozenset({"report_inbox", "report_parked", "import_chunk"})
"""Reports for 90 days and files for one are kept, whoever they tell of."""
TEXTS: Final = "inbound_text"
"""Whoever writes to a store after they were erased tells their number again."""
UNDER_CONTACTS: Final = {
    ("message", "phone"): "message",
    ("message", "first_name"): "message",
    ("message_doubt", "phone"): "message",
    ("send_batch", "phones"): "batch",
    ("send_batch", "first_names"): "batch",
}
"""Columns that tell of the contact whose message it is.

Whose number was changed keeps the messages to the old one, and takes them along when they are
erased: whoever is a contact with the old number later is somebody else.
"""
_OF_NOBODY_ELSE: Final = {
    "message": """
SELECT EXISTS (
    SELECT FROM message m LEFT JOIN contact c ON c.account_id = m.account_id AND c.id = m.contact_id
    WHERE m.account_id = %(account)s AND (m.phone = %(phone)s OR m.first_name = %(name)s)
      AND (c.phone = %(phone)s OR c.id IS NULL))
""",
    "batch": """
SELECT EXISTS (
    SELECT FROM send_batch b
         CROSS JOIN unnest(b.contact_ids, b.phones, b.first_names) AS r (contact_id, phone, name)
         LEFT JOIN contact c ON c.account_id = b.account_id AND c.id = r.contact_id
    WHERE b.account_id = %(account)s AND (r.phone = %(phone)s OR r.name = %(name)s)
      AND (c.phone = %(phone)s OR c.id IS NULL))
""",
}
_NUMBERS: Final = re.compile(
    rb"(?<![0-9])(N?)(?:(3069[0-9]{8}|54911[0-9]{8})|(69[0-9]{8})|54(11[0-9]{8}))(?![0-9])"
)
_SEARCHED: Final = frozenset(
    {"text", "text[]", "bytea", "jsonb", "bigint", "bigint[]", "character"}
)


@attrs.frozen
class Arrival:
    """A text that the gateway took, of a campaign; the head of its call came at `received_at`."""

    account: int
    campaign: int
    mark: str
    phone: int
    received_at: datetime


def ask_arrivals(
    arrivals: Iterable[Arrival], intents: Intents, departures: Departures
) -> Iterator[tuple[str, str]]:
    """Kind and words of each complaint about what was handed over."""
    left: dict[Person, list[Departure]] = defaultdict(list)
    for each in departures.all:
        left[each.account, each.phone].append(each)
    for text in arrivals:
        intent = intents.before(text.campaign, text.phone, text.received_at)
        if intent is None:
            yield "unintended", f"{text.mark} {text.phone} at {text.received_at}"
            continue
        if text.received_at > intent.lease_until:
            lateness = (text.received_at - intent.lease_until).total_seconds()
            yield "late", f"{text.mark} {text.phone}, {lateness:.1f} s past the lease"
        for each in left[text.account, text.phone]:
            if each.holds_at(intent.marked_at):
                out = f"out ({each.how.value}) since {each.since}, intended at {intent.marked_at}"
                yield "disregarded", f"{text.mark} {text.phone}, {out}"


def ask_who_returned(
    query: Callable[..., Iterable[tuple[Any, ...]]], departures: Departures
) -> Iterator[str]:
    """Whoever left for good and would be sent to by the next campaign."""
    gone: dict[int, dict[int, How]] = defaultdict(dict)
    for each in departures.all:
        if each.how in FOR_GOOD:
            gone[each.account][each.phone] = each.how
    for account, hows in gone.items():
        for (phone,) in query(_RETURNED, account, list(hows)):
            yield f"{phone} of store {account} left ({hows[phone].value})"


def ask_who_is_kept(url: str, departures: Departures) -> Iterator[str]:
    """Whose number or name stands in a table although they were erased."""
    erased = {
        (each.account, each.phone): each
        for each in departures.all
        if each.how is How.ERASED and each.phone not in departures.shared
    }
    if not erased:
        return
    by_phone = {phone: each for (_, phone), each in erased.items()}
    unknown = {
        phone for (account, phone) in erased if not _may_be_known(departures, account, phone)
    }
    stopped = {each.phone: each.since for each in departures.all if each.how is How.STOP}
    with psycopg.connect(url) as connection:
        for table, column, is_name, phone in _found(connection, frozenset(by_phone)):
            texted = departures.texted_at.get(phone)
            is_told_again = (
                table == TEXTS
                and texted is not None
                and stopped.get(phone, texted) > by_phone[phone].since
            )
            if not (phone in unknown or is_name) or is_told_again:
                continue
            place = UNDER_CONTACTS.get((table, column))
            if place is None or _is_theirs(connection, place, by_phone[phone]):
                yield f"{'name' if is_name else 'number'} {phone} in {table}.{column}"


def _is_theirs(
    connection: "psycopg.Connection[tuple[Any, ...]]", place: str, erased: Departure
) -> bool:
    """Whether it stands under no contact who is there and has another number."""
    person = {"account": erased.account, "phone": erased.phone, "name": f"N{erased.phone}"}
    row = connection.execute(_OF_NOBODY_ELSE[place].encode(), person).fetchone()
    return row is not None and bool(row[0])


def _may_be_known(departures: Departures, account: int, phone: int) -> bool:
    """Whether an owner sent their number again, or was just importing it when they were erased."""
    last = max(
        (
            each
            for each in departures.all
            if (each.account, each.phone, each.how) == (account, phone, How.ERASED)
        ),
        key=lambda each: each.since,
    )
    added = departures.added_again.get((account, phone))
    return last.was_in_a_file or (added is not None and added > last.since)


def _found(
    connection: "psycopg.Connection[tuple[Any, ...]]", phones: frozenset[int]
) -> Iterator[tuple[str, str, bool, int]]:
    """Table, column, whether it is the first name, and whose number it is; each once."""
    tables: Mapping[str, list[tuple[str, Composed]]] = defaultdict(list)
    for column in columns(connection):
        if column.table not in AS_THEY_CAME and column.type in _SEARCHED:
            form = "encode({}, 'escape')" if column.type == "bytea" else "{}::text"
            expression = SQL(form).format(Identifier(column.name))
            tables[column.table].append((column.name, expression))
    for table, its in tables.items():
        yield from {
            (table, name, is_name, phone)
            for name, is_name, phone in _in_table(connection, table, its)
            if phone in phones
        }


def _in_table(
    connection: "psycopg.Connection[tuple[Any, ...]]",
    table: str,
    its: Sequence[tuple[str, Composed]],
) -> Iterator[tuple[str, bool, int]]:
    statement = SQL("COPY (SELECT {} FROM {}) TO STDOUT").format(
        SQL(", ").join(expression for _, expression in its), Identifier(table)
    )
    with connection.cursor().copy(statement) as copy:
        for row in copy:
            data = bytes(row)
            if _NUMBERS.search(data):
                for (name, _), cell in zip(its, data.split(b"\t"), strict=True):
                    for mark, whole, greek, argentine in _NUMBERS.findall(cell):
                        national = b"30" + greek if greek else b"549" + argentine
                        yield name, bool(mark), int(whole or national)
