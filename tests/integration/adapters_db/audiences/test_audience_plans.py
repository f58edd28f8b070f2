"""How PostgreSQL counts lists and evaluates audiences of a large shop."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

import attrs
import psycopg
import pytest
from sqlalchemy import event

from adapters_db.audiences.lists_reading import SqlListQueries
from adapters_db.audiences.queries import SqlAudienceQueries
from adapters_db.connection.connections import Connections
from adapters_db.connection.reads import Reads
from retail_core.audiences.model import AudienceRules, AudienceSpec
from retail_core.audiences.segments import read_segment
from retail_core.kernel.ids import SYSTEM_ACCOUNT, ContactId, ListId
from retail_core.kernel.money import DEFAULT_PRICES
from retail_core.kernel.pages import PageRequest
from tests.integration.adapters_db.large_shop import ACCOUNTS, stage
from tests.own_database import own_connections

CONTACTS: Final = 60_000
SMALL, LARGE = ListId(1), ListId(2)
NOW: Final = datetime(2026, 11, 24, 12, tzinfo=UTC)
RULES: Final = AudienceRules(NOW.date(), adults_only=False, prices=DEFAULT_PRICES, now=NOW)
VACUUM: Final = "VACUUM ANALYZE contact, list_member, message, consent_event, suppression, campaign"

_PEOPLE: Final = f"""
INSERT INTO contact (id, account_id, phone, country, line_type, gender, birthday, tags,
                     is_subscribed, search_text, created_at, updated_at)
SELECT no, 1, 306900000000 + no, 'GR', 1, CASE no % 3 WHEN 0 THEN 'male' WHEN 1 THEN 'female' END,
       CASE WHEN no % 4 > 0 THEN date '1950-01-01' + no % 20000 END, '{{}}', no % 10 > 0,
       '', now(), now()
FROM generate_series(1, {CONTACTS}) no;
INSERT INTO suppression (account_id, phone, reason, created_at)
SELECT 1, 306900000000 + no, 'manual', now() FROM generate_series(1, {CONTACTS}, 97) no;
INSERT INTO consent_event (account_id, contact_id, type, source, occurred_at)
SELECT 1, no, 'granted', 'manual', now() FROM generate_series(1, {CONTACTS}) no;
INSERT INTO contact_list (id, account_id, name, created_at, updated_at)
SELECT no, 1, 'list ' || no, now(), now() FROM generate_series(1, 2) no;
INSERT INTO list_member (account_id, list_id, contact_id, created_at)
SELECT 1, 1, no, now() FROM generate_series(1, {CONTACTS}, 300) no
UNION ALL SELECT 1, 2, no, now() FROM generate_series(1, {CONTACTS}, 2) no;
"""

# Beside a larger one: in a database of one shop, reading everything is often the best plan.
_NEIGHBOURS: Final = f"""
INSERT INTO contact (id, account_id, phone, country, line_type, tags, is_subscribed, search_text,
                     created_at, updated_at)
