"""How PostgreSQL counts what a campaign led to, on tables large enough to have a choice."""

from collections.abc import Callable, Iterator
from typing import Any, Final

import psycopg
import pytest
from sqlalchemy.dialects import postgresql

from adapters_db.campaigns.campaigns import outcome_of
from adapters_db.operations.migrate import upgrade
from retail_core.kernel.ids import AccountId, CampaignId

CAMPAIGNS: Final = 1_000
FACTS: Final = 40_000

_STAGE: Final = f"""
INSERT INTO campaign (id, account_id, name, message_text, include_offer, created_at, updated_at)
SELECT id, 1, 'Sale', 'Hello', false, now(), now() FROM generate_series(1, {CAMPAIGNS}) id;
INSERT INTO send_batch (campaign_id, no, account_id, size, first_seq, last_seq, turn, state, ref)
SELECT id, no, 1, 1, no, no, no, 'settled', gen_random_uuid()
FROM generate_series(1, {CAMPAIGNS}) id, generate_series(0, 19) no;
INSERT INTO consent_event (account_id, contact_id, type, source, campaign_id, occurred_at)
SELECT 1, n, 'withdrawn', 'link', CASE WHEN n % 2 = 0 THEN 1 + n % {CAMPAIGNS} END, now()
FROM generate_series(1, {FACTS}) n;
"""


@pytest.fixture(scope="module")
def database(new_database: Callable[[], str]) -> Iterator["psycopg.Connection[tuple[Any, ...]]"]:
    """One store with a thousand campaigns, because of which many left."""
    url = new_database()
    upgrade(url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_STAGE.encode())
        connection.execute("VACUUM ANALYZE")
        connection.execute("SET ROLE retail_bound; SET retail.account = '1'")
        yield connection


def test_what_a_campaign_led_to_is_counted_by_indexes_alone(
    database: "psycopg.Connection[tuple[Any, ...]]",
) -> None:
    dialect: Any = postgresql.dialect  # not typed
    statement = outcome_of(AccountId(1), CampaignId(7)).compile(
        dialect=dialect(), compile_kwargs={"literal_binds": True}
    )

    rows = database.execute(f"EXPLAIN {statement}".encode()).fetchall()

    plan = "\n".join(row[0] for row in rows)
    assert "Seq Scan" not in plan, plan
    assert "send_batch_pkey" in plan
    assert "consent_event_account_id_campaign_id_idx" in plan
