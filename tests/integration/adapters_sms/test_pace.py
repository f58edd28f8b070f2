"""The pace that all processes share, on a real Redis."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import attrs
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from adapters_sms.pace import LocalPace, RedisPace, pace_of
from adapters_sms.settings import PaceSettings
from retail_core.kernel.ids import AccountId
from retail_core.kernel.secrets import SecretText
from retail_core.messages.ports import GatewayPace
from tests.contracts.messages.sms_gateway import GatewayPaceContract
from tests.integration.adapters_sms.worlds import settings_for

STORE = AccountId(1)


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_url) as client:
        client.flushdb()
        yield client


class TestRedisPace(GatewayPaceContract):
    @pytest.fixture
    def pace(self, client: redis.Redis) -> GatewayPace:
        return RedisPace(client, "account", self.limits())

    def limits(self) -> PaceSettings:
        window_ms = int(self.WINDOW_SECONDS * 1000)
        return PaceSettings(self.ACCOUNT_CALLS_MAX, window_ms, self.STORE_CALLS_MAX, window_ms)

    def test_processes_share_the_pace(self, client: redis.Redis) -> None:
        paces = [RedisPace(client, "account", self.limits()) for _ in range(2)]

        waits = [pace.reserve(STORE) for pace in paces for _ in range(2)]

        assert waits[:3] == [0.0, 0.0, 0.0]
        assert waits[3] > 0

    def test_reservations_side_by_side_keep_to_the_limit(self, client: redis.Redis) -> None:
        pace = RedisPace(client, "account", self.limits())
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(pace.reserve, [STORE] * 24))

        # waits count from the moment of each call, which a busy machine moves
        for key in client.scan_iter():
            stored: Any = client.zrange(key, 0, -1, withscores=True)
            moments = [float(score) for _, score in stored]
            assert len(moments) == 24
            for earlier, later in zip(moments, moments[self.STORE_CALLS_MAX :], strict=False):
                assert later - earlier >= self.WINDOW_SECONDS * 1_000_000

    def test_traffic_accounts_do_not_share_a_pace(self, client: redis.Redis) -> None:
        for _ in range(5):
            RedisPace(client, "one", self.limits()).reserve(STORE)

        assert RedisPace(client, "other", self.limits()).reserve(STORE) == 0.0

    def test_a_flushed_redis_costs_no_error(self, client: redis.Redis, pace: GatewayPace) -> None:
        for _ in range(10):
            pace.reserve(STORE)
        client.flushall()
        client.script_flush()

        assert pace.reserve(STORE) == 0.0


def test_nothing_is_left_behind_when_the_window_is_over(client: redis.Redis) -> None:
    pace = RedisPace(client, "account", PaceSettings(100, 200, 50, 200))
    for _ in range(3):
        pace.reserve(STORE)

    expiries = [client.pttl(key) for key in client.keys("*")]

    assert len(expiries) == 2
    assert all(0 < expiry <= 200 for expiry in expiries)


def test_lua_and_python_find_the_same_moments(client: redis.Redis, rng: random.Random) -> None:
    """Within one long window both clocks stand still, as far as the limits are concerned."""
    shared = RedisPace(client, "account", PaceSettings(7, 100_000, 3, 60_000))
    local = LocalPace(*shared._limits)

    for _ in range(120):
        store = AccountId(rng.randint(1, 4))
        assert shared.reserve(store) == pytest.approx(local.reserve(store), abs=3.0)


def test_without_redis_each_process_keeps_to_a_tenth() -> None:
    nowhere = SecretText("redis://127.0.0.1:1/0")
    pace = pace_of(attrs.evolve(settings_for("http://127.0.0.1:1"), redis_url=nowhere))

    waits = [pace.reserve(STORE) for _ in range(7)]

    assert waits[:5] == [0.0] * 5
    assert min(waits[5:]) > 0


def test_redis_is_asked_again_when_it_may_be_back(client: redis.Redis) -> None:
    now = [0.0]
    pace = RedisPace(client, "account", PaceSettings(), lambda: now[0])
    broken = redis.Redis(host="127.0.0.1", port=1, retry=Retry(NoBackoff(), 0))
    away = RedisPace(broken, "account", PaceSettings(), lambda: now[0])
    away.reserve(STORE)
    away._script = pace._script

    away.reserve(STORE)
    assert client.keys("*") == []
    now[0] = 1.0
    away.reserve(STORE)
    assert len(client.keys("*")) == 2
    broken.close()