SELECT {CONTACTS} + no, 2, 306900000000 + no, 'GR', 1, '{{}}', true, '', now(), now()
FROM generate_series(1, {4 * CONTACTS}) no;
INSERT INTO consent_event (account_id, contact_id, type, source, occurred_at)
SELECT 2, {CONTACTS} + no, 'granted', 'manual', now() FROM generate_series(1, {4 * CONTACTS}) no;
INSERT INTO suppression (account_id, phone, reason, created_at)
SELECT 2, 306900000000 + no, 'manual', now() FROM generate_series(1, {4 * CONTACTS}, 5) no;
INSERT INTO contact_list (id, account_id, name, created_at, updated_at)
VALUES (3, 2, 'theirs', now(), now());
INSERT INTO list_member (account_id, list_id, contact_id, created_at)
SELECT 2, 3, {CONTACTS} + no, now() FROM generate_series(1, {4 * CONTACTS}) no;
"""


@attrs.frozen
class Shop:
    """The shop's database, with every statement that a query sends explained."""

    connections: Connections

    @property
    def lists(self) -> SqlListQueries:
        return SqlListQueries(Reads(self.connections))

    @property
    def audiences(self) -> SqlAudienceQueries:
        return SqlAudienceQueries(Reads(self.connections))

    def plan(self, ask: Callable[[], object]) -> str:
        """The plans of all that is read while something is asked, as the role that asks."""
        with self._watched() as plans:
            ask()
        return "\n".join(plans)

    @contextmanager
    def _watched(self) -> Iterator[list[str]]:
        plans: list[str] = []

        def explain(_conn: Any, cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
            if statement.lstrip().startswith("SELECT"):
                rows = cursor.connection.execute(f"EXPLAIN {statement}", parameters)
                plans.extend(row[0] for row in rows)

        engine = self.connections.engine
        event.listen(engine, "before_cursor_execute", explain)
        try:
            yield plans
        finally:
            event.remove(engine, "before_cursor_execute", explain)


@pytest.fixture(scope="module")
def shop(new_database: Callable[[], str]) -> Iterator[Shop]:
    with own_connections(new_database) as connections:
        url = connections.settings.direct_url
        with psycopg.connect(url, autocommit=True) as connection:
            # VACUUM calls no page visible whose commit is not on disk yet
            connection.execute("SET synchronous_commit = on")
            connection.execute((ACCOUNTS + _PEOPLE + _NEIGHBOURS + stage()).encode())
            connection.execute(VACUUM.encode())
        yield Shop(connections)


def counted(shop: Shop, **spec: Any) -> str:
    """The plan of a count of an audience."""
    audience = AudienceSpec(**spec)
    return shop.plan(lambda: shop.audiences.count(SYSTEM_ACCOUNT, audience, RULES))


def test_all_lists_that_have_a_rule_are_counted_in_the_index_alone(shop: Shop) -> None:
    found = shop.plan(lambda: shop.lists.reach(SYSTEM_ACCOUNT, NOW.date()))

    assert "Index Only Scan using contact_reach_idx" in found, found
    assert "Seq Scan on contact" not in found, found


def test_those_put_on_lists_are_counted_in_an_index(shop: Shop) -> None:
    found = shop.plan(lambda: shop.lists.by_hand(SYSTEM_ACCOUNT, [SMALL]))

    assert "list_member" in found, found
    assert "Seq Scan" not in found, found


def test_a_page_of_members_reads_the_latest_by_their_index(shop: Shop) -> None:
    page = PageRequest(1, 50)

    found = shop.plan(lambda: shop.lists.members(SYSTEM_ACCOUNT, LARGE, None, page))

    assert "Index Scan Backward using list_member_account_id_list_id_id_idx" in found, found


def test_a_small_list_does_not_read_all_contacts(shop: Shop) -> None:
    found = counted(shop, own_list=SMALL)

    assert "Seq Scan" not in found.replace("Seq Scan on contact_list", ""), found


def test_the_last_hand_over_is_looked_up_by_contact_and_campaign(shop: Shop) -> None:
    within = read_segment({"field": "lastMessagedAt", "op": "withinDays", "value": 7})

    found = counted(shop, own_list=SMALL, segment=within)

    assert "message_from_0_contact_id_campaign_id" in found, found
    assert "Seq Scan on message_from_0" not in found, found


def test_the_last_consent_is_looked_up_by_contact(shop: Shop) -> None:
    within = read_segment({"field": "subscribedAt", "op": "withinDays", "value": 7})

    found = counted(shop, own_list=SMALL, segment=within)

    assert "consent_event_account_id_contact_id_id_idx" in found, found


def test_one_contact_is_explained_without_reading_others(shop: Shop) -> None:
    documents = [
        {"field": "lastMessagedAt", "op": "exists"},
        {"field": "lists", "op": "in", "value": [LARGE]},
        {"field": "clicked", "op": "ever"},
    ]
    spec = AudienceSpec("all", segment=read_segment({"any": documents}))

    found = shop.plan(lambda: shop.audiences.explain(SYSTEM_ACCOUNT, spec, RULES, ContactId(17)))

    assert "Seq Scan on contact " not in found, found
    assert "Seq Scan on message_from_0" not in found, found


def test_a_count_without_lists_and_segments_looks_nothing_up(shop: Shop) -> None:
    found = counted(shop)

    assert "list_member" not in found, found
    assert "contact_list" not in found, found
