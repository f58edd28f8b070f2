"""How PostgreSQL finds contacts of a large shop, as the role that searches."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import Select, func, select

from adapters_db.connection.connections import Connections, psycopg_connection
from adapters_db.contacts.choosing import (
    BY_INDEX,
    IN_ORDER,
    SORTED_CONTACTS_MAX,
    chosen,
    share,
    some,
)
from adapters_db.tables.contacts import contact
from retail_core.contacts.queries import ContactFilter
from retail_core.kernel.ids import AccountId
from retail_core.kernel.pages import PageRequest
from tests.own_database import own_connections

SHOP = AccountId(2)
STAGE = """
INSERT INTO account (id, email) VALUES (2, 'shop2@example.com'), (3, 'shop3@example.com');
WITH person AS (
INSERT INTO contact (account_id, phone, country, line_type, is_subscribed, search_text, tags,
                     created_at, updated_at)
SELECT CASE WHEN n % 4 = 0 THEN 2 ELSE 3 END, 306900000000 + n, 'GR', 1, n % 10 > 0,
       '+' || (306900000000 + n) || chr(31) || 'somebody' || n || '@example.com',
       CASE WHEN n % 100 < 2 THEN '{vip}' ELSE '{}' END::text[], now(), now()
FROM generate_series(1, 60000) n
RETURNING account_id, id, is_subscribed
)
INSERT INTO consent_event (account_id, contact_id, type, source, occurred_at)
SELECT account_id, id, 'granted', 'manual', now() FROM person WHERE is_subscribed
"""
FIRST = PageRequest(1, 20)

Explain = Callable[..., str]


@pytest.fixture(scope="module")
def explain(new_database: Callable[[], str]) -> Iterator[Explain]:
    """Row security is on: the role that sweeps is bound by a policy, too, which lets it pass."""
    with own_connections(new_database) as connections:
        _stage(connections)

        def explained(statement: Select[Any], *pins: bytes) -> str:
            with connections.sweep(read_only=True) as connection:
                for pin in pins:
                    psycopg_connection(connection).execute(pin)
                compiled = statement.compile(connection)
                values = {
                    name: list(value) if isinstance(value, tuple) else value
                    for name, value in compiled.params.items()
                }
                rows = connection.exec_driver_sql(f"EXPLAIN {compiled}", values)
                return "\n".join(row[0] for row in rows)

        yield explained


def _stage(connections: Connections) -> None:
    with psycopg.connect(connections.settings.url, autocommit=True) as connection:
        # a commit that is not on disk yet leaves nothing for an index alone to tell
        connection.execute("SET synchronous_commit = on")
        connection.execute(STAGE.encode())
        connection.execute("VACUUM ANALYZE contact")


def count(**which: Any) -> Select[Any]:
    return select(func.count()).select_from(contact).where(chosen(SHOP, ContactFilter(**which)))


def page(total: int, request: PageRequest = FIRST, **which: Any) -> Select[Any]:
    return some(chosen(SHOP, ContactFilter(**which)), total, request)


@pytest.mark.parametrize(
    "term", ["6900012345", "somebody77", "\u03bc\u03b1\u03c1\u03b9\u03b1", "345"]
)
def test_a_search_is_counted_by_its_trigrams(explain: Explain, term: str) -> None:
    found = explain(count(term=term), BY_INDEX)

    assert "contact_search_idx" in found, found
    assert "Seq Scan" not in found, found


@pytest.mark.parametrize(
    ("term", "part"),
    [
        ("+306900012345", "012345"),
        ("6900012345", "012345"),
        ("somebody77@example.com", "somebody77"),
        ("y77@example.com", "y77@example.com"),
    ],
)
def test_the_index_is_asked_for_what_tells_most(explain: Explain, term: str, part: str) -> None:
    found = explain(count(term=term), BY_INDEX)

    assert f"Index Cond: (search_text ~~ '%{part}%'" in found, found
    assert (f"strpos(search_text, '{term}'" in found) is (part != term), found


def test_a_page_of_a_rare_term_is_found_by_its_trigrams(explain: Explain) -> None:
    found = explain(page(3, term="6900012345"), BY_INDEX)

    assert "contact_search_idx" in found, found


def test_a_page_of_a_common_term_is_read_in_the_order_of_ids(explain: Explain) -> None:
    found = explain(page(SORTED_CONTACTS_MAX + 1, term="somebody"), IN_ORDER)

    assert "Backward" in found, found
    assert "Seq Scan" not in found, found


def test_how_common_a_term_is_is_told_by_few_pages(explain: Explain) -> None:
    found = explain(share(ContactFilter(term="somebody", tags=("vip",)), SHOP))

    assert "Sample Scan" in found, found


def test_a_tag_is_found_by_its_index(explain: Explain) -> None:
    found = explain(count(tags=("vip",)), BY_INDEX)

    assert "contact_tags_idx" in found, found
    assert "contact_tags_idx" in explain(page(300, tags=("vip",)), BY_INDEX)


def test_a_page_of_a_common_tag_is_read_in_the_order_of_ids(explain: Explain) -> None:
    found = explain(page(SORTED_CONTACTS_MAX + 1, tags=("vip",)), IN_ORDER)

    assert "Backward" in found, found


def test_a_deep_page_skips_rows_in_an_index_alone(explain: Explain) -> None:
    found = explain(page(15_000, PageRequest(300, 20)))

    assert "Index Only Scan Backward" in found, found
    assert "Seq Scan" not in found, found


def test_the_last_page_is_reached_from_the_other_end(explain: Explain) -> None:
    found = explain(page(15_000, PageRequest(750, 20)))

    assert "Index Only Scan using" in found, found
    assert "Backward" not in found, found
