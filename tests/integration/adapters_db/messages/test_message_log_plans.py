"""How PostgreSQL reads the message log of a large shop, page by page."""

from collections.abc import Callable, Iterator
from typing import Any, Final

import psycopg
import pytest

from adapters_db.messages.log.sql import HANDED_OVER, IN_ORDER, Log
from adapters_db.operations.migrate import upgrade
from retail_core.kernel.ids import CampaignId, ContactId
from retail_core.messages.model import MessageKind, MessageState
from retail_core.messages.queries import MessageFilter
from tests.integration.adapters_db.large_shop import LAST, SENT, STAGE, WAITING

PAGE: Final = 50
TOP: Final = 2**53

Plan = Callable[..., str]


@pytest.fixture(scope="module", params=["never analysed", "analysed"])
def plan(new_database: Callable[[], str], request: pytest.FixtureRequest) -> Iterator[Plan]:
    """Explains a statement as the role that runs it, with fresh statistics and without any."""
    url = new_database()
    upgrade(url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(STAGE.encode())
        if request.param == "analysed":
            connection.execute("ANALYZE")
        connection.execute("SET ROLE retail_bound; SET retail.account = '1'")
        connection.execute(IN_ORDER.replace(b" LOCAL", b""))

        def explained(log: Log, statement: str, **parameters: object) -> str:
            known: dict[str, object] = {
                "account": 1,
                "before": TOP,
                "wanted": PAGE,
                "rows": PAGE,
                "reach": PAGE,
                "page_size": PAGE,
                "offset": 0,
                "campaigns": [SENT, WAITING],
            }
            rows: Any = connection.execute(
                f"EXPLAIN {statement}".encode(), log.parameters | known | parameters
            )
            return "\n".join(row[0] for row in rows)

        yield explained


def page_of(plan: Plan, **wanted: Any) -> str:
    log = Log(MessageFilter(**wanted))
    statement = log.page(campaigns=log.has_campaigns)
    assert statement is not None
    return plan(log, statement)


def test_a_page_reads_the_highest_numbers_by_their_keys(plan: Plan) -> None:
    found = page_of(plan)

    assert "Index Scan Backward using message_from_0_pkey" in found, found
    assert "Index Scan Backward using single_message" in found, found
    assert "send_batch_pkey" in found, found
    assert "Seq Scan" not in found, found


@pytest.mark.parametrize("state", [MessageState.FAILED, MessageState.CANCELLED])
def test_messages_in_trouble_are_found_among_many_others(plan: Plan, state: MessageState) -> None:
    found = page_of(plan, state=state)

    assert "message_from_0_trouble_idx" in found, found
    assert "Seq Scan" not in found, found


def test_messages_in_doubt_are_found_by_their_own_table(plan: Plan) -> None:
    found = page_of(plan, state=MessageState.UNKNOWN)

    assert "message_doubt_pkey" in found, found
    assert "Seq Scan on message_from" not in found, found


@pytest.mark.parametrize("state", [MessageState.SENT, MessageState.DELIVERED])
def test_other_states_are_read_in_their_order_until_the_page_is_full(
    plan: Plan, state: MessageState
) -> None:
    found = page_of(plan, state=state)

    assert "Index Scan Backward using message_from_0_pkey" in found, found
    assert "Seq Scan" not in found, found


def test_waiting_recipients_are_read_from_their_batches(plan: Plan) -> None:
    found = page_of(plan, state=MessageState.QUEUED)

    assert "message_from" not in found, found
    assert "send_batch_pkey" in found, found


def test_the_messages_of_somebody_are_found_by_their_index(plan: Plan) -> None:
    found = page_of(plan, contact=ContactId(17))

    assert "message_from_0_contact_id_campaign_id" in found, found
    assert "Seq Scan" not in found, found


def test_totals_come_from_counters(plan: Plan) -> None:
    log = Log(MessageFilter(kind=MessageKind.CAMPAIGN))

    found = plan(log, log.campaigns, campaign=None)

    assert "message_from" not in found, found


def test_single_messages_are_counted_in_their_index(plan: Plan) -> None:
    log = Log(MessageFilter())

    found = plan(log, log.count_singles)

    assert "Index Only Scan" in found, found


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        ({"state": MessageState.FAILED}, "single_message_account_id_state_number_idx"),
        ({"kind": MessageKind.TEST}, "single_message_account_id_kind_number_idx"),
    ],
)
def test_single_messages_of_a_state_or_kind_have_an_index(
    plan: Plan, wanted: dict[str, Any], index: str
) -> None:
    log = Log(MessageFilter(**wanted))

    assert index in page_of(plan, **wanted)
    assert "Seq Scan" not in plan(log, log.count_singles)


def test_the_hand_over_of_a_message_is_found_by_its_batch(plan: Plan) -> None:
    found = plan(Log(MessageFilter()), HANDED_OVER, campaign=CampaignId(SENT), number=LAST)

    assert "send_batch_pkey" in found, found
