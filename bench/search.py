"""Searches, tags and list counts in one store with many contacts.

    python -m bench.search [--contacts 1000000] [--rounds 20]

Each figure is a whole question of the API without HTTP: the total, the page, and who is suppressed.
"""

import argparse
import hashlib
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import attrs
from sqlalchemy import func, select

from adapters_db.audiences.lists_reading import SqlListQueries
from adapters_db.connection.connections import Connections, psycopg_connection
from adapters_db.connection.engine import make_engine
from adapters_db.connection.reads import Reads
from adapters_db.contacts.choosing import (
    BY_INDEX,
    COMMON_SHARE,
    THROUGHOUT,
    chosen,
    is_guessed,
    share,
)
from adapters_db.contacts.reading import SqlContactQueries
from adapters_db.settings import DatabaseSettings
from adapters_db.tables.contacts import contact
from bench.stage import Stage, scratch, stage
from retail_core.contacts.model import search_term
from retail_core.contacts.queries import ContactFilter
from retail_core.kernel.pages import PageRequest

PAGE_SIZE = 20
TODAY = date(2026, 11, 24)

_CONTACTS = """
WITH person AS (
INSERT INTO contact (account_id, phone, country, line_type, first_name, last_name, email, gender,
                     birthday, is_subscribed, search_text, tags, created_at, updated_at)
SELECT %(account)s, phone, 'GR', 1, first, last, mail,
       CASE WHEN n %% 10 > 0 THEN (ARRAY['male', 'female'])[n %% 2 + 1] END,
       CASE WHEN n %% 3 > 0 THEN date '1950-01-01' + (n::bigint * 7919 %% 20000)::integer END,
       n %% 10 > 0, '+' || phone || chr(31) || mail || chr(31) || lower(first) || chr(31)
           || lower(last),
       CASE WHEN n %% 50 = 0 THEN ARRAY['vip'] WHEN n %% 2 = 0 THEN ARRAY['news'] ELSE '{}' END,
       now(), now()
FROM (
    SELECT n, 306900000000 + n::bigint * 7919 %% 100000000 AS phone,
           (ARRAY['maria', 'george', 'eleni', 'nikos', 'μαρια', 'γιωργοσ', 'anna', 'peter'])
               [n %% 8 + 1] AS first,
           'p' || md5((n %% 9973)::text) AS last,
           md5(n::text) || '@example.com' AS mail
    FROM generate_series(1, %(contacts)s) n
) person
RETURNING account_id, id, is_subscribed
)
INSERT INTO consent_event (account_id, contact_id, type, source, occurred_at)
SELECT account_id, id, 'granted', 'manual', now() FROM person WHERE is_subscribed
"""
_SUPPRESSIONS = """
INSERT INTO suppression (account_id, phone, reason, created_at)
SELECT account_id, phone, 'unsubscribe', now() FROM contact
WHERE account_id = %(account)s AND id %% 20 = 0
"""

FIRST = PageRequest(1, PAGE_SIZE)
QUESTIONS: dict[str, tuple[ContactFilter, PageRequest]] = {
    "everybody": (ContactFilter(), FIRST),
    "everybody, a page in the middle": (ContactFilter(), PageRequest(25_000, PAGE_SIZE)),
    "subscribed": (ContactFilter(is_subscribed=True), FIRST),
    "a whole number": (ContactFilter(term=search_term("+306900007919")), FIRST),
    "the end of a number": (ContactFilter(term=search_term("00007919")), FIRST),
    "four digits": (ContactFilter(term=search_term("4711")), FIRST),
    "a first name": (ContactFilter(term=search_term("Γιώργος")), FIRST),
    "a first name, page 3000": (
        ContactFilter(term=search_term("Maria")),
        PageRequest(3_000, PAGE_SIZE),
    ),
    "part of an e-mail": (ContactFilter(term=search_term("c4ca4238")), FIRST),
    "a whole e-mail": (
        ContactFilter(
            term=search_term(f"{hashlib.md5(b'1', usedforsecurity=False).hexdigest()}@example.com")
        ),
        FIRST,
    ),
    "what all have": (ContactFilter(term=search_term("@example.com")), FIRST),
    "nobody has": (ContactFilter(term=search_term("nobody at all")), FIRST),
    "two characters (no index)": (ContactFilter(term=search_term("zz")), FIRST),
    "a rare tag": (ContactFilter(tags=("vip",)), FIRST),
    "a common tag": (ContactFilter(tags=("news",)), FIRST),
    "a tag and a name": (ContactFilter(term=search_term("anna"), tags=("news",)), FIRST),
}


def fill(made: Stage, contacts: int) -> None:
    """The store's contacts, and the order that autovacuum makes."""
    with made.connect() as connection:
        values = {"account": made.account, "contacts": contacts}
        connection.execute(_CONTACTS, values)
        connection.execute(_SUPPRESSIONS, values)
        connection.execute("VACUUM ANALYZE contact, suppression")


def measured(ask: Callable[[], Any], rounds: int) -> tuple[float, float]:
    """Median and 95 of 100, in milliseconds; the first time is not counted."""
    ask()
    waits = []
    for _ in range(rounds):
        began = time.perf_counter()
        ask()
        waits.append((time.perf_counter() - began) * 1000)
    return statistics.median(waits), statistics.quantiles(waits, n=20)[-1]


def plan(connections: Connections, made: Stage, which: ContactFilter) -> Iterator[str]:
    """How the total is found, with row security on."""
    counted = select(func.count()).select_from(contact).where(chosen(made.account, which))
    with connections.sweep(read_only=True) as connection:
        if is_guessed(which):
            common = connection.execute(share(which, made.account)).scalar_one() or 0.0
            pin = THROUGHOUT if common > COMMON_SHARE else BY_INDEX
            psycopg_connection(connection).execute(pin)
        compiled = counted.compile(connection)
        values = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in compiled.params.items()
        }
        for (line,) in connection.exec_driver_sql(f"EXPLAIN {compiled}", values):
            if "Scan" in line:
                yield line.strip(" ->").partition("  (")[0]


@attrs.frozen
class Figures:
    """One line of the table."""

    name: str
    total: int
    median: float
    worst: float
    how: str

    def __str__(self) -> str:
        return (
            f"{self.name:34} {self.total:>9,} {self.median:>9.1f} {self.worst:>9.1f}   {self.how}"
        )


def main() -> None:
    """Fill a store, ask, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=20)
    wanted = parser.parse_args()
    with scratch() as directory, stage(Path(directory)) as made:
        fill(made, wanted.contacts)
        settings = DatabaseSettings(url=made.url, direct_url=made.url)
        connections = Connections(make_engine(settings), settings)
        contacts = SqlContactQueries(Reads(connections))
        lists = SqlListQueries(Reads(connections))
        print(f"{'question':34} {'total':>9} {'p50 ms':>9} {'p95 ms':>9}   plan of the total")
        for name, (which, page) in QUESTIONS.items():
            found = contacts.page(made.account, which, page)
            times = measured(partial(contacts.page, made.account, which, page), wanted.rounds)
            how = ", ".join(plan(connections, made, which))
            print(Figures(name, found.total, *times, how), flush=True)
        times = measured(partial(lists.reach, made.account, TODAY), wanted.rounds)
        print(Figures("the eight system lists, counted", 8, *times, "one statement"))
        connections.engine.dispose()


if __name__ == "__main__":
    main()
