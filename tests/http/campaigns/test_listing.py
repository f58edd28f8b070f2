"""Lists of campaigns: filters, order, pages (docs/api.md, 1.7 and 3.5)."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import attrs
import pytest
import sqlalchemy

from adapters_db.connection.connections import Connections
from retail_core.kernel.ids import CampaignId
from tests.http.api import Api, Shop, error_of
from tests.http.campaigns.shops import (
    PAGE,
    WITH_TEMPLATE_AND_LIST,
    assert_shape,
    create,
    enqueue,
    new_shop,
    started,
    stores,
)

STATS = {
    "total": int,
    "sent": int,
    "failed": int,
    "queued": int,
    "delivered": int,
    "unknown": int,
    "cancelled": int,
    "redemptions": int,
    "conversions": int,
    "deliveredRate": float | int,
    "conversionRate": float | int,
}
SetZone = Callable[[Shop, str], None]


@pytest.fixture
def set_zone(request: pytest.FixtureRequest) -> SetZone:
    """Let a shop be somewhere, below the routes: none of them sets it yet."""

    def in_memory(shop: Shop, zone: str) -> None:
        with stores(shop.api).begin(shop.id) as uow:
            tables: Any = uow.accounts
            account = attrs.evolve(uow.accounts.get(shop.id), timezone=zone)
            tables.tables.accounts.put(shop.id, account)

    def in_sql(shop: Shop, zone: str) -> None:
        statement = sqlalchemy.text("UPDATE account SET timezone = :zone WHERE id = :id")
        with shop.api.container.resolve(Connections).sweep() as connection:
            connection.execute(statement, {"zone": zone, "id": shop.id})

    def set_it(shop: Shop, zone: str) -> None:
        (in_sql if "sql" in request.node.name else in_memory)(shop, zone)

    return set_it


def names(shop: Shop, query: str) -> list[str]:
    reply = shop.get(f"/api/campaigns?{query}")
    assert reply.status_code == 200, reply.text
    assert reply.json["total"] == len(reply.json["items"])
    return [item["name"] for item in reply.json["items"]]


def created(shop: Shop, *moments: str) -> None:
    """A campaign for each moment, named after it."""
    now = shop.api.clock.moment
    for moment in moments:
        shop.api.clock.moment = datetime.fromisoformat(moment).replace(tzinfo=UTC)
        create(shop, name=moment)
    shop.api.clock.moment = now


class TestItems:
    def test_each_has_the_whole_shape(self, seller: Shop) -> None:
        create(seller)

        reply = seller.get("/api/campaigns")

        assert_shape(reply.json, PAGE)
        (item,) = reply.json["items"]
        assert_shape(item, WITH_TEMPLATE_AND_LIST)

    def test_stats_stand_beside_it_if_wanted(self, seller: Shop) -> None:
        started(seller)

        (item,) = seller.get("/api/campaigns?withStats=true").json["items"]

        assert_shape(item, WITH_TEMPLATE_AND_LIST | {"stats": dict})
        assert_shape(item["stats"], STATS)
        assert (item["stats"]["total"], item["stats"]["queued"]) == (3, 3)
        assert "stats" not in seller.get("/api/campaigns?withStats=false").json["items"][0]

    def test_only_the_own_ones_are_there(self, seller: Shop) -> None:
        create(new_shop(seller.api))

        assert seller.get("/api/campaigns").json == {
            "items": [],
            "total": 0,
            "page": 1,
            "pageSize": 20,
        }


class TestPages:
    @pytest.mark.parametrize(
        ("query", "page", "page_size", "found"),
        [
            ("", 1, 20, [4, 3, 2, 1, 0]),
            ("page=&pageSize=", 1, 20, [4, 3, 2, 1, 0]),
            ("page=2&pageSize=2", 2, 2, [2, 1]),
            ("page=3&pageSize=2", 3, 2, [0]),
            ("page=4&pageSize=2", 4, 2, []),
            ("page=0&pageSize=0", 1, 1, [4]),
            ("page=-3&pageSize=-3", 1, 1, [4]),
            ("pageSize=1000", 1, 100, [4, 3, 2, 1, 0]),
        ],
    )
    def test_pages_are_brought_within_their_bounds(
        self, seller: Shop, query: str, page: int, page_size: int, found: list[int]
    ) -> None:
        ids = [create(seller) for _ in range(5)]

        reply = seller.get(f"/api/campaigns?{query}").json

        assert (reply["page"], reply["pageSize"], reply["total"]) == (page, page_size, 5)
        assert [item["id"] for item in reply["items"]] == [ids[index] for index in found]

    def test_a_page_beyond_everything_is_empty(self, seller: Shop) -> None:
        create(seller)

        reply = seller.get(f"/api/campaigns?page={'9' * 20}")

        assert (reply.status_code, reply.json["items"]) == (200, [])

    @pytest.mark.parametrize(
        "query",
        [
            "page=abc",
            "pageSize=1.5",
            "page=1e3",
            "status=running",
            "status=Draft",
            "orderBy=total",
            "orderBy=created_at",
            "order=up",
            "order=DESC",
            "withStats=1",
            "withStats=yes",
            "dateFrom=yesterday",
            "dateTo=2026-13-01",
            "dateTo=2026-02-30",
            "dateFrom=2026-11-24T25:00:00Z",
            "dateFrom=20261124",
            "status=draft&status=draft",
            "page=%zz",
            "q=%00",
            "q=%ff",
        ],
    )
    def test_a_bad_value_is_refused(self, quick_seller: Shop, query: str) -> None:
        reply = quick_seller.get(f"/api/campaigns?{query}")

        assert error_of(reply) == (400, "VALIDATION_ERROR")


class TestFilters:
    def test_by_part_of_the_name_in_any_case(self, seller: Shop) -> None:
        for name in ("Summer sale", "SALE 50%", "Autumn", "Χειμώνας"):
            create(seller, name=name)

        assert names(seller, "q=sale") == ["SALE 50%", "Summer sale"]
        assert names(seller, "q=%20sale%20") == ["SALE 50%", "Summer sale"]
        assert names(seller, "q=%25") == ["SALE 50%"]
        assert names(seller, "q=_") == []
        assert names(seller, "q=%CE%A7%CE%B5%CE%B9") == ["Χειμώνας"]
        assert names(seller, "q=%5C") == []

    def test_by_status(self, seller: Shop) -> None:
        create(seller, name="waits")
        started(seller, name="goes")
        fails = create(seller, name="fails", filterGender="other")
        enqueue(seller, fails)

        assert names(seller, "status=draft") == ["waits"]
        assert names(seller, "status=sending") == ["goes"]
        assert names(seller, "status=failed") == ["fails"]
        for word in ("scheduled", "paused", "completed", "cancelled"):
            assert names(seller, f"status={word}") == []

    def test_everything_must_hold_at_once(self, seller: Shop) -> None:
        started(seller, name="sale A")
        create(seller, name="sale B")

        assert names(seller, "q=sale&status=draft&dateFrom=2026-11-24") == ["sale B"]
        assert names(seller, "q=sale&status=draft&dateFrom=2026-11-25") == []

    def test_a_plain_date_is_a_whole_day_of_the_shop(self, seller: Shop, set_zone: SetZone) -> None:
        set_zone(seller, "Europe/Athens")
        before, first = "2026-11-22T21:59:59.999999", "2026-11-22T22:00:00"
        last, after = "2026-11-23T21:59:59.999999", "2026-11-23T22:00:00"
        created(seller, before, first, last, after)

        assert names(seller, "dateFrom=2026-11-23&order=asc") == [first, last, after]
        assert names(seller, "dateTo=2026-11-23&order=asc") == [before, first, last]
        assert names(seller, "dateFrom=2026-11-23&dateTo=2026-11-23&order=asc") == [first, last]
        assert names(seller, "dateFrom=2026-11-24&dateTo=2026-11-23") == []

    def test_without_a_zone_a_day_is_one_of_utc(self, seller: Shop) -> None:
        created(seller, "2026-11-22T23:59:59", "2026-11-23T00:00:00")

        assert names(seller, "dateFrom=2026-11-23") == ["2026-11-23T00:00:00"]

    def test_a_day_without_midnight_begins_when_its_clocks_begin(
        self, seller: Shop, set_zone: SetZone
    ) -> None:
        set_zone(seller, "America/Sao_Paulo")
        created(seller, "2018-11-04T02:59:59", "2018-11-04T03:00:00")

        assert names(seller, "dateFrom=2018-11-04") == ["2018-11-04T03:00:00"]
        assert names(seller, "dateTo=2018-11-03") == ["2018-11-04T02:59:59"]

    def test_a_moment_is_compared_as_it_is_shown(self, seller: Shop) -> None:
        created(seller, "2026-11-23T10:00:00.601234")
        shown = seller.get("/api/campaigns").json["items"][0]["createdAt"]
        assert shown == "2026-11-23T10:00:00.601Z"

        assert len(names(seller, f"dateFrom={shown}&dateTo={shown}")) == 1
        assert len(names(seller, "dateFrom=2026-11-23T12:00:00.601%2B02:00")) == 1
        assert len(names(seller, "dateTo=2026-11-23T10:00:00.600Z")) == 0
        assert len(names(seller, "dateFrom=2026-11-23T10:00:00.602Z")) == 0

    @pytest.mark.parametrize("zone", ["Europe/Athens", "America/Sao_Paulo"])
    def test_the_ends_of_the_calendar_are_no_bounds(
        self, seller: Shop, set_zone: SetZone, zone: str
    ) -> None:
        set_zone(seller, zone)
        create(seller)

        assert len(names(seller, "dateFrom=0001-01-01&dateTo=9999-12-31")) == 1


class TestOrder:
    def test_the_newest_come_first_unless_told_otherwise(self, seller: Shop) -> None:
        created(seller, "2026-11-20T00:00:00", "2026-11-22T00:00:00", "2026-11-21T00:00:00")
        by_time = ["2026-11-20T00:00:00", "2026-11-21T00:00:00", "2026-11-22T00:00:00"]

        assert names(seller, "") == by_time[::-1]
        assert names(seller, "order=asc") == by_time
        assert names(seller, "orderBy=createdAt&order=desc") == by_time[::-1]

    def test_equal_ones_are_ordered_by_id(self, seller: Shop) -> None:
        ids = [create(seller) for _ in range(3)]

        for query, expected in (("order=asc", ids), ("order=desc", ids[::-1])):
            items = seller.get(f"/api/campaigns?orderBy=name&{query}").json["items"]
            assert [item["id"] for item in items] == expected

    def test_by_name(self, seller: Shop) -> None:
        for name in ("b", "a", "c"):
            create(seller, name=name)

        assert names(seller, "orderBy=name&order=asc") == ["a", "b", "c"]
        assert names(seller, "orderBy=name") == ["c", "b", "a"]

    @pytest.mark.parametrize("key", ["startedAt", "finishedAt", "scheduledAt", "status"])
    def test_what_never_happened_comes_last(self, seller: Shop, key: str) -> None:
        create(seller, name="waits")
        started(seller, name="goes")
        fails = create(seller, name="fails", filterGender="other")
        enqueue(seller, fails)

        firsts = {names(seller, f"orderBy={key}&order={order}")[0] for order in ("asc", "desc")}

        expected = {
            "startedAt": {"goes"},
            "finishedAt": {"fails"},
            "scheduledAt": {"waits", "fails"},
            "status": {"waits", "goes"},
        }
        assert firsts == expected[key]


def test_two_worlds_agree_on_a_failed_campaign(campaign_api: Api) -> None:
    shop = new_shop(campaign_api, people=0)
    campaign = create(shop)
    enqueue(shop, campaign)

    with stores(campaign_api).begin(shop.id) as uow:
        found = uow.campaigns.get(shop.id, CampaignId(campaign))

    assert (found.total, found.status_reason) == (0, "no_recipients")
