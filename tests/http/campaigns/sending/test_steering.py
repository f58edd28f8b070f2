"""Pausing, resuming and cancelling (docs/api.md, 3.5)."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

import psycopg
import pytest
from sqlalchemy import text

from adapters_db.campaigns.books import SqlBooks
from adapters_db.connection.connections import Connections
from adapters_db.transactions import SqlTransactions
from retail_core.billing.model import Subscription
from retail_core.kernel.ids import AccountId
from retail_core.messages.use_cases import CloseCancelledBatches
from tests.http.api import Shop, error_of
from tests.http.campaigns.shops import create, keyed, send, started, state_of, stores

STATEMENT_SECONDS_MAX: Final = 5
STEPS = ("pause", "resume", "cancel")


def steer(shop: Shop, campaign: object, step: str) -> dict[str, object]:
    reply = shop.post(f"/api/campaigns/{campaign}/{step}", {})
    assert reply.status_code == 200, reply.text
    found: dict[str, object] = reply.json
    return found


def test_a_campaign_is_paused_resumed_and_cancelled_with_its_credits_given_back(
    sql_seller: Shop,
) -> None:
    campaign = started(sql_seller)
    held = sql_seller.get(f"/api/campaigns/{campaign}/status").json["credits"]["held"]

    assert steer(sql_seller, campaign, "pause") == {"ok": True, "status": "paused", "remaining": 3}
    assert steer(sql_seller, campaign, "pause")["status"] == "paused"
    assert steer(sql_seller, campaign, "resume") == {
        "ok": True,
        "status": "sending",
        "remaining": 3,
    }
    cancelled = steer(sql_seller, campaign, "cancel")

    assert cancelled == {
        "ok": True,
        "status": "cancelled",
        "sent": 0,
        "cancelled": 3,
        "creditsReleased": held,
    }
    assert steer(sql_seller, campaign, "cancel") == cancelled
    status = sql_seller.get(f"/api/campaigns/{campaign}/status").json
    assert status["campaign"]["status"] == "cancelled"
    assert status["metrics"]["cancelled"] == 3
    assert status["credits"] == {"held": 0, "captured": 0, "released": held}
    assert sql_seller.get("/api/me").json["user"]["credits"] == 100


@pytest.mark.parametrize("step", ["resume", "cancel"])
def test_the_same_key_steers_once(seller: Shop, step: str) -> None:
    campaign = started(seller)
    steer(seller, campaign, "pause")
    path = f"/api/campaigns/{campaign}/{step}"

    first = seller.post(path, {}, headers=keyed("k1"))
    steer(seller, campaign, "cancel")
    second = seller.post(path, {}, headers=keyed("k1"))

    assert second.headers["Idempotency-Replayed"] == "true"
    assert (second.status_code, second.content) == (200, first.content)


def test_a_pause_ignores_the_key(seller: Shop) -> None:
    campaign = started(seller)

    for _ in range(2):
        reply = seller.post(f"/api/campaigns/{campaign}/pause", {}, headers=keyed("k1"))
        assert reply.status_code == 200
        assert "Idempotency-Replayed" not in reply.headers


@pytest.mark.parametrize("step", STEPS)
def test_what_is_completed_cannot_be_steered(seller: Shop, step: str) -> None:
    campaign = started(seller)
    send(seller.api)

    reply = seller.post(f"/api/campaigns/{campaign}/{step}", {})

    assert error_of(reply) == (409, "INVALID_STATUS")


def test_a_subscription_is_needed_to_go_on(seller: Shop) -> None:
    campaign = started(seller)
    steer(seller, campaign, "pause")
    with stores(seller.api).begin(seller.id) as uow:
        uow.subscriptions.save(seller.id, Subscription())

    reply = seller.post(f"/api/campaigns/{campaign}/resume", {})

    assert error_of(reply) == (403, "SUBSCRIPTION_REQUIRED")
    assert state_of(seller, campaign) == ("paused", "by_user")


def test_nothing_is_sent_while_paused_and_all_of_it_after_the_resume(seller: Shop) -> None:
    campaign = started(seller)
    steer(seller, campaign, "pause")
    assert send(seller.api).accepted == []

    steer(seller, campaign, "resume")

    assert len(send(seller.api).accepted) == 3


def test_the_cancelled_are_in_the_log_with_their_reason(seller: Shop) -> None:
    campaign = started(seller)
    steer(seller, campaign, "cancel")

    page = seller.get(f"/api/campaigns/{campaign}/messages?status=cancelled").json

    assert page["total"] == 3
    for message in page["items"]:
        assert (message["status"], message["errorCode"]) == ("cancelled", "campaign_cancelled")
        assert (message["segments"], message["credits"], message["encoding"]) == (1, 1, "gsm7")
        assert message["text"].startswith("Hello")
    assert state_of(seller, campaign) == ("cancelled", "by_user")


@pytest.mark.parametrize("step", STEPS)
def test_a_draft_cannot_be_steered(sql_seller: Shop, step: str) -> None:
    campaign = create(sql_seller)

    reply = sql_seller.post(f"/api/campaigns/{campaign}/{step}", {})

    assert error_of(reply) == (409, "INVALID_STATUS")


@pytest.mark.parametrize("step", STEPS)
def test_another_shops_campaign_is_not_found(sql_seller: Shop, step: str) -> None:
    campaign = started(sql_seller)
    other = sql_seller.api.sign_up()

    reply = other.post(f"/api/campaigns/{campaign}/{step}", {})

    assert error_of(reply) == (404, "RESOURCE_NOT_FOUND")


@pytest.mark.servers
def test_a_cancel_over_http_leaves_all_batches_to_a_worker(
    sql_seller: Shop, migrated_database_url: str
) -> None:
    """Here each batch that is written takes longer than a statement may last where it is short."""
    campaign = started(sql_seller)
    connections = sql_seller.api.container.resolve(Connections)
    began = time.monotonic()

    with slow_batches(migrated_database_url, campaign):
        cancelled = steer(sql_seller, campaign, "cancel")
        took = time.monotonic() - began
    close = CloseCancelledBatches(SqlTransactions(connections))
    while close():
        pass

    assert took < STATEMENT_SECONDS_MAX
    assert (cancelled["status"], cancelled["cancelled"]) == ("cancelled", 3)
    with connections.sweep() as connection:
        batches = text("SELECT account_id, state FROM send_batch WHERE campaign_id = :campaign")
        ((account, state),) = connection.execute(batches, {"campaign": campaign}).all()
    assert state == "cancelled"
    assert SqlBooks(connections).verify(AccountId(account), datetime.now(UTC)).are_right
    assert sql_seller.get("/api/me").json["user"]["credits"] == 100


@contextmanager
def slow_batches(url: str, campaign: object) -> Iterator[None]:
    """Whoever writes a batch of a campaign waits longer than a statement may last."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "CREATE FUNCTION slow_batch() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN PERFORM pg_sleep({STATEMENT_SECONDS_MAX + 1}); RETURN NEW; END $$"
        )
        connection.execute(
            "CREATE TRIGGER slow_batch BEFORE UPDATE ON send_batch FOR EACH ROW "
            f"WHEN (OLD.campaign_id = {campaign}) EXECUTE FUNCTION slow_batch()"
        )
        try:
            yield
        finally:
            connection.execute("DROP FUNCTION slow_batch CASCADE")
